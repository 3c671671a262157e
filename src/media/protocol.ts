/**
 * The control protocol between the supervisor and the media processes: what is sent over
 * `RUNTIME_DIR/<channel>/<role>.sock`, one JSON object a line. The C side is `firmware/media/common/control.h`, and each
 * process checks its spec again.
 */
import { z } from "zod";

/** Version of the protocol (CONTROL_PROTOCOL in C). A worker that speaks another one is replaced. */
export const PROTOCOL = 1;

export type Role = "encode" | "transmit" | "output";

/** Exit codes of the media processes (enum exit_code in C). */
export const EXIT = { orderly: 0, badArguments: 2, socketBusy: 3, noResources: 4, orphaned: 5, broken: 6 } as const;

// ---- messages ------------------------------------------------------------------------------------------------------

export const hello = z.object({
  event: z.literal("hello"),
  role: z.enum(["encode", "transmit", "output"]),
  version: z.string(),
  protocol: z.int(),
  pid: z.int(),
  spec: z.unknown(),
});
export type Hello = z.infer<typeof hello>;

export const answer = z.union([
  z.object({ id: z.int(), result: z.unknown() }),
  z.object({
    id: z.int(),
    error: z.object({ code: z.string(), message: z.string(), field: z.string().optional() }),
  }),
]);

/** The result of `apply`: JSON pointers of what changed in place, and of what made something be rebuilt. */
export const applied = z.object({ live: z.array(z.string()), rebuilt: z.array(z.string()) });
export type Applied = z.infer<typeof applied>;

export const logEvent = z.object({
  event: z.literal("log"),
  level: z.enum(["debug", "info", "warning", "error"]),
  message: z.string(),
});

// ---- encode --------------------------------------------------------------------------------------------------------

/**
 * What `encode` shall do. Launch descriptions are GStreamer's, made by `pipelines.ts`; elements are found by name:
 * the source has appsinks `video` and `audio` (either may be missing), the program has appsrcs `video`, `audio0`,
 * `audio1` … and appsinks `out0` (video), `out1` (audio0) … whose number is the stream in the feed. An overlay `counter` in
 * the source is given each frame's number as its text.
 */
export interface EncodeSpec {
  channel: string;
  source: {
    launch: string;
    /** The source's input buffer: content is taken this long after its time stamp. */
    latencyMs: number;
    /** Frames carry a machine-readable strip of counter and box clock, drawn at the element `stamp`. */
    stamp: boolean;
    /** At the end of the stream, play it again from the start. */
    loop: boolean;
  } | null;
  /** What the frame store gives to the program. */
  video: { width: number; height: number; rate: [number, number]; format: "I420" | "NV12" };
  /** Tracks at 48 kHz, S16LE interleaved. delayMs −500…500. */
  audio: { channels: 1 | 2; delayMs: number }[];
  loss: { holdMs: number; picture: "black" | "bars" | "slate" | "end"; text: string; image: string };
  program: {
    launch: string;
    /** Properties that may change while playing, by element name. */
    live: Record<string, Record<string, number | string | boolean>>;
  };
  /** The feed's stream table; entry n comes from appsink `out<n>`. bitrate in bit/s. */
  streams: { codec: "h264" | "aac" | "mp2"; rate: [number, number]; bitrate: number }[];
  feed: string;
  preview: { file: string; width: number; height: number } | null;
}

export const sourceState = z.enum(["none", "starting", "live", "held", "lost"]);

export const encodeStats = z.object({
  event: z.literal("stats").optional(),
  source: z.object({
    state: sourceState,
    detail: z.string(),
    /** Of the newest decoded frame before scaling; 0 and "" when unknown. */
    width: z.int(),
    height: z.int(),
    rate: z.number(),
    scan: z.enum(["", "progressive", "interlaced"]),
    rebuilds: z.int(),
  }),
  video: z.object({ in: z.int(), out: z.int(), repeated: z.int(), dropped: z.int(), overload: z.int() }),
  audio: z.object({ in: z.int(), out: z.int(), silence: z.int(), driftPpm: z.number(), resyncs: z.int() }),
  encodeMs: z.object({ median: z.number(), max: z.number() }),
  bytes: z.array(z.int()),
  feed: z.object({ readers: z.int(), cut: z.int() }),
});
export type EncodeStats = z.infer<typeof encodeStats>;

export const sourceEvent = z.object({ event: z.literal("source"), state: sourceState, detail: z.string() });
/** Ten times a second, once asked for by `watch` {levels: true}: peak and RMS level by channel in dBFS. */
export const levelsEvent = z.object({
  event: z.literal("levels"),
  peak: z.array(z.number()),
  rms: z.array(z.number()),
});

