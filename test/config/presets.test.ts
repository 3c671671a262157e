import assert from "node:assert/strict";
import test from "node:test";
import { freeId, presetFrom, presetsOf, variantFor, withPreset } from "../../src/config/presets.ts";
import { type ChannelConfig, channel as channelSchema, defaultConfig } from "../../src/config/schema.ts";

const [channel] = defaultConfig().channels as [ChannelConfig];
const tracks = [
  { ...channel.audio[0], language: "deu", delayMs: 40 },
  { codec: "mp2", bitrate: 64, channels: 1, language: "eng", delayMs: 0 },
];
const twoTracks = channelSchema.parse({ ...channel, audio: tracks });
const silent = channelSchema.parse({ ...channel, audio: [] });
const find = (id: string) => {
  const preset = presetsOf([]).find((one) => one.id === id);
  assert.ok(preset, id);
  return preset;
};

test("the presets that installers expect are there", () => {
  assert.deepEqual(
    presetsOf([]).map(({ name, variants }) => [name, variants.map(({ frameRate }) => frameRate).join(" ")]),
    [
      ["SD PAL", "25"],
      ["SD NTSC", "29.97"],
      ["HD IPTV", "25 29.97 50 59.94"],
      ["HD sport", "50 59.94"],
      ["Low latency", "25 29.97 50 59.94"],
      ["4K HEVC", "25 29.97 50 59.94"],
    ],
  );
});

test("every available preset fits a channel with no, one and two tracks", () => {
  let tried = 0;
  for (const { id, available, variants } of presetsOf([])) {
    if (!available) continue;
    for (const variant of variants) {
      for (const from of [channel, twoTracks, silent]) {
        const parsed = channelSchema.safeParse(withPreset(from, variant));
        assert.ok(parsed.success, `${id} ${variant.frameRate}: ${parsed.error?.message}`);
        const { video, audio, transport, ...rest } = parsed.data;
        assert.equal(video.gop, Math.round(Number(video.frameRate)), "one second");
        assert.equal(audio.length, from.audio.length);
        assert.deepEqual(
          audio.map(({ language, delayMs, channels }) => ({ language, delayMs, channels })),
          from.audio.map(({ language, delayMs, channels }) => ({ language, delayMs, channels })),
        );
        assert.equal(transport.serviceName, from.transport.serviceName);
        const { video: _v, audio: _a, transport: _t, ...others } = from;
        assert.deepEqual(rest, others, "what belongs to the channel stays");
        tried++;
      }
    }
  }
  assert.equal(tried, 36);
});

test("a preset of which the schema does not know a setting is not available, and says why", () => {
  const { available, reason } = find("4k-hevc");
  const knows = channelSchema.shape.video
    .unwrap()
    .shape.codec.unwrap()
    .options.includes("h265" as never);
  assert.equal(available, knows);
  if (!knows) assert.match(reason ?? "", /^This firmware cannot do it yet: video\/codec: must be "?h264"?, is "h265"/);
});

test("the frame rate of the channel decides, or the one that is asked for", () => {
  const at = (frameRate: string) => channelSchema.parse({ ...channel, video: { ...channel.video, frameRate } });
  const chosen = (id: string, is: string, asked?: string) => variantFor(find(id), at(is), asked)?.frameRate;
  assert.equal(chosen("hd-iptv", "59.94"), "59.94");
  assert.equal(chosen("hd-iptv", "60"), "29.97");
  assert.equal(chosen("hd-sport", "25"), "50");
  assert.equal(chosen("hd-sport", "30"), "59.94");
  assert.equal(chosen("sd-pal", "60"), "25");
  assert.equal(chosen("hd-sport", "25", "59.94"), "59.94");
  assert.equal(chosen("hd-sport", "25", "25"), undefined);
});

test("the multiplex grows with what it has to hold", () => {
  const sound = Array.from({ length: 8 }, () => ({ codec: "aac", bitrate: 320 }));
  const rich = channelSchema.parse({ ...channel, audio: sound, transport: { ...channel.transport, bitrate: 9000 } });
  const [variant] = find("hd-sport").variants;
  assert.ok(variant);
  const parsed = channelSchema.parse(withPreset(rich, variant));
  assert.equal(parsed.transport.bitrate, Math.ceil((11000 + 8 * 192) * 1.1 + 50));
});

test("an own preset gives back the coding that it was made from, and takes the place of a built-in one", () => {
  const own = presetFrom(twoTracks, "hd-iptv", "Ours");
  const preset = presetsOf([own]).find(({ id }) => id === "hd-iptv");
  assert.deepEqual([preset?.builtIn, preset?.name, presetsOf([own]).length], [false, "Ours", 6]);
  const [variant] = preset?.variants ?? [];
  assert.ok(variant);
  const { video, audio, transport } = channelSchema.parse(withPreset(silent, variant));
  assert.deepEqual([video, audio, transport], [twoTracks.video, twoTracks.audio, twoTracks.transport]);
});

test("ids are made from names, and never twice", () => {
  assert.equal(freeId("Größe 50 Hz!", []), "gro-e-50-hz");
  assert.equal(freeId("HD IPTV", []), "hd-iptv-2");
  assert.equal(freeId("***", [presetFrom(channel, "preset", "x")]), "preset-2");
});
