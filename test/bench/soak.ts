/**
 * Runs the whole product for as long as told and looks for what only time shows: errors and gaps on the wire, clocks and
 * lip sync that drift, processes that grow or are replaced.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mediaDir, type Scope, temporaryFolder } from "../media/support/worker.ts";
import { runAlone } from "./support/alone.ts";
import { scoped } from "./support/bench.ts";
import { anyFaults } from "./support/faults.ts";
import { Growth } from "./support/growth.ts";
import { type LipSync, lipSync, shift } from "./support/lipSync.ts";
import { addresses, type ChannelId, channels, OnAir, pids } from "./support/onAir.ts";
import { StreamWatch, startControl } from "./support/streamWatch.ts";

const usage = `Usage: npm run soak -- [options]

  --minutes N  how long (60)
  --faults     let something fail every minute: processes killed and frozen, a peer lost, a bitrate changed
  --help       this text

Ends with 1 when a stream, a clock or a process was not as it should be.
`;

/** ms that presentation times may move against the box clock; arrival itself varies by some. */
const CLOCK_BOUND = 15;
/** ms that sound may move against picture. */
const LIP_SYNC_BOUND = 20;
/** Seconds of each minute: when a fault happens, when its traces should be gone, and the length of the piece looked at. */
const [FAULT_AT, CALM_AT, PIECE] = [5, 50, 5] as const;
/** Seconds in which a process that was made to fail is replaced. */
const REPLACED_IN = 30;

class Soak {
  readonly #problems: string[] = [];
  readonly #watches = new Map<ChannelId, StreamWatch>();
  readonly #growth = new Map<string, Growth>();
  /** When a process that a fault may replace was made to fail. */
  readonly #excused = new Map<string, number>();
  /** Of channel 1, since its source began; and of channel 2 against it. */
  #firstBeep: { pid: number; beep: number } | undefined;
  #replaced = 0;
  #silentSince: number | undefined;
  readonly #faults = anyFaults();
  readonly #began = performance.now();

  private constructor(
    readonly onAir: OnAir,
    readonly folder: string,
  ) {}

  static async start(t: Scope): Promise<Soak> {
    const control = startControl(t);
    const soak = new Soak(await OnAir.start(t), await temporaryFolder(t));
    // What happens while a channel comes on air is not the soak's.
    await sleep(2000);
    for (const channel of channels) {
      soak.#watches.set(channel, await StreamWatch.start(t, { ...addresses[channel], control }, pids));
    }
    return soak;
  }

  #problem(text: string): void {
    const minutes = ((performance.now() - this.#began) / 60_000).toFixed(2);
    this.#problems.push(`${text} at ${minutes} min`);
    console.log(`  PROBLEM: ${text}`);
  }

  #newest(name: string): Growth | undefined {
    return [...this.#growth.values()].findLast((growth) => growth.name === name);
  }

  /** Takes a sample of each process, and sees whether one was replaced. */
  async #look(): Promise<void> {
    const now = performance.now();
    const running = await this.onAir.processes().catch(() => undefined);
    if (running === undefined) {
      this.#silentSince ??= now;
      if (now - this.#silentSince > 1000 * REPLACED_IN) this.#problem("the API does not answer");
      return;
    }
    this.#silentSince = undefined;
    for (const [name, pid] of running) {
      const known = this.#newest(name);
      if (known?.pid !== pid) {
        this.#growth.set(`${name} ${pid}`, new Growth(name, pid));
        if (known !== undefined) this.#noteReplaced(name, now);
      }
      this.#growth.get(`${name} ${pid}`)?.sample();
    }
  }

  #noteReplaced(name: string, now: number): void {
    this.#replaced++;
    const excused = this.#excused.get(name);
    if (excused === undefined || now - excused > 1000 * REPLACED_IN) this.#problem(`${name} was replaced`);
  }

