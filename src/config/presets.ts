/**
 * Coding of a channel under a name: what the field uses, and what the owner of the box has made. Built-in presets say what
 * they want; whether this firmware can do that is for the schema to say, so that they become available with it.
 */
import { explain, inOneLine } from "./explain.ts";
import { isObject } from "./json.ts";
import {
  type AudioTrackConfig,
  audioTrack,
  type ChannelConfig,
  multiplexBitrate,
  type PresetConfig,
  transport,
  video,
} from "./schema.ts";

/** A preset for one frame rate. */
export interface PresetVariant {
  /** Hz, as in the settings. */
  frameRate: string;
  /** All settings of the video. */
  video: Record<string, unknown>;
  /** Of every track, or the tracks. */
  audio: Record<string, unknown> | readonly AudioTrackConfig[];
  transport: Record<string, unknown>;
}

export interface Preset {
  id: string;
  name: string;
  /** What it is for; "" for own ones. */
  description: string;
  builtIn: boolean;
  /** Whether this firmware can do it. */
  available: boolean;
  /** Why it can't. */
  reason?: string;
  /** One for each frame rate that it is made for. */
  variants: PresetVariant[];
}

interface BuiltIn {
  id: string;
  name: string;
  description: string;
  rates: readonly string[];
  /** The GOP is one second: for a fast change of the channel. */
  video: Record<string, unknown>;
  audio: Record<string, unknown>;
  /** kbit/s of the multiplex. */
  multiplex: number;
}

const both = ["25", "29.97", "50", "59.94"] as const;
const plain = { codec: "h264", rateControl: "cbr", maxBitrate: 4500, bFrames: 0, level: "auto", lowLatency: false };
const hd = { ...plain, width: 1920, height: 1080, profile: "high", bFrames: 2 };
const aac = (bitrate: number) => ({ codec: "aac", bitrate });

/** Values that IPTV networks use; interlaced standards are sent with their rate of pictures. */
const builtIns: readonly BuiltIn[] = [
  {
    id: "sd-pal",
    name: "SD PAL",
    description: "720x576 at 25 Hz, for set-top boxes of any age",
    rates: ["25"],
    video: { ...plain, width: 720, height: 576, bitrate: 2500, profile: "main", bFrames: 2 },
    ...{ audio: aac(128), multiplex: 3200 },
  },
  {
    id: "sd-ntsc",
    name: "SD NTSC",
    description: "720x480 at 29.97 Hz, for set-top boxes of any age",
    rates: ["29.97"],
    video: { ...plain, width: 720, height: 480, bitrate: 2500, profile: "main", bFrames: 2 },
    ...{ audio: aac(128), multiplex: 3200 },
  },
  {
    id: "hd-iptv",
    name: "HD IPTV",
    description: "1920x1080 at 6 Mbit/s, for most programmes",
    rates: both,
    video: { ...hd, bitrate: 6000 },
    ...{ audio: aac(192), multiplex: 7200 },
  },
  {
    id: "hd-sport",
    name: "HD sport",
    description: "1920x1080 with all motion, at 11 Mbit/s",
    rates: ["50", "59.94"],
    video: { ...hd, bitrate: 11000 },
    ...{ audio: aac(192), multiplex: 12800 },
  },
  {
    id: "low-latency",
    name: "Low latency",
    description: "1920x1080 at 6 Mbit/s with the smallest delay, for venues and returns",
    rates: both,
    video: { ...hd, bitrate: 6000, profile: "main", bFrames: 0, lowLatency: true },
    ...{ audio: aac(128), multiplex: 7200 },
  },
  {
    id: "4k-hevc",
    name: "4K HEVC",
    description: "3840x2160 in H.265 with 10 bits, at 20 Mbit/s",
    rates: both,
    video: { ...plain, codec: "h265", width: 3840, height: 2160, bitrate: 20000, profile: "main10", bFrames: 2 },
    ...{ audio: aac(192), multiplex: 23000 },
  },
];

/** Every preset: the built-in ones, then one's own. An own one with the id of a built-in one takes its place. */
export function presetsOf(own: readonly PresetConfig[]): Preset[] {
  const ids = new Set(own.map(({ id }) => id));
  return [...builtIns.filter(({ id }) => !ids.has(id)).map(fromBuiltIn), ...own.map(fromOwn)];
}

