/**
 * The wall clock of the box: set by NTP or by hand, watched, and told.
 *
 * A step of it does no harm to a stream: media processes run on CLOCK_MONOTONIC (firmware/media: PTS, PCR and pacing are
 * that clock plus a constant), so only what tells the time of the day (TDT, logs, dates in files) steps with it.
 * What is measured here, too, is measured on `Clock`, which is monotonic.
 */
import { isDeepStrictEqual } from "node:util";
import { type Clock, systemClock } from "../../board/ports.ts";
import type { Bus } from "../../bus.ts";
import type { Config, TimeConfig } from "../../config/schema.ts";
import type { Fault } from "../fault.ts";
import type { TimeAdapter } from "./adapters.ts";
import type { TimeReading } from "./reading.ts";

/** Null stands for what is not known. */
export interface TimeStatus {
  /** The time of the box, ISO 8601. */
  now: string;
  /** In which the box tells times. */
  zone: string;
  ntp: { enabled: boolean; servers: string[] };
  /** A server's time was taken, and not too long ago to be relied on. */
  synchronized: boolean | null;
  /** How far the clock was behind the server's at the last answer, ms. */
  offsetMs: number | null;
  /** The server that answered last, "" for none. */
  server: string;
  stratum: number | null;
  lastSync: string | null;
  /** What the clock with the battery says; null also where the box has none. */
  rtc: string | null;
  /** Why the clock cannot be set by hand now, "" when it can. */
  refusal: string;
}

export type SetResult = { ok: true } | { ok: false; why: string };

export interface TimeServiceOptions {
  config: { readonly current: Config };
  bus: Bus;
  adapter: TimeAdapter;
  clock?: Clock;
  /** The wall clock. */
  now?(): Date;
}

const READ_MS = 60_000;
/** Settings that could not be applied are tried again after so long, ms. */
const RETRY_MS = 300_000;
/** Without an answer for so long, synchronization is lost, ms. A server is asked every 34 minutes at the least. */
const LOST_MS = 3_600_000;

export class TimeService {
  readonly #options: TimeServiceOptions;
  readonly #clock: Clock;
  readonly #now: () => Date;
  readonly #faults = new Map<string, Fault>();
  #reading: TimeReading | undefined;
  /** On the monotonic clock: when the last evidence of synchronization came; since the start, when there is none yet. */
  #evidence = 0;
  #synchronized: boolean | null = null;
  #mark = "";
  #applied: TimeConfig | undefined;
  #running = false;
  #cancel: () => void = () => {};
  #deaf: () => void = () => {};
  #work: Promise<void> = Promise.resolve();

  constructor(options: TimeServiceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#now = options.now ?? (() => new Date());
  }

  /** Applies the settings in the background: nothing waits for the time. */
  start(): void {
    this.#running = true;
    this.#evidence = this.#clock.now();
    this.#deaf = this.#options.bus.on("config", () => {
      if (!isDeepStrictEqual(this.#applied, this.#settings)) void this.#enqueue(() => this.#apply());
    });
    void this.#enqueue(() => this.#apply()).then(() => this.#round());
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#deaf();
    this.#cancel();
    await this.#work;
    this.#cancel();
  }

  status(): TimeStatus {
    const { zone, ntp, servers } = this.#settings;
    const answer = this.#reading?.answer ?? null;
    const own = this.#options.adapter.refusal === "";
    return {
      now: this.#now().toISOString(),
      zone: own ? zone : (this.#reading?.zone ?? zone),
      ntp: { enabled: own ? ntp : (this.#reading?.ntp ?? ntp), servers: [...servers] },
      synchronized: this.#synchronized,
      offsetMs: answer?.offsetMs ?? null,
      server: answer === null ? "" : answer.server || answer.address,
      stratum: answer?.stratum ?? null,
      lastSync: answer?.received ?? null,
      rtc: this.#reading?.rtc ?? null,
      refusal: this.#refusal(),
    };
  }

  /** What is wrong with the time now. */
  faults(): Fault[] {
    return [...this.#faults.values()];
  }

  /**
   * Sets the clock by hand, which is refused while NTP sets it. The streams do not notice: they run on CLOCK_MONOTONIC,
   * which no setting of the clock moves (clock_settime(2)).
   */
  async set(time: Date): Promise<SetResult> {
    const refusal = this.#refusal();
    if (refusal !== "") return { ok: false, why: refusal };
    let why = "";
    await this.#enqueue(async () => {
      const from = this.#now().toISOString();
      why = await this.#options.adapter.set(time);
      if (why === "") this.#log("info", `the clock was set by hand, from ${from} to ${time.toISOString()}`);
      await this.#read();
    });
    return why === "" ? { ok: true } : { ok: false, why };
  }

  get #settings(): TimeConfig {
    return this.#options.config.current.time;
  }

  #refusal(): string {
    const { refusal } = this.#options.adapter;
    if (refusal !== "") return refusal;
    return this.#settings.ntp ? "The clock is set by NTP; switch that off to set it by hand" : "";
  }

