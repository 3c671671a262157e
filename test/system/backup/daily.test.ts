import assert from "node:assert/strict";
import test from "node:test";
import { fromBytes, openBackup } from "../../../src/config/backup/format.ts";
import type { Parcel, Sent } from "../../../src/system/backup/sending.ts";
import { Random } from "../../support/random.ts";
import { Bench, HOUR, MINUTE } from "./support/bench.ts";

/** A server that only pretends. */
class Server {
  readonly got: string[] = [];
  readonly keys: (string | undefined)[] = [];
  answer: Sent = { ok: true, hostKey: "SHA256:first" };
  send = async (_target: unknown, { name }: Parcel, key: string | undefined): Promise<Sent> => {
    this.got.push(name);
    this.keys.push(key);
    return this.answer;
  };
}

const SFTP = { type: "sftp", host: "nas.example", user: "box", password: "sftp-secret-word" };

test("a backup is made each day at its time, in the time zone of the box, on the days of the change too", async () => {
  const bench = await Bench.start("2026-03-27T11:00:00Z");
  await bench.set({ time: "02:30" });
  assert.equal(bench.daily.status().nextRun, "2026-03-28T01:30:00.000Z");
  for (let hour = 0; hour < 80; hour++) await bench.pass(HOUR);
  assert.deepEqual(bench.names, [
    "steadycast-2026-03-30-023000.json",
    "steadycast-2026-03-29-033000.json",
    "steadycast-2026-03-28-023000.json",
  ]);
  assert.deepEqual(bench.daily.status().made, { at: "2026-03-30T00:30:00.000Z", name: bench.names[0] });
  await bench.set({ daily: false });
  assert.equal(bench.daily.status().nextRun, null);
  for (let hour = 0; hour < 30; hour++) await bench.pass(HOUR);
  assert.equal(bench.names.length, 3);
  await bench.stop();
});

test("what was due while the box was off is made up for once; a new box has nothing to make up for", async () => {
  const first = await Bench.start("2026-01-10T12:00:00Z");
  assert.deepEqual(first.names, []);
  await first.stop();
  const second = await Bench.start("2026-01-14T12:00:00Z", {}, first.disk);
  assert.deepEqual(second.names, ["steadycast-2026-01-14-120000.json"]);
  await second.stop();
  const third = await Bench.start("2026-01-14T13:00:00Z", {}, first.disk);
  assert.equal(third.names.length, 1);
  await third.pass(14 * HOUR);
  assert.equal(third.names.length, 2);
  await third.stop();
});

test("a clock that was wrong keeps no backup from being made, and throws none away that is new", async () => {
  const bench = await Bench.start("2099-01-01T00:00:00Z");
  await bench.set({ keep: 2 });
  await bench.pass(3 * HOUR);
  assert.deepEqual(bench.names, ["steadycast-2099-01-01-023000.json"], "in Berlin it was due at 01:30 UTC");
  bench.wall = Date.parse("2026-01-10T12:00:00Z") - bench.clock.now();
  await bench.pass(MINUTE);
  await bench.pass(24 * HOUR);
  assert.equal(bench.names.length, 2);
  assert.ok(
    bench.names.every((name) => name.includes("2026-01-1")),
    String(bench.names),
  );
  await bench.stop();
});

test("the newest are kept, as many as are set; others' files are left alone", async () => {
  const bench = await Bench.start("2026-01-10T12:00:00Z");
  bench.disk.damage("backups/notes.txt", new Uint8Array(3));
  await bench.set({ keep: 3 });
  for (let n = 0; n < 5; n++) {
    assert.ok((await bench.daily.make()).ok);
    await bench.pass(MINUTE);
  }
  const expected = [2, 3, 4].map((n) => `steadycast-2026-01-10-130${n}00.json`).reverse();
  assert.deepEqual(bench.names, expected);
  assert.ok((await bench.daily.make()).ok);
  assert.ok((await bench.daily.make()).ok, "two in the same second");
  assert.deepEqual(bench.names.slice(0, 2), [
    "steadycast-2026-01-10-130500-2.json",
    "steadycast-2026-01-10-130500.json",
  ]);
  assert.equal(bench.disk.names("backups").filter((name) => name.startsWith("steadycast-")).length, 3);
  assert.ok(bench.disk.names("backups").includes("notes.txt"));
  const again = await Bench.start("2026-01-10T13:06:00Z", {}, bench.disk);
  assert.deepEqual(again.daily.list(), bench.daily.list());
  assert.equal(await again.daily.remove(bench.names[0] ?? ""), true);
  assert.equal(await again.daily.remove("../config.json"), false);
  assert.equal(await again.daily.read("config.json"), undefined);
  assert.equal(again.names.length, 2);
  await again.stop();
  await bench.stop();
});

