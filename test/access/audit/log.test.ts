import assert from "node:assert/strict";
import test from "node:test";
import type { AuditEntry } from "../../../src/access/audit/chain.ts";
import { Bench, event } from "./support.ts";

const seqs = (records: readonly AuditEntry[]) => records.map(({ seq }) => seq);

test("events come back newest first, as they were, with number and time", async () => {
  const { log, clock } = await Bench.start();
  log.record(event(1));
  await clock.advance(1000);
  log.record(event(2, { result: "refused", detail: "not now" }));
  const { records, next } = await log.list();
  assert.deepEqual(records, [
    { seq: 2, time: "2026-01-01T00:00:01.000Z", ...event(2, { result: "refused", detail: "not now" }) },
    { seq: 1, time: "2026-01-01T00:00:00.000Z", ...event(1) },
  ]);
  assert.equal(next, null);
  assert.equal(log.last, 2);
});

test("pages follow each other without a gap, over segments", async () => {
  const { log, ...bench } = await Bench.start(undefined, { segmentBytes: 2000 });
  for (let n = 1; n <= 60; n++) {
    log.record(event(n));
    // One at a time, so that segments fill as they do in life.
    await log.flush();
  }
  assert.ok(new Bench(bench.disk).segments().length > 5);
  const found: number[] = [];
  for (let before: number | null = Number.MAX_SAFE_INTEGER; before !== null; ) {
    const page = await log.list({ before, limit: 7 });
    found.push(...seqs(page.records));
    before = page.next;
  }
  assert.deepEqual(
    found,
    Array.from({ length: 60 }, (_, i) => 60 - i),
  );
});

test("a search by user, address, operation and target", async () => {
  const { log } = await Bench.start();
  for (let n = 1; n <= 12; n++) log.record(event(n));
  assert.deepEqual(seqs((await log.list({ who: "ANNA" })).records), [12, 9, 6, 3]);
  assert.deepEqual(seqs((await log.list({ who: "192.0.2.7" })).records), [7]);
  assert.deepEqual(seqs((await log.list({ what: "replaceChannel", limit: 2 })).records), [12, 10]);
  assert.deepEqual(seqs((await log.list({ what: "/ch11" })).records), [11]);
  assert.deepEqual(seqs((await log.list({ what: "nothing" })).records), []);
});

