/** The last day of each value, in memory of a fixed size: the last hour in samples, the day in averages with least and most. */

/** One sample, s. */
export const SAMPLE_INTERVAL = 10;
/** Samples that are kept: one hour. */
const SAMPLES = 360;
/** Samples in one average: two minutes. */
const AVERAGED = 12;
const AVERAGES = 720;
/** Series at most; about 10 KB each. */
export const MOST_SERIES = 96;

/** Points for a chart, equally far apart, oldest first; null where there was no value. */
export interface ChartPoints {
  /** Between two points, s. */
  interval: number;
  mean: (number | null)[];
  /** The same as `mean` where a point is one sample. */
  least: (number | null)[];
  most: (number | null)[];
}

/** The newest values, by the count of values that there were before. */
class Ring {
  readonly #values: Float32Array;

  constructor(size: number) {
    this.#values = new Float32Array(size).fill(Number.NaN);
  }

  set(index: number, value: number): void {
    this.#values[index % this.#values.length] = value;
  }

  /** The values before `end`. */
  last(count: number, end: number): (number | null)[] {
    return Array.from({ length: count }, (_, i) => {
      const index = end - count + i;
      const value = index < 0 ? Number.NaN : (this.#values[index % this.#values.length] ?? Number.NaN);
      return Number.isNaN(value) ? null : value;
    });
  }
}

class Series {
  readonly samples = new Ring(SAMPLES);
  readonly mean = new Ring(AVERAGES);
  readonly least = new Ring(AVERAGES);
  readonly most = new Ring(AVERAGES);
  /** The sample at which it last had a value. */
  seen = 0;
  #sum = 0;
  #count = 0;
  #lowest = Number.POSITIVE_INFINITY;
  #highest = Number.NEGATIVE_INFINITY;

  add(index: number, value: number | null): void {
    this.samples.set(index, value ?? Number.NaN);
    if (value !== null) {
      this.seen = index;
      this.#sum += value;
      this.#count++;
      this.#lowest = Math.min(this.#lowest, value);
      this.#highest = Math.max(this.#highest, value);
    }
    if ((index + 1) % AVERAGED === 0) this.#average(Math.floor(index / AVERAGED));
  }

  #average(index: number): void {
    const none = this.#count === 0;
    this.mean.set(index, none ? Number.NaN : this.#sum / this.#count);
    this.least.set(index, none ? Number.NaN : this.#lowest);
    this.most.set(index, none ? Number.NaN : this.#highest);
    this.#sum = 0;
    this.#count = 0;
    this.#lowest = Number.POSITIVE_INFINITY;
    this.#highest = Number.NEGATIVE_INFINITY;
  }
}

export class History {
  readonly #series = new Map<string, Series>();
  /** Samples so far. */
  #count = 0;

  /** Names of the values of which something is kept. */
  get names(): string[] {
    return [...this.#series.keys()];
  }

  /** Takes one sample of each value; to be called every SAMPLE_INTERVAL seconds. A value that is not given is missing. */
  add(values: ReadonlyMap<string, number | null>): void {
    const index = this.#count++;
    for (const [name, value] of values) if (value !== null) this.#make(name);
    for (const [name, series] of this.#series) {
      series.add(index, values.get(name) ?? null);
      if (index - series.seen >= AVERAGES * AVERAGED) this.#series.delete(name);
    }
  }

  /**
   * The last `seconds` (at most a day) of a value: in samples up to an hour, else in averages of two minutes.
   * @returns undefined when nothing is known of the name
   */
  points(name: string, seconds: number): ChartPoints | undefined {
    const series = this.#series.get(name);
    if (series === undefined) return undefined;
    if (seconds <= SAMPLES * SAMPLE_INTERVAL) {
      const count = Math.max(1, Math.ceil(seconds / SAMPLE_INTERVAL));
      const mean = series.samples.last(count, this.#count);
      return { interval: SAMPLE_INTERVAL, mean, least: mean, most: mean };
    }
    const interval = SAMPLE_INTERVAL * AVERAGED;
    const count = Math.min(AVERAGES, Math.ceil(seconds / interval));
    const end = Math.floor(this.#count / AVERAGED);
    return {
      interval,
      mean: series.mean.last(count, end),
      least: series.least.last(count, end),
      most: series.most.last(count, end),
    };
  }

  #make(name: string): void {
    if (this.#series.has(name) || this.#series.size >= MOST_SERIES) return;
    this.#series.set(name, new Series());
  }
}
