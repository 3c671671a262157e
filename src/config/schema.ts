/**
 * The configuration of a box, declared once. Validation, API, OpenAPI, GUI forms, front-panel menu, backups and
 * migrations are all made from this schema, so every setting carries its label, help, unit and effect.
 */
import { z } from "zod";
import { isBelow, lowestLevel } from "./levels.ts";

/** What changing a setting does to a channel on air. */
export type Effect = "live" | "encoder" | "transmit" | "none";

/** What the faces (GUI, panel, OpenAPI) need to know of a setting beside its type and limits. */
export type SettingMeta = {
  label: string;
  help?: string;
  unit?: string;
  /** A secret is never repeated in messages. */
  secret?: true;
  /** `live`: takes effect in place; `encoder`: the encoder is rebuilt (slate meanwhile); `transmit`: packets change. */
  effect: Effect;
};

const set = (label: string, effect: Effect, more: Omit<SettingMeta, "label" | "effect"> = {}): SettingMeta => ({
  label,
  effect,
  ...more,
});

const ipv4 = z.ipv4();
const interfaceName = z
  .string()
  .regex(/^[a-zA-Z0-9_.-]{0,15}$/, "must be the name of a network interface, or empty")
  .meta(set("Interface", "transmit", { help: "Network interface, such as eth0; empty: by the routing table" }));
const port = z.int().min(1).max(65535);
const text = (max: number) =>
  z
    .string()
    .max(max)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is the point
    .regex(/^[^\u0000-\u001f\u007f]*$/, "must not contain control characters");
const pid = z.int().min(32).max(8190);

// ---- sources -------------------------------------------------------------------------------------------------------

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

/** Short name of a connector in the board file. */
const connectorId = z.string().regex(/^[a-z][a-z0-9-]{0,23}$/, "must be the name of a connector, such as hdmi1");

export const inputSource = z.strictObject({
  type: z.literal("input"),
  connector: connectorId.meta(
    set("Connector", "live", { help: "Input of the box, such as hdmi1; follows its signal" }),
  ),
});

export const source = z.discriminatedUnion("type", [inputSource, testSource, fileSource, ipSource, captureSource]);

// ---- coding --------------------------------------------------------------------------------------------------------

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
const monoLimit = { aac: 256, mp2: 192 } as const;

// ---- signal loss ---------------------------------------------------------------------------------------------------

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

// ---- transport -----------------------------------------------------------------------------------------------------

export const transport = z.strictObject({
  mode: z
    .enum(["cbr", "vbr"])
    .default("cbr")
    .meta(
      set("Multiplex", "transmit", { help: "CBR is stuffed to an exact rate; VBR sends no stuffing, up to that rate" }),
    ),
  bitrate: z
    .int()
    .min(200)
    .max(100000)
    .default(4000)
    .meta(set("Multiplex bitrate", "transmit", { unit: "kbit/s" })),
  transportStreamId: z.int().min(0).max(65535).default(1).meta(set("Transport stream ID", "transmit")),
  originalNetworkId: z.int().min(0).max(65535).default(65281).meta(set("Original network ID", "transmit")),
  networkId: z.int().min(1).max(65535).default(65281).meta(set("Network ID", "transmit")),
  networkName: text(60).default("Steadycast").meta(set("Network name", "transmit")),
  programmeNumber: z.int().min(1).max(65535).default(1).meta(set("Programme number", "transmit")),
  serviceName: text(60).default("Channel 1").meta(set("Service name", "transmit")),
  providerName: text(60).default("Steadycast").meta(set("Provider name", "transmit")),
  characterSet: z
    .enum(["auto", "utf-8", "iso-8859-1", "iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-9", "iso-8859-15"])
    .default("auto")
    .meta(set("Character set", "transmit", { help: "Of the names in the SDT and NIT (EN 300 468 annex A)" })),
  pmtPid: pid.default(4096).meta(set("PMT PID", "transmit")),
  videoPid: pid.default(256).meta(set("Video PID", "transmit")),
  audioPid: pid.default(257).meta(set("First audio PID", "transmit", { help: "Further tracks count up from here" })),
  pcrIntervalMs: z
    .int()
    .min(10)
    .max(35)
    .default(30)
    .meta(set("PCR interval", "transmit", { unit: "ms" })),
});

// ---- outputs -------------------------------------------------------------------------------------------------------

const outputId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must be lower-case letters, digits and hyphens");

const udpFields = {
  id: outputId,
  enabled: z.boolean().default(true).meta(set("Enabled", "transmit")),
  address: ipv4.meta(set("Address", "transmit", { help: "Unicast or multicast (239/8 is for private use)" })),
  port: port.meta(set("Port", "transmit")),
  interface: interfaceName.default(""),
  sourcePort: z
    .int()
    .min(0)
    .max(65535)
    .default(0)
    .meta(set("Source port", "transmit", { help: "0: any" })),
  ttl: z.int().min(1).max(255).default(8).meta(set("TTL", "transmit")),
  dscp: z
    .int()
    .min(0)
    .max(63)
    .default(34)
    .meta(set("DSCP", "transmit", { help: "34 is AF41, usual for video" })),
};

