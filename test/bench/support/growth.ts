/** Does a process grow? Its memory, open files and threads over the time that it runs. */
import { median } from "./bench.ts";
import { resources } from "./processes.ts";

type Resource = keyof ReturnType<typeof resources>;

/** What a process may gain between the first and the last quarter before it counts as a leak: absolute, and as a part. */
const tolerances: Record<Resource, { absolute: number; part: number }> = {
  rss: { absolute: 6000, part: 0.06 },
  fds: { absolute: 1, part: 0 },
  threads: { absolute: 1, part: 0 },
};
/** A collected heap goes up and down. */
const collectedRss = { absolute: 40_000, part: 0.25 };

/** With fewer samples there is nothing to judge. */
const SAMPLES_MIN = 40;
/** Seconds after its start in which a process gets what it needs. */
const SETTLING = 60;

interface Sample extends Record<Resource, number> {
  /** s */
  time: number;
}

export class Growth {
  readonly #samples: Sample[] = [];
  readonly #began = performance.now();

  constructor(
    readonly name: string,
    readonly pid: number,
  ) {}

  /** Takes a sample; nothing when the process has just ended. */
  sample(): void {
    const time = (performance.now() - this.#began) / 1000;
    if (time < SETTLING) return;
    try {
      this.#samples.push({ ...resources(this.pid), time });
    } catch {
      // Whoever restarts it has its own account of that.
    }
  }

  /** The newest figures, as "87 MB, 31 files, 18 threads"; "" while it settles. */
  get now(): string {
    const last = this.#samples.at(-1);
    if (last === undefined) return "";
    return `${(last.rss / 1000).toFixed(1)} MB, ${last.fds} files, ${last.threads} threads`;
  }

  /** First against last quarter, and the slope of a straight line through all samples. */
  verdict(): { text: string; leak: boolean } {
    const quarter = Math.floor(this.#samples.length / 4);
    if (this.#samples.length < SAMPLES_MIN)
      return { text: `${this.name} (${this.pid}): not long enough to tell`, leak: false };
    const parts = (["rss", "fds", "threads"] as const).map((resource) => {
      const values = this.#samples.map((sample) => sample[resource]);
      const [before, after] = [median(values.slice(0, quarter)), median(values.slice(-quarter))];
      const { absolute, part } = resource === "rss" && this.name === "supervisor" ? collectedRss : tolerances[resource];
      const leak = after - before > absolute && after - before > part * before;
      const scale = resource === "rss" ? 1000 : 1;
      const unit = resource === "rss" ? "MB" : resource === "fds" ? "files" : "threads";
      const text =
        `${(before / scale).toFixed(1)} → ${(after / scale).toFixed(1)} ${unit} ` +
        `(${((3600 * this.#slope(resource)) / scale).toFixed(2)} an hour)`;
      return { text: leak ? `${text} LEAK` : text, leak };
    });
    return {
      text: `${this.name} (${this.pid}): ${parts.map(({ text }) => text).join(", ")}`,
      leak: parts.some(({ leak }) => leak),
    };
  }

  /** Least squares, per second. */
  #slope(resource: Resource): number {
    const n = this.#samples.length;
    const mean = (of: (sample: Sample) => number) => this.#samples.reduce((sum, sample) => sum + of(sample), 0) / n;
    const [time, value] = [mean((sample) => sample.time), mean((sample) => sample[resource])];
    const covariance = mean((sample) => (sample.time - time) * (sample[resource] - value));
    const variance = mean((sample) => (sample.time - time) ** 2);
    return variance === 0 ? 0 : covariance / variance;
  }
}