  /** Looks on until `time` (ms). */
  async #lookUntil(time: number): Promise<void> {
    for (;;) {
      await this.#look();
      const left = time - performance.now();
      if (left <= 0) return;
      await sleep(Math.min(left, 5000));
    }
  }

  async #fail(): Promise<void> {
    const fault = this.#faults.next().value;
    console.log(`  fault: ${fault.what}`);
    if (fault.replaces !== "") this.#excused.set(fault.replaces, performance.now());
    await fault.happen(this.onAir).catch((error: unknown) => this.#problem(`${fault.what}: ${error}`));
  }

  /** One minute, with its line for each channel. */
  async minute(number: number, faults: boolean): Promise<void> {
    const began = performance.now();
    if (faults) {
      await this.#lookUntil(began + 1000 * FAULT_AT);
      await this.#fail();
    }
    await this.#lookUntil(began + 1000 * CALM_AT);
    const sync = await this.#measureLipSync();
    await this.#lookUntil(began + 60_000);
    for (const channel of channels) console.log(await this.#line(number, channel, sync.get(channel)));
  }

  /** ms that sound is off the picture: in channel 1 since its start, in channel 2 beside what channel 1 has. */
  async #measureLipSync(): Promise<Map<ChannelId, number>> {
    const found = new Map<ChannelId, LipSync>();
    await Promise.all(
      [...this.#watches].map(async ([channel, watch]) => {
        const piece = await watch.record(PIECE);
        const measured = await lipSync(piece, join(this.folder, `${channel}.ts`)).catch((error: unknown) =>
          this.#problem(`${channel}: ${error}`),
        );
        if (measured !== undefined) found.set(channel, measured);
      }),
    );
    const [one, two] = [found.get("ch1"), found.get("ch2")];
    const offsets = new Map<ChannelId, number>();
    const source = (await this.onAir.processes().catch(() => undefined))?.get("ch1 encode");
    if (one !== undefined && source !== undefined) {
      // The test signal begins anew with its process.
      if (this.#firstBeep?.pid !== source) this.#firstBeep = { pid: source, beep: one.beep };
      offsets.set("ch1", shift(this.#firstBeep.beep, one.beep));
    }
    if (one !== undefined && two !== undefined) offsets.set("ch2", shift(one.beep, two.beep));
    for (const [channel, offset] of offsets) {
      if (Math.abs(offset) > LIP_SYNC_BOUND) this.#problem(`${channel}: sound ${offset.toFixed(1)} ms off the picture`);
    }
    return offsets;
  }

  async #line(minute: number, channel: ChannelId, sync: number | undefined): Promise<string> {
    const watch = this.#watches.get(channel) as StreamWatch;
    const { video, audio } = watch.clockDrift();
    if (!(Math.max(Math.abs(video), Math.abs(audio)) <= CLOCK_BOUND)) {
      this.#problem(`${channel}: times moved by ${video.toFixed(1)} (picture) and ${audio.toFixed(1)} ms (sound)`);
    }
    const status = await this.onAir.status(channel).catch(() => undefined);
    if (status?.state !== "live") this.#problem(`${channel} is ${status?.state ?? "not to be reached"}`);
    const signed = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;
    const parts = [
      `${String(minute).padStart(4)} min  ${channel} ${status?.state} ${(watch.bitrate / 1e6).toFixed(2)} Mbit/s`,
      `${watch.errors.length} errors, ${watch.excusedGaps} excused gaps`,
      `clock ${signed(video)}/${signed(audio)} ms`,
      `sound ${sync === undefined ? "?" : signed(sync)} ms`,
      `repeated ${status?.encode?.video.repeated ?? "?"}, dropped ${status?.encode?.video.dropped ?? "?"}`,
      `encode ${this.#newest(`${channel} encode`)?.now ?? "?"}`,
    ];
    return parts.join("; ");
  }

  /** The final account. @returns whether all was well */
  async verdict(): Promise<boolean> {
    console.log("\nProcesses, first → last quarter (slope):");
    for (const growth of this.#growth.values()) {
      const { text, leak } = growth.verdict();
      console.log(`  ${text}`);
      if (leak) this.#problems.push(`${growth.name} (${growth.pid}) grows`);
    }
    console.log("\nStreams:");
    for (const [channel, watch] of this.#watches) {
      await watch.end();
      console.log(
        `  ${channel}: ${watch.errors.length} errors, ${watch.excusedGaps} gaps that the machine is to blame for, ` +
          `${watch.pmtChanges} PMTs, ${watch.kernelDropped} datagrams lost by the receiver`,
      );
      for (const error of watch.errors) console.log(`    ${error}`);
      if (watch.errors.length > 0) this.#problems.push(`${channel}: ${watch.errors.length} errors`);
      if (watch.kernelDropped > 0) this.#problems.push(`${channel}: the receiver was too slow, its errors say nothing`);
    }
    console.log(`  SRT: ${(this.onAir.srtBytes / 1e6).toFixed(1)} MB received`);
    if (this.onAir.srtBytes === 0) this.#problems.push("nothing came over SRT");
    console.log(`\n${this.#replaced} processes were replaced.`);
    for (const problem of this.#problems) console.log(`PROBLEM: ${problem}`);
    console.log(this.#problems.length === 0 ? "PASSED" : `FAILED: ${this.#problems.length} problems`);
    return this.#problems.length === 0;
  }
}

function readOptions(): { minutes: number; faults: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: "string", default: "60" },
        faults: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    const minutes = Number(values.minutes);
    if (!(minutes >= 1 && minutes <= 1_000_000))
      throw new Error(`--minutes must be 1 to 1000000, is ${values.minutes}`);
    return { minutes, faults: values.faults };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

const options = readOptions();
const supervisor = fileURLToPath(new URL("../../dist/steadycast.js", import.meta.url));
if (!existsSync(join(mediaDir, "encode/encode")) || !existsSync(supervisor)) {
  console.error("The product is not built: run scripts/setup --test first.");
  process.exit(2);
}
await runAlone();
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (interrupted) process.exit(130);
    interrupted = true;
    console.log("Ending after this minute; once more ends at once.");
  });
}
const passed = await scoped(async (t) => {
  const soak = await Soak.start(t);
  for (let minute = 1; minute <= options.minutes && !interrupted; minute++) await soak.minute(minute, options.faults);
  return await soak.verdict();
});
process.exitCode = passed ? 0 : 1;
