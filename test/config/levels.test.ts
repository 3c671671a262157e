import assert from "node:assert/strict";
import test from "node:test";
import { lowestLevel } from "../../src/config/levels.ts";
import { channel, defaultConfig } from "../../src/config/schema.ts";

const [base] = defaultConfig("lo").channels;

function refusal(patch: Record<string, unknown>): string[] {
  const result = channel.safeParse({ ...structuredClone(base), ...patch });
  return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join("/")} ${message}`);
}

test("the lowest level is that of the standard", () => {
  assert.equal(lowestLevel(720, 576, 25, 3000), "3");
  assert.equal(lowestLevel(1280, 720, 25, 3000), "3.1");
  assert.equal(lowestLevel(1280, 720, 50, 3000), "4");
  assert.equal(lowestLevel(1920, 1080, 30, 8000), "4");
  assert.equal(lowestLevel(1920, 1080, 30, 30_000), "4.1");
  assert.equal(lowestLevel(1920, 1080, 59.94, 8000), "4.2");
  assert.equal(lowestLevel(3840, 2160, 25, 20_000), "5.1");
  assert.equal(lowestLevel(3840, 2160, 60, 20_000), "5.2");
  // One side is too long though the area is small (A.3.1).
  assert.equal(lowestLevel(3840, 96, 25, 3000), "4");
  assert.equal(lowestLevel(4096, 4096, 60, 3000), undefined);
});

test("a level that cannot hold the picture is refused with the one that can", () => {
  assert.deepEqual(refusal({ video: { level: "3.1" } }), []);
  assert.deepEqual(refusal({ video: { level: "3" } }), [
    "video/level must be at least 3.1 for 1280x720 at 25 Hz and 3000 kbit/s, is 3",
  ]);
  assert.deepEqual(refusal({ video: { level: "4", width: 1920, height: 1080, frameRate: "50" } }), [
    "video/level must be at least 4.2 for 1920x1080 at 50 Hz and 3000 kbit/s, is 4",
  ]);
});

test("a mono track has no more bits than its coding takes", () => {
  assert.deepEqual(refusal({ audio: [{ channels: 1, bitrate: 256 }] }), []);
  assert.deepEqual(refusal({ audio: [{ channels: 1, bitrate: 320 }] }), [
    "audio/0/bitrate must be at most 256 kbit/s for one channel, is 320",
  ]);
  assert.deepEqual(refusal({ audio: [{}, { codec: "mp2", channels: 1, bitrate: 256 }] }), [
    "audio/1/bitrate must be at most 192 kbit/s for one channel, is 256",
  ]);
});
