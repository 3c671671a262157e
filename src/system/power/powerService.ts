/** Reboot, shutdown and reset to factory settings, by hand and by the schedule. */
import { readFile } from "node:fs/promises";
import { uptime } from "node:os";
import { type Clock, systemClock } from "../../board/ports.ts";
import type { Bus } from "../../bus.ts";
import type { StoreProblem } from "../../config/durableFile.ts";
import type { FilePort } from "../../config/files.ts";
import type { Config } from "../../config/schema.ts";
import type { Fault } from "../fault.ts";
import type { PowerAdapter, PowerOrder } from "./adapters.ts";
import { PowerMemory, type Remembered } from "./powerMemory.ts";
import { isDue, localDate, nextReboot } from "./schedule.ts";

export interface PowerStatus {
  /** Of the machine. */
  uptimeSeconds: number;
  /** When it came up, and why it had gone down: "" where that is not known. */
  boot: { at: string; reason: string };
  /** When the schedule reboots it next. */
  nextReboot: string | null;
  /** An order that has been given and is about to be done. */
  pending: PowerOrder | null;
  capabilities: {
    reboot: boolean;
    shutdown: boolean;
    factoryReset: boolean /** Why not, "" when all can be done. */;
    why: string;
  };
}

/** An order that was taken is done after `inSeconds`. */
export type OrderTaken = { ok: true; inSeconds: number } | { ok: false; why: string };
/** It is done, or will be when the box has gone down and come up again, or why not. */
export type ResetResult = "done" | { inSeconds: number } | { refused: string };

export interface PowerServiceOptions {
  config: { readonly current: Config };
  bus: Bus;
  adapter: PowerAdapter;
  /** Where it is remembered why the box went down. */
  folder: string;
  /** Stops what must be stopped in order before the machine goes down; it has 20 s. */
  prepare(reason: string): Promise<void>;
  /** Starts it again, when the machine did not go down after all. */
  resume?(): Promise<void>;
  /** Puts everything back to what a new box has, here and now. Left out: the machine is told to, like any other order. */
  reset?(options: { keepNetwork: boolean }): Promise<ResetResult>;
  /** Why nothing must be lost now, "" when nothing is under way: a slot that is half written would not be kept. */
  busy?(): string;
  clock?: Clock;
  /** The wall clock. */
  now?(): Date;
  /** Of the machine, s. */
  uptime?(): number;
  /** Names this boot of the machine. */
  bootId?(): Promise<string>;
  files?: FilePort;
}

const words: Record<PowerOrder, string> = {
  reboot: "reboot",
  shutdown: "shut down",
  "factory-reset": "be reset to factory settings",
};

/** How long an order waits, so that its answer goes out first, ms. */
const DELAY_MS = 2000;
const PREPARE_MS = 20_000;
/** A machine that has taken an order is down by then, or never will be, ms. */
const DOWN_MS = 120_000;
const LOOK_MS = 15_000;
/** The schedule does not reboot a box that has just come up, s. */
const SETTLED_SECONDS = 600;
/** A wall clock before this has never been set: no schedule can follow it. */
const CREDIBLE = Date.UTC(2025, 0, 1);

