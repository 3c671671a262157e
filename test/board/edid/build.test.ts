import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { buildEdid, type EdidPreset, type EdidRequest, monitorName } from "../../../src/board/edid/build.ts";
import { checkEdid } from "../../../src/board/edid/check.ts";
import { parseEdid } from "../../../src/board/edid/parse.ts";

const presets: EdidPreset[] = ["720p", "1080p", "4k"];
const request = (more: Partial<EdidRequest> = {}): EdidRequest => ({
  preset: "1080p",
  audio: true,
  boxName: "Steadycast",
  connectorLabel: "HDMI 1",
  serial: "SC2500A00017",
  ...more,
});
const all = presets.flatMap((preset) => [true, false].map((audio) => request({ preset, audio })));
const title = ({ preset, audio }: EdidRequest) => `${preset} ${audio ? "with" : "without"} sound`;

/** What edid-decode, which shares no code with ours, says of an EDID. */
function decode(edid: Uint8Array): string {
  const { error, stdout, stderr } = spawnSync("edid-decode", ["--check"], { input: edid, encoding: "utf8" });
  assert.equal(error, undefined, "edid-decode must be installed, see scripts/packages.txt");
  return stdout + stderr;
}

for (const asked of all) {
  test(`edid-decode finds no fault in ${title(asked)}`, () => {
    const text = decode(buildEdid(asked));
    assert.match(text, /^EDID conformity: PASS$/m, text);
    assert.doesNotMatch(text, /^(Failures|Warnings):$/m, text);
    assert.match(text, /Manufacturer: STC/);
    assert.match(text, /Display Product Name: 'Steady HDMI 1'/);
    assert.match(text, /Display Product Serial Number: 'SC2500A00017'/);
    assert.match(text, /Source physical address: 1\.0\.0\.0/);
    assert.match(text, /Supports YCbCr 4:4:4[\s\S]*Supports YCbCr 4:2:2/);
    assert.equal(/Linear PCM:\s+Max channels: 2\s+Supported sample rates \(kHz\): 48 44\.1 32/.test(text), asked.audio);
    assert.equal(/Basic audio support/.test(text), asked.audio);
    assert.equal(/FL\/FR/.test(text), asked.audio);
    assert.equal(/Maximum TMDS Character Rate/.test(text), asked.preset === "4k");
  });

  test(`our own check and edid-decode read the same timings in ${title(asked)}`, () => {
    const bytes = buildEdid(asked);
    const checked = checkEdid(bytes, 2);
    assert.ok(checked.ok);
    const theirs = [...decode(bytes).matchAll(/^ +DTD +\d+: +(\d+)x(\d+)(i?) +([\d.]+) Hz.* ([\d.]+) MHz/gm)];
    assert.deepEqual(
      checked.edid.timings.map(({ width, height, interlaced, rate, pixelClock }) => [
        ...[width, height, interlaced, Math.round(rate * (interlaced ? 2 : 1) * 100) / 100, pixelClock],
      ]),
      theirs.map(([, width, height, i, rate, clock]) => [
        ...[Number(width), Number(height), i === "i", Math.round(Number(rate) * 100) / 100, Number(clock) * 1000],
      ]),
    );
    const codes = [...decode(bytes).matchAll(/^ +VIC +(\d+):/gm)].map(([, vic]) => Number(vic));
    assert.deepEqual(
      checked.edid.formats.map(({ vic }) => vic),
      codes,
    );
  });
}

test("a preset offers its own size first, in 60, 59.94 and 50 Hz, and nothing larger", () => {
  const sizes = { "720p": [1280, 720], "1080p": [1920, 1080], "4k": [3840, 2160] } as const;
  for (const preset of presets) {
    const { preferred, timings, formats } = parseEdid(buildEdid(request({ preset })));
    const [width, height] = sizes[preset];
    assert.deepEqual([preferred?.width, preferred?.height, preferred?.rate], [width, height, 60]);
    const own = timings.filter((timing) => timing.height === height).map(({ rate }) => rate.toFixed(2));
    assert.ok(own.includes("59.94"), own.join());
    const offered = formats.flatMap(({ timing }) => timing ?? []);
    assert.equal(offered.length, formats.length);
    assert.ok(offered.some((timing) => timing.height === height && timing.rate === 50));
    assert.ok([...timings, ...offered].every((timing) => timing.height <= height));
  }
  const { timings } = parseEdid(buildEdid(request()));
  const interlaced = timings.filter((timing) => timing.interlaced).map(({ height, rate }) => `${height} ${rate}`);
  assert.deepEqual(interlaced, ["1080 30", "1080 25"]);
});

test("a receiver's highest clock leaves out what it can't take", () => {
  const hdmi14 = parseEdid(buildEdid(request({ preset: "4k", maxClock: 300 })));
  assert.deepEqual([hdmi14.preferred?.width, hdmi14.preferred?.rate], [3840, 30]);
  assert.deepEqual([hdmi14.hdmi?.maxTmdsClock, hdmi14.maxCharacterRate], [300, undefined]);
  const hdmi13 = parseEdid(buildEdid(request({ preset: "4k", maxClock: 165 })));
  assert.deepEqual([hdmi13.preferred?.width, hdmi13.preferred?.rate], [1920, 60]);
  assert.equal(hdmi13.hdmi?.maxTmdsClock, 150);
  for (const maxClock of [75, 150, 165, 225, 300, 340]) {
    for (const preset of presets) {
      assert.match(
        decode(buildEdid(request({ preset, maxClock }))),
        /^EDID conformity: PASS$/m,
        `${preset} ${maxClock}`,
      );
    }
  }
  assert.throws(() => buildEdid(request({ maxClock: 20 })), /20 MHz/);
});

test("the name has at most 13 letters, and the label always", () => {
  assert.equal(monitorName("Box", "HDMI 2"), "Box HDMI 2");
  assert.equal(monitorName("Steadycast", "HDMI 3"), "Steady HDMI 3");
  assert.equal(monitorName("Grand Hotel", "HDMI 4"), "Grand HDMI 4");
  assert.equal(monitorName("Zürich Café", "HDMI 1"), "Zurich HDMI 1");
  assert.equal(monitorName("Lobby", "A label that is long"), "A label that");
  assert.equal(monitorName("大会堂", ""), "Steadycast");
});

test("names and serial numbers of every kind stay within their descriptors", () => {
  for (const text of ["", " ", "\n\n", "0123456789ABCDEFG", "ÄÖÜßéè", "大会堂", "🙂".repeat(20), "a\u0000b"]) {
    const bytes = buildEdid(request({ boxName: text, connectorLabel: text, serial: text }));
    assert.match(decode(bytes), /^EDID conformity: PASS$/m, JSON.stringify(text));
    const { name = "", serial = "" } = parseEdid(bytes);
    assert.ok(name.length >= 1 && name.length <= 13 && serial.length >= 1 && serial.length <= 13);
  }
  assert.equal(parseEdid(buildEdid(request({ serial: "AB-0123456789-17" }))).serial, "0123456789-17");
});

test("each input and each content is a product of its own", () => {
  const others = [...all, request({ connectorLabel: "HDMI 2" }), request({ connectorLabel: "HDMI 3" })];
  const products = others.map((asked) => parseEdid(buildEdid(asked)).product);
  assert.equal(new Set(products).size, others.length);
  assert.deepEqual(buildEdid(request()), buildEdid(request()));
});
