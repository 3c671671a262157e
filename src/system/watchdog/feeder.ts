/**
 * The supervisor's link of the watchdog chain: hardware ← systemd ← supervisor ← media processes.
 *
 * systemd feeds the hardware's watchdog, and resets the box by it when it is itself stuck. It restarts a supervisor that
 * does not say WATCHDOG=1 for WatchdogSec; the media runs on meanwhile. The supervisor restarts media processes that miss
 * their heartbeat. Here it says that it is alive, and only after proofs that it does its work:
 *
 * - the event loop turns: else there is no turn of this feeder;
 * - its own API answers a request through its listener, whatever it answers;
 * - the supervision of the channels is alive: each process has given a sign of life within its time, or something was
 *   done about it since;
 * - the store's work on its files comes to its end, be that success or an error.
 *
 * What a restart of the supervisor cannot mend is no reason to withhold the sign, because it would be withheld again and
 * again, and nobody could configure the box any more: no source, no link, no peer, a media process that fails at each
 * start, a disk that is full or read-only, or writes that hang in the kernel. All those are faults that the supervisor is
 * needed for to tell of. Whether this is good firmware is another question (health.ts).
 */
import { type Clock, systemClock } from "../../board/ports.ts";
import type { Bus } from "../../bus.ts";
import type { Supervision } from "./notify.ts";

/** Something that shows that work is done. */
export interface Proof {
  name: string;
  /** "" when it is, else what is wrong. Must not take longer than a third of the watchdog's time. */
  look(): Promise<string> | string;
}

export interface FeederOptions {
  /** Undefined: nobody wants to be told, and nothing runs. */
  supervision: Supervision | undefined;
  proofs: readonly Proof[];
  bus: Bus;
  clock?: Clock;
}

/** When it is tried again to say that the service is up, where no watchdog gives the pace, ms. */
const RETRY_MS = 5000;

export class Feeder {
  readonly #options: FeederOptions;
  readonly #clock: Clock;
  #cancel: () => void = () => {};
  #isStopped = false;
  /** What the last turn found wrong. */
  #trouble = "";

  constructor(options: FeederOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Tells that the service is up, and feeds the watchdog from now on. To be called once. */
  start(): void {
    if (this.#options.supervision === undefined) return;
    void this.#begin();
  }

  /** The last sign is given here: who stops has the watchdog's whole time for it. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancel();
    await this.#options.supervision?.notify("WATCHDOG=1");
  }

  async #begin(): Promise<void> {
    await this.#tell(
      "READY=1",
      () => this.#begin(),
      () => this.#look(),
    );
  }

  async #look(): Promise<void> {
    const wrong = await this.#wrong();
    if (this.#isStopped) return;
    if (wrong !== this.#trouble) {
      const back = wrong === "" ? "the watchdog is fed again" : `the watchdog is not fed: ${wrong}`;
      this.#log(wrong === "" ? "info" : "error", back);
      this.#trouble = wrong;
    }
    const again = () => this.#look();
    if (wrong === "") await this.#tell("WATCHDOG=1", again, again);
    else this.#after(this.#interval / 4, again);
  }

  /** One that does not come to an end has not shown anything. */
  async #wrong(): Promise<string> {
    const seconds = Math.round(this.#interval / 1000);
    const found = await Promise.all(
      this.#options.proofs.map(async ({ name, look }) => {
        let cancel = () => {};
        const late = new Promise<string>((resolve) => {
          cancel = this.#clock.after(this.#interval, () => resolve(`nothing for ${seconds} s`));
        });
        const found = (async () => await look())();
        const wrong = await Promise.race([found, late]).catch((error: Error) => error.message);
        cancel();
        return wrong === "" ? [] : [`${name}: ${wrong}`];
      }),
    );
    return found.flat().join("; ");
  }

  /** What could not be told is told again soon. */
  async #tell(variable: string, again: () => Promise<void>, next: () => Promise<void>): Promise<void> {
    const wrong = (await this.#options.supervision?.notify(variable)) ?? "";
    if (wrong === "") {
      if (this.#interval > 0) this.#after(this.#interval, next);
      return;
    }
    this.#log("warning", `systemd could not be told ${variable}: ${wrong}`);
    this.#after(this.#interval > 0 ? this.#interval / 4 : RETRY_MS, again);
  }

  #after(ms: number, next: () => Promise<void>): void {
    if (this.#isStopped) return;
    this.#cancel = this.#clock.after(ms, () => {
      void next();
    });
  }

  /** A third of the watchdog's time, ms: two signs in a row may fail. */
  get #interval(): number {
    return (this.#options.supervision?.watchdogMs ?? 0) / 3;
  }

  #log(level: "info" | "warning" | "error", message: string): void {
    this.#options.bus.emit("log", { level, source: "watchdog", message });
  }
}
