/** Folds a storm of lines: what is said over and over is told once, and then how often. */
import type { Clock } from "../../board/ports.ts";
import type { Level } from "./line.ts";

export interface Said {
  level: Level;
  source: string;
  message: string;
  count?: number;
}

/** How long repeats are counted before they are told, ms: at first, and at the most. */
const FIRST_MS = 10_000;
const LONGEST_MS = 300_000;
/** How many different lines are watched at once. */
const WATCHED = 256;

interface Watched extends Said {
  repeats: number;
  window: number;
  cancel(): void;
}

export class Fold {
  readonly #clock: Clock;
  readonly #tell: (said: Said) => void;
  /** The one that was said longest ago first. */
  readonly #watched = new Map<string, Watched>();

  constructor(clock: Clock, tell: (said: Said) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  say(said: Said): void {
    const key = `${said.level} ${said.source} ${said.message}`;
    const watched = this.#watched.get(key);
    if (watched !== undefined) {
      watched.repeats++;
      return;
    }
    this.#tell(said);
    if (this.#watched.size >= WATCHED) {
      const [oldest = ""] = this.#watched.keys();
      this.#end(oldest);
    }
    this.#watch(key, { ...said, repeats: 0, window: FIRST_MS, cancel: () => {} });
  }

  /** Tells what has been counted, and forgets it. */
  flush(): void {
    for (const key of [...this.#watched.keys()]) this.#end(key);
  }

  #watch(key: string, watched: Watched): void {
    this.#watched.set(key, watched);
    watched.cancel = this.#clock.after(watched.window, () => {
      const { repeats, window } = watched;
      this.#end(key);
      // Silence ends the storm; while it lasts, it is told of less and less often.
      if (repeats > 0) this.#watch(key, { ...watched, repeats: 0, window: Math.min(LONGEST_MS, window * 2) });
    });
  }

  #end(key: string): void {
    const watched = this.#watched.get(key);
    if (watched === undefined) return;
    watched.cancel();
    this.#watched.delete(key);
    const { level, source, message, repeats } = watched;
    if (repeats > 0) this.#tell({ level, source, message, ...(repeats > 1 ? { count: repeats } : {}) });
  }
}
