import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Bus } from "../../../src/bus.ts";
import { everything, type LogLine, type LogPage } from "../../../src/system/logs/line.ts";
import { LogService, type LogServiceOptions } from "../../../src/system/logs/logService.ts";
import { MediaLogs } from "../../../src/system/logs/mediaLogs.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

function place(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-logs-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

class Bench {
  readonly bus = new Bus();
  readonly clock = new VirtualClock();
  readonly logs: LogService;

  constructor(folder: string, more: Partial<LogServiceOptions> = {}) {
    const { bus, clock } = this;
    const now = () => new Date(Date.UTC(2026, 0, 1) + clock.now());
    this.logs = new LogService({
      folder,
      bus,
      clock,
      now,
      redact: (text) => text.replaceAll("hunter2", "***"),
      ...more,
    });
  }

  say(message: string, level: LogLine["level"] = "info", source = "test"): void {
    this.bus.emit("log", { level, source, message });
  }

  async page(filter = {}, before?: string, limit = 100): Promise<LogPage> {
    const page = await this.logs.browse({ ...everything, ...filter }, before, limit);
    if ("failed" in page) throw new Error(page.failed);
    return page;
  }

  async messages(filter = {}, before?: string, limit = 100): Promise<string[]> {
    return (await this.page(filter, before, limit)).lines.map(({ message }) => message);
  }

  async all(): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for await (const line of this.logs.all()) lines.push(line);
    return lines;
  }

  /** Lets a batch be written. */
  async written(): Promise<void> {
    await this.clock.advance(1000);
    await this.logs.stop();
    await this.logs.start();
  }
}

test("lines come newest first, by level, part, text and page", async (t) => {
  const bench = new Bench(place(t));
  await bench.logs.start();
  bench.say("one", "debug");
  bench.say("Two of them", "warning", "api");
  bench.say("three", "error", "board");
  bench.say("four two", "info", "api");
  assert.deepEqual(await bench.messages(), ["four two", "three", "Two of them", "one"]);
  assert.deepEqual(await bench.messages({ level: "warning" }), ["three", "Two of them"]);
  assert.deepEqual(await bench.messages({ source: "api" }), ["four two", "Two of them"]);
  assert.deepEqual(await bench.messages({ text: "TWO" }), ["four two", "Two of them"]);
  const first = await bench.page({}, undefined, 3);
  assert.deepEqual(
    first.lines.map(({ message }) => message),
    ["four two", "three", "Two of them"],
  );
  const second = await bench.page({}, first.next ?? "", 3);
  assert.deepEqual([second.lines.map(({ message }) => message), second.next], [["one"], null]);
  const [line] = first.lines;
  assert.deepEqual(line, {
    cursor: "4",
    time: "2026-01-01T00:00:00.000Z",
    level: "info",
    source: "api",
    message: "four two",
  });
  assert.deepEqual(await bench.logs.browse(everything, "x; rm", 3), {
    failed: "that is no cursor of this log",
    cursor: true,
  });
  await bench.logs.stop();
});

test("lines outlive a restart, and what is older than the memory is found on the disk", async (t) => {
  const folder = place(t);
  const first = new Bench(folder);
  first.say("before the log listens");
  const starting = first.logs.start();
  first.say("while it starts");
  await starting;
  // More than the memory holds.
  for (let i = 0; i < 6000; i++) first.say(`line ${i}`);
  await first.clock.advance(1000);
  await first.logs.stop();
  assert.equal((await stat(join(folder, "steadycast.jsonl"))).mode & 0o777, 0o600);
  const second = new Bench(folder);
  await second.logs.start();
  second.say("after the restart");
  const page = await second.page({}, undefined, 3);
  assert.deepEqual(
    page.lines.map(({ message, cursor }) => [message, cursor]),
    [
      ["after the restart", "6002"],
      ["line 5999", "6001"],
      ["line 5998", "6000"],
    ],
  );
  assert.deepEqual(await first.messages({}, "3"), ["line 0", "while it starts"]);
  assert.deepEqual(await second.messages({ text: "while" }), ["while it starts"]);
  const all = await second.all();
  assert.deepEqual([all.length, all[0]?.message, all.at(-1)?.message], [6002, "while it starts", "after the restart"]);
  await second.logs.stop();
});