test("a record is on the medium after 200 ms at the most, many with one fsync", async () => {
  const { log, disk, clock, segments, text } = await startedBench();
  for (let n = 1; n <= 300; n++) log.record(event(n));
  await clock.advance(0);
  const before = disk.steps;
  await clock.advance(200);
  assert.ok(disk.steps - before <= 12, `${disk.steps - before} steps`);
  assert.match(text("head.json"), /^\{"seq":300,/);
  assert.equal(segments().length, 1);
  assert.equal((await log.check()).records, 300);
});

async function startedBench() {
  const bench = await Bench.start();
  return { ...bench, log: bench.log, segments: () => bench.segments(), text: (name: string) => bench.text(name) };
}

test("the log goes on where it ended", async () => {
  const first = await Bench.start();
  first.log.record(event(1));
  await first.log.stop();
  const second = await Bench.start(first.disk);
  second.log.record(event(2));
  assert.deepEqual(seqs((await second.log.list()).records), [2, 1]);
  assert.deepEqual(await second.log.check(), {
    ...{ ok: true, records: 2, first: 1, last: 2, breaks: [] },
    text: "All 2 records are as they were written.",
  });
  assert.deepEqual(second.logged, []);
});

test("the oldest segments go, and the chain says so", async () => {
  const bench = await Bench.start(undefined, { segmentBytes: 1000, segments: 4 });
  for (let n = 1; n <= 60; n++) {
    bench.log.record(event(n));
    await bench.log.flush();
    assert.ok(bench.segments().length <= 5);
  }
  const check = await bench.log.check();
  assert.equal(check.ok, true, check.text);
  assert.ok(check.first > 30, `begins with ${check.first}`);
  const { records } = await bench.log.list({ what: "auditRemoved" });
  assert.ok(records.length > 0);
  assert.match(records[0]?.detail ?? "", /removed to make room, up to \d+/);
  // Taking away one more does not go unnoticed.
  await bench.disk.remove(`/data/audit/${bench.segments()[0]}`);
  const after = await (await Bench.start(bench.disk)).log.check();
  assert.match(after.text, /is the first, but the records before it \(up to \d+\) were not removed by the box/);
});

test("records have a bounded size", async () => {
  const { log } = await Bench.start();
  const long = "x".repeat(100_000);
  log.record(
    event(1, {
      ...{ who: { name: long, role: "admin", via: "session", address: long }, what: long, target: long, detail: long },
      diff: Array.from({ length: 500 }, () => ({ pointer: long, before: long, after: { deep: [long] } })),
    }),
  );
  const { records } = await log.list();
  assert.ok(JSON.stringify(records[0]).length < 64 * 1024);
  assert.equal(records[0]?.diff?.length, 40);
  assert.equal(records[0]?.more, 460);
  assert.equal((await log.check()).ok, true);
});

test("recording never throws, whatever it is given", async () => {
  const { log, logged } = await Bench.start();
  const round: Record<string, unknown> = {};
  round.round = round;
  log.record(event(1, { diff: [{ pointer: "/x", after: round }] }));
  log.record(event(2, { diff: [{ pointer: "/x", after: 1n }] }));
  log.record(event(3, { detail: "\ud800 \n \u0000 line" }));
  assert.equal((await log.list()).records.length, 1);
  assert.equal(logged.length, 2);
  assert.equal((await log.check()).ok, true);
});

test("what a full disk does not take waits, and comes when there is room", async () => {
  const { log, disk, clock, logged } = await Bench.start();
  log.record(event(1));
  await log.flush();
  disk.failAt(1, "ENOSPC", 5);
  for (let n = 2; n <= 5; n++) log.record(event(n));
  await log.flush();
  assert.equal(logged.length, 1);
  assert.match(logged[0]?.message ?? "", /cannot be written, \d events wait: ENOSPC/);
  for (let i = 0; i < 8; i++) await clock.advance(5000);
  assert.deepEqual(seqs((await log.list()).records), [5, 4, 3, 2, 1]);
  const check = await log.check();
  assert.equal(check.ok, true, check.text);
});

test("when too many wait, the log says how many were lost", async () => {
  const { log, disk, clock } = await Bench.start();
  disk.failAt(1, "ENOSPC", 3);
  for (let n = 1; n <= 1100; n++) log.record(event(n));
  for (let i = 0; i < 8; i++) await clock.advance(5000);
  const [newest] = (await log.list()).records;
  assert.equal(newest?.what, "auditLost");
  assert.match(newest?.detail ?? "", /^100 events were lost/);
  assert.equal(log.last, 1001);
});

test("the export has every record, oldest first, with its hash", async () => {
  const { log } = await Bench.start(undefined, { segmentBytes: 1000 });
  for (let n = 1; n <= 20; n++) {
    log.record(event(n));
    await log.flush();
  }
  const parts: Uint8Array[] = [];
  for await (const part of log.export()) parts.push(part);
  const lines = Buffer.concat(parts).toString("utf8").trimEnd().split("\n");
  const records = lines.map((line) => JSON.parse(line) as AuditEntry & { prev: string; hash: string });
  assert.deepEqual(
    seqs(records),
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
  for (const [i, { prev }] of records.entries()) assert.equal(prev, records[i - 1]?.hash ?? "0".repeat(64));
});

test("without a disk the log says so and hurts nobody", async () => {
  const bench = new Bench();
  bench.disk.failAt(1, "EROFS", 1000);
  await bench.log.start();
  bench.log.record(event(1));
  assert.deepEqual((await bench.log.list()).records, []);
  await assert.rejects(bench.log.check(), /not running/);
  await bench.log.stop();
  assert.match(bench.logged.at(-1)?.message ?? "", /cannot be opened/);
});