  /** One after the other: two must not write the same settings at once. */
  #enqueue(task: () => Promise<void>): Promise<void> {
    const work = this.#work.then(task).catch((error: unknown) => this.#log("error", String(error)));
    this.#work = work;
    return work;
  }

  #round(): void {
    if (!this.#running) return;
    const again = this.#faults.has("time:settings") ? RETRY_MS : READ_MS;
    this.#cancel = this.#clock.after(again, () => {
      const task = this.#faults.has("time:settings") ? () => this.#apply() : () => this.#read();
      void this.#enqueue(task).then(() => this.#round());
    });
  }

  async #apply(): Promise<void> {
    const settings = this.#settings;
    const before = this.#applied;
    this.#applied = settings;
    const wrong = await this.#options.adapter.apply(settings);
    this.#fault("time:settings", "error", wrong === "" ? "" : `the time settings could not be applied: ${wrong}`);
    // Other servers have not answered yet: they get their time before they are missed.
    if (!isDeepStrictEqual(before, settings)) this.#evidence = this.#clock.now();
    await this.#read();
  }

  async #read(): Promise<void> {
    const reading = await this.#options.adapter.read();
    this.#reading = reading;
    this.#judge(reading);
  }

  /** Raises the fault when evidence has been missing for too long, and clears it only when there is some again. */
  #judge({ synchronized, ntp, answer }: TimeReading): void {
    const { ntp: wanted, servers } = this.#settings;
    const own = this.#options.adapter.refusal === "";
    if (own ? !wanted : ntp === false) {
      // Nobody expects it any more.
      this.#synchronized = synchronized;
      this.#fault("time:sync", "warning", "");
      return;
    }
    if (synchronized === null && answer === null) {
      this.#synchronized = null;
      return;
    }
    if (this.#isEvidence(synchronized, answer)) {
      this.#evidence = this.#clock.now();
      this.#fault("time:sync", "warning", "");
    }
    const silence = this.#clock.now() - this.#evidence;
    const lost = silence >= LOST_MS;
    this.#synchronized = synchronized !== false && !lost;
    if (!lost) return;
    const hours = Math.floor(silence / 3_600_000);
    const asked = own ? servers.join(", ") || "the servers that DHCP told" : "the servers of this machine";
    const message = `the clock has not been set by NTP for more than an hour; asked: ${asked}`;
    this.#fault("time:sync", hours >= 24 ? "error" : "warning", message);
  }

  /**
   * A server's new answer that was believed. Where nobody tells of answers (other programs than timesyncd), the kernel's word
   * counts; where timesyncd does, it does not, because it stands for nine hours after the last answer.
   */
  #isEvidence(synchronized: boolean | null, answer: TimeReading["answer"]): boolean {
    if (synchronized !== true) return false;
    if (answer === null) return this.#mark === "";
    if (answer.ignored || answer.mark === this.#mark) return false;
    const first = this.#mark === "";
    this.#mark = answer.mark;
    // What this supervisor sees first may have come long before it: only one that is fresh counts.
    return !first || Math.abs(this.#now().getTime() - Date.parse(answer.received)) < LOST_MS;
  }

  /** Raises a fault, or clears it where there is nothing to say. */
  #fault(id: string, severity: Fault["severity"], message: string): void {
    const known = this.#faults.get(id);
    if (message === "") {
      if (this.#faults.delete(id)) this.#log("info", `${id}: in order again`);
      return;
    }
    if (known?.message === message && known.severity === severity) return;
    this.#faults.set(id, { id, severity, message, since: known?.since ?? this.#now().toISOString() });
    if (known?.message !== message) this.#log(severity, message);
  }

  #log(level: "info" | "warning" | "error", message: string): void {
    this.#options.bus.emit("log", { level, source: "time", message });
  }
}

/** The time zones that can be set, in the order of the alphabet. */
export function timeZones(): string[] {
  return [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone")])].sort();
}