test("the files are bounded, and the newest lines stay", async (t) => {
  const folder = place(t);
  const bench = new Bench(folder);
  await bench.logs.start();
  const long = "x".repeat(3900);
  for (let i = 0; i < 40; i++) {
    for (let j = 0; j < 80; j++) bench.say(`${i}-${j} ${long}`);
    await bench.written();
  }
  const names = (await readdir(folder)).sort();
  assert.deepEqual(names, [
    "steadycast.1.jsonl",
    ...[2, 3, 4, 5, 6, 7].map((n) => `steadycast.${n}.jsonl`),
    "steadycast.jsonl",
  ]);
  for (const name of names) assert.ok((await stat(join(folder, name))).size <= 1024 * 1024);
  const all = await bench.all();
  assert.ok(all.length > 1700 && all.length < 3200, `${all.length} lines`);
  // None is missing or told twice between the first and the last.
  assert.deepEqual(
    all.map(({ cursor }) => Number(cursor)),
    all.map((_, i) => 3200 - all.length + 1 + i),
  );
  await bench.logs.stop();
});

test("a storm is folded: told once, then how often, and less and less often", async (t) => {
  const bench = new Bench(place(t));
  await bench.logs.start();
  for (let second = 0; second < 65; second++) {
    for (let i = 0; i < 1000; i++) bench.say("no lock");
    bench.say(`beside it ${second}`);
    await bench.clock.advance(1000);
  }
  await bench.logs.stop();
  const said = (await bench.page({ text: "no lock" })).lines.reverse();
  assert.deepEqual(
    said.map(({ count }) => count ?? 1),
    [1, 9999, 20_000, 35_000],
  );
  assert.equal((await bench.messages({ text: "beside it" })).length, 65);
});

test("a secret is not stored, and not given away either when it became one later", async (t) => {
  const folder = place(t);
  let secret = "hunter2";
  const bench = new Bench(folder, { redact: (text) => text.replaceAll(secret, "********") });
  await bench.logs.start();
  bench.say("login with hunter2 failed; swordfish");
  await bench.written();
  assert.match(await readFile(join(folder, "steadycast.jsonl"), "utf8"), /with \*{8} failed; swordfish/);
  secret = "swordfish";
  assert.deepEqual(await bench.messages(), ["login with ******** failed; ********"]);
  assert.match((await bench.all())[0]?.message ?? "", /failed; \*{8}$/);
  await bench.logs.stop();
});

test("a disk that is full is told once, tried again, and gets what waited", async (t) => {
  const folder = place(t);
  await symlink("/dev/full", join(folder, "steadycast.jsonl"));
  const bench = new Bench(folder);
  await bench.logs.start();
  bench.say("one");
  await settle(bench, () => bench.logs.faults().length > 0);
  assert.match(bench.logs.faults()[0]?.message ?? "", /cannot be stored: ENOSPC/);
  for (let i = 0; i < 20; i++) {
    bench.say(`more ${i}`);
    await bench.clock.advance(30_000);
  }
  assert.equal((await bench.messages({ source: "logs" })).length, 1);
  await rm(join(folder, "steadycast.jsonl"));
  await settle(bench, () => bench.logs.faults().length === 0);
  assert.deepEqual(await bench.messages({ source: "logs", level: "info" }, undefined, 1), ["the log is stored again"]);
  const stored = await readFile(join(folder, "steadycast.jsonl"), "utf8");
  assert.deepEqual(
    [...stored.matchAll(/"message":"(one|more 0|more 19)"/g)].map(([, what]) => what),
    ["one", "more 0", "more 19"],
  );
  await bench.logs.stop();
});

