/** What is sent, and what becomes of it. */
import type { Clock } from "../../board/ports.ts";

/** How long a backup may take to be sent, ms. */
export const SEND_MS = 120_000;

export type Sent =
  /** `hostKey`: fingerprint of an SFTP server. */
  | { ok: true; hostKey?: string }
  /** In words, and without any secret. */
  | { ok: false; reason: string };

export interface Parcel {
  name: string;
  bytes: Uint8Array;
}

export interface SendOptions {
  clock: Clock;
  /** Ends it. */
  signal: AbortSignal;
}
