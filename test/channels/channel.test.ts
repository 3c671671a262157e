import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Bus } from "../../src/bus.ts";
import { Channel, type MediaSetup } from "../../src/channels/channel.ts";
import type { ChannelStatus } from "../../src/channels/status.ts";
import { type ChannelConfig, channel as channelSchema, defaultConfig } from "../../src/config/schema.ts";
import { ManualTimers } from "../media-units/support/manualTimers.ts";
import { FakeMedia } from "./support/fakeMedia.ts";
import { encodeStats, outputStats, transmitStats } from "./support/stats.ts";

const base = defaultConfig("lo").channels[0] as ChannelConfig;

function configWith(patch: Record<string, unknown>): ChannelConfig {
  return channelSchema.parse({ ...structuredClone(base), ...patch });
}

const srt = (id: string, port: number) => ({ type: "srt", id, address: "10.0.0.1", port });

async function setUp(t: TestContext, patch: Record<string, unknown> = {}, setup: Partial<MediaSetup> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "channel-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const media = new FakeMedia();
  const timers = new ManualTimers();
  const bus = new Bus((_name, error) => {
    throw error;
  });
  const news: ChannelStatus[] = [];
  bus.on("channel", (status) => news.push(status));
  const channel = new Channel(configWith(patch), { ...media.setup(folder), timers, ...setup }, bus);
  await channel.start();
  return { channel, media, timers, bus, news };
}

/** Brings a channel's workers to where they are when all is well. */
function live(media: FakeMedia): void {
  media.worker("ch1/transmit").become("running");
  media.worker("ch1/encode").become("running");
  media.worker("ch1/transmit").says(transmitStats());
  media.worker("ch1/encode").says(encodeStats());
}

test("a channel starts its workers and tells at once when it is live", async (t) => {
  const { channel, media, news } = await setUp(t, { outputs: [srt("peer", 9000)] });
  assert.deepEqual(media.takeOrders(), ["start ch1/transmit", "start ch1/encode", "start ch1/output-peer"]);
  assert.equal(channel.status().state, "starting");
  assert.equal(channel.previewFile(), undefined);
  live(media);
  assert.equal(channel.status().state, "live");
  assert.equal(news.at(-1)?.state, "live");
  assert.match(channel.previewFile() ?? "", /ch1\/preview\.jpg$/);
  assert.deepEqual(
    channel.status().workers.map(({ role, name, state }) => [role, name, state]),
    [
      ["encode", "encode", "running"],
      ["transmit", "transmit", "running"],
      ["output", "peer", "starting"],
    ],
  );
});

test("news come with every change of state or faults, and only then", async (t) => {
  const { media, news } = await setUp(t);
  live(media);
  news.length = 0;
  for (let second = 0; second < 3; second++) media.worker("ch1/transmit").says(transmitStats());
  assert.deepEqual(news, []);
  media.worker("ch1/encode").says({ event: "source", state: "held", detail: "no frames" });
  media.worker("ch1/encode").says({ event: "source", state: "lost", detail: "no frames" });
  media.worker("ch1/encode").says({ event: "source", state: "live", detail: "" });
  assert.deepEqual(
    news.map(({ state }) => state),
    ["held", "slate", "live"],
  );
});

test("levels and log lines go to the bus", async (t) => {
  const { media, bus } = await setUp(t);
  const seen: unknown[] = [];
  bus.on("levels", (levels) => seen.push(levels));
  bus.on("log", ({ level, message }) => seen.push([level, message]));
  media.worker("ch1/encode").says({ event: "levels", peak: [-3, -4], rms: [-20, -21] });
  media.worker("ch1/encode").says({ event: "log", level: "warning", message: "hm" });
  media.worker("ch1/encode").says({ event: "levels", peak: "loud" });
  assert.deepEqual(seen.slice(0, 2), [
    { channel: "ch1", peak: [-3, -4], rms: [-20, -21] },
    ["warning", "ch1/encode: hm"],
  ]);
  assert.match(String(seen[2]), /levels event not understood/);
});

test("the encoder is asked for levels while somebody listens, and a new one again", async (t) => {
  const { media, bus } = await setUp(t);
  const encoder = media.worker("ch1/encode");
  const asked = () => encoder.requests.splice(0);
  encoder.become("running");
  assert.deepEqual(asked(), [], "it sends none by itself");
  const end = bus.on("levels", () => {});
  bus.on("levels", () => {})();
  assert.deepEqual(asked(), ['watch {"levels":true}']);
  encoder.pid = 4711;
  encoder.become("running");
  encoder.become("running");
  assert.deepEqual(asked(), ['watch {"levels":true}']);
  end();
  assert.deepEqual(asked(), ['watch {"levels":false}']);
  encoder.become("waiting");
  bus.on("levels", () => {});
  assert.deepEqual(asked(), [], "one that does not run is not asked");
});

