/** The change of the configuration that waits to be confirmed, and what becomes of it. */
import type { Difference } from "../src/config/diff.ts";
import type { Trial } from "../src/config/trial.ts";
import { ApiError, ask } from "./api.ts";

export interface TrialState {
  trial: Trial | null;
  /** When the box goes back by itself, ms of the page's monotonic clock. */
  endsAt: number;
  /** Sent by this page, but the box has not answered: it may be in force. */
  assumed: boolean;
  /** What became of the last one; `decided`: somebody kept it or went back. */
  outcome: "" | "kept" | "reverted" | "expired" | "decided";
}

const none: TrialState = { trial: null, endsAt: 0, assumed: false, outcome: "" };
/** The box is asked again this often while a trial is pending, ms: others may confirm it, and its end is told by no event. */
const lookMs = 3000;

/** Follows the trial, through losses of the connection. */
export class TrialWatch {
  #state = none;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;
  readonly #now: () => number;
  readonly #fetch: () => Promise<{ trial: Trial | null }>;
  readonly #listeners = new Set<() => void>();

  constructor(now = () => performance.now(), fetch = () => ask<{ trial: Trial | null }>("GET", "/config/trial")) {
    this.#now = now;
    this.#fetch = fetch;
  }

  get state(): TrialState {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks the box. While it cannot be reached, what was known runs on. */
  async look(): Promise<void> {
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    try {
      const { trial } = await this.#fetch();
      if (turn !== this.#turn) return;
      if (trial === null) this.#over();
      else {
        const endsAt = this.#now() + trial.remainingSeconds * 1000;
        this.#set({ trial, endsAt, assumed: false, outcome: "" });
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn !== this.#turn) return;
    }
    if (this.#state.trial !== null) this.#timer = setTimeout(() => void this.look(), lookMs);
  }

  /** Before a change is sent: its answer may be lost with the way to the box. */
  assume(trial: Omit<Trial, "remainingSeconds" | "until">): void {
    const { confirmSeconds } = trial;
    const endsAt = this.#now() + confirmSeconds * 1000;
    const until = new Date(Date.now() + confirmSeconds * 1000).toISOString();
    this.#set({ ...none, trial: { ...trial, until, remainingSeconds: confirmSeconds }, endsAt, assumed: true });
  }

  /** Somebody has decided on this page. */
  decided(outcome: "kept" | "reverted"): void {
    this.forget();
    this.#set({ ...none, outcome });
  }

  /** What became of the last one has been read. */
  dismiss(): void {
    this.#set({ ...this.#state, outcome: "" });
  }

  #over(): void {
    const { trial, endsAt } = this.#state;
    // What the box counts down may be over a moment before it is here.
    const outcome = this.#now() > endsAt - 2000 ? "expired" : "decided";
    if (trial !== null) this.#set({ ...none, outcome });
  }

  /** Nobody is logged in, or the box refused what was assumed. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#turn += 1;
    this.#set(none);
  }

  #set(state: TrialState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** Seconds until the box goes back, never below 0. */
export function secondsLeft({ endsAt }: TrialState, now: number): number {
  return Math.max(0, Math.ceil((endsAt - now) / 1000));
}

/**
 * Where the box may be found after such a change: `address` or host names that are new in it. Addresses that DHCP gives are
 * known to nobody before.
 */
export function newAddresses(differences: readonly Difference[]): string[] {
  const found = new Set<string>();
  for (const { pointer, after } of differences) {
    if (pointer === "/network/hostname" && typeof after === "string") found.add(`${after}.local`);
    else if (pointer.startsWith("/network/links"))
      addressesIn(pointer.slice(pointer.lastIndexOf("/") + 1), after, found);
  }
  return [...found];
}

function addressesIn(name: string, value: unknown, found: Set<string>): void {
  if (name === "address" && typeof value === "string") {
    if (value !== "::" && value !== "0.0.0.0") found.add(value.includes(":") ? `[${value}]` : value);
  } else if (typeof value === "object" && value !== null) {
    const fields = value as Record<string, unknown>;
    if (fields.management === false) return;
    // The address of DHCP is only what the port falls back to.
    if (name === "ipv4" && fields.method !== undefined && fields.method !== "static") return;
    for (const [key, one] of Object.entries(fields)) addressesIn(key, one, found);
  }
}
