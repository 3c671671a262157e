import assert from "node:assert/strict";
import test from "node:test";
import {
  formatEdid,
  ioctlError,
  parseControls,
  parseEdid,
  parseFormat,
  parseTimings,
} from "../../../src/board/adapters/v4l2ctl.ts";
import { Random } from "../../support/random.ts";
import { adv7611Interlaced, hdmirx, queryFails, tc358743, tc358743Unplugged } from "./recordings.ts";

test("timings of several drivers", () => {
  const full = { width: 1920, height: 1080, totalWidth: 2200, totalHeight: 1125 };
  assert.deepEqual(parseTimings(tc358743), { ...full, interlaced: false, pixelClock: 148500000, reduced: false });
  assert.deepEqual(parseTimings(adv7611Interlaced), { ...full, interlaced: true, pixelClock: 74250000, reduced: true });
  assert.deepEqual(parseTimings(hdmirx), {
    ...{ width: 3840, height: 2160, totalWidth: 4400, totalHeight: 2250 },
    ...{ interlaced: false, pixelClock: 297000000, reduced: false },
  });
  assert.equal(parseTimings(tc358743Unplugged), undefined);
  assert.equal(parseTimings("Timing type not defined\n"), undefined);
});

test("controls by name, whatever their type", () => {
  const controls = parseControls(tc358743);
  assert.equal(controls.get("audio_sampling_rate"), 48000);
  assert.equal(controls.get("audio_present"), 1);
  assert.equal(controls.get("power_present"), 1);
  assert.equal(parseControls(adv7611Interlaced).get("brightness"), -7);
  assert.equal(parseControls(adv7611Interlaced).has("audio_present"), false);
  assert.equal(parseControls(hdmirx).get("power_present"), 1);
  // Older versions print no number of the control; strings, and buttons without a value, are left out.
  const old = "       power_present (bitmask): max=0x00000001 default=0x00000000 value=1\n  name (str) : value='0x5'\n";
  assert.deepEqual(
    [...parseControls(`${old}  reset 0x00980001 (button) : flags=write-only\n`)],
    [["power_present", 1]],
  );
});

test("what the box gets of the pictures", () => {
  assert.deepEqual(parseFormat(tc358743), { colourSpace: "ycbcr-422", range: "limited" });
  assert.deepEqual(parseFormat(tc358743Unplugged), { colourSpace: "rgb", range: "full" });
  assert.deepEqual(parseFormat(adv7611Interlaced), { colourSpace: "ycbcr-444", range: "limited" });
  assert.deepEqual(parseFormat(hdmirx), { colourSpace: "rgb", range: "full" });
  const fourcc = (code: string) => parseFormat(`	Pixel Format      : '${code}' (as ever)`)?.colourSpace;
  assert.deepEqual(["NV12", "NV16", "NV24", "BGR3", "UYVY", "YUYV", "XR24", "MJPG"].map(fourcc), [
    "ycbcr-420",
    "ycbcr-422",
    "ycbcr-444",
    "rgb",
    "ycbcr-422",
    "ycbcr-422",
    "rgb",
    undefined,
  ]);
  assert.equal(parseFormat(""), undefined);
});

test("an ioctl's error by its code", () => {
  const code = (words: string) => ioctlError({ stdout: "", stderr: queryFails(words) }, "VIDIOC_QUERY_DV_TIMINGS");
  assert.equal(code("Link has been severed"), "ENOLINK");
  assert.equal(code("No locks available"), "ENOLCK");
  assert.equal(code("Numerical result out of range"), "ERANGE");
  assert.equal(code("Something new"), "Something new");
  // Another ioctl's error is not this one's.
  const other = { stdout: tc358743, stderr: "VIDIOC_SUBDEV_QUERYCAP: failed: Inappropriate ioctl for device\n" };
  assert.equal(ioctlError(other, "VIDIOC_QUERY_DV_TIMINGS"), undefined);
  assert.equal(ioctlError(other, "VIDIOC_SUBDEV_QUERYCAP"), "ENOTTY");
});

test("an EDID comes through as it went, with remarks in between", () => {
  const random = new Random(3);
  const edid = Uint8Array.from({ length: 256 }, () => random.below(256));
  const rows = formatEdid(edid).match(/(.. ){15}../g) ?? [];
  assert.equal(rows.length, 16);
  const remark = "Block 0 has a checksum error (should be 0x1f)";
  const printed = [...rows.slice(0, 8), remark, "", ...rows.slice(8)].join("\n");
  assert.deepEqual(parseEdid(`${printed}\n`), edid);
  assert.deepEqual(parseEdid(""), new Uint8Array());
});

test("no text whatever is mistaken for timings or makes a parser fail", () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new Random(seed);
    const source = random.pick([tc358743, adv7611Interlaced, hdmirx]);
    const lines = source.split("\n").filter(() => random.chance(0.8));
    const text = lines.join("\n").slice(random.below(200), 3000 - random.below(2500));
    const timings = parseTimings(text);
    if (timings !== undefined) {
      const { width, height, totalWidth, totalHeight, pixelClock } = timings;
      assert.ok(width <= totalWidth && height <= totalHeight && pixelClock > 0, `seed ${seed}`);
    }
    for (const [name, value] of parseControls(text)) {
      assert.ok(/^\w+$/.test(name) && Number.isFinite(value), `seed ${seed}: ${name} ${value}`);
    }
    parseFormat(text);
    parseEdid(text);
  }
});
