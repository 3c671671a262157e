/** Ways to the power of the machine. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NetworkConfig } from "../../config/schema.ts";
import type { RunCommand } from "../command.ts";

export const powerOrders = ["reboot", "shutdown", "factory-reset"] as const;
export type PowerOrder = (typeof powerOrders)[number];

export interface PowerAdapter {
  /** Why it cannot do it, "" when it can. */
  readonly refusal: string;
  /**
   * Gives what went wrong, "" for nothing; then the machine goes down within seconds.
   * @param kept what a factory reset keeps
   */
  run(order: PowerOrder, kept?: NetworkConfig): Promise<string>;
}

/** A PC, which is not ours to switch off. */
export class DryPower implements PowerAdapter {
  readonly refusal = "This box is a program: stop it and start it again";

  async run(): Promise<string> {
    return this.refusal;
  }
}

/** For how long the order to reset may be written, ms. */
const RESET_MS = 30_000;

/** The box: systemd stops all services in their order. */
export class SystemdPower implements PowerAdapter {
  readonly refusal = "";
  readonly #run: RunCommand;
  readonly #kept: string;

  /** @param runtime the folder of the supervisor in memory */
  constructor(run: RunCommand, runtime: string) {
    this.#run = run;
    this.#kept = join(runtime, "reset-network.json");
  }

  async run(order: PowerOrder, kept?: NetworkConfig): Promise<string> {
    if (order === "factory-reset") return await this.#reset(kept);
    // It answers when the order is taken, and does not wait for its end.
    const verb = order === "reboot" ? "reboot" : "poweroff";
    const result = await this.#run("systemctl", ["--no-block", verb], { timeoutMs: 15_000 });
    return result.ok ? "" : result.why;
  }

  /** The box is wiped at its next start, before there is anything to be in the way; this unit orders it and reboots. */
  async #reset(kept: NetworkConfig | undefined): Promise<string> {
    try {
      await rm(this.#kept, { force: true });
      if (kept !== undefined) await writeFile(this.#kept, JSON.stringify(kept), { mode: 0o600 });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    const result = await this.#run("systemctl", ["start", "steadycast-reset.service"], { timeoutMs: RESET_MS });
    return result.ok ? "" : result.why;
  }
}
