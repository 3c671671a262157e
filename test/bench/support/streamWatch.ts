/** A stream on air, watched for as long as it takes: its errors and gaps, its clock, and pieces of it for a closer look. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { mediaDir, type Scope } from "../../media/support/worker.ts";
import { median } from "./bench.ts";
import { presentationTime, receive } from "./receiver.ts";

const line = z.discriminatedUnion("event", [
  z.object({ event: z.literal("second"), bitrate: z.number(), kernelDropped: z.number() }),
  z.object({ event: z.literal("error"), check: z.string(), pid: z.number(), ms: z.number().optional() }),
  z.object({ event: z.literal("gap"), ms: z.number(), excused: z.boolean() }),
  z.object({ event: z.literal("pmt"), version: z.number() }),
  z.object({ event: z.literal("listening") }),
  z.object({ event: z.literal("report") }),
]);

/** PTS wraps around after 26.5 hours. */
const PTS_RANGE_MS = 2 ** 33 / 90;

/** `ms` in the half of the range before and after 0. */
function unwrapped(ms: number, range: number): number {
  return ms - range * Math.round(ms / range);
}

/** A control stream for all watches: gaps are excused where it stalled too. */
export function startControl(t: Scope): string {
  const address = "239.255.7.251:17251";
  const metronome = spawn(join(mediaDir, "analyse/metronome"), ["--to", address, "--interface", "lo"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  t.after(() => metronome.kill("SIGKILL"));
  return address;
}

export class StreamWatch {
  /** Since the start: each error and each gap that the machine is not to blame for, in words. */
  readonly errors: string[] = [];
  excusedGaps = 0;
  pmtChanges = 0;
  /** Of the last second, bit/s. */
  bitrate = 0;
  /** Datagrams that this machine's receiver lost: then nothing can be said of the stream. */
  kernelDropped = 0;
  readonly #began = performance.now();
  readonly #pids: { video: number; audio: number };
  #analyse: ChildProcess | undefined;
  #ended = false;
  /** ms by which PTS are ahead of the box clock when they arrive, since the last look. */
  #leads = { video: [] as number[], audio: [] as number[] };
  #first: { video?: number; audio?: number } = {};
  #recording: Buffer[] | undefined;

  private constructor(pids: { video: number; audio: number }) {
    this.#pids = pids;
  }

  static async start(
    t: Scope,
    from: { address: string; port: number; control: string },
    pids: { video: number; audio: number },
  ): Promise<StreamWatch> {
    const watch = new StreamWatch(pids);
    const listen = ["--listen", `${from.address}:${from.port}`, "--interface", "lo", "--control", from.control];
    const analyse = spawn(join(mediaDir, "analyse/analyse"), [...listen, "--json", "--follow"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    watch.#analyse = analyse;
    createInterface({ input: analyse.stdout }).on("line", (text) => watch.#take(text));
    analyse.once("close", () => {
      if (!watch.#ended) watch.#complain("the analyser ended");
      watch.#ended = true;
    });
    t.after(() => watch.end());
    await receive(t, from, (packets, time, bytes) => {
      for (const { pid, unitStart, payload } of packets) if (unitStart) watch.#takeUnit(pid, payload, time);
      watch.#recording?.push(Buffer.from(bytes));
    });
    return watch;
  }

  async end(): Promise<void> {
    if (this.#ended || this.#analyse === undefined) return;
    this.#ended = true;
    const closed = once(this.#analyse, "close");
    this.#analyse.kill("SIGINT");
    await closed;
  }

  #complain(text: string): void {
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(1);
    this.errors.push(`${text} at ${seconds} s`);
  }

  #take(text: string): void {
    const event = line.parse(JSON.parse(text));
    switch (event.event) {
      case "second":
        this.bitrate = event.bitrate;
        this.kernelDropped = event.kernelDropped;
        break;
      case "error":
        this.#complain(
          `${event.check} on PID ${event.pid}${event.ms === undefined ? "" : ` (${event.ms.toFixed(1)} ms)`}`,
        );
        break;
      case "gap":
        if (event.excused) this.excusedGaps++;
        else this.#complain(`a gap of ${event.ms.toFixed(1)} ms`);
        break;
      case "pmt":
        this.pmtChanges++;
        break;
      case "listening":
      case "report":
        break;
    }
  }

  #takeUnit(pid: number, payload: Buffer, time: bigint): void {
    const kind = pid === this.#pids.video ? "video" : pid === this.#pids.audio ? "audio" : undefined;
    const pts = kind === undefined ? undefined : presentationTime(payload);
    if (kind === undefined || pts === undefined) return;
    this.#leads[kind].push(unwrapped(pts / 90 - Number(time / 1000n) / 1000, PTS_RANGE_MS));
  }

  /** How far (ms) picture and sound have moved against the box clock since the first look; then the next one begins. */
  clockDrift(): { video: number; audio: number } {
    const drift = (kind: "video" | "audio") => {
      if (this.#leads[kind].length === 0) return Number.NaN;
      const lead = median(this.#leads[kind]);
      this.#first[kind] ??= lead;
      return unwrapped(lead - this.#first[kind], PTS_RANGE_MS);
    };
    const drifts = { video: drift("video"), audio: drift("audio") };
    this.#leads = { video: [], audio: [] };
    return drifts;
  }

  /** The transport stream of the next `seconds`. */
  async record(seconds: number): Promise<Buffer> {
    this.#recording = [];
    await sleep(seconds * 1000);
    const recorded = Buffer.concat(this.#recording);
    this.#recording = undefined;
    return recorded;
  }
}