test("what waits for a disk that stays full is bounded, and what was lost is counted", async (t) => {
  const parent = place(t);
  // Where the folder should be is a file.
  const folder = join(parent, "logs");
  await writeFile(folder, "");
  const bench = new Bench(folder);
  await bench.logs.start();
  for (let i = 0; i < 1000; i++) bench.say(`${i} ${"x".repeat(2000)}`);
  await settle(bench, () => bench.logs.faults().length > 0);
  await rm(folder);
  await settle(bench, () => bench.logs.faults().length === 0);
  const [told] = await bench.messages({ source: "logs", level: "info" }, undefined, 1);
  const [, lost] = /; (\d+) lines were lost$/.exec(told ?? "") ?? [];
  assert.ok(Number(lost) > 400 && Number(lost) < 600, told);
  await bench.logs.stop();
});

test("half a line that a power cut left is passed over, and the next one stands on its own", async (t) => {
  const folder = place(t);
  const line = { id: 7, time: "2026-01-01T00:00:00.000Z", level: "info", source: "a", message: "whole" };
  const damaged = `${JSON.stringify(line)}\n{"id":8,"time":"2026\n\u0000\u0000\u0000[]\n{"id":"9"}\n{"id":9,"ti`;
  await writeFile(join(folder, "steadycast.jsonl"), damaged);
  const bench = new Bench(folder);
  await bench.logs.start();
  bench.say("next");
  await bench.clock.advance(1000);
  await bench.logs.stop();
  const next = new Bench(folder);
  await next.logs.start();
  assert.deepEqual(
    (await next.all()).map(({ cursor, message }) => [cursor, message]),
    [
      ["7", "whole"],
      ["8", "next"],
    ],
  );
  await next.logs.stop();
});

test("a message of any length and a source of any name do no harm", async (t) => {
  const bench = new Bench(place(t));
  await bench.logs.start();
  bench.say(`a\nb\u0000${"y".repeat(1_000_000)}`, "info", "s".repeat(1000));
  const [line] = (await bench.page()).lines;
  assert.ok(line !== undefined && line.message.length < 4200 && line.source.length === 40);
  await bench.logs.stop();
});

test("what the media processes wrote is a source of its own", async (t) => {
  const runtime = place(t);
  await mkdir(join(runtime, "ch1"));
  await writeFile(join(runtime, "ch1/encode.log.1"), "old one\n");
  await writeFile(join(runtime, "ch1/encode.log"), "WARN queue is full\n\nERROR key is hunter2\nplain\n");
  await writeFile(join(runtime, "ch1/output-srt.log"), "");
  await writeFile(join(runtime, "ch1/secret.log"), "not ours\n");
  const bench = new Bench(place(t), { sources: [new MediaLogs(runtime)] });
  await bench.logs.start();
  assert.deepEqual(await bench.logs.sources(), ["ch1/encode", "ch1/output-srt"]);
  const source = "ch1/encode";
  assert.deepEqual(await bench.messages({ source }), ["plain", "ERROR key is ***", "WARN queue is full", "old one"]);
  assert.deepEqual(await bench.messages({ source, level: "warning" }), ["ERROR key is ***", "WARN queue is full"]);
  const page = await bench.page({ source }, undefined, 2);
  assert.deepEqual(await bench.messages({ source }, page.next ?? "", 2), ["WARN queue is full", "old one"]);
  for (const outside of ["ch1/secret", "../etc/passwd", "ch1/../ch1/encode", "ch2/encode"]) {
    assert.deepEqual(await bench.messages({ source: outside }), []);
  }
  await bench.logs.stop();
});

/** Moves the clock on until something has happened; the disk takes its own time. */
async function settle(bench: Bench, done: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !done(); i++) {
    await bench.clock.advance(1000);
    await new Promise((resume) => setTimeout(resume, 1));
  }
  assert.ok(done());
}
