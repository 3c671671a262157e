/** How picture and sound are coded, and what is shown while there is no signal. */
import { z } from "zod";
import { set, text } from "./setting.ts";

export const frameRates = ["23.976", "24", "25", "29.97", "30", "50", "59.94", "60"] as const;

export const video = z.strictObject({
  codec: z.enum(["h264"]).default("h264").meta(set("Codec", "encoder")),
  width: z
    .int()
    .min(128)
    .max(3840)
    .multipleOf(2)
    .default(1280)
    .meta(set("Width", "encoder", { unit: "px" })),
  height: z
    .int()
    .min(96)
    .max(2160)
    .multipleOf(2)
    .default(720)
    .meta(set("Height", "encoder", { unit: "px" })),
  frameRate: z
    .enum(frameRates)
    .default("25")
    .meta(set("Frame rate", "encoder", { unit: "Hz" })),
  rateControl: z
    .enum(["cbr", "vbr", "capped-vbr"])
    .default("cbr")
    .meta(
      set("Rate control", "encoder", {
        help: "CBR holds the bitrate; VBR holds the quality around it; capped VBR also never exceeds the maximum",
      }),
    ),
  bitrate: z
    .int()
    .min(100)
    .max(60000)
    .default(3000)
    .meta(set("Bitrate", "live", { unit: "kbit/s" })),
  maxBitrate: z
    .int()
    .min(100)
    .max(80000)
    .default(4500)
    .meta(set("Maximum bitrate", "encoder", { unit: "kbit/s", help: "For capped VBR" })),
  gop: z
    .int()
    .min(1)
    .max(600)
    .default(25)
    .meta(
      set("GOP", "encoder", { unit: "frames", help: "Distance of key frames; one second gives fast channel change" }),
    ),
  bFrames: z
    .int()
    .min(0)
    .max(4)
    .default(0)
    .meta(set("B frames", "encoder", { help: "Not in low-latency mode" })),
  profile: z.enum(["baseline", "main", "high"]).default("high").meta(set("Profile", "encoder")),
  level: z
    .enum(["auto", "3", "3.1", "4", "4.1", "4.2", "5", "5.1", "5.2"])
    .default("auto")
    .meta(set("Level", "encoder")),
  lowLatency: z
    .boolean()
    .default(false)
    .meta(set("Low latency", "encoder", { help: "Smallest delay, at some cost in quality" })),
});

export const audioTrack = z.strictObject({
  codec: z.enum(["aac", "mp2"]).default("aac").meta(set("Codec", "encoder")),
  bitrate: z
    .union([
      z.literal(64),
      z.literal(96),
      z.literal(128),
      z.literal(160),
      z.literal(192),
      z.literal(256),
      z.literal(320),
    ])
    .default(128)
    .meta(set("Bitrate", "encoder", { unit: "kbit/s" })),
  channels: z
    .union([z.literal(1), z.literal(2)])
    .default(2)
    .meta(set("Channels", "encoder")),
  language: z
    .string()
    .regex(/^[a-z]{3}$/, "must be a language code of three letters (ISO 639-2)")
    .default("und")
    .meta(set("Language", "transmit")),
  delayMs: z
    .int()
    .min(-500)
    .max(500)
    .default(0)
    .meta(set("Delay", "live", { unit: "ms", help: "Lip-sync correction; positive: sound later" })),
});

/** kbit/s that one channel may have: ISO/IEC 13818-7, 6144 bits a frame; ISO/IEC 11172-3, 2.4.2.3. */
export const monoLimit = { aac: 256, mp2: 192 } as const;

export const loss = z.strictObject({
  holdMs: z
    .int()
    .min(0)
    .max(10000)
    .default(1000)
    .meta(set("Hold", "live", { unit: "ms", help: "How long the last picture stays" })),
  picture: z
    .enum(["black", "bars", "slate", "end"])
    .default("slate")
    .meta(
      set("Then", "live", {
        help: "black, bars with tone, slate with text, or end of the video (no video packets, silent sound)",
      }),
    ),
  text: text(120).default("No signal").meta(set("Slate text", "live")),
  image: z
    .string()
    .max(4096)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no path has a zero byte
    .regex(/^(\/[^\u0000]*)?$/, "must be an absolute path, or empty")
    .default("")
    .meta(set("Slate image", "live", { help: "PNG or JPEG file; empty: a plain slate" })),
});

export type VideoConfig = z.infer<typeof video>;
export type AudioTrackConfig = z.infer<typeof audioTrack>;
export type LossConfig = z.infer<typeof loss>;
