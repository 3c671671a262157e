import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { type Config, defaultConfig, SECRET_MARK } from "../../src/config/schema.ts";
import { ESCAPE, onSocket, problem } from "./support.ts";

const APPLIED = { revision: 8, changed: true };

async function start(t: Parameters<typeof onSocket>[0]) {
  const bench = await onSocket(t);
  const document = defaultConfig("eth0");
  bench.box.replies.set("GET /config", document);
  bench.box.replies.set("POST /config/apply", APPLIED);
  const sent = () => bench.box.asked("POST", "/config/apply")?.body as { document: Config; comment?: string };
  return { ...bench, document, sent };
}

test("get shows one value alone, and more as a table with units and labels", async (t) => {
  const { call, document } = await start(t);
  assert.deepEqual(await call("config get /channels/ch1/video/bitrate"), { code: 0, out: "3000\n", error: "" });
  assert.equal((await call("config get channels/0/name")).out, "Channel 1\n");
  const { out } = await call("config get /channels/ch1/video");
  assert.match(out, /^SETTING +VALUE +LABEL\n/);
  assert.match(out, /^\/channels\/0\/video\/bitrate +3000 kbit\/s +Bitrate$/m);
  const lines = out.trimEnd().split("\n");
  const column = lines[0]?.indexOf("VALUE") ?? 0;
  for (const line of lines) assert.match(line.slice(column - 1), /^ \S/, "the columns are aligned");
  assert.deepEqual(JSON.parse((await call("config get --json")).out), document);
  assert.equal((await call("config get /nothing")).code, 1);
  assert.equal((await call("config get /channels/ch9")).code, 2);
});

test("set takes the type from the schema, and holds the change to what it read", async (t) => {
  const { call, sent, box, document } = await start(t);
  const cases: [line: string[], read: (config: Config) => unknown, value: unknown][] = [
    [["/channels/ch1/video/bitrate", "4500"], (c) => c.channels[0]?.video.bitrate, 4500],
    [["/channels/ch1/name", "4500"], (c) => c.channels[0]?.name, "4500"],
    [["/channels/ch1/name", "true"], (c) => c.channels[0]?.name, "true"],
    [["/channels/ch1/enabled", "off"], (c) => c.channels[0]?.enabled, false],
    [["/channels/ch1/video/frameRate", "25"], (c) => c.channels[0]?.video.frameRate, "25"],
    [["/channels/ch1/audio/0/delayMs", "-40"], (c) => c.channels[0]?.audio[0]?.delayMs, -40],
    [["/channels/ch1/source", '{"type":"test"}'], (c) => c.channels[0]?.source, { type: "test" }],
    [["/power/rebootDays", '["mon"]'], (c) => c.power.rebootDays, ["mon"]],
    [["/access/hostNames/-", "box.example.com"], (c) => c.access.hostNames, ["box.example.com"]],
    [["/channels/ch1/video/bitrate", "many"], (c) => c.channels[0]?.video.bitrate, "many"],
  ];
  for (const [line, read, value] of cases) {
    assert.deepEqual(await call(["config", "set", ...line]), { code: 0, out: "Done, revision 8\n", error: "" });
    assert.deepEqual(read(sent().document), value, line.join(" "));
  }
  assert.equal(box.asked("POST", "/config/apply")?.headers["if-match"], '"7-abc"');
  const { channels: _, ...others } = sent().document;
  const { channels: __, ...before } = document;
  assert.deepEqual(others, before, "nothing else is touched");
});

test("a secret comes from standard input", async (t) => {
  const { call, sent, document, box } = await start(t);
  box.replies.set("GET /config", { ...document, backup: { ...document.backup, passphrase: SECRET_MARK } });
  await call(["config", "set", "/backup/passphrase", "-"], { input: "correct horse\n" });
  assert.equal(sent().document.backup.passphrase, "correct horse");
  await call(["config", "set", "/box/name", "A", "--comment", "new name", "--confirm", "60"]);
  assert.equal(sent().document.backup.passphrase, SECRET_MARK, "sent back, it means the one that is set");
  assert.deepEqual(
    [sent().comment, (sent() as unknown as { confirmSeconds: number }).confirmSeconds],
    ["new name", 60],
  );
});

test("unset takes an entry out of a list, or a setting to its default", async (t) => {
  const { call, sent } = await start(t);
  await call("config unset /channels/ch1/outputs/main");
  assert.deepEqual(sent().document.channels[0]?.outputs, []);
  await call("config unset /box/name");
  assert.deepEqual(sent().document.box, {});
});

test("a refusal tells each field with its label, and exits with 1", async (t) => {
  const { call, box } = await start(t);
  box.replies.set("POST /config/apply", (response) =>
    problem(response, {
      ...{ status: 422, title: "Some of these settings are not valid", detail: "x" },
      errors: [
        { pointer: "/time/zone", detail: "must be\u001b[2J a zone" },
        { pointer: "/foo", detail: "is not a known setting" },
      ],
    }),
  );
  const { code, out, error } = await call("config set /box/name x");
  assert.deepEqual([code, out], [1, ""]);
  assert.match(
    error,
    /^Some of these settings are not valid:\n {2}\/time\/zone( \(.+\))?: must be.* a zone\n {2}\/foo: is not a known setting\n$/,
  );
  assert.ok(!error.includes(ESCAPE));
});

