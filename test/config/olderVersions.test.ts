/** A box that was set up with an older version of the schema gets this firmware. */
import assert from "node:assert/strict";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { isObject } from "../../src/config/json.ts";
import { type Config, config, SCHEMA_VERSION } from "../../src/config/schema.ts";
import type { ConfigService } from "../../src/config/store.ts";
import { started, temporaryFolder } from "./support/service.ts";

interface File {
  revision: number;
  document: Record<string, unknown>;
}

const read = (path: string) => JSON.parse(readFileSync(path, "utf8")) as File;

/** A value without the settings that the old one did not know. */
function asFarAs(old: unknown, value: unknown): unknown {
  if (Array.isArray(old) && Array.isArray(value)) return value.map((one, i) => asFarAs(old[i], one));
  if (!isObject(old) || !isObject(value)) return value;
  const known = Object.entries(value).filter(([key]) => key in old);
  return Object.fromEntries(known.map(([key, one]) => [key, asFarAs(old[key], one)]));
}

for (let version = 1; version < SCHEMA_VERSION; version++) {
  /** As a box with the firmware of that time stored it: with an SRT passphrase and a PIN. */
  const stored = fileURLToPath(new URL(`support/version-${version}.json`, import.meta.url));
  const oldCopy = `config.version-${version}.json`;

  const updated = async (t: TestContext): Promise<[folder: string, service: ConfigService]> => {
    const folder = temporaryFolder(t);
    for (const name of ["config.json", "config.last-good.json"]) copyFileSync(stored, join(folder, name));
    return [folder, await started(folder)];
  };

  test(`a configuration of version ${version} is brought up to date with its secrets, and the old one stays`, async (t) => {
    const [folder, service] = await updated(t);
    const old = read(stored);
    assert.equal(old.document.version, version);
    assert.deepEqual(service.current, config.parse({ ...old.document, version: SCHEMA_VERSION }));
    for (const part of Object.keys(old.document).filter((key) => key !== "version")) {
      const now = asFarAs(old.document[part], service.current[part as keyof Config]);
      assert.deepEqual(now, old.document[part], `${part} is as it was`);
    }
    assert.equal(service.current.panel.pin, "271828");
    const [, srt] = service.channel("ch1")?.outputs ?? [];
    assert.equal(srt?.type === "srt" && srt.passphrase, "correct horse battery");
    assert.deepEqual([service.revision, service.problems()], [old.revision + 1, []]);

    assert.deepEqual(readFileSync(join(folder, oldCopy)), readFileSync(stored), "byte by byte");
    const { revision, document } = read(join(folder, "config.json"));
    assert.deepEqual([revision, document.version], [old.revision + 1, SCHEMA_VERSION]);
    const [newest] = await service.versions();
    assert.equal(newest?.comment, `brought up to date from schema version ${version}`);

    assert.equal((await service.editChannel("ch1", (channel) => ({ ...channel, name: "New" }))).ok, true);
    const again = await started(folder);
    assert.deepEqual([again.revision, again.channel("ch1")?.name, again.problems()], [old.revision + 2, "New", []]);
    assert.deepEqual(readFileSync(join(folder, oldCopy)), readFileSync(stored), "also after later changes");
  });

  test(`one of version ${version} is brought up to date once`, async (t) => {
    const [folder, service] = await updated(t);
    const again = await started(folder);
    assert.deepEqual([again.current, again.revision, again.tag], [service.current, service.revision, service.tag]);
    assert.deepEqual(readdirSync(folder).sort(), ["config.json", "config.last-good.json", oldCopy, "history"]);
  });
}
