/** What the parts of the access service share. */
import type { AccessConfig } from "../config/schema/administration.ts";
import type { Book } from "./book.ts";
import type { UserRecord } from "./document.ts";
import type { Hashing } from "./hashing.ts";
import { policyWeakness } from "./policy.ts";
import type { Principal } from "./principal.ts";
import type { AuditEvent } from "./record.ts";
import type { WeakPassword } from "./results.ts";
import type { Sessions } from "./sessions.ts";

export type AccessSettings = Pick<AccessConfig, "idleMinutes" | "sessionHours" | "secondFactor">;

export interface Parts {
  book: Book;
  sessions: Sessions;
  hashing: Hashing;
  settings(): AccessSettings;
  /** Name of the box. */
  boxName(): string;
  now(): Date;
  /** ms. */
  steady(): number;
  record(event: AuditEvent): void;
}

/** Why a password must not be set; undefined when it may. */
export async function refuseWeak(parts: Parts, user: string, password: string): Promise<WeakPassword | undefined> {
  const message = await policyWeakness(password, { user, box: parts.boxName() });
  return message === undefined ? undefined : { ok: false, reason: "weak", message };
}

/** The user who has logged in as this principal; programs on the box itself and set-up sessions are none. */
export function userOf({ book }: Parts, principal: Principal): UserRecord | undefined {
  return principal.via === "session" || principal.via === "token" ? book.user(principal.name) : undefined;
}

/** Whether somebody has to set up a second factor before anything else. */
export function mustEnrol({ settings }: Parts, { role, totp }: Pick<UserRecord, "role" | "totp">): boolean {
  const { secondFactor } = settings();
  return totp === null && (secondFactor === "everyone" || (secondFactor === "admins" && role === "admin"));
}

/** Ends the sessions whose user is gone, may not log in, or has another password or role. */
export function endStale({ book, sessions }: Parts): Promise<void> {
  return sessions.keep(({ user, generation }) => {
    const record = book.user(user);
    return record !== undefined && !record.disabled && record.generation === generation;
  });
}
