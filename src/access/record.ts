/** What the audit log keeps of a change, and the port by which it is told. */
import type { Principal } from "./principal.ts";

/** One value that is another one now; secrets are told as SECRET_MARK. */
export interface Difference {
  /** JSON pointer (RFC 6901). */
  pointer: string;
  /** Left out: it was not there. */
  before?: unknown;
  /** Left out: it is not there any more. */
  after?: unknown;
}

export interface AuditEvent {
  who: Pick<Principal, "name" | "role" | "via" | "address">;
  /** Operation id of the API, such as `replaceChannel`, or another word for what the box did by itself. */
  what: string;
  /** What it was done to, such as the path of the request. */
  target: string;
  result: "done" | "refused" | "failed";
  /** In words: why it was refused, or the comment that was given. */
  detail?: string;
  diff?: readonly Difference[];
}

/** Keeps events for good. Never throws; what cannot be stored is told in the log of the box. */
export interface AuditRecorder {
  record(event: AuditEvent): void;
}
