/** The lock of the front panel: when it closes, which PIN opens it, and how long a guesser has to wait. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { PanelConfig } from "../../../config/schema.ts";
import type { Clock } from "../../ports.ts";

/** Wrong PINs before the first wait. */
const FREE_ATTEMPTS = 5;
/** ms */
const FIRST_WAIT = 30_000;
const LONGEST_WAIT = 600_000;

export type Unlocking = "open" | "wrong" | "waiting";

export class Lock {
  readonly #clock: Clock;
  readonly #panel: () => PanelConfig;
  /** A box that starts with a PIN starts locked. */
  #open = false;
  #lastKey: number;
  #wrong = 0;
  #waitUntil = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, panel: () => PanelConfig) {
    this.#clock = clock;
    this.#panel = panel;
    this.#lastKey = clock.now();
  }

  get locked(): boolean {
    return this.#panel().pin !== "" && !this.#open;
  }

  /** Time without a key, ms. */
  get idle(): number {
    return this.#clock.now() - this.#lastKey;
  }

  /** Time until the next PIN is looked at, ms; 0: now. */
  get wait(): number {
    return Math.max(this.#waitUntil - this.#clock.now(), 0);
  }

  /** A key was pressed. */
  touch(): void {
    this.#lastKey = this.#clock.now();
  }

  /** Closes the lock after its time without a key; true when it just did. */
  check(): boolean {
    const { pin, lockAfter } = this.#panel();
    if (pin === "") {
      // Whoever sets a PIN is not locked out by it at once.
      this.#open = true;
      return false;
    }
    if (!this.#open || this.idle < lockAfter * 1000) return false;
    this.#open = false;
    return true;
  }

  unlock(pin: string): Unlocking {
    if (this.wait > 0) return "waiting";
    if (same(pin, this.#panel().pin)) {
      this.#open = true;
      this.#wrong = 0;
      return "open";
    }
    const waits = ++this.#wrong - FREE_ATTEMPTS;
    if (waits >= 0) this.#waitUntil = this.#clock.now() + Math.min(FIRST_WAIT * 2 ** waits, LONGEST_WAIT);
    return "wrong";
  }
}

/** Compares in a time that tells neither length nor place of a difference. */
function same(a: string, b: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
