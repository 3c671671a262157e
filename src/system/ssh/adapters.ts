/** Ways to the SSH server of the machine: of the box, which is ours to start and stop, and of a PC, which is not. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SshConfig } from "../../config/schema.ts";
import type { RunCommand } from "../command.ts";

export interface SshAdapter {
  /** Why it cannot do anything, "" when it can. */
  readonly refusal: string;
  /** Brings the server to these settings, and changes nothing that is so already. Gives what went wrong, "" for nothing. */
  apply(settings: SshConfig): Promise<string>;
}

/** A PC, whose log-ins are not the box's to give. */
export class DrySsh implements SshAdapter {
  readonly refusal = "This box is a program: who may log in to the machine that it runs on is set there";

  async apply(): Promise<string> {
    return "";
  }
}

const UNIT = "steadycast-ssh.service";
/** sshd asks for the keys here (rootfs/usr/lib/steadycast/sshd_config); no channel's folder can have this name. */
const KEYS = "authorized_keys";
/** For the key of the box, which the first start makes, ms. */
const START_MS = 60_000;

/** The box: a unit of its own, which only the supervisor starts. */
export class SystemdSsh implements SshAdapter {
  readonly refusal = "";
  readonly #run: RunCommand;
  readonly #path: string;
  /** There are other keys than those that the sessions were let in with. */
  #stale = false;

  /** @param folder in memory: without the supervisor's word nobody is let in after a boot */
  constructor(run: RunCommand, folder: string) {
    this.#run = run;
    this.#path = join(folder, KEYS);
  }

  async apply({ enabled, keys }: SshConfig): Promise<string> {
    try {
      return enabled ? await this.#open(keys) : await this.#close();
    } catch (error) {
      return (error as Error).message;
    }
  }

  async #open(keys: readonly string[]): Promise<string> {
    const text = keys.map((key) => `${key}\n`).join("");
    if ((await this.#known()) !== text) {
      await writeFile(`${this.#path}.tmp`, text, { mode: 0o600 });
      await rename(`${this.#path}.tmp`, this.#path);
      this.#stale = true;
    }
    // Whoever has lost the key loses the session, too.
    const wrong = await this.#order(this.#stale ? "restart" : "start");
    if (wrong === "") this.#stale = false;
    return wrong;
  }

  /** As long as there are keys, there may be a server. */
  async #close(): Promise<string> {
    if ((await this.#known()) === undefined) return "";
    const wrong = await this.#order("stop");
    if (wrong === "") await rm(this.#path, { force: true });
    return wrong;
  }

  async #known(): Promise<string | undefined> {
    return await readFile(this.#path, "utf8").catch(() => undefined);
  }

  async #order(verb: "start" | "restart" | "stop"): Promise<string> {
    const result = await this.#run("systemctl", [verb, UNIT], { timeoutMs: START_MS });
    return result.ok ? "" : result.why;
  }
}
