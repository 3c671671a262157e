/**
 * The codec table: which element codes what on which platform, what its properties are called, which of them change
 * while it runs, and how long coding takes the stream from content to screen.
 */
import type { AudioTrackConfig, ChannelConfig, VideoConfig } from "../config/schema.ts";
import { caps, chain, element } from "./launch.ts";

/** What the box is made of: `pc` codes in software, `rockchip` by the MPP service of RK35xx. */
export type Platform = "pc" | "rockchip";

/** A setting that this platform's coder does not have. `field` is a JSON pointer into the channel. */
export class UnsupportedSetting extends Error {
  override readonly name = "UnsupportedSetting";
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** Properties that change while playing, by element name. */
export type LiveProperties = Record<string, Record<string, number | string | boolean>>;

export interface CodedStream {
  codec: "h264" | "aac" | "mp2";
  /** Access units per second. */
  rate: [number, number];
  /** Nominal, bit/s. */
  bitrate: number;
  /** From the appsrc's raw frames to parsed access units. */
  launch: string;
  live: LiveProperties;
}

export function frameRate(name: string): [number, number] {
  switch (name) {
    case "23.976":
      return [24000, 1001];
    case "29.97":
      return [30000, 1001];
    case "59.94":
      return [60000, 1001];
    default:
      return [Number(name), 1];
  }
}

// ---- time ----------------------------------------------------------------------------------------------------------

/** Milliseconds that audio is processed after its label time in `encode`, so as to survive the source's chunks. */
const AUDIO_LATENCY = 60;
/** Milliseconds for `transmit` to take a unit and bring it on the wire, beside what its size needs. */
const TRANSMIT_LATENCY = 20;
/** Milliseconds of coded video that the decoder's buffer may hold in normal mode; so the largest key frame. */
const NORMAL_VBV = 300;
/** Milliseconds that coding a picture may take, in a machine that has other things to do, too. */
const NORMAL_CODING = 100;
/** The same in low-latency mode, where late units are the price of a too slow machine. */
const LOW_LATENCY_CODING = 50;
/** Frames in the decoder's buffer in low-latency mode. */
const LOW_LATENCY_FRAMES = 2;

export interface Timing {
  /** Size of the decoder's buffer, as a time at the (peak) bitrate. */
  vbvMs: number;
  /** From a content's time stamp to the moment when a receiver that follows the PCR shows it. */
  delayMs: number;
}

/**
 * The one place that decides how long a channel takes. A picture of time t is
 *
 *     given to the coder at        t
 *     coded at the latest          t + coding + reordering   (B frames wait for the picture that follows them)
 *     on the wire at the latest      … + VBV                 (its units never wait longer than the decoder's buffer is
 *                                                             large, as the multiplex leaves video its peak bitrate)
 *     at the receiver                … + transmit
 *
 * and must be there by t + delay. Sound of time t leaves the coder at t + audio latency + two frames of 1152 samples
 * (one is filled, one is the filter bank's). The delay depends on no bitrate: changing one never moves the timeline.
 */
export function timing(channel: Pick<ChannelConfig, "video" | "audio">): Timing {
  const { video, audio } = channel;
  const [numerator, denominator] = frameRate(video.frameRate);
  const frameMs = (1000 * denominator) / numerator;
  const vbvMs = video.lowLatency ? Math.ceil(LOW_LATENCY_FRAMES * frameMs) : NORMAL_VBV;
  const coding = video.lowLatency ? LOW_LATENCY_CODING : NORMAL_CODING;
  // Decoding times run ahead of presentation times by the depth of the reordering.
  const reordering = video.bFrames > 0 ? (video.bFrames + 1) * frameMs : 0;
  const pictures = coding + reordering + vbvMs + TRANSMIT_LATENCY;
  const sound = audio.length > 0 ? AUDIO_LATENCY + (2 * 1152 * 1000) / 48000 + 2 * TRANSMIT_LATENCY : 0;
  return { vbvMs, delayMs: Math.ceil(Math.max(pictures, sound)) };
}

/** The video bitrate in kbit/s that a multiplex holds beside sound and tables; the schema's rule read backwards. */
export function videoCapacity(channel: Pick<ChannelConfig, "transport" | "audio">): number {
  const sound = channel.audio.reduce((sum, track) => sum + track.bitrate, 0);
  return Math.floor((channel.transport.bitrate - 50) / 1.1) - sound;
}

/**
 * The size of the decoder's buffer as a time at the bitrate, which is what coders take. Pictures may be as large as the
 * peak rate brings over in `vbvMs`: with CBR that is the bitrate itself, with capped VBR the maximum, and with VBR what
 * the multiplex holds. So a unit never waits longer than `vbvMs` for its turn, whatever the rate control.
 */
function vbvCapacityMs(channel: ChannelConfig): number {
  const { bitrate, rateControl, maxBitrate } = channel.video;
  const capacity = videoCapacity(channel);
  const peak = { cbr: bitrate, "capped-vbr": Math.min(maxBitrate, capacity), vbr: capacity }[rateControl];
  return Math.min(10_000, Math.ceil((timing(channel).vbvMs * Math.max(peak, bitrate)) / bitrate));
}

// ---- video ---------------------------------------------------------------------------------------------------------

interface VideoCoder {
  /** Raw format that it takes without a conversion. */
  format: "I420" | "NV12";
  launch(channel: ChannelConfig): string;
  live(channel: ChannelConfig): Record<string, number | string | boolean>;
  maxBFrames: number;
}

const h264Caps = (video: VideoConfig) =>
  caps("video/x-h264", {
    "stream-format": "byte-stream",
    alignment: "au",
    profile: video.profile,
    level: video.level === "auto" ? undefined : `(string)${video.level}`,
  });

/**
 * x264. No look-ahead and slices instead of frames in the threads: a picture is coded when it comes. No HRD signalling,
 * as x264 then ignores changes of the bitrate. Key frames come at the GOP's distance and on request only. The element
 * ties x264's peak rate to the bitrate, so the rate controls differ in the size of the buffer.
 */
const x264: VideoCoder = {
  format: "I420",
  maxBFrames: 4,
  launch: ({ video }) =>
    chain(
      element("x264enc", {
        name: "venc",
        "speed-preset": "superfast",
        tune: video.lowLatency ? "zerolatency" : undefined,
        "sliced-threads": true,
        "rc-lookahead": 0,
        "sync-lookahead": 0,
        "mb-tree": false,
        bframes: video.bFrames,
        "b-adapt": false,
        "b-pyramid": false,
        "key-int-max": video.gop,
        "option-string": "scenecut=0:open-gop=0",
      }),
      h264Caps(video),
    ),
  live: (channel) => ({ bitrate: channel.video.bitrate, "vbv-buf-capacity": vbvCapacityMs(channel) }),
};

/** Rockchip MPP. It has no VBV; its rate control works by the second, so peaks of single pictures are its own affair. */
const mppH264: VideoCoder = {
  format: "NV12",
  maxBFrames: 0,
  launch: ({ video }) =>
    chain(
      element("mpph264enc", {
        name: "venc",
        "rc-mode": video.rateControl === "cbr" ? "cbr" : "vbr",
        gop: video.gop,
        profile: video.profile,
        level: video.level === "auto" ? undefined : video.level,
        "header-mode": "each-idr",
        "bps-max": video.rateControl === "capped-vbr" ? video.maxBitrate * 1000 : undefined,
      }),
      caps("video/x-h264", { "stream-format": "byte-stream", alignment: "au" }),
    ),
  live: (channel) => ({ bps: channel.video.bitrate * 1000 }),
};

const videoCoders: Record<Platform, Record<VideoConfig["codec"], VideoCoder>> = {
  pc: { h264: x264 },
  rockchip: { h264: mppH264 },
};

export function rawVideoFormat(video: VideoConfig, platform: Platform): "I420" | "NV12" {
  return videoCoders[platform][video.codec].format;
}

/** @throws UnsupportedSetting */
export function videoStream(channel: ChannelConfig, platform: Platform): CodedStream {
  const { video } = channel;
  const coder = videoCoders[platform][video.codec];
  if (video.bFrames > coder.maxBFrames) {
    throw new UnsupportedSetting(
      "/video/bFrames",
      `must be at most ${coder.maxBFrames} with this box's coder, is ${video.bFrames}`,
    );
  }
  return {
    codec: video.codec,
    rate: frameRate(video.frameRate),
    bitrate: video.bitrate * 1000,
    launch: chain(coder.launch(channel), element("h264parse", { "config-interval": -1 }), "video/x-h264"),
    live: { venc: coder.live(channel) },
  };
}

// ---- audio ---------------------------------------------------------------------------------------------------------

/** The audio coders are software everywhere. Both take the frames of `rate` samples at 48 kHz. */
export function audioStream(track: AudioTrackConfig, index: number): CodedStream {
  const name = `aenc${index}`;
  const shared = { codec: track.codec, bitrate: track.bitrate * 1000, live: {} };
  switch (track.codec) {
    case "aac":
      return {
        ...shared,
        rate: [48000, 1024],
        launch: chain(
          "audioconvert",
          element("avenc_aac", { name, bitrate: track.bitrate * 1000 }),
          "aacparse",
          caps("audio/mpeg", { mpegversion: 4, "stream-format": "adts" }),
        ),
      };
    case "mp2":
      return {
        ...shared,
        rate: [48000, 1152],
        launch: chain(
          "audioconvert",
          element("twolamemp2enc", { name, bitrate: track.bitrate, mode: track.channels === 1 ? "mono" : "stereo" }),
          "mpegaudioparse",
        ),
      };
  }
}
