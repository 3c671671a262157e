/** Where a channel takes its picture and sound from. */
import { z } from "zod";
import { connectorId, interfaceName, ipv4, port, set } from "./setting.ts";

export const testSource = z.strictObject({
  type: z.literal("test"),
  pattern: z.enum(["bars", "ball", "snow", "black"]).default("bars").meta(set("Pattern", "live")),
  width: z
    .int()
    .min(128)
    .max(3840)
    .multipleOf(2)
    .default(1280)
    .meta(set("Width", "live", { unit: "px" })),
  height: z
    .int()
    .min(96)
    .max(2160)
    .multipleOf(2)
    .default(720)
    .meta(set("Height", "live", { unit: "px" })),
  frameRate: z
    .enum(["1", "10", "23.976", "24", "25", "29.97", "30", "50", "59.94", "60"])
    .default("25")
    .meta(set("Frame rate", "live", { unit: "Hz" })),
  interlaced: z.boolean().default(false).meta(set("Interlaced", "live")),
  sound: z.boolean().default(true).meta(set("Beep each second", "live")),
  clockOffset: z
    .int()
    .min(-500)
    .max(500)
    .default(0)
    .meta(set("Clock offset", "live", { unit: "ppm", help: "As of a camera whose clock is not quite right" })),
});

export const fileSource = z.strictObject({
  type: z.literal("file"),
  path: z
    .string()
    .min(1)
    .max(4096)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no path has a zero byte
    .regex(/^\/[^\u0000]*$/, "must be an absolute path")
    .meta(set("File", "live", { help: "Media file, played in a loop" })),
});

export const ipSource = z.strictObject({
  type: z.literal("ip"),
  protocol: z.enum(["udp", "rtp"]).default("udp").meta(set("Protocol", "live")),
  address: ipv4
    .default("0.0.0.0")
    .meta(set("Address", "live", { help: "Multicast group to join, or 0.0.0.0 to receive unicast on every address" })),
  port: port.default(1234).meta(set("Port", "live")),
  interface: interfaceName.default(""),
  programme: z
    .int()
    .min(0)
    .max(65535)
    .default(0)
    .meta(set("Programme", "live", { help: "Programme number to take from a multiplex; 0: the first" })),
  latencyMs: z
    .int()
    .min(0)
    .max(5000)
    .default(200)
    .meta(set("Input buffer", "live", { unit: "ms", help: "Evens out network jitter and bursts" })),
});

export const captureSource = z.strictObject({
  type: z.literal("capture"),
  videoDevice: z
    .string()
    .regex(/^\/dev\/[a-zA-Z0-9_/.-]{1,100}$/, "must be a device under /dev")
    .default("/dev/video0")
    .meta(set("Video device", "live")),
  audioDevice: z
    .string()
    .regex(/^[a-zA-Z0-9_:,=.-]{0,100}$/, "must be an ALSA device such as hw:1,0, or empty")
    .default("")
    .meta(set("Audio device", "live", { help: "ALSA device such as hw:1,0; empty: no sound" })),
});

export const inputSource = z.strictObject({
  type: z.literal("input"),
  connector: connectorId.meta(
    set("Connector", "live", { help: "Input of the box, such as hdmi1; follows its signal" }),
  ),
});

export const source = z.discriminatedUnion("type", [inputSource, testSource, fileSource, ipSource, captureSource]);

export type SourceConfig = z.infer<typeof source>;
/** What an encoder can open by itself: not an input of the box, whose signal decides. */
export type DirectSource = Exclude<SourceConfig, { type: "input" }>;