test("plan, apply, confirm and revert", async (t) => {
  const { call, box, folder } = await start(t);
  const plan = {
    ...{ revision: 7, valid: true, errors: [], changed: true, canCutOff: true, confirmSeconds: 120, sections: [] },
    differences: [{ pointer: "/box/name", before: "A", after: "B" }],
    channels: [{ id: "ch1", name: "One", change: "changed", effect: "encoder", interrupts: true }],
  };
  box.replies.set("POST /config/plan", plan);
  const planned = await call("config plan - --patch", { input: '{"box":{"name":"B"}}' });
  assert.equal(planned.code, 0);
  assert.match(
    planned.out,
    /^\/box\/name: A → B\n\nCHANNEL +CHANGE +EFFECT +INTERRUPTS\nch1 +changed +encoder +yes\n\nIt can cut you off: .* 120 s/,
  );
  assert.deepEqual(box.asked("POST", "/config/plan")?.body, { patch: { box: { name: "B" } } });
  box.replies.set("POST /config/plan", {
    ...plan,
    valid: false,
    errors: [{ pointer: "/box/name", message: "must be text" }],
  });
  const invalid = await call("config plan - --patch", { input: "{}" });
  assert.deepEqual([invalid.code, invalid.out], [1, "/box/name (Box name): must be text\n"]);

  const trial = { revision: 8, author: "anna", remainingSeconds: 60, differences: [] };
  box.replies.set("POST /config/apply", { ...APPLIED, trial });
  writeFileSync(join(folder, "new.json"), '{"version":3}');
  const applied = await call(["config", "apply", join(folder, "new.json"), "--confirm", "60", "--comment", "why"]);
  assert.equal(
    applied.out,
    "Revision 8 is on trial and is taken back in 60 s, unless you say:\n  steadycast config confirm 8\n",
  );
  assert.deepEqual(box.asked("POST", "/config/apply")?.body, {
    document: { version: 3 },
    confirmSeconds: 60,
    comment: "why",
  });

  box.replies.set("GET /config/trial", { trial });
  box.replies.set("POST /config/confirm", APPLIED);
  assert.equal((await call("config confirm")).out, "Revision 8 is kept\n");
  assert.deepEqual(box.asked("POST", "/config/confirm")?.body, { revision: 8 });
  box.replies.set("POST /config/revert", { revision: 7, changed: true });
  assert.equal((await call("config revert 8")).out, "Revision 7 is in force again\n");
  box.replies.set("GET /config/trial", { trial: null });
  assert.deepEqual(await call("config confirm"), { code: 1, out: "", error: "No change is on trial\n" });
});

test("history, diff and restore", async (t) => {
  const { call, box } = await start(t);
  const version = { saved: "2026-01-01T00:00:00.000Z", author: null, comment: null, current: false };
  box.replies.set("GET /config/history", {
    versions: [
      { ...version, revision: 8, author: "anna", comment: "sport", current: true },
      { ...version, revision: 7 },
    ],
  });
  const { out } = await call("config history");
  assert.equal(
    out,
    "REVISION  SAVED                     AUTHOR  COMMENT\n" +
      "8 *       2026-01-01T00:00:00.000Z  anna    sport\n7         2026-01-01T00:00:00.000Z\n",
  );
  box.replies.set("GET /config/history/7/diff?to=8", { differences: [{ pointer: "/a", after: [1] }] });
  assert.equal((await call("config diff 7 8")).out, "/a: – → [1]\n");
  box.replies.set("POST /config/history/7/restore", { revision: 9, changed: true });
  assert.equal((await call("config restore 7 --comment back")).out, "Done, revision 9\n");
  assert.deepEqual(box.asked("POST", "/config/history/7/restore")?.body, { comment: "back" });
  assert.equal((await call("config restore last")).code, 2);
});

test("export and import, with a passphrase that is on no command line", async (t) => {
  const { call, box, folder } = await start(t);
  box.replies.set("POST /config/export", { format: "steadycast-backup" });
  const exported = await call("config export --parts channels,users", {
    env: { STEADYCAST_PASSPHRASE: "correct horse" },
  });
  assert.deepEqual(JSON.parse(exported.out), { format: "steadycast-backup" });
  assert.deepEqual(box.asked("POST", "/config/export")?.body, {
    parts: ["channels", "users"],
    passphrase: "correct horse",
  });
  const file = join(folder, "secret");
  writeFileSync(file, "battery staple\n");
  box.replies.set("POST /config/import", {
    ...{
      applied: false,
      parts: ["users"],
      differences: [{ pointer: "/users/anna", after: {} }],
      notes: ["be careful"],
    },
  });
  const imported = await call(["config", "import", "-", "--plan", "--passphrase-file", file], { input: exported.out });
  assert.equal(imported.out, "Would import users\n/users/anna: – → {}\nNote: be careful\n");
  assert.deepEqual(box.asked("POST", "/config/import")?.body, {
    ...{ backup: { format: "steadycast-backup" }, passphrase: "battery staple", plan: true },
  });
  const broken = await call("config import -", { input: "{" });
  assert.deepEqual([broken.code, broken.error.split("\n")[0]], [2, "The backup is not JSON"]);
});
