import assert from "node:assert/strict";
import test from "node:test";
import type { BackupFile } from "../../../src/config/backup/format.ts";
import type { ImportRequest } from "../../../src/config/backup/service.ts";
import { type Config, defaultConfig } from "../../../src/config/schema.ts";
import { Box, fullConfig, fullUsers, PASSPHRASE, SECRETS } from "./support/box.ts";
import { resealed } from "./support/reseal.ts";

async function exported(box: Box, request: Parameters<Box["backups"]["export"]>[0] = {}): Promise<BackupFile> {
  const result = await box.backups.export(request);
  assert.ok(result.ok, JSON.stringify(result));
  return JSON.parse(JSON.stringify(result.backup)) as BackupFile;
}

async function imported(box: Box, request: ImportRequest) {
  const result = await box.backups.import(request);
  assert.ok(result.ok, JSON.stringify(result));
  return result;
}

async function refused(box: Box, request: ImportRequest): Promise<string[]> {
  const before = box.everything;
  const result = await box.backups.import(request);
  assert.ok(!result.ok && result.reason === "invalid", JSON.stringify(result));
  assert.deepEqual(box.everything, before, "nothing has changed");
  return result.errors.map(({ pointer, message }) => `${pointer} ${message}`);
}

test("backup, factory reset, import: the same box, with every secret", async () => {
  const box = await Box.full();
  const before = box.everything;
  const backup = await exported(box, { passphrase: PASSPHRASE });
  const text = JSON.stringify(backup);
  for (const secret of SECRETS) assert.ok(JSON.stringify(before).includes(secret) && !text.includes(secret), secret);

  const fresh = await Box.start();
  assert.deepEqual(fresh.everything, { config: defaultConfig(), users: [] });
  const plan = await imported(fresh, { backup, passphrase: PASSPHRASE, plan: true });
  assert.deepEqual(fresh.everything, { config: defaultConfig(), users: [] }, "a plan changes nothing");
  const result = await imported(fresh, { backup, passphrase: PASSPHRASE });
  assert.deepEqual(result, { ...plan, applied: true });
  assert.deepEqual(fresh.everything, before);
  assert.deepEqual(result.notes, []);
  const from = { created: "2026-03-01T02:30:00.000Z", box: "Rack 7", firmware: "1.2.3", schemaVersion: 3 };
  assert.deepEqual(result.from, from);
  for (const secret of SECRETS) assert.ok(!JSON.stringify(result).includes(secret), `${secret} is told`);

  const again = await Box.start(fresh.disk);
  assert.deepEqual(again.everything, before, "after a restart, too");
  const journal = new TextDecoder().decode(again.disk.contentOf("import.json"));
  const spare = new TextDecoder().decode(again.disk.contentOf("import.last-good.json"));
  for (const secret of SECRETS) assert.ok(!journal.includes(secret) && !spare.includes(secret));
});

test("without a passphrase no secret is in the backup; the box that made it keeps its own", async () => {
  const box = await Box.full();
  const before = box.everything;
  const backup = await exported(box);
  for (const secret of SECRETS) assert.ok(!JSON.stringify(backup).includes(secret), secret);
  await box.config.replace({ ...fullConfig(), box: { name: "Other" } });
  const result = await imported(box, { backup });
  assert.deepEqual(box.everything, before);
  assert.deepEqual(result.notes, [
    "the backup was made without a passphrase: no secrets are in it",
    "without the passphrase, the users that are there stay",
  ]);
});

test("on another box, secrets that are missing are told, and what they protected is off", async () => {
  const backup = await exported(await Box.full());
  const fresh = await Box.start();
  const { notes } = await imported(fresh, { backup });
  const { channels, panel } = fresh.config.current;
  assert.equal(panel.pin, "");
  const [away, b] = [channels[0]?.outputs[1], channels[1]?.outputs[0]];
  for (const output of [away, b]) {
    assert.ok(output?.type === "srt");
    assert.deepEqual([output.passphrase, output.enabled], ["", false], "not on air unencrypted");
  }
  assert.equal(channels[0]?.outputs[0]?.enabled, true);
  const missing = notes.filter((note) => note.includes("is not in the backup"));
  assert.equal(missing.length, 5);
  assert.ok(
    missing.includes(
      "/channels/0/outputs/1/passphrase is not in the backup: it is empty, and what it protects is switched off",
    ),
  );
  assert.deepEqual(fresh.users.list, []);
});

test("a backup with secrets can be imported without them", async () => {
  const backup = await exported(await Box.full(), { passphrase: PASSPHRASE });
  const { notes } = await imported(await Box.start(), { backup });
  assert.equal(notes[0], "no passphrase is given: the secrets of the backup are not imported");
});

