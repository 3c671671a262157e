/** Whoever edits the log without its key is found out, whatever the edit. */
import assert from "node:assert/strict";
import { createHash, createHmac, randomBytes } from "node:crypto";
import test, { before } from "node:test";
import { seal, sealHead } from "../../../src/access/audit/chain.ts";
import type { SimulatedDisk } from "../../config/support/disk.ts";
import { Random } from "../../support/random.ts";
import { Bench, event, Snapshot } from "./support.ts";

const RECORDS = 240;
const options = { segmentBytes: 16_000 };
/** The log at half its length, and whole. */
let half: Snapshot;
let whole: Snapshot;
let segments: string[];

before(async () => {
  const bench = await Bench.start(undefined, options);
  for (let n = 1; n <= RECORDS; n++) {
    bench.log.record(event(n));
    if (n % 10 === 0) await bench.log.flush();
    if (n === RECORDS / 2 + 10) half = new Snapshot(bench.disk);
  }
  await bench.log.stop();
  whole = new Snapshot(bench.disk);
  segments = bench.segments();
  assert.ok(segments.length >= 4, `${segments.length} segments`);
});

/** Starts the box on the disk, which appends a record of its own when it sees something, and checks. */
async function check(disk: SimulatedDisk) {
  return (await Bench.start(disk, options)).log.check();
}

async function detected(what: string, changes: Record<string, Uint8Array | string | undefined>): Promise<void> {
  const result = await check(whole.disk(changes));
  assert.equal(result.ok, false, `${what} was not detected`);
  assert.match(result.text, /^The log is not as it was written: .+\.$/);
}

const textOf = (name: string) => Buffer.from(whole.bytes(name)).toString("utf8");
const linesOf = (name: string) => textOf(name).trimEnd().split("\n");
const joined = (lines: string[]) => `${lines.join("\n")}\n`;

test("the log that nobody edited is whole", async () => {
  const result = await check(whole.disk());
  assert.deepEqual([result.ok, result.records, result.first, result.last], [true, RECORDS, 1, RECORDS]);
});

test("a change, an insertion or a removal of any byte of a record", async () => {
  for (const [name, index] of [
    [segments[0] ?? "", 0],
    [segments[1] ?? "", 20],
    [segments.at(-1) ?? "", linesOf(segments.at(-1) ?? "").length - 1],
  ] as const) {
    const bytes = whole.bytes(name);
    const start = Buffer.byteLength(joined(linesOf(name).slice(0, index))) - (index === 0 ? 1 : 0);
    const length = Buffer.byteLength(linesOf(name)[index] ?? "") + 1;
    for (let at = start; at < start + length; at++) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      await detected(`${name}: change at ${at}`, { [name]: changed });
      if (at % 6 !== 0) continue;
      const [front, back] = [bytes.subarray(0, at), bytes.subarray(at)];
      await detected(`${name}: insertion at ${at}`, { [name]: Buffer.concat([front, Buffer.from([at % 256]), back]) });
      await detected(`${name}: removal at ${at}`, { [name]: Buffer.concat([front, back.subarray(1)]) });
    }
  }
});

test("changes of any bytes anywhere", async () => {
  const random = new Random(7);
  for (let i = 0; i < 400; i++) {
    const name = random.pick(segments);
    const bytes = whole.bytes(name).slice();
    const at = random.below(bytes.length);
    const length = Math.min(1 + random.below(40), bytes.length - at);
    const old = bytes.slice(at, at + length);
    for (let k = at; k < at + length; k++) bytes[k] = random.pick([0, 10, 32, 48, 120, random.below(256)]);
    if (Buffer.compare(old, bytes.subarray(at, at + length)) === 0) continue;
    await detected(`${name}: ${length} bytes at ${at}`, { [name]: bytes });
  }
});

test("white space that JSON does not mind, and another way to write the same value", async () => {
  const [name = ""] = segments;
  const lines = linesOf(name);
  for (const edit of [
    (line: string) => line.replace('"seq":', '"seq": '),
    (line: string) => `${line}\r`,
    (line: string) => ` ${line}`,
    (line: string) => line.replace("anna", "\\u0061nna"),
    (line: string) => line.replace(/"hash":"(.*)"\}$/, (_, hash: string) => `"hash":"${hash.toUpperCase()}"}`),
  ]) {
    await detected("another spelling", { [name]: joined(lines.with(2, edit(lines[2] ?? ""))) });
  }
  await detected("an empty line", { [name]: joined(lines.toSpliced(5, 0, "")) });
  await detected("an empty line at the end", { [name]: `${joined(lines)}\n` });
});

test("lines taken out, doubled, swapped, moved and put in", async () => {
  for (const name of segments) {
    const lines = linesOf(name);
    const last = lines.length - 1;
    for (const at of [0, 1, last >> 1, last - 1, last]) {
      const line = lines[at] ?? "";
      await detected(`${name}: line ${at} out`, { [name]: joined(lines.toSpliced(at, 1)) });
      await detected(`${name}: line ${at} twice`, { [name]: joined(lines.toSpliced(at, 0, line)) });
      if (at < last) {
        const swapped = lines.with(at, lines[at + 1] ?? "").with(at + 1, line);
        await detected(`${name}: line ${at} swapped`, { [name]: joined(swapped) });
      }
      await detected(`${name}: line ${at} instead of another`, { [name]: joined(lines.with((at + 3) % last, line)) });
    }
    const [other = ""] = linesOf(segments.find((segment) => segment !== name) ?? "");
    await detected(`${name}: a line of another segment`, { [name]: joined([...lines, other]) });
  }
});

