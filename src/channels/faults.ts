/** What is wrong with a channel now. A fault keeps the time of its beginning until evidence clears it. */
import type { Fault } from "./status.ts";

/** Samples in a row without a new error after which a counted fault is over. Workers count once a second. */
const CLEAN_SAMPLES = 5;

export class FaultBook {
  readonly #faults = new Map<string, Fault>();
  readonly #counters = new Map<string, { value: number; grown: number; clean: number }>();
  readonly #now: () => Date;

  constructor(now: () => Date = () => new Date()) {
    this.#now = now;
  }

  /** Oldest first. */
  list(): Fault[] {
    return [...this.#faults.values()];
  }

  has(id: string): boolean {
    return this.#faults.has(id);
  }

  raise(id: string, severity: Fault["severity"], message: string): void {
    this.#faults.set(id, { id, severity, message, since: this.#faults.get(id)?.since ?? this.#now().toISOString() });
  }

  clear(id: string): void {
    this.#faults.delete(id);
  }

  /** Raises or clears. */
  set(id: string, wrong: boolean, severity: Fault["severity"], message: string): void {
    if (wrong) this.raise(id, severity, message);
    else this.clear(id);
  }

  /**
   * Raises when a counter of errors has grown in `samples` samples in a row, clears when it stands still for five.
   * More than one sample is for what also happens, for a moment, when settings change.
   */
  count(id: string, value: number, severity: Fault["severity"], message: string, samples = 1): void {
    const before = this.#counters.get(id);
    // A worker that was restarted counts from 0; the first sample says nothing about now.
    const grown = before !== undefined && value > before.value;
    const counter = { value, grown: grown ? before.grown + 1 : 0, clean: grown ? 0 : (before?.clean ?? 0) + 1 };
    this.#counters.set(id, counter);
    if (counter.grown >= samples) this.raise(id, severity, message);
    else if (counter.clean >= CLEAN_SAMPLES) this.clear(id);
  }

  /** Forgets every fault whose name begins so: what they were about is gone. */
  forget(prefix: string): void {
    for (const ids of [this.#faults, this.#counters]) {
      for (const id of ids.keys()) if (id.startsWith(prefix)) ids.delete(id);
    }
  }
}
