/** The transport stream of a channel and where it is sent. */
import { z } from "zod";
import { interfaceName, ipv4, pid, port, set, shortId, text } from "./setting.ts";

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

const udpFields = {
  id: shortId,
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
    .min(-1)
    .max(63)
    .default(-1)
    .meta(set("DSCP", "transmit", { help: "-1: as set for the network; 34 is AF41, usual for video" })),
};

export const udpOutput = z.strictObject({ type: z.literal("udp"), ...udpFields });
export const rtpOutput = z.strictObject({ type: z.literal("rtp"), ...udpFields });
export const srtOutput = z.strictObject({
  type: z.literal("srt"),
  id: shortId,
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

export type TransportConfig = z.infer<typeof transport>;
export type OutputConfig = z.infer<typeof output>;
export type SrtOutputConfig = z.infer<typeof srtOutput>;
