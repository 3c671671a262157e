/** The wire as a receiver sees it: the stand-alone analyser on the stream, and a control stream beside it. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { tr101290 } from "../../../src/media/protocol.ts";
import { mediaDir, type Scope, until } from "./worker.ts";

const span = z.object({ count: z.number(), min: z.number(), mean: z.number(), max: z.number() });

/** Arrival time less PCR around its mean; absent where there were too few. */
const jitter = z.object({
  samples: z.number(),
  p1: z.number(),
  p50: z.number(),
  p99: z.number(),
  driftPpm: z.number(),
});

export const wireReport = z.object({
  datagrams: z.object({
    count: z.number(),
    oddSize: z.number(),
    rtpLost: z.number(),
    kernelDropped: z.number(),
    silentMs: z.number(),
  }),
  gap: z.object({
    longestMs: z.number(),
    longestUnexcusedMs: z.number(),
    count: z.number(),
    unexcused: z.number(),
    list: z.array(z.object({ time: z.number(), ms: z.number(), excused: z.boolean() })),
  }),
  control: z.object({ datagrams: z.number(), stalls: z.number(), longestMs: z.number() }),
  bitrate: z.number(),
  tr101290,
  errors: z.array(z.object({ check: z.string(), pid: z.number(), time: z.number() }).loose()),
  pcr: z.array(
    z.object({
      pid: z.number(),
      intervalMs: span,
      cbr: z.boolean(),
      errorNs: z.number(),
      discontinuities: z.number(),
      jitterUs: jitter.optional(),
    }),
  ),
  tables: z.record(z.string(), span.partial()),
  streams: z.array(
    z.object({
      pid: z.number(),
      codec: z.string(),
      units: z.number(),
      backward: z.number(),
      steps: z.record(z.string(), z.number()),
      leadMinMs: z.number().optional(),
    }),
  ),
  pmtChanges: z.array(z.object({ version: z.number(), time: z.number() }).loose()),
});
export type WireReport = z.infer<typeof wireReport>;

/** A running `analyse` with its `metronome`. */
export class Wire {
  readonly #analyse: ChildProcess;
  readonly #metronome: ChildProcess;
  readonly #output: string[] = [];
  #datagrams = 0;
  #seconds = 0;

  private constructor(analyse: ChildProcess, metronome: ChildProcess) {
    this.#analyse = analyse;
    this.#metronome = metronome;
    assert(analyse.stdout);
    createInterface({ input: analyse.stdout }).on("line", (line) => {
      this.#output.push(line);
      const event = z
        .object({ event: z.literal("second"), datagrams: z.number() })
        .loose()
        .safeParse(JSON.parse(line));
      if (!event.success) return;
      this.#datagrams += event.data.datagrams;
      this.#seconds++;
    });
  }

  /** Watches a multicast stream on `lo`, and keeps its packets in the file `record`. Returns when both streams are there. */
  static async watch(t: Scope, address: string, port: number, record?: string): Promise<Wire> {
    const control = `239.255.6.250:${port}`;
    const metronome = spawn(join(mediaDir, "analyse/metronome"), ["--to", control, "--interface", "lo"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const analyse = spawn(
      join(mediaDir, "analyse/analyse"),
      [
        ...["--listen", `${address}:${port}`, "--interface", "lo", "--control", control, "--json", "--follow"],
        ...(record === undefined ? [] : ["--record", record]),
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const wire = new Wire(analyse, metronome);
    t.after(() => {
      metronome.kill("SIGKILL");
      analyse.kill("SIGKILL");
    });
    await until("a second of the stream", () => wire.#datagrams > 0);
    return wire;
  }

  /** Waits until it has watched for so long. */
  async watched(seconds: number): Promise<void> {
    await until(`${seconds} s of the stream`, () => this.#seconds >= seconds, seconds * 1500 + 5000);
  }

  /** Ends the watch and gives its result. */
  async report(): Promise<WireReport> {
    const closed = once(this.#analyse, "close");
    this.#analyse.kill("SIGINT");
    await closed;
    this.#metronome.kill("SIGKILL");
    const last = this.#output.at(-1);
    assert(last !== undefined, "the analyser said nothing");
    return wireReport.parse(JSON.parse(last));
  }
}

/**
 * The promise: no packet lost or repeated, no step of the clock, tables and datagrams in time. Errors that `except`
 * names are left to the caller.
 */
export function assertUnbroken(report: WireReport, limits: { gapMs: number; except?: string[] }): void {
  const { datagrams, tr101290: checks, pcr, tables } = report;
  assert.equal(datagrams.kernelDropped, 0, "the receiver was too slow, nothing can be said");
  for (const [check, count] of Object.entries(checks)) {
    if (limits.except?.includes(check)) continue;
    const examples = report.errors.filter((error) => error.check === check).slice(0, 10);
    assert.equal(count, 0, `TR 101 290 ${check}: ${JSON.stringify(examples)}`);
  }
  if (!limits.except?.includes("datagram size")) assert.equal(datagrams.oddSize, 0);
  assert.equal(datagrams.rtpLost, 0);
  const gaps = report.gap.list.filter(({ excused }) => !excused);
  assert(report.gap.longestUnexcusedMs <= limits.gapMs, `gaps ${JSON.stringify(gaps)} exceed ${limits.gapMs} ms`);
  assert(datagrams.silentMs <= Math.max(limits.gapMs, 100), `silent for ${datagrams.silentMs} ms at the end`);
  assert(pcr.length > 0, "no PCR");
  for (const { discontinuities, intervalMs, errorNs, cbr } of pcr) {
    assert.equal(discontinuities, 0);
    // Else the PCR's accuracy has not been judged. VBR is what sends datagrams of other sizes.
    assert(cbr || limits.except?.includes("datagram size"), "the rate is not constant");
    assert(intervalMs.max <= 35, `PCR interval ${intervalMs.max} ms`);
    assert(errorNs <= 100, `PCR error ${errorNs} ns`);
  }
  for (const table of ["pat", "pmt"].filter((each) => !limits.except?.includes(each)))
    assert((tables[table]?.max ?? Infinity) <= 100, `${table} ${tables[table]?.max} ms`);
}

/** Every access unit follows the one before it by exactly one period; `period` in 90 kHz. */
export function assertExactSteps(report: WireReport, pid: number, period: number): void {
  const stream = report.streams.find((each) => each.pid === pid);
  assert(stream !== undefined, `no stream on PID ${pid}`);
  assert.deepEqual(Object.keys(stream.steps), [`${period}`], `steps on PID ${pid}: ${JSON.stringify(stream.steps)}`);
  assert.equal(stream.backward, 0);
}

/** Figures for the log of a test. */
export function summary(report: WireReport): string {
  const { gap, control, datagrams, pcr, errors } = report;
  return (
    `${datagrams.count} datagrams, ${errors.length} errors, longest gap ${gap.longestMs.toFixed(1)} ms ` +
    `(not excused ${gap.longestUnexcusedMs.toFixed(1)} ms, control ${control.longestMs.toFixed(1)} ms), ` +
    `PCR ≤ ${pcr[0]?.intervalMs.max.toFixed(1)} ms ±${pcr[0]?.errorNs} ns`
  );
}
