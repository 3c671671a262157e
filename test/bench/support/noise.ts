/** How quiet the machine was: a process with a fixed small job runs beside a bench, and shows when it could not. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { mediaDir } from "../../media/support/worker.ts";
import { machineTime } from "./processes.ts";

const address = "239.255.7.250:17250";

const report = z.object({
  gap: z.object({ longestMs: z.number(), count: z.number() }),
  datagrams: z.object({ count: z.number() }),
  seconds: z.number(),
});

/** µs of processor time that the job has taken so far. */
function jobTime(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]) / 1000;
}

/** The metronome sends a datagram each 2 ms; pauses over 10 ms are the machine's. */
export class Noise {
  readonly #metronome: ChildProcess;
  readonly #analyse: ChildProcess;
  readonly #began = performance.now();
  readonly #before = machineTime();
  #output = "";

  constructor() {
    this.#metronome = spawn(join(mediaDir, "analyse/metronome"), ["--to", address, "--interface", "lo"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    this.#analyse = spawn(
      join(mediaDir, "analyse/analyse"),
      ["--listen", address, "--interface", "lo", "--gap-ms", "10", "--json"],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    this.#analyse.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
    });
  }

  /** Ends it, and says in a sentence what it saw. */
  async end(): Promise<string> {
    const { pid } = this.#metronome;
    if (pid === undefined) throw new Error("the metronome did not start");
    const job = jobTime(pid);
    const seconds = (performance.now() - this.#began) / 1000;
    const { busy, stolen } = machineTime();
    const closed = once(this.#analyse, "close");
    this.#analyse.kill("SIGINT");
    await closed;
    this.#metronome.kill("SIGKILL");
    const { gap, datagrams } = report.parse(JSON.parse(this.#output));
    const cores = (value: number) => ((100 * value) / seconds).toFixed(1);
    return (
      `The control process stood still ${gap.count} times for over 10 ms in ${Math.round(seconds)} s, at most ` +
      `${gap.longestMs.toFixed(1)} ms; a beat of it cost ${(job / Math.max(1, datagrams.count)).toFixed(1)} µs. ` +
      `The machine was busy for ${cores(busy - this.#before.busy)} % of a core, ` +
      `its host took ${cores(stolen - this.#before.stolen)} %.`
    );
  }
}