export const udpOutput = z.strictObject({ type: z.literal("udp"), ...udpFields });
export const rtpOutput = z.strictObject({ type: z.literal("rtp"), ...udpFields });
export const srtOutput = z.strictObject({
  type: z.literal("srt"),
  id: outputId,
  enabled: z.boolean().default(true).meta(set("Enabled", "live")),
  mode: z.enum(["caller", "listener"]).default("caller").meta(set("Mode", "live")),
  address: z
    .string()
    .regex(/^[a-zA-Z0-9.-]{1,253}$/, "must be a host name or an IPv4 address")
    .default("0.0.0.0")
    .meta(set("Address", "live", { help: "Peer to call, or the own address to listen on" })),
  port: port.meta(set("Port", "live")),
  latencyMs: z
    .int()
    .min(20)
    .max(8000)
    .default(125)
    .meta(set("Latency", "live", { unit: "ms" })),
  passphrase: z
    .string()
    .regex(/^([\x20-\x7e]{10,79})?$/, "must have 10 to 79 printable ASCII characters, or be empty")
    .default("")
    .meta(set("Passphrase", "live", { help: "Empty: not encrypted", secret: true })),
  streamId: z
    .string()
    .regex(/^[\x20-\x7e]{0,512}$/, "must be printable ASCII")
    .default("")
    .meta(set("Stream ID", "live")),
});

export const output = z.discriminatedUnion("type", [udpOutput, rtpOutput, srtOutput]);

// ---- channel and box -----------------------------------------------------------------------------------------------

export const channelId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must be lower-case letters, digits and hyphens");

/** One channel: a source, its coding, its transport stream and where that goes. */
export const channel = z
  .strictObject({
    id: channelId,
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

    const peak = v.rateControl === "capped-vbr" ? Math.max(v.bitrate, v.maxBitrate) : v.bitrate;
    const needed = Math.ceil((peak + audio.reduce((sum, track) => sum + track.bitrate, 0)) * 1.1 + 50);
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

// ---- the box -------------------------------------------------------------------------------------------------------

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

/** Version of this schema. Raise it with every change that an older document does not satisfy, and add a migration. */
export const SCHEMA_VERSION = 1;

/** The whole document. `version` is that of the schema; migrations bring older documents up to it. */
export const config = z
  .strictObject({
    version: z.literal(SCHEMA_VERSION),
    box: z.strictObject({ name: text(60).default("Steadycast").meta(set("Box name", "none")) }).prefault({}),
    inputs: z.array(input).max(16).default([]),
    panel: panel.prefault({}),
    channels: z.array(channel).max(32).default([]),
  })
  .check((ctx) => {
    const connectors = new Set<string>();
    ctx.value.inputs.forEach(({ connector }, i) => {
      if (connectors.has(connector)) {
        ctx.issues.push({
          code: "custom",
          path: ["inputs", i, "connector"],
          message: `input "${connector}" is set twice`,
          input: connector,
        });
      }
      connectors.add(connector);
    });
    const ids = new Map<string, number>();
    const sinks = new Map<string, string>();
    ctx.value.channels.forEach((c, i) => {
      if (ids.has(c.id)) {
        ctx.issues.push({
          code: "custom",
          path: ["channels", i, "id"],
          message: `channel id "${c.id}" is used twice`,
          input: c.id,
        });
      }
      ids.set(c.id, i);
      c.outputs.forEach((o, j) => {
        if (o.type === "srt" || !o.enabled) return;
        const key = `${o.address}:${o.port}${o.interface ? `%${o.interface}` : ""}`;
        const other = sinks.get(key);
        if (other !== undefined) {
          ctx.issues.push({
            code: "custom",
            path: ["channels", i, "outputs", j, "address"],
            message: `${key} is used by ${other} already`,
            input: o.address,
          });
        }
        sinks.set(key, `channel "${c.id}"`);
      });
    });
  });

export type Config = z.infer<typeof config>;
export type ChannelConfig = z.infer<typeof channel>;
export type InputConfig = z.infer<typeof input>;
export type PanelConfig = z.infer<typeof panel>;
export type SourceConfig = z.infer<typeof source>;
/** What an encoder can open by itself: not an input of the box, whose signal decides. */
export type DirectSource = Exclude<SourceConfig, { type: "input" }>;
export type VideoConfig = z.infer<typeof video>;
export type AudioTrackConfig = z.infer<typeof audioTrack>;
export type LossConfig = z.infer<typeof loss>;
export type TransportConfig = z.infer<typeof transport>;
export type OutputConfig = z.infer<typeof output>;
export type SrtOutputConfig = z.infer<typeof srtOutput>;

/** What a new box has: one channel with the test signal on 239.10.0.1:1234. */
export function defaultConfig(multicastInterface = ""): Config {
  return config.parse({
    version: SCHEMA_VERSION,
    channels: [
      {
        id: "ch1",
        name: "Channel 1",
        outputs: [{ type: "udp", id: "main", address: "239.10.0.1", port: 1234, interface: multicastInterface }],
      },
    ],
  });
}
