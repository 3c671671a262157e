/** How the inputs of the box and its front panel are used. */
import { z } from "zod";
import { connectorId, set, text } from "./setting.ts";

/** Signals that an input can be set to; the rate is that of fields where interlaced, else of pictures. */
export const inputStandards = [
  ...["auto", "480i59.94", "480p59.94", "576i50", "576p50", "720p50", "720p59.94", "720p60"],
  ...["1080i50", "1080i59.94", "1080i60", "1080p23.976", "1080p24", "1080p25", "1080p29.97", "1080p30"],
  ...["1080p50", "1080p59.94", "1080p60", "2160p23.976", "2160p24", "2160p25", "2160p29.97", "2160p30"],
  ...["2160p50", "2160p59.94", "2160p60", "ntsc", "ntsc-443", "pal", "pal-m", "pal-n", "pal-60", "secam"],
] as const;

export const edidPresets = ["720p", "1080p", "4k", "custom"] as const;

/** Bytes of an EDID at most: four blocks of 128. */
const EDID_MAX = 512;

/** How an input of the box is used; one that is not listed is used as by default. */
export const input = z.strictObject({
  connector: connectorId.meta(set("Connector", "none")),
  name: text(40)
    .default("")
    .meta(set("Name", "none", { help: "What is connected, such as Lobby camera" })),
  standard: z
    .enum(inputStandards)
    .default("auto")
    .meta(set("Standard", "live", { help: "auto takes what comes; another one takes nothing else" })),
  analogue: z.enum(["cvbs", "s-video", "ypbpr"]).default("cvbs").meta(set("Analogue input", "live")),
  edid: z
    .enum(edidPresets)
    .default("1080p")
    .meta(set("EDID", "live", { help: "The most that the source is told the box takes" })),
  edidAudio: z
    .boolean()
    .default(true)
    .meta(set("EDID with sound", "live", { help: "Without it the source sends no sound" })),
  customEdid: z
    .string()
    .max(4 * Math.ceil(EDID_MAX / 3))
    .regex(/^[A-Za-z0-9+/]*={0,2}$/, "must be base64")
    .default("")
    .meta(set("Custom EDID", "live", { help: "Whole blocks of 128 bytes, base64" })),
});

export const languages = ["en", "de", "fr", "es"] as const;

export const panel = z.strictObject({
  language: z.enum(languages).default("en").meta(set("Language", "none")),
  pin: z
    .string()
    .regex(/^([0-9]{4,8})?$/, "must be 4 to 8 digits, or empty")
    .default("")
    .meta(set("PIN", "none", { secret: true, help: "Locks the front panel; empty: never locked" })),
  lockAfter: z
    .int()
    .min(10)
    .max(3600)
    .default(60)
    .meta(
      set("Lock after", "none", { unit: "s", help: "Time without a key after which a panel with a PIN is locked" }),
    ),
  dimAfter: z
    .int()
    .min(0)
    .max(3600)
    .default(120)
    .meta(set("Dim after", "none", { unit: "s", help: "0: never" })),
});

export type InputConfig = z.infer<typeof input>;
export type PanelConfig = z.infer<typeof panel>;
