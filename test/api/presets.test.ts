import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { presetRoutes } from "../../src/api/routes/presets.ts";
import type { Preset } from "../../src/config/presets.ts";
import type { ChannelConfig } from "../../src/config/schema.ts";
import type { ConfigService } from "../../src/config/store.ts";
import { Box } from "./support/box.ts";

async function start(t: TestContext): Promise<Box> {
  const config = new Proxy({} as ConfigService, {
    get: (_, name) => {
      const value: unknown = Reflect.get(box.config, name);
      return typeof value === "function" ? value.bind(box.config) : value;
    },
  });
  const box = await Box.start(t, { routes: presetRoutes(config) });
  return box;
}

const list = async (box: Box) => ((await box.call("GET", "/presets")).body as { presets: Preset[] }).presets;

test("an operator gives a channel a preset, and its tag guards it", async (t) => {
  const box = await start(t);
  const operator = box.as("operator");
  const before = box.config.tag;
  const { body, status } = await operator.call("POST", "/channels/ch1/preset", { preset: "hd-sport" });
  const channel = body as ChannelConfig;
  assert.equal(status, 200);
  const { width, height, frameRate, bitrate, gop } = channel.video;
  assert.deepEqual([width, height, frameRate, bitrate, gop], [1920, 1080, "50", 11000, 50]);
  assert.deepEqual(channel, box.config.current.channels[0]);
  const [version] = await box.config.versions();
  assert.equal(version?.comment, "preset HD sport");
  const stale = { "If-Match": `"${before}"` };
  await operator.refused("stale", "POST", "/channels/ch1/preset", { preset: "sd-pal" }, stale);
  const other = await operator.call("POST", "/channels/ch1/preset", { preset: "hd-iptv", frameRate: "29.97" });
  assert.equal((other.body as ChannelConfig).video.frameRate, "29.97");
});

test("what cannot be is refused in words", async (t) => {
  const box = await start(t);
  const { current } = box.config;
  await box.refused("not-found", "POST", "/channels/none/preset", { preset: "sd-pal" });
  await box.refused("not-found", "POST", "/channels/ch1/preset", { preset: "none" });
  const rate = await box.refused("conflict", "POST", "/channels/ch1/preset", { preset: "sd-pal", frameRate: "50" });
  assert.equal(rate.detail, "SD PAL is made for 25 Hz only");
  const uhd = (await list(box)).find(({ id }) => id === "4k-hevc");
  if (uhd?.available === false) {
    const refused = await box.refused("conflict", "POST", "/channels/ch1/preset", { preset: "4k-hevc" });
    assert.equal(refused.detail, `4K HEVC: ${uhd.reason}`);
  }
  await box.refused("conflict", "DELETE", "/presets/sd-pal");
  await box.refused("not-found", "DELETE", "/presets/none");
  await box.refused("not-found", "POST", "/presets", { name: "x", channel: "none" });
  await box.refused("invalid", "POST", "/presets", { name: "x" });
  await box.refused("invalid", "POST", "/presets", { name: "x", channel: "ch1", video: {} });
  await box.as("viewer").refused("forbidden", "POST", "/presets", { name: "x", channel: "ch1" });
  assert.equal(box.config.current, current);
});

test("own presets are made of a channel or given, applied and removed", async (t) => {
  const box = await start(t);
  const operator = box.as("operator");
  await box.call("PATCH", "/channels/ch1", { video: { bitrate: 3300 } });
  const [channel] = box.config.current.channels;
  const made = await operator.call("POST", "/presets", { name: "Lobby TV", channel: "ch1" });
  assert.deepEqual([made.status, made.body], [201, { id: "lobby-tv", name: "Lobby TV" }]);
  const given = { name: "Lobby TV", video: { bitrate: 2000 }, audio: [{}, {}], transport: { bitrate: 3000 } };
  assert.deepEqual((await operator.call("POST", "/presets", given)).body, { id: "lobby-tv-2", name: "Lobby TV" });
  await operator.refused("conflict", "POST", "/presets", { ...given, id: "lobby-tv" });
  assert.deepEqual(
    (await list(box)).slice(-2).map(({ id, builtIn }) => [id, builtIn]),
    [
      ["lobby-tv", false],
      ["lobby-tv-2", false],
    ],
  );
  const two = (await operator.call("POST", "/channels/ch1/preset", { preset: "lobby-tv-2" })).body as ChannelConfig;
  assert.deepEqual([two.video.bitrate, two.audio.length], [2000, 2]);
  const back = (await operator.call("POST", "/channels/ch1/preset", { preset: "lobby-tv" })).body as ChannelConfig;
  assert.deepEqual([back.video, back.audio], [channel?.video, channel?.audio]);
  assert.equal((await operator.call("DELETE", "/presets/lobby-tv")).status, 204);
  assert.equal(
    (await list(box)).some(({ id }) => id === "lobby-tv"),
    false,
  );
});

test("two who keep a preset at once both have it", async (t) => {
  const box = await start(t);
  const names = ["One", "Two", "Three", "Four"];
  const all = await Promise.all(names.map((name) => box.call("POST", "/presets", { name, channel: "ch1" })));
  assert.deepEqual(
    all.map(({ status }) => status),
    [201, 201, 201, 201],
  );
  assert.equal(box.config.current.presets.length, 4);
});
