/** What a change to the configuration is asked with, and what becomes of it. */
import type { Difference } from "./diff.ts";
import type { FieldError } from "./explain.ts";
import type { Config } from "./schema.ts";
import type { Trial } from "./trial.ts";

/** The parts that a configuration has. */
export type Section = keyof Config;

export interface ChangeOptions {
  /** Change only if the configuration has one of these tags. */
  ifTag?: readonly string[];
  /** Who makes the change, and why, for the history. */
  author?: string;
  comment?: string;
  /**
   * The change is taken back by itself unless it is confirmed within this time, 10 to 3600 s; 0: it is in force for good.
   * The default is 120 s for a change that can cut the admin off, and 0 for others.
   */
  confirmSeconds?: number;
  /** Made at the box itself, which nobody can be cut off from: takes 0 for every change, also as the default. */
  local?: boolean;
  /** The only parts that the change may touch. */
  sections?: readonly Section[];
}

export type ChangeResult =
  /**
   * `changed` is false when the document was the same already: nothing was written, the revision stays. With `trial` it is in
   * force until it is confirmed, or else is taken back.
   */
  | { ok: true; revision: number; changed: boolean; differences: Difference[]; trial?: Trial }
  /** Pointers of a channel's change start at the channel. */
  | { ok: false; reason: "invalid"; errors: FieldError[] }
  /** The configuration is not the one the change was made for. */
  | { ok: false; reason: "stale"; revision: number }
  /** Another change waits for its confirmation. */
  | { ok: false; reason: "trial"; trial: Trial }
  /** It touches parts that it must not touch: these. */
  | { ok: false; reason: "not-allowed"; sections: string[] }
  | { ok: false; reason: "unknown-channel" }
  | { ok: false; reason: "unknown-revision" };

/** A whole document, or a merge patch (RFC 7396) to the one in force. */
export type Proposal = { document: unknown } | { patch: unknown };

export type TrialEndResult =
  /** The revision that is in force now. */
  | { ok: true; revision: number; differences: Difference[] }
  | { ok: false; reason: "no-trial" }
  /** Another change is on trial than the one that was meant. */
  | { ok: false; reason: "other-trial"; trial: Trial };