test("parts can be chosen at both ends, and the rest stays", async () => {
  const box = await Box.full();
  const backup = await exported(box, { parts: ["time", "channels", "users"], passphrase: PASSPHRASE });
  assert.deepEqual(Object.keys(backup.parts), ["time", "channels", "users"]);
  const fresh = await Box.start();
  const result = await imported(fresh, { backup, passphrase: PASSPHRASE, parts: ["channels"] });
  assert.deepEqual(result.parts, ["channels"]);
  assert.deepEqual(fresh.config.current, { ...defaultConfig(), channels: fullConfig().channels });
  assert.deepEqual(fresh.users.list, []);
  await imported(fresh, { backup, passphrase: PASSPHRASE });
  assert.deepEqual(fresh.config.current.time, fullConfig().time);
  assert.deepEqual(fresh.users.list, fullUsers);
  assert.deepEqual(fresh.config.current.box, defaultConfig().box);
});

test("a plan tells each difference, changed secrets as marks, and what is wrong", async () => {
  const box = await Box.full();
  const backup = await exported(box, { passphrase: PASSPHRASE });
  await box.config.replace({ ...fullConfig(), panel: { language: "de", pin: "12345678" }, time: { zone: "UTC" } });
  const plan = await imported(box, { backup, passphrase: PASSPHRASE, plan: true });
  assert.deepEqual(plan.differences, [
    { pointer: "/panel/pin", before: "********", after: "********" },
    { pointer: "/time/zone", before: "UTC", after: "Europe/Berlin" },
  ]);
  const broken = resealed(backup, { parts: { ...backup.parts, time: { zone: "Mars/Crater" }, power: { more: 1 } } });
  assert.deepEqual(await refused(box, { backup: broken, plan: true }), [
    "/backup/parts/time/zone must be a time zone such as Europe/Berlin or UTC",
    "/backup/parts/power/more is not a known setting",
  ]);
});

test("one part that is wrong keeps all others from being imported", async () => {
  const box = await Box.full();
  const backup = await exported(await Box.start());
  const wrong = { ...backup.parts, users: { anna: "admin" }, channels: [{ id: "A" }] };
  assert.deepEqual(await refused(box, { backup: resealed(backup, { parts: wrong }) }), [
    ...['/backup/parts/channels/0/id must be lower-case letters, digits and hyphens, is "A"'],
    ...["/backup/parts/channels/0/name is required", "/backup/parts/users must be a list of users"],
  ]);
});

test("what can't be imported is refused in words", async () => {
  const box = await Box.full();
  const backup = await exported(box, { passphrase: PASSPHRASE });
  assert.deepEqual(await refused(box, { backup, passphrase: "not the right one" }), [
    "/passphrase does not open this backup: it is not the one that it was made with",
  ]);
  assert.deepEqual(await refused(box, { backup: resealed(backup, { schemaVersion: 4 }) }), [
    "/backup has schema version 4, made by a newer firmware; this one knows versions up to 3",
  ]);
  assert.deepEqual(await refused(box, { backup: { ...backup, box: "x" } }), [
    "/backup is damaged or was changed: it does not match its checksum",
  ]);
  assert.match((await refused(box, { backup, parts: ["nothing"] })).join(), /^\/parts\/0 must be one of box, /);
  assert.deepEqual(await refused(box, { backup, parts: [] }), ["/parts must have one part at least"]);
  const unknown = resealed(backup, { parts: { ...backup.parts, licence: {} } });
  assert.deepEqual(await refused(box, { backup: unknown }), [
    "/backup/parts/licence is no part that this firmware knows",
  ]);
  const short = await box.backups.export({ passphrase: "too short" });
  assert.ok(!short.ok);
  assert.equal(short.errors[0]?.message, "must have between 10 and 128 characters, has 9");
});

test("backups of older schema versions migrate; settings that were not known then stay", async () => {
  const box = await Box.full();
  const now = await exported(box, { passphrase: PASSPHRASE });
  // What version 1 knew.
  const { box: name, inputs, panel, channels } = now.parts;
  const old = resealed(await exported(await Box.full()), {
    schemaVersion: 1,
    parts: { box: name, inputs, panel, channels },
  });
  await box.config.replace({ ...fullConfig(), box: { name: "Other" }, channels: [] });
  const result = await imported(box, { backup: old });
  assert.equal(result.from.schemaVersion, 1);
  assert.ok(result.notes.some((note) => note.startsWith("network, time, access")));
  const after = box.config.current;
  assert.deepEqual({ ...after, channels: [] }, { ...fullConfig(), channels: [] } satisfies Config);
  assert.equal(after.channels.length, 2);
});

test("sections that have got another name since then find their place", async () => {
  const box = await Box.full();
  const { ConfigParts } = await import("../../../src/config/backup/configParts.ts");
  const { migrate } = await import("../../../src/config/migrations.ts");
  const rename = {
    from: 1,
    note: "what was the screen is the panel",
    change: ({ screen, ...rest }: Record<string, unknown>) => ({ ...rest, panel: screen }),
  };
  const parts = new ConfigParts(box.config, (document) => migrate(document, [rename], 2));
  const open = { language: "fr", pin: "********" };
  const plan = parts.plan({ screen: { open, secret: { "/screen/pin": "24681357" } } }, 1);
  assert.ok(plan.ok);
  await plan.apply({});
  assert.deepEqual(box.config.current, {
    ...fullConfig(),
    panel: { ...fullConfig().panel, language: "fr", pin: "24681357" },
  });
  assert.deepEqual([parts.takesOlder(2), parts.takesOlder(3)], [true, false]);
});