/**
 * The variant for a frame rate; without one, for that of the channel: the same, else one of the same family (25 and 50, or 30
 * and 60 Hz), else the first. Undefined when the preset is not made for a frame rate that is asked for.
 */
export function variantFor(
  { variants }: Preset,
  channel: ChannelConfig,
  frameRate?: string,
): PresetVariant | undefined {
  if (frameRate !== undefined) return variants.find((variant) => variant.frameRate === frameRate);
  const is = channel.video.frameRate;
  return (
    variants.find((variant) => variant.frameRate === is) ??
    variants.find((variant) => isFamily50(variant.frameRate) === isFamily50(is)) ??
    variants[0]
  );
}

/**
 * The channel with the preset: every setting of the video; codec and bitrate of the tracks that it has, or the preset's own
 * tracks; the multiplex, which has room for all of it. What belongs to the channel alone stays.
 */
export function withPreset(channel: ChannelConfig, variant: PresetVariant): unknown {
  const { audio: sound } = variant;
  const audio = Array.isArray(sound)
    ? (sound as readonly AudioTrackConfig[])
    : channel.audio.map((track): AudioTrackConfig => ({ ...track, ...sound }));
  const coded = video.safeParse(variant.video);
  const wanted = Number(variant.transport.bitrate);
  const bitrate = coded.success ? Math.max(wanted, multiplexBitrate(coded.data, audio)) : wanted;
  return {
    ...channel,
    video: variant.video,
    audio,
    transport: { ...channel.transport, ...variant.transport, bitrate },
  };
}

/** A channel's coding as an own preset. */
export function presetFrom(channel: ChannelConfig, id: string, name: string): PresetConfig {
  const { mode, bitrate, pcrIntervalMs } = channel.transport;
  return { id, name, video: channel.video, audio: channel.audio, transport: { mode, bitrate, pcrIntervalMs } };
}

/** An id for a name that no preset has yet. */
export function freeId(name: string, own: readonly PresetConfig[]): string {
  const taken = new Set(presetsOf(own).map(({ id }) => id));
  const letters = name.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  const base =
    letters
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-+|-+$/g, "")
      .slice(0, 28) || "preset";
  let id = base;
  for (let n = 2; taken.has(id); n++) id = `${base}-${n}`;
  return id;
}

function fromBuiltIn({ rates, multiplex, ...preset }: BuiltIn): Preset {
  const variants = rates.map((frameRate): PresetVariant => {
    const gop = Math.round(Number(frameRate));
    return {
      frameRate,
      video: { ...preset.video, frameRate, gop },
      audio: preset.audio,
      transport: { mode: "cbr", bitrate: multiplex, pcrIntervalMs: 30 },
    };
  });
  const wrong = variants.map(refusal).find((reason) => reason !== undefined);
  const { id, name, description } = preset;
  const state = wrong === undefined ? { available: true } : { available: false, reason: wrong };
  return { id, name, description, builtIn: true, ...state, variants };
}

function fromOwn({ id, name, video: coded, audio, transport: sent }: PresetConfig): Preset {
  const variant = { frameRate: coded.frameRate, video: coded, audio, transport: sent };
  return { id, name, description: "", builtIn: false, available: true, variants: [variant] };
}

/** What of a preset the schema does not know. */
function refusal({ video: coded, audio, transport: sent }: PresetVariant): string | undefined {
  const parts = [
    { name: "video", schema: video, value: coded },
    { name: "audio", schema: audioTrack, value: isObject(audio) ? audio : {} },
    { name: "transport", schema: transport.partial(), value: sent },
  ];
  for (const { name, schema, value } of parts) {
    const parsed = schema.safeParse(value);
    if (parsed.success) continue;
    const errors = explain(schema, value, parsed.error.issues);
    return `This firmware cannot do it yet: ${inOneLine(errors.map((error) => ({ ...error, pointer: `${name}${error.pointer}` })))}`;
  }
  return undefined;
}

function isFamily50(frameRate: string): boolean {
  return frameRate === "25" || frameRate === "50";
}
