/** What the access service answers. Results that are normal, such as refused, are values; secrets are in none but the first. */
import type { Principal, Role, Scope } from "./principal.ts";

/** Who has logged in, and the secrets that only their browser gets. */
export interface LoggedIn {
  ok: true;
  principal: Principal;
  /** For the session cookie. */
  session: string;
  /** For the device cookie: with it, guesses of others do not slow this browser down. None for a set-up session. */
  device?: string;
  /** When the session ends at the latest. */
  expires: Date;
}

/** Come back then: too many wrong passwords lately, from this address or for this user. */
export interface Throttled {
  ok: false;
  reason: "throttled";
  /** From 1. */
  retryAfterSeconds: number;
}

/** Wrong user, password or code; which one is not told. */
export interface Refused {
  ok: false;
  reason: "refused";
}

export type LoginResult =
  | LoggedIn
  | Refused
  /** The password is right, and a code of the authenticator app or a recovery code is wanted beside it. */
  | { ok: false; reason: "code-needed" }
  | Throttled;

/** A password that may not be set; `message` says why, after "the password", and never repeats it. */
export interface WeakPassword {
  ok: false;
  reason: "weak";
  message: string;
}

export type SetUpResult =
  | LoggedIn
  | WeakPassword
  /** The box has a user meanwhile, or this is no set-up session. */
  | { ok: false; reason: "over" };

/** What a change answers when there is nothing to tell but why it was refused. */
export type Change<Why extends string = never, Value extends object = object> =
  | ({ ok: true } & Value)
  | { ok: false; reason: Why };

/** The state of whoever asks. */
export interface Standing {
  name: string;
  role: Role;
  via: Principal["via"];
  /** Whether the user logs in with a second factor. */
  secondFactor: boolean;
  /** Whether they must set up a second factor before they may do anything else. */
  mustEnrol: boolean;
  /** When the session or token ends at the latest, ISO 8601; null: never. */
  expires: string | null;
}

export interface UserInfo {
  name: string;
  role: Role;
  disabled: boolean;
  secondFactor: boolean;
  /** How many recovery codes are left. */
  recoveryCodes: number;
  /** ISO 8601. */
  created: string;
  lastLogin: string | null;
}

export interface SessionInfo {
  id: string;
  user: string;
  /** Of the last request. */
  address: string;
  /** What the browser calls itself. */
  agent: string;
  /** ISO 8601. */
  created: string;
  lastSeen: string;
  expires: string;
  /** Whether it is the one that asks. */
  current: boolean;
}

export interface TokenInfo {
  id: string;
  name: string;
  owner: string;
  /** At most the owner's counts. */
  role: Role;
  /** null: all. */
  scopes: Scope[] | null;
  created: string;
  /** null: never. */
  expires: string | null;
  /** To the hour; null: never. */
  lastUsed: string | null;
}
