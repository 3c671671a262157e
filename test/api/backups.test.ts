import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { backupRoutes } from "../../src/api/routes/backups.ts";
import { ConfigParts } from "../../src/config/backup/configParts.ts";
import type { BackupFile } from "../../src/config/backup/format.ts";
import { BackupService } from "../../src/config/backup/service.ts";
import { defaultConfig } from "../../src/config/schema.ts";
import type { ConfigService } from "../../src/config/store.ts";
import { DailyBackups } from "../../src/system/backup/daily.ts";
import { fullConfig, PASSPHRASE, SECRETS } from "../config/backup/support/box.ts";
import { SimulatedDisk } from "../config/support/disk.ts";
import { VirtualClock } from "../support/virtualClock.ts";
import { Box } from "./support/box.ts";

async function start(t: TestContext): Promise<Box> {
  // The routes are made before the box has its configuration.
  const config = new Proxy({} as ConfigService, {
    get: (_, name) => {
      const value: unknown = Reflect.get(box.config, name);
      return typeof value === "function" ? value.bind(box.config) : value;
    },
  });
  const disk = new SimulatedDisk();
  const now = () => new Date("2026-03-01T02:30:00.000Z");
  const bus = { on: () => () => {}, emit: () => {}, hears: () => false } as unknown as Box["bus"];
  const backups = new BackupService({
    ...{ folder: "/data", bus, keepers: [new ConfigParts(config)], firmware: "1.2.3", files: disk, now },
    box: () => config.current.box.name,
  });
  const daily = new DailyBackups({
    ...{ folder: "/data", bus, config, backups, files: disk, now, clock: new VirtualClock() },
    send: async () => ({ ok: true }),
  });
  const box = await Box.start(t, { routes: backupRoutes(backups, daily) });
  await daily.start();
  t.after(() => daily.stop());
  return box;
}

test("the box is exported and imported over the API", async (t) => {
  const box = await start(t);
  await box.config.replace(fullConfig());
  const { body, headers, status } = await box.call("POST", "/config/export", { passphrase: PASSPHRASE });
  assert.equal(status, 200);
  assert.match(headers.get("Content-Disposition") ?? "", /^attachment; filename="steadycast-backup.json"/);
  for (const secret of SECRETS) assert.ok(!JSON.stringify(body).includes(secret), secret);
  await box.config.replace(defaultConfig());
  const plan = await box.call("POST", "/config/import", { backup: body, passphrase: PASSPHRASE, plan: true });
  assert.deepEqual(box.config.current, defaultConfig());
  const done = await box.call("POST", "/config/import", { backup: body, passphrase: PASSPHRASE });
  assert.deepEqual(done.body, { ...(plan.body as object), applied: true });
  assert.deepEqual(box.config.current, fullConfig());
  const audited = JSON.stringify(box.audited);
  assert.ok(audited.includes("with encrypted secrets") && audited.includes("the backup of Rack 7 of 2026-03-01"));
  for (const secret of [...SECRETS, PASSPHRASE]) assert.ok(!audited.includes(secret), secret);
});

test("what is wrong with an import is told where it is, without repeating a secret", async (t) => {
  const box = await start(t);
  const { body } = await box.call("POST", "/config/export", { passphrase: PASSPHRASE, parts: ["time"] });
  const backup = body as BackupFile;
  assert.deepEqual(Object.keys(backup.parts), ["time"]);
  const wrong = await box.refused("invalid", "POST", "/config/import", { backup, passphrase: "some other secret" });
  assert.equal(wrong.detail, "/passphrase: does not open this backup: it is not the one that it was made with");
  assert.ok(!JSON.stringify(wrong).includes("some other secret"));
  const short = await box.refused("invalid", "POST", "/config/export", { passphrase: "short one" });
  assert.equal(short.detail, "/passphrase: must have between 10 and 128 characters, has 9");
  const long = await box.refused("invalid", "POST", "/config/export", { passphrase: "unspoken".repeat(20) });
  assert.ok(!JSON.stringify([short, long]).match(/short one|unspoken/));
  const damaged = await box.refused("invalid", "POST", "/config/import", {
    backup: { ...backup, box: "x" },
    plan: true,
  });
  assert.equal(damaged.detail, "/backup: is damaged or was changed: it does not match its checksum");
  await box.refused("invalid", "POST", "/config/import", { passphrase: PASSPHRASE });
});

test("backups on the box are listed, made, read and removed", async (t) => {
  const box = await start(t);
  const status = { nextRun: "2026-03-02T02:30:00.000Z", made: null, failure: null, target: null };
  assert.deepEqual((await box.call("GET", "/backups")).body, { backups: [], status });
  const made = await box.call("POST", "/backups");
  const { name } = made.body as { name: string };
  assert.deepEqual([made.status, name], [201, "steadycast-2026-03-01-023000.json"]);
  const path = `/backups/${name}`;
  assert.equal(made.headers.get("Location"), `/api/v1${path}`);
  const list = (await box.call("GET", "/backups")).body as { backups: unknown[]; status: typeof status };
  assert.deepEqual(list.backups, [made.body]);
  assert.deepEqual(list.status.made, { at: "2026-03-01T02:30:00.000Z", name });
  const { body } = await box.call("GET", path);
  assert.equal((await box.call("POST", "/config/import", { backup: body, plan: true })).status, 200);
  for (const other of ["steadycast-2026-03-01-023001.json", "config.json", "..%2Fconfig.json"]) {
    await box.refused("not-found", "GET", `/backups/${other}`);
    await box.refused("not-found", "DELETE", `/backups/${other}`);
  }
  assert.equal((await box.call("DELETE", path)).status, 204);
  await box.refused("not-found", "GET", path);
});

test("only an admin has to do with backups", async (t) => {
  const box = await start(t);
  const { refused } = box.as("operator");
  await refused("forbidden", "POST", "/config/export", {});
  await refused("forbidden", "POST", "/config/import", { backup: {} });
  await refused("forbidden", "GET", "/backups");
  await refused("forbidden", "POST", "/backups");
});