test("only what differs is applied", async (t) => {
  const { channel, media } = await setUp(t);
  media.takeOrders();
  await channel.apply(configWith({ name: "Other name" }));
  assert.deepEqual(media.takeOrders(), []);
  await channel.apply(configWith({ video: { bitrate: 2000 } }));
  assert.deepEqual(media.takeOrders(), ["apply ch1/encode"]);
  await channel.apply(configWith({ video: { bitrate: 2000 }, transport: { serviceName: "Other" } }));
  assert.deepEqual(media.takeOrders(), ["apply ch1/transmit"]);
});

test("a multiplex grows before its content and shrinks after it", async (t) => {
  const { channel, media } = await setUp(t);
  media.takeOrders();
  await channel.apply(configWith({ video: { bitrate: 6000 }, transport: { bitrate: 8000 } }));
  assert.deepEqual(media.takeOrders(), ["apply ch1/transmit", "apply ch1/encode"]);
  await channel.apply(configWith({}));
  assert.deepEqual(media.takeOrders(), ["apply ch1/encode", "apply ch1/transmit"]);
});

test("outputs come, change and go on their own", async (t) => {
  const { channel, media } = await setUp(t, { outputs: [srt("a", 1), srt("b", 2)] });
  media.takeOrders();
  media.worker("ch1/output-b").become("running");
  media.worker("ch1/output-b").says(outputStats({ state: "connecting", detail: "connection refused" }));
  assert.deepEqual(
    channel.status().faults.map(({ id }) => id),
    ["output-down:b"],
  );
  await channel.apply(configWith({ outputs: [srt("a", 11), { ...srt("b", 2), enabled: false }, srt("c", 3)] }));
  assert.deepEqual(media.takeOrders().sort(), ["apply ch1/output-a", "start ch1/output-c", "stop ch1/output-b"]);
  assert.deepEqual(channel.status().faults, []);
  assert.deepEqual(
    channel.status().outputs.map(({ id, state }) => [id, state]),
    [
      ["a", "connecting"],
      ["b", "off"],
      ["c", "connecting"],
    ],
  );
});

test("the channel does not wait for its slate, and takes it when it is made", async (t) => {
  const { channel, media } = await setUp(t);
  assert.equal(media.transmit().programmes[0]?.slate, "");
  media.takeOrders();
  media.making[0]?.done();
  await turn();
  await channel.apply(configWith({}));
  assert.equal(media.transmit().programmes[0]?.slate, "/slates/ch1-1.feed");
  assert.deepEqual(media.takeOrders(), ["apply ch1/transmit"]);
  assert.deepEqual(media.pruned, ["ch1 /slates/ch1-1.feed"]);

  // The old one serves until another is there.
  await channel.apply(configWith({ video: { width: 640, height: 360 } }));
  assert.equal(media.transmit().programmes[0]?.slate, "/slates/ch1-1.feed");
  media.making[1]?.done();
  await turn();
  await channel.apply(channel.config);
  assert.equal(media.transmit().programmes[0]?.slate, "/slates/ch1-2.feed");
});

test("a slate that comes too late for its settings is not taken", async (t) => {
  const { channel, media } = await setUp(t);
  await channel.apply(configWith({ video: { width: 640, height: 360 } }));
  media.making[0]?.done();
  await turn();
  await channel.apply(channel.config);
  assert.notEqual(media.transmit().programmes[0]?.slate, "");
  assert.deepEqual(media.pruned, []);
});

test("a slate that cannot be made is a fault, and tried again", async (t) => {
  const { channel, media, timers } = await setUp(t);
  media.making[0]?.fail(new Error("encode: exit code 6"));
  await turn();
  assert.match(channel.status().faults[0]?.message ?? "", /slate cannot be made: encode: exit code 6/);
  timers.advance(30_000);
  assert.equal(media.making.length, 2);
  media.making[1]?.done();
  await turn();
  await turn();
  assert.deepEqual(channel.status().faults, []);
});

test("what this box's coder cannot do is a fault; what is on air stays", async (t) => {
  const { channel, media } = await setUp(t, {}, { platform: "rockchip" });
  live(media);
  media.takeOrders();
  await channel.apply(configWith({ video: { bFrames: 2 } }));
  assert.deepEqual(media.takeOrders(), []);
  assert.match(channel.status().faults[0]?.message ?? "", /\/video\/bFrames must be at most 0/);
  assert.equal(channel.status().state, "live");
  await channel.apply(configWith({ video: { gop: 50 } }));
  assert.deepEqual(media.takeOrders(), ["apply ch1/encode"]);
  assert.deepEqual(channel.status().faults, []);
});