export class PowerService {
  readonly #options: PowerServiceOptions;
  readonly #clock: Clock;
  readonly #now: () => Date;
  readonly #uptime: () => number;
  readonly #memory: PowerMemory;
  #boot = "";
  #bootReason = "";
  #scheduled = "";
  #pending: PowerOrder | null = null;
  #keepsNetwork = false;
  #fault: Fault | undefined;
  /** Since when the schedule has been looked at: what was due before is over. */
  #looked = 0;
  #cancelLook: () => void = () => {};
  #cancelOrder: () => void = () => {};
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: PowerServiceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#now = options.now ?? (() => new Date());
    this.#uptime = options.uptime ?? uptime;
    const { folder, files } = options;
    const report = ({ file, what, action }: StoreProblem) => this.#log("warning", `${file} ${what}: ${action}`);
    this.#memory = new PowerMemory({ folder, report, ...(files === undefined ? {} : { files }) });
  }

  /** Finds out why the box came up, and follows the schedule from now on. Never fails. */
  async start(): Promise<void> {
    const { bootId = readBootId } = this.#options;
    this.#boot = await bootId();
    const last = await this.#memory.read();
    this.#scheduled = last?.scheduled ?? "";
    if (last !== undefined && last.boot !== this.#boot) {
      this.#bootReason = last.order === null ? "power cut, reset or watchdog" : last.order.reason;
      this.#log("info", `the box is up; it went down for: ${this.#bootReason}`);
    } else this.#bootReason = "";
    // An order of this boot that was never done must not be taken for the reason of the next one.
    if (last?.boot !== this.#boot || last.order !== null) await this.#remember(null);
    this.#looked = this.#now().getTime();
    this.#look();
  }

  async stop(): Promise<void> {
    this.#cancelLook();
    this.#cancelOrder();
    await this.#work;
  }

  status(): PowerStatus {
    const { adapter, reset } = this.#options;
    const able = adapter.refusal === "";
    const up = this.#uptime();
    return {
      uptimeSeconds: Math.floor(up),
      boot: { at: new Date(this.#now().getTime() - up * 1000).toISOString(), reason: this.#bootReason },
      nextReboot: this.#next(this.#now())?.toISOString() ?? null,
      pending: this.#pending,
      capabilities: { reboot: able, shutdown: able, factoryReset: reset !== undefined || able, why: adapter.refusal },
    };
  }

  faults(): Fault[] {
    return this.#fault === undefined ? [] : [this.#fault];
  }

  /** Takes the order and does it two seconds later, in order: services stop first. */
  async order(what: PowerOrder, reason: string): Promise<OrderTaken> {
    const { adapter } = this.#options;
    if (adapter.refusal !== "") return { ok: false, why: adapter.refusal };
    if (this.#pending !== null) {
      return { ok: false, why: `The box is about to ${words[this.#pending]} already` };
    }
    this.#pending = what;
    this.#fault = undefined;
    this.#log("warning", `${what} in ${DELAY_MS / 1000} s: ${reason}`);
    await this.#remember({ what, reason, when: this.#now().toISOString() });
    this.#cancelOrder = this.#clock.after(DELAY_MS, () => {
      this.#work = this.#do(what, reason);
    });
    return { ok: true, inSeconds: DELAY_MS / 1000 };
  }

  /** Puts everything back to what a new box has. Who may ask for it is for the caller to know. */
  async factoryReset(options: { keepNetwork: boolean }): Promise<ResetResult> {
    const { reset, busy = () => "", adapter } = this.#options;
    if (reset === undefined && adapter.refusal !== "") return { refused: "This box cannot be reset from here" };
    if (this.#pending !== null) return { refused: "The box is going down already" };
    const why = busy();
    if (why !== "") return { refused: why };
    const what = `reset to factory settings${options.keepNetwork ? ", network kept" : ""}`;
    if (reset !== undefined) {
      this.#log("warning", what);
      return await reset(options);
    }
    this.#keepsNetwork = options.keepNetwork;
    const taken = await this.order("factory-reset", what);
    return taken.ok ? { inSeconds: taken.inSeconds } : { refused: taken.why };
  }

  async #do(what: PowerOrder, reason: string): Promise<void> {
    const prepared = this.#options.prepare(reason).then(
      () => "",
      (error: unknown) => `not everything could be stopped: ${error instanceof Error ? error.message : String(error)}`,
    );
    let cancel = () => {};
    const late = new Promise<string>((resolve) => {
      cancel = this.#clock.after(PREPARE_MS, () => resolve(`not everything stopped within ${PREPARE_MS / 1000} s`));
    });
    const trouble = await Promise.race([prepared, late]);
    cancel();
    if (trouble !== "") this.#log("error", trouble);
    const kept = what === "factory-reset" && this.#keepsNetwork ? this.#options.config.current.network : undefined;
    const wrong = await this.#options.adapter.run(what, kept);
    if (wrong !== "") await this.#failed(what, wrong);
    else this.#cancelOrder = this.#clock.after(DOWN_MS, () => void this.#failed(what, "nothing happened"));
  }

  async #failed(what: PowerOrder, wrong: string): Promise<void> {
    this.#pending = null;
    const message = `the ${what.replace("-", " ")} could not be done: ${wrong}`;
    this.#fault = { id: "power:order", severity: "error", message, since: this.#now().toISOString() };
    this.#log("error", message);
    await this.#remember(null);
    await this.#options.resume?.().catch((error: unknown) => this.#log("error", `not everything runs again: ${error}`));
  }

  #next(after: Date): Date | undefined {
    const { power, time } = this.#options.config.current;
    if (this.#options.adapter.refusal !== "" || after.getTime() < CREDIBLE) return undefined;
    const next = nextReboot(power, time.zone, after);
    // One reboot a day: a clock that was put back does not bring the day's reboot back.
    const again = next !== undefined && localDate(time.zone, next) === this.#scheduled;
    return again ? nextReboot(power, time.zone, next) : next;
  }

  #look(): void {
    this.#cancelLook = this.#clock.after(LOOK_MS, () => {
      const now = this.#now();
      const due = this.#next(new Date(this.#looked));
      // A clock that was put back is followed at once.
      this.#looked = now.getTime();
      if (due !== undefined && isDue(due, now)) this.#reboot(due);
      this.#look();
    });
  }

  #reboot(due: Date): void {
    if (this.#uptime() < SETTLED_SECONDS) {
      this.#log("warning", "the scheduled reboot is left out: the box came up less than ten minutes ago");
      return;
    }
    this.#scheduled = localDate(this.#options.config.current.time.zone, due);
    this.#work = this.order("reboot", "scheduled reboot").catch((error: unknown) => this.#log("error", String(error)));
  }

  /** What cannot be remembered is told: the reason of the next boot will not be known. */
  async #remember(order: Remembered["order"]): Promise<void> {
    try {
      await this.#memory.write({ boot: this.#boot, order, scheduled: this.#scheduled });
    } catch (error) {
      this.#log("warning", `the reason of a reboot ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #log(level: "info" | "warning" | "error", message: string): void {
    this.#options.bus.emit("log", { level, source: "power", message });
  }
}

async function readBootId(): Promise<string> {
  return (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim();
}
