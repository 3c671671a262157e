import assert from "node:assert/strict";
import test from "node:test";
import { type ChannelConfig, channel, defaultConfig, type SrtOutputConfig } from "../../src/config/schema.ts";
import { ChannelPaths, checkSocketPath, RUNTIME_PATH_MAX } from "../../src/media/paths.ts";
import { encodeSpec, hashOf, outputSpec, slateSpec, transmitSpec } from "../../src/media/specs.ts";

const base = defaultConfig("lo").channels[0] as ChannelConfig;
const paths = new ChannelPaths("/run/steadycast", "ch1");
const options = { platform: "pc", paths, stamp: false } as const;

function channelWith(patch: Record<string, unknown>): ChannelConfig {
  return channel.parse({ ...structuredClone(base), ...patch });
}

test("the encoder's spec follows the configuration", () => {
  const audio = [{ delayMs: -40 }, { channels: 1, delayMs: 10 }];
  const spec = encodeSpec(channelWith({ audio, loss: { picture: "bars" } }), options);
  assert.deepEqual(spec.video, { width: 1280, height: 720, rate: [25, 1], format: "I420" });
  assert.deepEqual(spec.audio, [
    { channels: 2, delayMs: -40 },
    { channels: 1, delayMs: 10 },
  ]);
  assert.deepEqual(spec.loss, { holdMs: 1000, picture: "bars", text: "No signal", image: "" });
  assert.deepEqual(spec.program.live, { venc: { bitrate: 3000, "vbv-buf-capacity": 300 } });
  assert.equal(spec.feed, "/run/steadycast/ch1/feed.sock");
  assert.deepEqual(spec.preview, { file: "/run/steadycast/ch1/preview.jpg", width: 320, height: 180 });
  assert.equal(spec.streams.length, 3);
});

test("previews keep the shape of the picture, with an even height", () => {
  const height = (video: unknown) => encodeSpec(channelWith({ video }), options).preview?.height;
  assert.equal(height({ width: 720, height: 576 }), 256);
  assert.equal(height({ width: 1080, height: 1920 }), 568);
  assert.equal(height({ width: 3840, height: 96 }), 8);
});

test("only the test picture is stamped, and only when asked for", () => {
  const stamped = (source: unknown, stamp: boolean) =>
    encodeSpec(channelWith({ source }), { ...options, stamp }).source?.stamp;
  assert.equal(stamped({ type: "test" }, true), true);
  assert.equal(stamped({ type: "test" }, false), false);
  assert.equal(stamped({ type: "file", path: "/a" }, true), false);
});

test("the multiplexer's spec follows the configuration", () => {
  const config = channelWith({
    audio: [{ language: "eng" }, { language: "deu", codec: "mp2" }],
    transport: { bitrate: 5000, videoPid: 500, audioPid: 600, pmtPid: 400, programmeNumber: 7, serviceName: "Žlutá" },
    loss: { holdMs: 400 },
    outputs: [
      { type: "udp", id: "a", address: "239.1.1.1", port: 1234, ttl: 3, dscp: 10, interface: "eth0" },
      { type: "rtp", id: "b", address: "10.0.0.2", port: 5004, sourcePort: 6000 },
      { type: "udp", id: "c", address: "239.1.1.3", port: 1234, enabled: false },
      { type: "srt", id: "d", port: 9000, mode: "listener" },
    ],
  });
  const spec = transmitSpec(config, paths, "/data/slates/x.feed", 46);
  assert.equal(spec.bitrate, 5_000_000);
  assert.equal(spec.delayMs, 420);
  assert.deepEqual(spec.programmes, [
    {
      number: 7,
      pmtPid: 400,
      pcrPid: 500,
      serviceName: "Žlutá",
      providerName: "Steadycast",
      feed: paths.feed,
      slate: "/data/slates/x.feed",
      slateAfterMs: 400,
      streams: [
        { stream: 0, pid: 500, language: "" },
        { stream: 1, pid: 600, language: "eng" },
        { stream: 2, pid: 601, language: "deu" },
      ],
    },
  ]);
  assert.deepEqual(spec.destinations, [
    { id: "a", protocol: "udp", address: "239.1.1.1", port: 1234, interface: "eth0", sourcePort: 0, ttl: 3, dscp: 10 },
    { id: "b", protocol: "rtp", address: "10.0.0.2", port: 5004, interface: "", sourcePort: 6000, ttl: 8, dscp: 46 },
  ]);
  assert.ok(spec.intervals.patMs <= 100 && spec.intervals.pmtMs <= 100);
});

test("an output's spec follows the configuration", () => {
  const srt = {
    type: "srt",
    id: "d",
    port: 9000,
    address: "example.net",
    passphrase: "0123456789",
    streamId: "live/1",
  };
  const config = channelWith({ outputs: [srt] });
  assert.deepEqual(outputSpec(config, config.outputs[0] as SrtOutputConfig, paths), {
    channel: "ch1",
    id: "d",
    kind: "srt",
    tap: paths.tap,
    mode: "caller",
    address: "example.net",
    port: 9000,
    latencyMs: 125,
    passphrase: "0123456789",
    streamId: "live/1",
  });
});

test("a slate is new when what it shows or how it is coded is new, and only then", () => {
  const hash = (patch: Record<string, unknown>) => hashOf(slateSpec(encodeSpec(channelWith(patch), options)));
  const first = hash({});
  for (const same of [
    { source: { type: "file", path: "/a" } },
    { loss: { holdMs: 5000 } },
    { audio: [{ delayMs: 100, language: "eng" }] },
    { transport: { serviceName: "other" } },
    { name: "Other" },
  ]) {
    assert.equal(hash(same), first, JSON.stringify(same));
  }
  for (const other of [
    { video: { bitrate: 2000 } },
    { video: { width: 640, height: 360 } },
    { audio: [{ codec: "mp2" }] },
    { loss: { text: "Back soon" } },
    { loss: { picture: "bars" } },
  ]) {
    assert.notEqual(hash(other), first, JSON.stringify(other));
  }
});

test("a runtime folder within the limit leaves room for every channel", () => {
  const folder = `/${"r".repeat(RUNTIME_PATH_MAX - 1)}`;
  const longest = new ChannelPaths(folder, "c".repeat(32));
  for (const path of [longest.encode, longest.transmit, longest.feed, longest.tap]) checkSocketPath(path);
  assert.throws(
    () => checkSocketPath(new ChannelPaths(`${folder}r`, "c".repeat(32)).transmit),
    /108 bytes, at most 107/,
  );
});