test("a channel whose first settings cannot be applied has failed", async (t) => {
  const { channel, media } = await setUp(t, { video: { bFrames: 2 } }, { platform: "rockchip" });
  assert.equal(channel.status().state, "failed");
  assert.match(channel.status().faults[0]?.message ?? "", /cannot be applied: \/video\/bFrames/);
  await channel.apply(configWith({}));
  assert.equal(channel.status().state, "starting");
  assert.deepEqual(media.takeOrders(), ["start ch1/transmit", "start ch1/encode"]);
});

test("a channel that is not enabled has no workers, and is stopped", async (t) => {
  const { channel, media } = await setUp(t, { outputs: [srt("a", 1)] });
  live(media);
  media.takeOrders();
  await channel.apply(configWith({ enabled: false }));
  assert.deepEqual(media.takeOrders().sort(), ["stop ch1/encode", "stop ch1/output-a", "stop ch1/transmit"]);
  const { state, workers, encode, transmit, faults } = channel.status();
  assert.deepEqual(
    { state, workers, encode, transmit, faults },
    { state: "stopped", workers: [], encode: null, transmit: null, faults: [] },
  );
  assert.equal(await channel.restart(), "not-running");
  assert.equal(await channel.keyframe(), "not-running");
});

test("a restart replaces the workers; a second order meanwhile is told that it is busy", async (t) => {
  const { channel, media } = await setUp(t);
  media.takeOrders();
  const [first, second] = await Promise.all([channel.restart(), channel.restart()]);
  assert.deepEqual([first, second], ["done", "busy"]);
  assert.deepEqual(media.takeOrders(), [
    "stop ch1/encode",
    "stop ch1/transmit",
    "start ch1/transmit",
    "start ch1/encode",
  ]);
});

test("a key frame is asked of the encoder that runs", async (t) => {
  const { channel, media } = await setUp(t);
  assert.equal(await channel.keyframe(), "not-running");
  live(media);
  assert.equal(await channel.keyframe(), "done");
  assert.deepEqual(media.worker("ch1/encode").requests, ["keyframe"]);
});

test("detached workers are left alone", async (t) => {
  const { channel, media } = await setUp(t);
  media.takeOrders();
  await channel.detach();
  assert.deepEqual(media.takeOrders().sort(), ["detach ch1/encode", "detach ch1/transmit"]);
});

test("an encoder that fails again and again makes the channel failed, on slate, until it works", async (t) => {
  const { channel, media } = await setUp(t);
  live(media);
  media.worker("ch1/encode").become("failed", "exit code 6");
  media.worker("ch1/transmit").says({ event: "programme", number: 1, state: "slate" });
  assert.equal(channel.status().state, "failed");
  assert.equal(channel.status().encode, null);
  media.worker("ch1/encode").become("running");
  assert.equal(channel.status().state, "slate");
  media.worker("ch1/transmit").says({ event: "programme", number: 1, state: "live" });
  media.worker("ch1/encode").says(encodeStats());
  assert.equal(channel.status().state, "live");
  assert.deepEqual(channel.status().faults, []);
});

test("a process that nothing comes from and nothing is done about, and an order that does not end, are stuck", async (t) => {
  const { channel, media, timers } = await setUp(t);
  assert.deepEqual(channel.stuck(), []);
  media.worker("ch1/encode").quietMs = 91_000;
  assert.deepEqual(channel.stuck(), ["a process of ch1 is not looked after"]);
  media.worker("ch1/encode").quietMs = 31_000;
  assert.deepEqual(channel.stuck(), [], "one that has failed is left alone for half a minute");
  timers.advance(100_000);
  assert.deepEqual(channel.stuck(), [], "orders that have ended do not count");
  let end = () => {};
  const begun = new Promise<void>((tell) => {
    media.worker("ch1/transmit").apply = () =>
      new Promise((resolve) => {
        end = () => resolve({ outcome: "applied", live: [], rebuilt: [] });
        tell();
      });
  });
  const order = channel.apply(configWith({ transport: { ...base.transport, bitrate: base.transport.bitrate + 1000 } }));
  await begun;
  timers.advance(80_000);
  assert.deepEqual(channel.stuck(), []);
  timers.advance(20_000);
  assert.deepEqual(channel.stuck(), ["an order to ch1 does not end"]);
  end();
  await order;
  assert.deepEqual(channel.stuck(), []);
});
