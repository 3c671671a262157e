/**
 * Whether this firmware does its work here: what a new slot must show before it is kept (rootfs/usr/lib/steadycast/good),
 * and what somebody who watches the box from outside may ask for.
 *
 * It is about the firmware alone. What other firmware would fare no better with is no failure here but a fault of the
 * channel or the box, because good firmware must not be given up for it:
 * - a source that is missing or wrong: the channel is on air with its last picture or its slate;
 * - a link that is down, an address without a route, an SRT peer that is away: `transmit` makes and counts its datagrams
 *   all the same, and outputs are processes of their own;
 * - a channel that is stopped by hand, or to spare a box that is too hot;
 * - a disk that is full.
 * A box without an enabled channel is healthy without one. An encoder that does not run is a failure although the slate
 * is on air in its place: that the encoders run is what this firmware is for.
 */
import { join } from "node:path";
import { type Clock, systemClock } from "../../board/ports.ts";
import { discard, TEMPORARY, writeTemporary } from "../../config/atomicFile.ts";
import { type FilePort, files as realFiles } from "../../config/files.ts";
import { ask } from "./ask.ts";

export interface HealthCheck {
  /** `api`, `storage`, or `channel:` and its id. */
  name: string;
  ok: boolean;
  /** What is wrong, or worth knowing; "" for nothing. */
  detail: string;
}

export interface HealthReport {
  ok: boolean;
  checks: HealthCheck[];
}

/** What is looked at of a channel. */
export interface ChannelView {
  workers: readonly { role: string; state: string; pid: number | null; lastExit: string }[];
  faults: readonly { id: string; severity: string; message: string }[];
  /** Datagrams since the start of the process. */
  transmit: { datagrams: number } | null;
}

export interface HealthOptions {
  /** Ids of those that are enabled. */
  enabled(): readonly string[];
  channel(id: string): ChannelView | undefined;
  /** URLs of the API, by each of its listeners. */
  urls(): readonly string[];
  /** Of the data partition. */
  folder: string;
  files?: FilePort;
  clock?: Clock;
}

/** Within which a channel must be seen to send, ms; `transmit` tells its counters once a second. */
const SENDING_MS = 6000;
const LOOK_MS = 250;
const ANSWER_MS = 10_000;
/** How long what was found is told again, ms: whoever asks often must not load the box. */
const FRESH_MS = 1000;
/** The same for a disk that could be written, ms: it wears. */
const WRITTEN_MS = 60_000;
/** An encoder that has been started again since it was looked at so recently does not run steadily, ms. */
const RECENT_MS = 20_000;
/** Faults of a channel that say why its processes do not run. */
const REASONS = /^(encoder|transmit|not-applied)/;
const PREFIX = "health-check";
/** Reasons for which other firmware could not write either. */
const FULL = new Set(["ENOSPC", "EDQUOT"]);

export class HealthService {
  readonly #options: HealthOptions;
  readonly #clock: Clock;
  #looking: Promise<HealthReport> | undefined;
  #found: { report: HealthReport; at: number } | undefined;
  #storage: { check: HealthCheck; at: number } | undefined;
  /** Processes of the encoders when they were looked at before, and when. */
  #encoders = { at: 0, pids: new Map<string, number>() };

  constructor(options: HealthOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Takes some seconds while something is wrong. Never rejects; who asks meanwhile gets the same. */
  check(): Promise<HealthReport> {
    if (this.#found !== undefined && this.#clock.now() - this.#found.at < FRESH_MS) {
      return Promise.resolve(this.#found.report);
    }
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<HealthReport> {
    const checks = (await Promise.all([this.#api(), this.#store(), this.#channels()])).flat();
    const report = { ok: checks.every(({ ok }) => ok), checks };
    this.#found = { report, at: this.#clock.now() };
    return report;
  }

  /** The API by which people and programs know the box. */
  async #api(): Promise<HealthCheck> {
    const wrong = await Promise.all(
      this.#options.urls().map(async (url) => {
        try {
          const status = await ask({ url: `${url}/api/v1/session` }, ANSWER_MS);
          // One that says that this is asked too often works, too.
          return status < 500 ? [] : [`${url} answers ${status}`];
        } catch (error) {
          return [`${url}: ${(error as Error).message}`];
        }
      }),
    );
    const detail = wrong.flat().join(", ");
    return { name: "api", ok: detail === "", detail };
  }

  async #store(): Promise<HealthCheck> {
    const known = this.#storage;
    if (known?.check.detail === "" && this.#clock.now() - known.at < WRITTEN_MS) return known.check;
    const check = await this.#write();
    this.#storage = { check, at: this.#clock.now() };
    return check;
  }

  /** Writes as the stores do, to the medium. */
  async #write(): Promise<HealthCheck> {
    const { folder, files = realFiles } = this.#options;
    const name = "storage";
    try {
      const left = (await files.list(folder)).filter((file) => file.startsWith(PREFIX) && file.endsWith(TEMPORARY));
      await discard(files, folder, left);
      const written = await writeTemporary(files, folder, PREFIX, Buffer.from(new Date().toISOString()));
      await files.remove(join(folder, written));
      return { name, ok: true, detail: "" };
    } catch (error) {
      const { code = "", message } = error as NodeJS.ErrnoException;
      return FULL.has(code)
        ? { name, ok: true, detail: "the disk is full" }
        : { name, ok: false, detail: `the data folder cannot be written: ${message}` };
    }
  }

  /** Looks for some seconds, until all of them have been seen to send. */
  async #channels(): Promise<HealthCheck[]> {
    const { enabled, channel } = this.#options;
    const before = new Map(enabled().map((id) => [id, channel(id)]));
    const end = this.#clock.now() + SENDING_MS;
    for (;;) {
      const checks = [...before].map(([id, first]) => this.#judge(id, first, channel(id)));
      if (checks.every(({ ok }) => ok) || this.#clock.now() >= end) {
        this.#remember([...before.keys()]);
        return checks;
      }
      await this.#clock.sleep(LOOK_MS);
    }
  }

  #judge(id: string, before: ChannelView | undefined, now: ChannelView | undefined): HealthCheck {
    const name = `channel:${id}`;
    const spared = now?.faults.find((fault) => fault.id === "too-hot");
    if (spared !== undefined) return { name, ok: true, detail: spared.message };
    const detail = this.#troubleOf(id, before, now);
    return { name, ok: detail === "", detail };
  }

  #troubleOf(id: string, before: ChannelView | undefined, now: ChannelView | undefined): string {
    if (now === undefined) return "it is not set up yet";
    const because = now.faults
      .filter(({ id, severity }) => severity === "error" && REASONS.test(id))
      .map(({ message }) => `: ${message}`)
      .join("");
    const encoder = now.workers.find(({ role }) => role === "encode");
    const [from, to] = [before?.transmit?.datagrams, now.transmit?.datagrams];
    // A counter that fell is that of a new process.
    if (to === undefined || from === undefined || to === from) return `it does not transmit${because}`;
    if (encoder?.state !== "running") return `its encoder does not run${because}`;
    const { at, pids } = this.#encoders;
    const known = this.#clock.now() - at < RECENT_MS ? pids.get(id) : undefined;
    if (known !== undefined && encoder.pid !== known) return "its encoder has ended and was started again";
    return "";
  }

  #remember(ids: readonly string[]): void {
    const pids = ids.flatMap((id) => {
      const pid = this.#options.channel(id)?.workers.find(({ role }) => role === "encode")?.pid;
      return pid === undefined || pid === null ? [] : [[id, pid] as const];
    });
    this.#encoders = { at: this.#clock.now(), pids: new Map(pids) };
  }
}
