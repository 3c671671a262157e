/** What a channel tells of itself: the shape behind `/api/v1/channels/:id/status`, the events and the GUI. */
import type { EncodeStats, OutputStats, TransmitStats } from "../media/protocol.ts";

/**
 * `stopped`: not enabled. `starting`: no datagram yet. `live`: the source is on air. `held`: its last picture is.
 * `slate`: the source or the encoder is missing, the channel is on air without it. `failed`: the encoder or the
 * multiplexer failed again and again; retried slowly.
 */
export type ChannelState = "stopped" | "starting" | "live" | "held" | "slate" | "failed";

/** Something that is wrong now. It goes away when the evidence says so. */
export interface Fault {
  /** Stable name, such as `source-lost`, `encoder-down`, `output-down`, `transmit-down`, `mux-overflow`. */
  id: string;
  severity: "warning" | "error";
  /** In plain words, with what to check. */
  message: string;
  /** ISO 8601. */
  since: string;
}

export interface WorkerStatus {
  role: "encode" | "transmit" | "output";
  /** Output id for outputs. */
  name: string;
  state: "starting" | "running" | "waiting" | "failed";
  pid: number | null;
  /** Starts by this supervisor, and whether the process was found running. */
  starts: number;
  adopted: boolean;
  lastExit: string;
}

export interface OutputStatus {
  id: string;
  type: "udp" | "rtp" | "srt";
  /** As a player or a peer writes it, such as `udp://@239.10.0.1:1234`. */
  url: string;
  state: "off" | "sending" | "connecting" | "listening" | "connected" | "error";
  detail: string;
  srt: OutputStats | null;
}

export interface ChannelStatus {
  id: string;
  name: string;
  enabled: boolean;
  state: ChannelState;
  /** Since when in this state, ISO 8601. */
  since: string;
  faults: Fault[];
  workers: WorkerStatus[];
  outputs: OutputStatus[];
  encode: EncodeStats | null;
  transmit: TransmitStats | null;
}

/** Answers to orders that are normal, not errors. */
export type OrderResult = "done" | "unknown-channel" | "not-running" | "busy";

/** What the API may ask of the channels. */
export interface ChannelControl {
  list(): ChannelStatus[];
  status(id: string): ChannelStatus | undefined;
  /** Ends the channel's workers and starts them anew. */
  restart(id: string): Promise<OrderResult>;
  keyframe(id: string): Promise<OrderResult>;
  /** Path of the newest JPEG (made each second), or undefined while there is none. */
  previewFile(id: string): string | undefined;
}
