/** A clock that stands still unless a test moves it. */
import type { Timers } from "../../../src/config/timers.ts";

export class ManualTimers implements Timers {
  #now = 0;
  readonly #tasks = new Set<{ at: number; task: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): () => void {
    const entry = { at: this.#now + ms, task };
    this.#tasks.add(entry);
    return () => this.#tasks.delete(entry);
  }

  /** Moves the clock, running what falls due in its order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#tasks].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#tasks.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
    }
    this.#now = end;
  }

  /** Moves the clock as it is after a stall: what fell due runs once, late, and what it sets up counts from now. */
  stall(ms: number): void {
    this.#now += ms;
    for (const entry of [...this.#tasks].sort((a, b) => a.at - b.at)) {
      if (entry.at <= this.#now && this.#tasks.delete(entry)) entry.task();
    }
  }

  /**
   * Lets other processes work until `condition` holds, while the clock creeps on (1 ms or `step` a turn).
   * @throws Error when it does not within 10 s of real time
   */
  async until(what: string, condition: () => boolean, step = 1): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`waited in vain for: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
      this.advance(step);
    }
  }
}
