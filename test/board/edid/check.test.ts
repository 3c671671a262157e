import assert from "node:assert/strict";
import test from "node:test";
import { checksumOf, EdidError } from "../../../src/board/edid/block.ts";
import { buildEdid } from "../../../src/board/edid/build.ts";
import { checkEdid, decodeEdid } from "../../../src/board/edid/check.ts";
import { parseEdid } from "../../../src/board/edid/parse.ts";
import { Random } from "../../support/random.ts";

const good = (preset: "720p" | "1080p" | "4k" = "1080p") =>
  buildEdid({ preset, audio: true, boxName: "Box", connectorLabel: "HDMI 1", serial: "17" });

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

/** The bytes with some changed, and checksums that fit them. */
function changed(bytes: Uint8Array, ...changes: [offset: number, value: number][]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (const [offset, value] of changes) copy[offset] = value;
  return summed(copy);
}

function summed(bytes: Uint8Array): Uint8Array {
  for (let start = 0; start + 128 <= bytes.length; start += 128) {
    bytes[start + 127] = checksumOf(bytes.subarray(start, start + 128));
  }
  return bytes;
}

/** What is wrong with them, for a receiver that holds so many blocks. */
function wrong(bytes: Uint8Array, maxBlocks = 4): string {
  const checked = checkEdid(bytes, maxBlocks);
  return checked.ok ? "nothing" : checked.what;
}

test("a good EDID comes back from base64 as it was", () => {
  const checked = decodeEdid(base64(good()), 2);
  assert.ok(checked.ok);
  assert.deepEqual(checked.bytes, good());
  assert.equal(checked.edid.name, "Box HDMI 1");
});

test("each fault is named", () => {
  const bytes = good();
  const broken = Uint8Array.from(bytes);
  broken[200] = (broken[200] ?? 0) ^ 0x10;
  const is = bytes[255] ?? 0;
  const due = checksumOf(broken.subarray(128));
  const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, "0");
  const four = summed(Uint8Array.from([...bytes, ...bytes.subarray(128), ...bytes.subarray(128)]));
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(0), "it is empty"],
    [bytes.subarray(0, 200), "it has 200 bytes, must be whole blocks of 128"],
    [bytes.subarray(128), "it does not begin with the header of an EDID, 00 FF FF FF FF FF FF 00"],
    [four, "it has 4 blocks of 128 bytes, this input holds 2 at most"],
    [broken, `the checksum of block 1 is ${hex(is)}, must be ${hex(due)}`],
    [changed(bytes, [126, 2]), "it names 2 extension blocks, but 1 follow the first block"],
    [bytes.subarray(0, 128), "it names 1 extension block, but none follow the first block"],
    [changed(bytes, [18, 2]), "its version is 2.3, must be 1.x"],
    [changed(bytes, [130, 3]), "in block 1, the detailed timings begin at byte 3, must be 4 to 127"],
    [changed(bytes, [166, 0xe3]), "in block 1, the data block at byte 38 is 3 bytes long and runs past 41"],
    [changed(bytes, [56, 0], [58, 0]), "a detailed timing has a picture of 0×1080"],
  ];
  for (const [edid, what] of cases) assert.equal(wrong(edid, 2), what);
  // Nothing was repaired on the way.
  assert.equal(bytes[255], is);
});

test("base64 that is damaged is refused, and padding may be left out", () => {
  const text = base64(good());
  for (const damaged of [`${text.slice(0, -5)}*===`, `=${text}`, `${text.slice(0, 40)}==${text.slice(40)}`]) {
    assert.deepEqual(decodeEdid(damaged, 2), { ok: false, what: "it is not base64" });
  }
  assert.deepEqual(decodeEdid("", 2), { ok: false, what: "it is empty" });
  assert.ok(decodeEdid(text.replace(/=+$/, ""), 2).ok);
});

test("more blocks than old sources read are counted in block 1", () => {
  const bytes = new Uint8Array(4 * 128);
  bytes.set(good());
  bytes.set([2, 3, 7, 0, 0xe2, 0x78, 3], 128);
  bytes.fill(0, 135, 256);
  bytes.set([2, 3, 4, 0], 256);
  bytes.set([2, 3, 4, 0], 384);
  assert.equal(wrong(summed(bytes)), "nothing");
  bytes[134] = 2;
  assert.equal(wrong(summed(bytes)), "it names 2 extension blocks, but 3 follow the first block");
});

