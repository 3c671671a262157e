import assert from "node:assert/strict";
import test from "node:test";
import { config } from "../../src/config/schema.ts";
import {
  audioSettings,
  bitrate,
  count,
  duration,
  indicators,
  milliseconds,
  mode,
  nanoseconds,
  sourceName,
  videoSettings,
} from "../../web/format.ts";
import { transmitStats } from "../browser/support/statuses.ts";

/** Figures keep their units on the line by a no-break space, which is hard to see in expectations. */
const plain = (text: string) => text.replaceAll("\u00a0", " ").replaceAll("\u2009", ",");

test("bitrates have the unit and the digits that fit them", () => {
  assert.equal(plain(bitrate(0)), "0 kbit/s");
  assert.equal(plain(bitrate(849_600)), "850 kbit/s");
  assert.equal(plain(bitrate(999_600)), "1.00 Mbit/s");
  assert.equal(plain(bitrate(4_000_000)), "4.00 Mbit/s");
  assert.equal(plain(bitrate(99_996_000)), "100.0 Mbit/s");
});

test("small times keep their digits", () => {
  assert.equal(plain(milliseconds(4.104)), "4.10 ms");
  assert.equal(plain(milliseconds(29.72)), "29.7 ms");
  assert.equal(plain(nanoseconds(37.2)), "37 ns");
  assert.equal(plain(nanoseconds(500_000)), "500.0 µs");
});

test("durations have two units at the most", () => {
  assert.equal(plain(duration(-5000)), "0 s");
  assert.equal(plain(duration(59_999)), "59 s");
  assert.equal(plain(duration(60_000)), "1 min");
  assert.equal(plain(duration(247_000)), "4 min 7 s");
  assert.equal(plain(duration(7_980_000)), "2 h 13 min");
  assert.equal(plain(duration(86_400_000 * 41 + 3 * 3_600_000 + 59_000)), "41 d 3 h");
});

test("counters are grouped", () => {
  assert.equal(plain(count(7)), "7");
  assert.equal(plain(count(1_204)), "1,204");
  assert.equal(plain(count(1_234_567)), "1,234,567");
});

test("modes are written as the field writes them", () => {
  assert.equal(mode(1920, 1080, "interlaced", 25), "1920×1080i25");
  assert.equal(mode(1280, 720, "progressive", 60000 / 1001), "1280×720p59.94");
  assert.equal(mode(720, 576, "", 25), "720×576 25");
  assert.equal(mode(720, 576, "", 0), "720×576");
  assert.equal(mode(0, 0, "", 0), "");
});

test("every TR 101 290 counter is shown once", () => {
  const shown = indicators.flatMap(({ names }) => names.map(([key]) => key));
  assert.deepEqual(shown.toSorted(), Object.keys(transmitStats.tr101290).toSorted());
});

test("settings are told in a line", () => {
  const [channel] = config.parse({ version: 3, channels: [{ id: "ch1", name: "One" }] }).channels;
  assert(channel !== undefined);
  assert.equal(sourceName(channel.source), "Test signal, bars");
  assert.equal(videoSettings(channel.video), "H.264 High 1280×720p25, CBR 3000 kbit/s");
  assert.deepEqual(channel.audio.map(audioSettings), ["AAC stereo 128 kbit/s"]);
  assert.equal(sourceName({ type: "file", path: "/media/clip one.mp4" }), "File clip one.mp4");
  const ip = { type: "ip", protocol: "rtp", port: 5000, interface: "", programme: 0, latencyMs: 200 } as const;
  assert.equal(sourceName({ ...ip, address: "239.1.2.3" }), "rtp://@239.1.2.3:5000");
  assert.equal(sourceName({ ...ip, address: "0.0.0.0" }), "rtp://@:5000");
});
