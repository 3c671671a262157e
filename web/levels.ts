/** Audio levels: ten a second for each channel, so they go to the meters alone and not through the store. */
import type { Levels } from "./api.ts";

/** Bottom of the meters, dBFS. */
export const floorDb = -60;
const holdMs = 1500;
const fallDbPerMs = 20 / 1700;
const freshMs = 1000;

/** One bar of a meter, dBFS; `hold` is the highest peak of late, falling 20 dB in 1.7 s as IEC 60268-10 type I has it. */
export interface Bar {
  peak: number;
  rms: number;
  hold: number;
  heldAt: number;
}

/** Where the held peak of a bar stands now, dBFS. */
export function heldPeak(bar: Bar, now: number): number {
  return Math.max(floorDb, bar.hold - Math.max(0, now - bar.heldAt - holdMs) * fallDbPerMs);
}

/** The meter's next look from its last one. Levels that are no number (digital silence) lie at the floor. */
export function nextBars(bars: Bar[], levels: Pick<Levels, "peak" | "rms">, now: number): Bar[] {
  const bounded = (db: number | null | undefined) =>
    typeof db === "number" && Number.isFinite(db) ? Math.min(0, Math.max(floorDb, db)) : floorDb;
  return levels.peak.map((level, i) => {
    const peak = bounded(level);
    const rms = bounded(levels.rms[i]);
    const last = bars[i];
    if (last !== undefined && peak < heldPeak(last, now)) return { ...last, peak, rms };
    return { peak, rms, hold: peak, heldAt: now };
  });
}

type Watcher = (levels: Levels | null) => void;

/** Brings the levels of each channel to its meters, and `null` when they stop coming. */
export class LevelHub {
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  take(levels: Levels): void {
    const id = levels.channel;
    clearTimeout(this.#timers.get(id));
    this.#timers.set(
      id,
      setTimeout(() => this.#tell(id, null), freshMs),
    );
    this.#tell(id, levels);
  }

  watch(channel: string, watcher: Watcher): () => void {
    const watchers = this.#watchers.get(channel) ?? new Set();
    this.#watchers.set(channel, watchers.add(watcher));
    return () => watchers.delete(watcher);
  }

  #tell(channel: string, levels: Levels | null): void {
    for (const watcher of this.#watchers.get(channel) ?? []) watcher(levels);
  }
}
