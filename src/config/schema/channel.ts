/** A channel, and what its parts must agree on. */
import { z } from "zod";
import { isBelow, lowestLevel } from "../levels.ts";
import { type AudioTrackConfig, audioTrack, loss, monoLimit, type VideoConfig, video } from "./coding.ts";
import { set, shortId, text } from "./setting.ts";
import { source } from "./source.ts";
import { output, transport } from "./transport.ts";

/** The most that the video takes, kbit/s. */
export function peakBitrate({ rateControl, bitrate, maxBitrate }: VideoConfig): number {
  return rateControl === "capped-vbr" ? Math.max(bitrate, maxBitrate) : bitrate;
}

/** The least that a multiplex must have for video, sound and tables, kbit/s. */
export function multiplexBitrate(coded: VideoConfig, audio: readonly Pick<AudioTrackConfig, "bitrate">[]): number {
  return Math.ceil((peakBitrate(coded) + audio.reduce((sum, track) => sum + track.bitrate, 0)) * 1.1 + 50);
}

/** One channel: a source, its coding, its transport stream and where that goes. */
export const channel = z
  .strictObject({
    id: shortId,
    name: text(60).min(1).meta(set("Name", "none")),
    enabled: z.boolean().default(true).meta(set("On air", "live")),
    source: source.default({
      type: "test",
      pattern: "bars",
      width: 1280,
      height: 720,
      frameRate: "25",
      interlaced: false,
      sound: true,
      clockOffset: 0,
    }),
    video: video.prefault({}),
    audio: z
      .array(audioTrack)
      .max(8)
      .default([{ codec: "aac", bitrate: 128, channels: 2, language: "und", delayMs: 0 }]),
    loss: loss.prefault({}),
    transport: transport.prefault({}),
    outputs: z.array(output).max(32).default([]),
  })
  .check((ctx) => {
    const { video: v, audio, transport: t, outputs } = ctx.value;
    const issue = (path: (string | number)[], message: string, input: unknown, limit: Record<string, unknown> = {}) =>
      ctx.issues.push({ code: "custom", path, message, input, params: limit });

    const peak = peakBitrate(v);
    const needed = multiplexBitrate(v, audio);
    if (t.bitrate < needed) {
      issue(
        ["transport", "bitrate"],
        `must be at least ${needed} kbit/s for ${peak} kbit/s of video with its sound and tables, is ${t.bitrate}`,
        t.bitrate,
        { minimum: needed },
      );
    }
    if (v.rateControl === "capped-vbr" && v.maxBitrate < v.bitrate) {
      issue(
        ["video", "maxBitrate"],
        `must not be below the bitrate of ${v.bitrate} kbit/s, is ${v.maxBitrate}`,
        v.maxBitrate,
        { minimum: v.bitrate },
      );
    }
    if (v.lowLatency && v.bFrames > 0) {
      issue(["video", "bFrames"], `must be 0 in low-latency mode, is ${v.bFrames}`, v.bFrames, { maximum: 0 });
    }
    const lowest = lowestLevel(v.width, v.height, Number(v.frameRate), peak);
    if (v.level !== "auto" && lowest !== undefined && isBelow(v.level, lowest)) {
      const what = `${v.width}x${v.height} at ${v.frameRate} Hz and ${peak} kbit/s`;
      issue(["video", "level"], `must be at least ${lowest} for ${what}, is ${v.level}`, v.level);
    }
    audio.forEach((track, i) => {
      const maximum = monoLimit[track.codec];
      if (track.channels === 1 && track.bitrate > maximum) {
        const message = `must be at most ${maximum} kbit/s for one channel, is ${track.bitrate}`;
        issue(["audio", i, "bitrate"], message, track.bitrate, { maximum });
      }
    });
    if (v.profile === "baseline" && v.bFrames > 0) {
      issue(["video", "bFrames"], `must be 0 in the baseline profile, is ${v.bFrames}`, v.bFrames, { maximum: 0 });
    }
    const pids = new Map<number, string>([[t.pmtPid, "the PMT"]]);
    const claim = (path: string, number: number, whose: string) => {
      const other = pids.get(number);
      if (other !== undefined) issue(["transport", path], `PID ${number} is taken by ${other} already`, number);
      if (number > 8190)
        issue(["transport", path], `PID must not be above 8190, ${whose} would have ${number}`, number, {
          maximum: 8190,
        });
      pids.set(number, whose);
    };
    claim("videoPid", t.videoPid, "video");
    for (let i = 0; i < audio.length; i++) claim("audioPid", t.audioPid + i, `audio track ${i + 1}`);
    const ids = new Set<string>();
    outputs.forEach((o, i) => {
      if (ids.has(o.id)) issue(["outputs", i, "id"], `output id "${o.id}" is used twice`, o.id);
      ids.add(o.id);
    });
  });

export type ChannelConfig = z.infer<typeof channel>;
