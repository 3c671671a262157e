/** How figures, times and states are written on the page. */
import type { ChannelState, OutputStatus, WorkerStatus } from "../src/channels/status.ts";
import type { AudioTrackConfig, SourceConfig, VideoConfig } from "../src/config/schema.ts";
import type { EncodeStats, Tr101290 } from "../src/media/protocol.ts";

/** Keeps a figure and its unit on one line. */
const space = "\u00a0";

/** Bit/s as `4.00 Mbit/s` or `850 kbit/s`. */
export function bitrate(bitsPerSecond: number): string {
  if (bitsPerSecond >= 999_500)
    return `${(bitsPerSecond / 1e6).toFixed(bitsPerSecond < 99_995_000 ? 2 : 1)}${space}Mbit/s`;
  return `${Math.round(bitsPerSecond / 1000)}${space}kbit/s`;
}

/** Milliseconds with the digits that matter. */
export function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)}${space}ms`;
}

/** Nanoseconds, from 10 µs on in µs. */
export function nanoseconds(ns: number): string {
  return Math.abs(ns) < 10_000 ? `${Math.round(ns)}${space}ns` : `${(ns / 1000).toFixed(1)}${space}µs`;
}

/** Whole numbers in groups of three, so that a counter of a month can be read. */
export function count(n: number): string {
  return n.toString().replace(/\B(?=(\d{3})+$)/g, "\u2009");
}

/** A duration in its two largest units: `12 s`, `4 min 7 s`, `2 h 13 min`, `41 d 3 h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const units: [number, string][] = [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const first = units.findIndex(([size]) => seconds >= size);
  if (first < 0) return `0${space}s`;
  let rest = seconds;
  const parts: string[] = [];
  for (const [size, unit] of units.slice(first, first + 2)) {
    const n = Math.floor(rest / size);
    rest -= n * size;
    if (n > 0 || parts.length === 0) parts.push(n + space + unit);
  }
  return parts.join(" ");
}

/** A picture mode as the field writes it: `1920×1080i25`, the rate being that of frames. */
export function mode(width: number, height: number, scan: "" | "progressive" | "interlaced", rate: number): string {
  if (width <= 0 || height <= 0) return "";
  const letter = scan === "interlaced" ? "i" : scan === "progressive" ? "p" : rate > 0 ? " " : "";
  return `${width}×${height}${letter}${rate > 0 ? Number(rate.toFixed(2)) : ""}`;
}

export const stateWords: Record<ChannelState, string> = {
  stopped: "Stopped",
  starting: "Starting",
  live: "Live",
  held: "Picture held",
  slate: "On slate",
  failed: "Failed",
};

export const sourceWords: Record<EncodeStats["source"]["state"], string> = {
  none: "No source",
  starting: "Starting",
  live: "Receiving",
  held: "Lost, last picture held",
  lost: "Lost",
};

export const outputWords: Record<OutputStatus["state"], string> = {
  off: "Off",
  sending: "Sending",
  connecting: "Connecting",
  listening: "Waiting for a caller",
  connected: "Connected",
  error: "Error",
};

export const workerWords: Record<WorkerStatus["state"], string> = {
  starting: "Starting",
  running: "Running",
  waiting: "Waiting to start again",
  failed: "Failed",
};

/** TR 101 290 indicators by priority, in the order of its tables 5.0a and 5.0b. */
export const indicators: { priority: 1 | 2; names: [keyof Tr101290, string][] }[] = [
  {
    priority: 1,
    names: [
      ["syncLoss", "Sync loss"],
      ["syncByte", "Sync byte"],
      ["pat", "PAT"],
      ["continuity", "Continuity"],
      ["pmt", "PMT"],
      ["pidMissing", "PID missing"],
    ],
  },
  {
    priority: 2,
    names: [
      ["transportError", "Transport error"],
      ["crc", "CRC"],
      ["pcrRepetition", "PCR repetition"],
      ["pcrDiscontinuity", "PCR discontinuity"],
      ["pcrAccuracy", "PCR accuracy"],
      ["pts", "PTS"],
    ],
  },
];

export function sourceName(source: SourceConfig): string {
  switch (source.type) {
    case "input":
      return `Input ${source.connector}`;
    case "test":
      return `Test signal, ${source.pattern}`;
    case "file":
      return `File ${source.path.slice(source.path.lastIndexOf("/") + 1)}`;
    case "ip":
      return `${source.protocol}://@${source.address === "0.0.0.0" ? "" : source.address}:${source.port}`;
    case "capture":
      return source.videoDevice + (source.audioDevice === "" ? "" : `, ${source.audioDevice}`);
  }
}

const codecNames = { h264: "H.264", aac: "AAC", mp2: "MP2" };
const rateControlNames = { cbr: "CBR", vbr: "VBR", "capped-vbr": "capped VBR" };

/** What the encoder is set to, such as `H.264 High 1280×720p25, CBR 3000 kbit/s`. */
export function videoSettings(video: VideoConfig): string {
  const profile = video.profile.charAt(0).toUpperCase() + video.profile.slice(1);
  return (
    `${codecNames[video.codec]} ${profile} ${video.width}×${video.height}p${video.frameRate}, ` +
    `${rateControlNames[video.rateControl]} ${video.bitrate} kbit/s`
  );
}

export function audioSettings(track: AudioTrackConfig): string {
  const language = track.language === "und" ? "" : ` (${track.language})`;
  return `${codecNames[track.codec]} ${track.channels === 1 ? "mono" : "stereo"} ${track.bitrate} kbit/s${language}`;
}