test("an EDID of another make is read", () => {
  // A monitor as it is sold: EDID 1.3, DVI, no extension.
  const bytes = new Uint8Array(128);
  bytes.set([0, 255, 255, 255, 255, 255, 255, 0, 0x10, 0xac, 0x42, 0xa0, 0x53, 0x32, 0x4c, 0x30, 12, 20, 1, 3]);
  bytes.set([0x28, 0x3c, 0x80, 0xa0, 0x70, 0xb0, 0x23, 0x40, 0x30, 0x20, 0x36, 0, 6, 68, 33, 0, 0, 0x1a], 54);
  bytes.set([0, 0, 0, 0xfc, 0, ...Buffer.from("DELL U2410\n  ")], 72);
  bytes.set([0, 0, 0, 0xff, 0, ...Buffer.from("F525M02AS0L2S")], 90);
  const { manufacturer, product, serialNumber, name, serial, preferred, hdmi, audio } = parseEdid(summed(bytes));
  assert.deepEqual([manufacturer, product, serialNumber], ["DEL", 0xa042, 0x304c3253]);
  assert.deepEqual([name, serial], ["DELL U2410", "F525M02AS0L2S"]);
  assert.deepEqual(preferred, { width: 1920, height: 1200, interlaced: false, rate: 59.95, pixelClock: 154000 });
  assert.deepEqual([hdmi, audio], [undefined, { basic: false, formats: [] }]);
});

test("what the extension says is read", () => {
  const edid = parseEdid(good("4k"));
  assert.deepEqual(edid.audio, {
    basic: true,
    formats: [{ coding: "LPCM", channels: 2, rates: [32000, 44100, 48000] }],
  });
  assert.deepEqual(edid.hdmi, { physicalAddress: "1.0.0.0", maxTmdsClock: 340 });
  assert.equal(edid.maxCharacterRate, 595);
  assert.deepEqual([edid.underscan, edid.ycbcr444, edid.ycbcr422, edid.extensions], [true, true, true, [2]]);
  // Code 4 marked native, and code 107, of which there is no native form and which no source of ours sends.
  const native = parseEdid(changed(good(), [133, 0x84], [134, 107]));
  assert.deepEqual(native.formats.slice(0, 2), [
    { vic: 4, native: true, timing: { width: 1280, height: 720, interlaced: false, rate: 60 } },
    { vic: 107, native: false, timing: undefined },
  ]);
});

test("random and mutated bytes are read, or refused in words", () => {
  const seed = Number(process.env.FUZZ_SEED ?? 1);
  const rounds = Number(process.env.FUZZ_ROUNDS ?? 5000);
  const random = new Random(seed);
  const seeds = [good("720p"), good("1080p"), good("4k")];
  const outcomes = { read: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    const bytes = mutated(random, seeds);
    const where = `seed ${seed}, round ${round}: ${base64(bytes)}`;
    const checked = checkEdid(bytes, 1 + random.below(4));
    if (checked.ok) {
      outcomes.read++;
      assert.deepEqual(parseEdid(bytes), checked.edid, where);
      for (const timing of checked.edid.timings) assert.ok(Number.isFinite(timing.rate), where);
    } else {
      outcomes.refused++;
      assert.match(checked.what, /^(it|its|the|in|a) [\x20-\x7e×]{5,120}$/, where);
      try {
        parseEdid(bytes);
      } catch (error) {
        assert.ok(error instanceof EdidError, `${where}: ${error}`);
      }
    }
    const text = random.chance(0.5) ? base64(bytes) : Buffer.from(bytes).toString("latin1");
    decodeEdid(text, 4);
  }
  assert.ok(outcomes.read > rounds / 20 && outcomes.refused > rounds / 20, JSON.stringify(outcomes));
});

function mutated(random: Random, seeds: readonly Uint8Array[]): Uint8Array {
  if (random.chance(0.1)) return Uint8Array.from({ length: random.below(600) }, () => random.below(256));
  let bytes = Uint8Array.from(random.pick(seeds));
  // Mostly of the extension, where the lengths are.
  for (let i = random.below(12); i > 0; i--) {
    const at = random.chance(0.7) ? 128 + random.below(60) : 8 + random.below(248);
    bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
  }
  if (random.chance(0.1)) bytes = bytes.slice(0, random.below(bytes.length));
  if (random.chance(0.1)) bytes = Uint8Array.from([...bytes, ...bytes.subarray(random.below(bytes.length))]);
  return random.chance(0.9) ? summed(bytes) : bytes;
}
