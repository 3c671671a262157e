/** One value of the board as it is read again and again: what is known of it, or why nothing is. */

/** Readings in a row that must fail before the value is missing: one lost transfer is no lost sensor. */
const FAILURES = 2;

export interface ProbeOptions {
  read: () => Promise<number>;
  /** What the sensor can measure at all; beyond is a sensor that is broken or not connected. */
  range: readonly [least: number, most: number];
}

export class Probe {
  readonly #read: () => Promise<number>;
  readonly #range: readonly [number, number];
  #value: number | null = null;
  #reason = "not read yet";
  #failures = 0;
  #reading = false;

  constructor({ read, range }: ProbeOptions) {
    this.#read = read;
    this.#range = range;
  }

  /** Null: missing. */
  get value(): number | null {
    return this.#value;
  }

  /** Why the value is missing, in words, or "". */
  get reason(): string {
    return this.#reason;
  }

  /** Reads once. Never throws. A reading that still goes on when the next one is due counts as failed. */
  async poll(): Promise<void> {
    if (this.#reading) {
      this.#fail("does not answer in time");
      return;
    }
    this.#reading = true;
    try {
      const value = await this.#read();
      const [least, most] = this.#range;
      if (!(value >= least && value <= most)) {
        this.#fail(`reads ${value}, which cannot be`);
        return;
      }
      this.#value = value;
      this.#reason = "";
      this.#failures = 0;
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    } finally {
      this.#reading = false;
    }
  }

  #fail(reason: string): void {
    this.#failures++;
    if (this.#value !== null && this.#failures < FAILURES) return;
    this.#value = null;
    this.#reason = reason;
  }
}