test("a tail that is cut off, at a line or within one, or all of it", async () => {
  const name = segments.at(-1) ?? "";
  const lines = linesOf(name);
  for (let kept = 0; kept < lines.length; kept++) {
    await detected(`${kept} lines kept`, { [name]: kept === 0 ? "" : joined(lines.slice(0, kept)) });
  }
  for (let cut = 1; cut < 400; cut += 7) {
    await detected(`${cut} bytes cut`, { [name]: whole.bytes(name).slice(0, -cut) });
  }
  await detected("the last segment gone", { [name]: undefined });
  await detected("every segment gone", Object.fromEntries(segments.map((segment) => [segment, undefined])));
});

test("segments that are missing, empty, swapped, doubled under another name, or put back to an older state", async () => {
  for (const [at, name] of segments.entries()) {
    await detected(`${name} gone`, { [name]: undefined });
    await detected(`${name} emptied`, { [name]: "" });
    await detected(`${name} filled with zeros`, { [name]: new Uint8Array(500) });
    const other = segments[(at + 1) % segments.length] ?? "";
    await detected(`${name} swapped`, { [name]: whole.bytes(other), [other]: whole.bytes(name) });
    await detected(`${name} doubled`, { "audit-000000009999.jsonl": whole.bytes(name) });
    const older = half.names().includes(name) ? half.bytes(name) : undefined;
    if (older !== undefined && Buffer.compare(older, whole.bytes(name)) === 0) continue;
    await detected(`${name} older`, { [name]: older });
  }
});

test("hashes that are made anew without the key, by hash, by another key or with the old ones", async () => {
  const [name = ""] = segments;
  const lines = linesOf(name);
  const { hash: _, ...record } = JSON.parse(lines[4] ?? "") as Record<string, unknown>;
  const forged = { ...record, who: { ...(record.who as object), name: "nobody" } };
  const body = JSON.stringify(forged).slice(0, -1);
  const ways = [
    createHash("sha256").update(body).digest("hex"),
    createHmac("sha256", "").update(body).digest("hex"),
    createHmac("sha256", Buffer.alloc(32)).update(body).digest("hex"),
    String(record.prev),
  ];
  for (const hash of ways)
    await detected("a forged hash", { [name]: joined(lines.with(4, `${body},"hash":"${hash}"}`)) });

  // The whole log made anew under another key, with a head to match.
  const key = randomBytes(32);
  let end = { seq: 0, hash: "0".repeat(64) };
  const changes: Record<string, Uint8Array | string> = {};
  for (const segment of segments) {
    changes[segment] = linesOf(segment)
      .map((line) => {
        const { prev: __, hash: ___, ...entry } = JSON.parse(line);
        const sealed = seal(key, entry, end);
        end = sealed.end;
        return sealed.line;
      })
      .join("");
  }
  await detected("all made anew", changes);
  await detected("all made anew, with the head", { ...changes, "head.json": sealHead(key, end) });
});

test("a head that is missing, forged or put back", async () => {
  const name = segments.at(-1) ?? "";
  const shorter = joined(linesOf(name).slice(0, 3));
  const { seq, hash } = JSON.parse(linesOf(name)[2] ?? "") as { seq: number; hash: string };
  const mac = "0".repeat(64);
  for (const head of [undefined, "", "{}", "null", `{"seq":${seq},"hash":"${hash}","mac":"${mac}"}`]) {
    const changes = { [name]: shorter, "head.json": head };
    const bench = await Bench.start(whole.disk(changes), options);
    const { records } = await bench.log.list({ what: "auditDamaged" });
    assert.match(records[0]?.detail ?? "", /the note of the log's end is missing or was changed/);
    assert.match(bench.logged[0]?.message ?? "", /audit log is not as it was written/);
  }
});

test("edits while the box runs", async () => {
  const bench = await Bench.start(whole.disk(), options);
  bench.log.record(event(1000));
  assert.equal((await bench.log.check()).ok, true);
  for (const [name, edited] of [
    [segments[0] ?? "", whole.bytes(segments[0] ?? "").subarray(1)],
    ["head.json", half.bytes("head.json")],
    [segments[1] ?? "", whole.bytes(segments[2] ?? "")],
  ] as const) {
    const held = bench.disk.contentOf(name) ?? new Uint8Array();
    bench.disk.damage(name, edited);
    assert.equal((await bench.log.check()).ok, false, name);
    bench.disk.damage(name, held);
    assert.equal((await bench.log.check()).ok, true);
  }
});

test("a key that is gone: the log goes on and does not claim that the old part is whole", async () => {
  const disk = whole.disk({ "key.json": undefined, "key.last-good.json": undefined });
  const bench = await Bench.start(disk, options);
  bench.log.record(event(1));
  const { records } = await bench.log.list({ limit: 2 });
  assert.deepEqual(
    records.map(({ what }) => what),
    ["replaceConfig", "auditDamaged"],
  );
  assert.match(records[1]?.detail ?? "", /its key is gone/);
  assert.equal((await bench.log.check()).ok, false);
  assert.ok(bench.log.last > RECORDS, "no number is used twice");
});

test("damage stays evident, and what comes after it is whole", async () => {
  const name = segments.at(-1) ?? "";
  const lines = linesOf(name);
  const edited = joined(lines.with(1, (lines[1] ?? "").replace("replace", "Replace")));
  const first = await Bench.start(whole.disk({ [name]: edited }), options);
  first.log.record(event(1));
  await first.log.stop();
  const second = await Bench.start(first.disk, options);
  second.log.record(event(2));
  const result = await second.log.check();
  assert.deepEqual(result.breaks, [{ segment: name, line: 2, what: "was changed" }]);
  assert.equal(result.text, `The log is not as it was written: ${name}, line 2 was changed.`);
  assert.deepEqual([result.records, result.last], [RECORDS - 1 + 3, RECORDS + 3]);
  assert.deepEqual(second.logged, [], "it is told once");
});
