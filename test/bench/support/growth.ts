/** Does a process grow? Its memory, open files and threads over the time that it runs. */
import { median } from "./bench.ts";
import { resources } from "./processes.ts";

type Resource = keyof ReturnType<typeof resources>;

/**
 * What a process may gain between the first and the last quarter before it counts as a leak: absolute, and as a part. A
 * leak also goes on and on: what it gained in one step, as by a fault that it had to bear, is none.
 */
const tolerances: Record<Resource, { absolute: number; part: number }> = {
  rss: { absolute: 6000, part: 0.06 },
  fds: { absolute: 1, part: 0 },
  threads: { absolute: 1, part: 0 },
};
/** A collected heap goes up and down. */
const collectedRss = { absolute: 40_000, part: 0.25 };

/** With fewer samples, one each 5 s, there is nothing to show, and nothing to judge. */
const SAMPLES_SHOWN = 8;
const SAMPLES_JUDGED = 100;
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

  /** The newest figures, as "87 MB, 31 files, 18 threads". */
  get now(): string {
    const last = this.#samples.at(-1);
    if (last === undefined) return "settles";
    return `${(last.rss / 1000).toFixed(1)} MB, ${last.fds} files, ${last.threads} threads`;
  }

  /** First against last quarter, and the slope of a straight line through all samples. */
  verdict(): { text: string; leak: boolean } {
    const count = this.#samples.length;
    const quarter = Math.floor(count / 4);
    if (count < SAMPLES_SHOWN) return { text: `${this.name} (${this.pid}): was not there for long`, leak: false };
    const parts = (["rss", "fds", "threads"] as const).map((resource) => {
      const values = this.#samples.map((sample) => sample[resource]);
      const quarters = [0, 1, 2, 3].map((i) => median(values.slice(i * quarter, (i + 1) * quarter)));
      const [before, after] = [quarters[0] as number, quarters[3] as number];
      const { absolute, part } = resource === "rss" && this.name === "supervisor" ? collectedRss : tolerances[resource];
      const steady = quarters.every((value, i) => i === 0 || value - (quarters[i - 1] as number) > absolute / 10);
      const leak = count >= SAMPLES_JUDGED && steady && after - before > absolute && after - before > part * before;
      const scale = resource === "rss" ? 1000 : 1;
      const unit = resource === "rss" ? "MB" : resource === "fds" ? "files" : "threads";
      const text =
        `${(before / scale).toFixed(1)} → ${(after / scale).toFixed(1)} ${unit} ` +
        `(${((3600 * this.#slope(resource)) / scale).toFixed(2)} an hour)`;
      return { text: leak ? `${text} LEAK` : text, leak };
    });
    const remark = count < SAMPLES_JUDGED ? ", too short to judge" : "";
    return {
      text: `${this.name} (${this.pid}): ${parts.map(({ text }) => text).join(", ")}${remark}`,
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
