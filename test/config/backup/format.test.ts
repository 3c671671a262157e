import assert from "node:assert/strict";
import test from "node:test";
import {
  type BackupFile,
  fromBytes,
  makeBackup,
  openBackup,
  parseBackup,
  toBytes,
} from "../../../src/config/backup/format.ts";
import type { Sealed } from "../../../src/config/backup/secretBox.ts";
import { Random } from "../../support/random.ts";
import { PASSPHRASE } from "./support/box.ts";
import { resealed } from "./support/reseal.ts";

const head = { created: new Date("2026-03-01T02:30:00.000Z"), box: "Rack 7", firmware: "1.2.3" };
const contents = {
  box: { open: { name: "Rack 7" } },
  panel: { open: { pin: "********" }, secret: { "/panel/pin": "73915046" } },
};
const made = await makeBackup(head, contents, PASSPHRASE);
const copy = (): Record<string, unknown> => JSON.parse(JSON.stringify(made)) as Record<string, unknown>;

test("a file gives back what went in, with the passphrase alone all of it", async () => {
  const read = fromBytes(toBytes(made));
  assert.ok(read.ok);
  assert.deepEqual(read.backup, made);
  const opened = await openBackup(read.backup, PASSPHRASE);
  assert.ok(opened.ok);
  assert.deepEqual(opened.contents, contents);
  const closed = await openBackup(read.backup);
  assert.ok(closed.ok);
  assert.deepEqual(closed.contents, { box: { open: { name: "Rack 7" } }, panel: { open: { pin: "********" } } });
  const wrong = await openBackup(read.backup, `${PASSPHRASE}!`);
  assert.deepEqual(wrong, {
    ok: false,
    reason: "wrong-passphrase",
    message: "does not open this backup: it is not the one that it was made with",
  });
});

test("white space and the order of keys may change", async () => {
  const { checksum, parts, ...rest } = copy();
  const read = parseBackup(JSON.parse(JSON.stringify({ checksum, parts, ...rest })));
  assert.ok(read.ok);
  assert.ok((await openBackup(read.backup, PASSPHRASE)).ok);
  assert.ok(fromBytes(new TextEncoder().encode(JSON.stringify(made))).ok);
});

test("no two files are encrypted alike, and without a passphrase nothing is", async () => {
  const again = await makeBackup(head, contents, PASSPHRASE);
  assert.notEqual(again.secrets?.salt, made.secrets?.salt);
  assert.notEqual(again.secrets?.iv, made.secrets?.iv);
  assert.notEqual(again.secrets?.data, made.secrets?.data);
  assert.equal((await makeBackup(head, contents)).secrets, undefined);
  assert.doesNotMatch(JSON.stringify([made, await makeBackup(head, contents)]), /73915046/);
});

test("encrypted secrets open in their own file only", async () => {
  const { box, ...others } = made.parts;
  const changes: Partial<BackupFile>[] = [
    { parts: { ...others, box: { name: "Rack 8" } } },
    { parts: { ...others, box, more: {} } },
    { parts: others },
    { box: "Rack 8" },
    { created: "2026-03-02T02:30:00.000Z" },
    { firmware: "1.2.4" },
    { schemaVersion: 1 },
  ];
  for (const change of changes) {
    const read = parseBackup(resealed(made, change));
    assert.ok(read.ok, JSON.stringify(change));
    const opened = await openBackup(read.backup, PASSPHRASE);
    assert.ok(!opened.ok && opened.reason === "wrong-passphrase", JSON.stringify(change));
  }
  const unchanged = parseBackup(resealed(made, {}));
  assert.ok(unchanged.ok && (await openBackup(unchanged.backup, PASSPHRASE)).ok, "the test seals as the product does");
});

test("a file that can't be used is refused in words", async () => {
  const cases: [unknown, RegExp][] = [
    [[], /is no backup of a Steadycast box/],
    [{ ...copy(), format: "other" }, /is no backup/],
    [
      { ...copy(), formatVersion: 2 },
      /has format version 2, made by a newer firmware; this one knows versions up to 1/,
    ],
    [{ ...copy(), formatVersion: "1" }, /has no format that is known/],
    [resealed(made, { schemaVersion: 99 }), /has schema version 99, made by a newer firmware/],
    [{ ...copy(), more: 1 }, /unknown field "more"/],
    [{ ...copy(), box: "Rack 8" }, /is damaged or was changed/],
    [{ ...copy(), checksum: undefined }, /has no checksum/],
    [{ ...copy(), created: "yesterday" }, /"created" that is not a time/],
    [{ ...copy(), parts: Object.fromEntries([...Array(65).keys()].map((n) => [`p${n}`, 1])) }, /more than 64 parts/],
  ];
  for (const [file, pattern] of cases) {
    const read = parseBackup(file);
    assert.ok(!read.ok);
    assert.match(read.message, pattern);
  }
  const long = fromBytes(new Uint8Array(2_000_000).fill(32));
  assert.ok(!long.ok);
  assert.match(long.message, /must have at most 1024000 bytes, has 2000000/);
});

test("a file can't make the box spend memory or time on its key", async () => {
  const headers: Record<string, unknown>[] = [
    ...[{ N: 2 ** 40 }, { N: 2 ** 20 }, { N: 2 ** 10 }, { N: 40000 }, { N: -1 }, { N: "32768" }, { N: 32768.5 }],
    ...[{ r: 0 }, { r: 64 }, { r: 33 }, { p: 0 }, { p: 5 }, { p: 1e9 }, { kdf: "none" }, { cipher: "aes-256-cbc" }],
    ...[
      { salt: "" },
      { salt: "AAAA" },
      { iv: "AAAA" },
      { tag: "AAAA" },
      { tag: "AAAAAA==" },
      { data: "%" },
      { more: 1 },
    ],
  ];
  for (const header of headers) {
    const forged = parseBackup(resealed(made, { secrets: { ...made.secrets, ...header } as Sealed }));
    assert.ok(!forged.ok, JSON.stringify(header));
    assert.match(forged.message, /its "secrets" (has|would need)/);
  }
});

test("no mutation of a file is accepted, unless it means the same", () => {
  const bytes = toBytes(made);
  const random = new Random(4);
  let same = 0;
  for (let round = 0; round < 20000; round++) {
    const mutated = mutate(bytes, random);
    const read = fromBytes(mutated);
    if (!read.ok) continue;
    assert.deepEqual(read.backup, made);
    same++;
  }
  assert.ok(same < 4000, `${same} of 20000 were accepted`);
});

function mutate(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  const at = random.below(copy.length);
  switch (random.below(5)) {
    case 0:
      copy[at] = random.below(256);
      return copy;
    case 1:
      copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
      return copy;
    case 2:
      return copy.slice(0, at);
    case 3:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at + 1 + random.below(20))]);
    default: {
      const piece = copy.subarray(at, at + random.below(40));
      const to = random.below(copy.length);
      return Buffer.concat([copy.subarray(0, to), piece, copy.subarray(to)]);
    }
  }
}