test("daily backups hold secrets only with the passphrase of the settings", async () => {
  const bench = await Bench.start("2026-01-10T12:00:00Z");
  await bench.set({ target: SFTP, passphrase: "the passphrase" });
  const made = await bench.daily.make();
  assert.ok(made.ok && made.backup.secrets);
  const bytes = await bench.daily.read(made.backup.name);
  assert.ok(bytes && !new TextDecoder().decode(bytes).includes("sftp-secret-word"));
  const read = fromBytes(bytes);
  assert.ok(read.ok);
  const opened = await openBackup(read.backup, "the passphrase");
  assert.ok(opened.ok && JSON.stringify(opened.contents.backup?.secret).includes("sftp-secret-word"));
  await bench.set({ passphrase: "" });
  const plain = await bench.daily.make();
  assert.ok(plain.ok && !plain.backup.secrets);
  const text = new TextDecoder().decode(await bench.daily.read(plain.backup.name));
  assert.ok(!text.includes("sftp-secret-word") && text.includes("********"));
  await bench.stop();
});

test("a backup is sent when it is made; what fails is told, and tried less and less often", async () => {
  const server = new Server();
  server.answer = { ok: false, reason: "the server refuses connections" };
  const bench = await Bench.start("2026-01-10T12:00:00Z", { send: server.send });
  await bench.set({ target: SFTP, daily: false });
  assert.deepEqual(server.got, [], "there is nothing to send");
  const made = await bench.daily.make();
  assert.ok(made.ok);
  await bench.pass(0);
  assert.equal(server.got.length, 1);
  const { target } = bench.daily.status();
  const failure = { at: "2026-01-10T12:00:00.000Z", reason: "the server refuses connections" };
  const facts = { type: "sftp", server: "nas.example:22", sent: null, hostKey: null };
  assert.deepEqual(target, { ...facts, failure, nextTry: "2026-01-10T12:01:00.000Z" });
  assert.ok(
    bench.logged.some((line) => line.startsWith("warning: the backup") && line.endsWith("refuses connections")),
  );
  const tries: number[] = [];
  for (let minute = 1; minute <= 400; minute++) {
    const before = server.got.length;
    await bench.pass(MINUTE);
    if (server.got.length > before) tries.push(minute);
  }
  assert.deepEqual(tries.slice(0, 6), [1, 3, 7, 15, 31, 63]);
  assert.deepEqual(tries.slice(6), [123, 183, 243, 303, 363], "once an hour at the least");
  server.answer = { ok: true, hostKey: "SHA256:first" };
  await bench.pass(HOUR);
  const after = bench.daily.status().target;
  assert.deepEqual([after?.sent?.name, after?.failure, after?.nextTry], [made.backup.name, null, null]);
  const { length } = server.got;
  await bench.pass(10 * HOUR);
  assert.equal(server.got.length, length, "it is sent once");
  await bench.stop();
});

test("the host key of the first connection is kept over a restart, until another server is set", async () => {
  const server = new Server();
  const first = await Bench.start("2026-01-10T12:00:00Z", { send: server.send });
  await first.set({ target: SFTP });
  await first.daily.make();
  await first.pass(0);
  assert.equal(first.daily.status().target?.hostKey, "SHA256:first");
  assert.ok(first.logged.includes("info: nas.example:22 has the host key SHA256:first; it is kept"));
  await first.stop();
  const second = await Bench.start("2026-01-10T12:10:00Z", { send: server.send }, first.disk);
  await second.daily.make();
  await second.pass(0);
  server.answer = { ok: false, reason: "the server has another host key" };
  await second.pass(MINUTE);
  await second.daily.make();
  await second.pass(0);
  assert.equal(second.daily.status().target?.hostKey, "SHA256:first", "a failure does not make it forgotten");
  await second.set({ target: { ...SFTP, host: "other.example" } });
  assert.deepEqual(server.keys, [undefined, "SHA256:first", "SHA256:first", undefined]);
  assert.equal(second.daily.status().target?.sent, null);
  await second.stop();
});

test("a disk that is full is told, and tried again", async () => {
  const bench = await Bench.start("2026-01-10T01:20:00Z");
  await bench.set({});
  bench.disk.failAt(1, "ENOSPC", 1000);
  await bench.pass(20 * MINUTE);
  assert.match(bench.daily.status().failure?.reason ?? "", /ENOSPC/);
  assert.deepEqual(bench.names, []);
  bench.disk.failAt(1, "ENOSPC", 0);
  await bench.pass(HOUR);
  assert.equal(bench.names.length, 1);
  assert.equal(bench.daily.status().failure, null);
  await bench.stop();
});

test("a power cut at any step of a backup leaves it whole or not there, and nothing else", async () => {
  for (let step = 1; step < 40; step++) {
    const bench = await Bench.start("2026-01-10T12:00:00Z");
    assert.ok((await bench.daily.make()).ok);
    const [old] = bench.names;
    await bench.pass(MINUTE);
    bench.disk.cutPowerAt(step);
    const made = await bench.daily.make();
    await bench.stop().catch(() => undefined);
    const again = await Bench.start("2026-01-10T12:05:00Z", {}, bench.disk.afterPowerCut(new Random(step)));
    assert.ok(again.names.includes(old ?? ""));
    if (made.ok && !bench.disk.cut) assert.equal(again.names.length, 2);
    assert.ok(!again.disk.names("backups").some((name) => name.endsWith(".tmp")));
    await again.stop();
  }
});
