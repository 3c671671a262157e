import type { Clock } from "../../src/board/ports.ts";

interface Alarm {
  at: number;
  call: () => void;
}

/** A clock that runs as fast as it is asked to: who sleeps moves it on, and what is due on the way is called. */
export class VirtualClock implements Clock {
  #now = 0;
  readonly #alarms = new Set<Alarm>();

  now(): number {
    return this.#now;
  }

  /** Returns when `ms` have passed, which is at once. */
  async sleep(ms: number): Promise<void> {
    await this.advance(ms);
  }

  after(ms: number, call: () => void): () => void {
    const alarm = { at: this.#now + ms, call };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** Moves on by `ms`, calling what is due in its order, and lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await new Promise(setImmediate);
      const [next] = [...this.#alarms].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#alarms.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
    }
    this.#now = Math.max(this.#now, until);
    await new Promise(setImmediate);
  }
}
