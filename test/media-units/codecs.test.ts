import assert from "node:assert/strict";
import test from "node:test";
import { type ChannelConfig, channel, defaultConfig, frameRates } from "../../src/config/schema.ts";
import { timing, UnsupportedSetting, videoCapacity, videoStream } from "../../src/media/codecs.ts";
import { programPipeline } from "../../src/media/pipelines.ts";
import { Random } from "../support/random.ts";

const base = defaultConfig("lo").channels[0] as ChannelConfig;

function channelWith(patch: Record<string, unknown>): ChannelConfig {
  return channel.parse({ ...structuredClone(base), ...patch });
}

const venc = (patch: Record<string, unknown>) => videoStream(channelWith(patch), "pc").live.venc;

test("what changes live is not in the launch description", () => {
  const launch = (video: unknown) =>
    programPipeline(channelWith({ video, transport: { bitrate: 20_000 } }), "pc").launch;
  for (const rateControl of ["cbr", "vbr", "capped-vbr"]) {
    assert.equal(launch({ rateControl, bitrate: 1000 }), launch({ rateControl, bitrate: 4000 }));
  }
  assert.notEqual(launch({ gop: 25 }), launch({ gop: 50 }));
  assert.notEqual(launch({ profile: "main" }), launch({ profile: "high" }));
});

test("the rate controls differ in the decoder's buffer", () => {
  assert.deepEqual(venc({}), { bitrate: 3000, "vbv-buf-capacity": 300 });
  // 4000 kbit/s of multiplex hold (4000 − 50) / 1.1 − 128 = 3462 kbit/s of video.
  assert.deepEqual(venc({ video: { rateControl: "vbr" } }), { bitrate: 3000, "vbv-buf-capacity": 347 });
  const capped = { video: { rateControl: "capped-vbr", bitrate: 2000, maxBitrate: 3000 } };
  assert.deepEqual(venc(capped), { bitrate: 2000, "vbv-buf-capacity": 450 });
  // The element takes no more than ten seconds.
  const extreme = { video: { rateControl: "vbr", bitrate: 100 }, transport: { bitrate: 50_000 } };
  assert.equal(venc(extreme)?.["vbv-buf-capacity"], 10_000);
});

test("the settings of a picture reach x264", () => {
  const { launch } = videoStream(channelWith({ video: { gop: 12, bFrames: 2, profile: "main", level: "4" } }), "pc");
  for (const word of [
    "bframes=2",
    "b-adapt=false",
    "b-pyramid=false",
    "key-int-max=12",
    "profile=main",
    "level=(string)4",
  ]) {
    assert.ok(launch.includes(word), `${word} in ${launch}`);
  }
  assert.match(launch, /option-string=scenecut=0:/);
  assert.doesNotMatch(launch, /hrd|tune/);
  assert.match(videoStream(channelWith({ video: { lowLatency: true } }), "pc").launch, /tune=zerolatency/);
  assert.doesNotMatch(videoStream(base, "pc").launch, /level/);
});

test("a setting that the coder does not have is refused by name", () => {
  const config = channelWith({ video: { bFrames: 1 } });
  assert.throws(
    () => programPipeline(config, "rockchip"),
    (error) => {
      assert.ok(error instanceof UnsupportedSetting);
      assert.equal(error.field, "/video/bFrames");
      assert.match(error.message, /at most 0 .*, is 1/);
      return true;
    },
  );
});

test("rockchip properties are in bit/s", () => {
  const cbr = videoStream(base, "rockchip");
  assert.deepEqual(cbr.live, { venc: { bps: 3_000_000 } });
  assert.match(cbr.launch, /^mpph264enc name=venc rc-mode=cbr gop=25 .*header-mode=each-idr/);
  const capped = videoStream(channelWith({ video: { rateControl: "capped-vbr", maxBitrate: 3300 } }), "rockchip");
  assert.match(capped.launch, /rc-mode=vbr .*bps-max=3300000/);
});

test("the delay covers buffer, coding, reordering and sending", () => {
  const of = (video: unknown, audio?: unknown) =>
    timing(channelWith({ video, ...(audio === undefined ? {} : { audio }) }));
  assert.deepEqual(of({}), { vbvMs: 300, delayMs: 420 });
  assert.deepEqual(of({ bFrames: 2 }), { vbvMs: 300, delayMs: 540 });
  assert.deepEqual(of({ lowLatency: true }), { vbvMs: 80, delayMs: 150 });
  // At 50 Hz the sound is what takes longest; without sound the picture.
  assert.deepEqual(of({ lowLatency: true, frameRate: "50" }), { vbvMs: 40, delayMs: 148 });
  assert.deepEqual(of({ lowLatency: true, frameRate: "50" }, []), { vbvMs: 40, delayMs: 110 });
});

test("the delay depends on no bitrate and stays within what transmit takes", () => {
  for (const frameRate of frameRates) {
    for (const lowLatency of [false, true]) {
      for (const bFrames of lowLatency ? [0] : [0, 1, 4]) {
        const at = (bitrate: number) =>
          timing(channelWith({ video: { frameRate, lowLatency, bFrames, bitrate }, transport: { bitrate: 90_000 } }))
            .delayMs;
        assert.equal(at(200), at(60_000));
        assert.ok(at(200) >= 50 && at(200) <= 5000);
      }
    }
  }
});

test("a multiplex that the schema accepts holds its video's peak", () => {
  const random = new Random(7);
  let accepted = 0;
  for (let round = 0; round < 2000; round++) {
    const config = {
      ...structuredClone(base),
      video: {
        rateControl: random.pick(["cbr", "vbr", "capped-vbr"]),
        bitrate: 100 + random.below(20_000),
        maxBitrate: 100 + random.below(20_000),
      },
      audio: Array.from({ length: random.below(4) }, () => ({ bitrate: random.pick([64, 128, 320]) })),
      transport: { bitrate: 200 + random.below(30_000) },
    };
    const parsed = channel.safeParse(config);
    if (!parsed.success) continue;
    accepted++;
    const { video } = parsed.data;
    const peak = video.rateControl === "capped-vbr" ? video.maxBitrate : video.bitrate;
    assert.ok(videoCapacity(parsed.data) >= peak, JSON.stringify(config));
  }
  assert.ok(accepted > 300);
});
