/** Ways to the power of the machine. */
import type { RunCommand } from "../command.ts";

export type PowerOrder = "reboot" | "shutdown";

export interface PowerAdapter {
  /** Why it cannot do it, "" when it can. */
  readonly refusal: string;
  /** Gives what went wrong, "" for nothing; then the machine goes down within seconds. */
  run(order: PowerOrder): Promise<string>;
}

/** A PC, which is not ours to switch off. */
export class DryPower implements PowerAdapter {
  readonly refusal = "This box is a program: stop it and start it again";

  async run(): Promise<string> {
    return this.refusal;
  }
}

/** The box: systemd stops all services in their order. */
export class SystemdPower implements PowerAdapter {
  readonly refusal = "";
  readonly #run: RunCommand;

  constructor(run: RunCommand) {
    this.#run = run;
  }

  async run(order: PowerOrder): Promise<string> {
    // It answers when the order is taken, and does not wait for its end.
    const verb = order === "reboot" ? "reboot" : "poweroff";
    const result = await this.#run("systemctl", ["--no-block", verb], { timeoutMs: 15_000 });
    return result.ok ? "" : result.why;
  }
}
