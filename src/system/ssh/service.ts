/** The box's SSH server: runs while the configuration says so, for those whose keys it names. */
import { isDeepStrictEqual } from "node:util";
import { type Clock, systemClock } from "../../board/ports.ts";
import type { Bus } from "../../bus.ts";
import type { Config, SshConfig } from "../../config/schema.ts";
import type { Fault } from "../fault.ts";
import type { FirewallService } from "../network/firewall.ts";
import type { SshAdapter } from "./adapters.ts";

export interface SshServiceOptions {
  config: { readonly current: Pick<Config, "ssh"> };
  bus: Bus;
  adapter: SshAdapter;
  clock?: Clock;
  /** The wall clock. */
  now?(): Date;
}

/** The server is looked after this often while it is on, and what failed is tried again, ms. */
const AGAIN_MS = 60_000;
const FAULT = "ssh:service";
const PORT = 22;

/** What the firewall lets in for it: ports with the management role, while it is on. */
export function sshServices({ ssh }: Pick<Config, "ssh">): FirewallService[] {
  return ssh.enabled ? [{ name: "SSH", role: "management", protocol: "tcp", ports: [PORT] }] : [];
}

export class SshService {
  readonly #options: SshServiceOptions;
  readonly #clock: Clock;
  #applied: SshConfig | undefined;
  #fault: Fault | undefined;
  #running = false;
  #cancel: () => void = () => {};
  #unlisten: () => void = () => {};
  #work: Promise<void> = Promise.resolve();

  constructor(options: SshServiceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Applies the settings in the background: nothing waits for it. */
  start(): void {
    this.#running = true;
    this.#unlisten = this.#options.bus.on("config", () => {
      if (!isDeepStrictEqual(this.#applied, this.#settings)) this.#enqueue();
    });
    this.#enqueue();
  }

  /** Carries out what was ordered before. The server stays as it is: it is of use when there is no supervisor. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#unlisten();
    await this.#work;
    this.#cancel();
  }

  /** Fulfilled when every change of the configuration so far has been carried out. */
  settled(): Promise<void> {
    return this.#work;
  }

  /** What is wrong with it now. */
  faults(): Fault[] {
    return this.#fault === undefined ? [] : [this.#fault];
  }

  get #settings(): SshConfig {
    return this.#options.config.current.ssh;
  }

  /** Settings are taken now: once the configuration has stopped, it tells nothing any more. */
  #enqueue(): void {
    const settings = this.#settings;
    this.#work = this.#work.then(() => this.#apply(settings));
  }

  async #apply(settings: SshConfig): Promise<void> {
    const { adapter } = this.#options;
    this.#cancel();
    const before = this.#applied;
    this.#applied = settings;
    const wrong = await adapter.apply(settings);
    this.#tell(settings, wrong);
    if (wrong === "" && settings.enabled !== (before?.enabled ?? false)) {
      this.#log("info", adapter.refusal === "" ? `SSH is ${settings.enabled ? "on" : "off"}` : adapter.refusal);
    }
    const again = wrong !== "" || (settings.enabled && adapter.refusal === "");
    if (again && this.#running) this.#cancel = this.#clock.after(AGAIN_MS, () => this.#enqueue());
  }

  #tell({ enabled }: SshConfig, wrong: string): void {
    const before = this.#fault;
    if (wrong === "") {
      this.#fault = undefined;
      if (before !== undefined) this.#log("info", `${FAULT}: in order again`);
      return;
    }
    const message = `SSH could not be ${enabled ? "started" : "switched off"}: ${wrong}`;
    if (before?.message === message) return;
    // A door that stays open is worse than one that stays shut.
    const severity = enabled ? "warning" : "error";
    const since = before?.since ?? (this.#options.now?.() ?? new Date()).toISOString();
    this.#fault = { id: FAULT, severity, message, since };
    this.#log(severity, message);
  }

  #log(level: "info" | "warning" | "error", message: string): void {
    this.#options.bus.emit("log", { level, source: "ssh", message });
  }
}