// ---- transmit ------------------------------------------------------------------------------------------------------
// Beside what all have (ping, apply, stats, quit) it knows `handover`: it ends, and its successor goes on with the stream.

export interface TransmitDestination {
  id: string;
  protocol: "udp" | "rtp";
  address: string;
  port: number;
  interface: string;
  sourcePort: number;
  ttl: number;
  dscp: number;
}

export interface TransmitSpec {
  channel: string;
  mode: "cbr" | "vbr";
  /** Bit/s on the wire, 188-byte packets counted; the peak in VBR. */
  bitrate: number;
  /** From a content's time stamp to the moment when a receiver that follows the PCR shows it, 50…5000. */
  delayMs: number;
  transportStreamId: number;
  originalNetworkId: number;
  networkId: number;
  networkName: string;
  characterSet: string;
  intervals: { patMs: number; pmtMs: number; sdtMs: number; nitMs: number; tdtMs: number; pcrMs: number };
  programmes: {
    number: number;
    pmtPid: number;
    /** PID that carries the PCR; one of the streams'. */
    pcrPid: number;
    serviceName: string;
    providerName: string;
    feed: string;
    /** Recorded feed that is played while there is no feed; "" for none. */
    slate: string;
    /** How long the last picture stays when the feed is lost, before the slate. */
    slateAfterMs: number;
    /** Where stream n of the feed goes. Streams that are not listed are not sent. */
    streams: { stream: number; pid: number; language: string }[];
  }[];
  destinations: TransmitDestination[];
  /** UNIX socket that serves the transport stream to outputs. */
  tap: string;
  /** Mapped file with counters, clock and the last datagrams: what a successor needs to go on. */
  state: string;
}

export const tr101290 = z.object({
  syncLoss: z.int(),
  syncByte: z.int(),
  pat: z.int(),
  continuity: z.int(),
  pmt: z.int(),
  pidMissing: z.int(),
  transportError: z.int(),
  crc: z.int(),
  pcrRepetition: z.int(),
  pcrDiscontinuity: z.int(),
  pcrAccuracy: z.int(),
  pts: z.int(),
});
export type Tr101290 = z.infer<typeof tr101290>;

export const transmitStats = z.object({
  event: z.literal("stats").optional(),
  /** Measured over the last second, bit/s: whole stream, and without null packets. */
  bitrate: z.int(),
  payloadBitrate: z.int(),
  datagrams: z.int(),
  /** Longest time between two datagrams in the last second, and the latest start of a send, ms. */
  gapMs: z.number(),
  lateMs: z.number(),
  /** Took over from a predecessor; how often the clock grid had to be given up after a stall. */
  resumed: z.boolean(),
  jumps: z.int(),
  tr101290,
  /** Widest PCR interval (ms) and PCR error (ns) in the last second. */
  pcr: z.object({ intervalMs: z.number(), errorNs: z.number() }),
  programmes: z.array(
    z.object({
      number: z.int(),
      state: z.enum(["live", "hold", "slate", "none"]),
      /** Smallest time that a unit was complete before its decoding time in the last second, ms. */
      leadMs: z.number(),
      units: z.int(),
      late: z.int(),
      dropped: z.int(),
      feedLosses: z.int(),
      pmtVersion: z.int(),
      streams: z.array(z.object({ pid: z.int(), codec: z.string(), bitrate: z.int() })),
    }),
  ),
  destinations: z.array(
    z.object({ id: z.string(), datagrams: z.int(), errors: z.int(), lost: z.int(), lastError: z.string() }),
  ),
  tap: z.object({ readers: z.int(), cut: z.int() }),
});
export type TransmitStats = z.infer<typeof transmitStats>;

export const programmeEvent = z.object({
  event: z.literal("programme"),
  number: z.int(),
  state: z.enum(["live", "hold", "slate", "none"]),
});

// ---- output --------------------------------------------------------------------------------------------------------

export interface OutputSpec {
  channel: string;
  id: string;
  tap: string;
  kind: "srt";
  mode: "caller" | "listener";
  address: string;
  port: number;
  latencyMs: number;
  passphrase: string;
  streamId: string;
}

export const outputState = z.enum(["waiting", "connecting", "listening", "connected", "failed"]);

export const outputStats = z.object({
  event: z.literal("stats").optional(),
  state: outputState,
  detail: z.string(),
  peers: z.int(),
  bitrate: z.int(),
  bytes: z.int(),
  dropped: z.int(),
  retransmitted: z.int(),
  rttMs: z.number(),
  reconnects: z.int(),
});
export type OutputStats = z.infer<typeof outputStats>;

export const outputEvent = z.object({ event: z.literal("output"), state: outputState, detail: z.string() });
