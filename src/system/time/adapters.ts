/** Ways to the clock of the machine: of the box, which is ours to set, and of a PC, which is not. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TimeConfig } from "../../config/schema.ts";
import type { CommandResult, RunCommand } from "../command.ts";
import { readTime, type TimeReading } from "./reading.ts";

export interface TimeAdapter {
  /** Why it cannot set anything, "" when it can. */
  readonly refusal: string;
  read(): Promise<TimeReading>;
  /** Brings the machine to these settings, and changes nothing that is so already. Gives what went wrong, "" for nothing. */
  apply(settings: TimeConfig): Promise<string>;
  /** Sets the clock. Gives what went wrong, "" for nothing. */
  set(time: Date): Promise<string>;
}

/** A PC: it is looked at, and nothing else. */
export class DryTime implements TimeAdapter {
  readonly refusal = "This box is a program: the clock is that of the machine it runs on, and is set there";
  readonly #run: RunCommand;

  constructor(run: RunCommand) {
    this.#run = run;
  }

  read(): Promise<TimeReading> {
    return readTime(this.#run);
  }

  async apply(): Promise<string> {
    return "";
  }

  async set(): Promise<string> {
    return this.refusal;
  }
}

/** Where the box keeps timesyncd's settings: gone with each boot, because the box's own configuration is what counts. */
const DROP_INS = "/run/systemd/timesyncd.conf.d";
const DROP_IN = "50-steadycast.conf";

/** The box: systemd-timesyncd and systemd-timedated. */
export class Timesyncd implements TimeAdapter {
  readonly refusal = "";
  readonly #run: RunCommand;
  readonly #folder: string;

  constructor(run: RunCommand, folder = DROP_INS) {
    this.#run = run;
    this.#folder = folder;
  }

  read(): Promise<TimeReading> {
    return readTime(this.#run);
  }

  async apply({ zone, ntp, servers }: TimeConfig): Promise<string> {
    const now = await this.read();
    const wrong: string[] = [];
    if (now.zone !== zone) wrong.push(await this.#order("timedatectl", ["set-timezone", zone]));
    let changed = false;
    try {
      changed = await this.#writeServers(servers);
    } catch (error) {
      wrong.push(`the servers could not be written: ${(error as Error).message}`);
    }
    if (now.ntp !== ntp) wrong.push(await this.#order("timedatectl", ["set-ntp", String(ntp)]));
    else if (changed && ntp) wrong.push(await this.#order("systemctl", ["try-restart", "systemd-timesyncd.service"]));
    return wrong.filter((what) => what !== "").join("; ");
  }

  async set(time: Date): Promise<string> {
    // timedatectl takes whole seconds.
    const text = new Date(Math.round(time.getTime() / 1000) * 1000).toISOString().replace("T", " ").slice(0, 19);
    return await this.#order("timedatectl", ["set-time", `${text} UTC`]);
  }

  /** Gives whether they were others before. */
  async #writeServers(servers: readonly string[]): Promise<boolean> {
    const path = join(this.#folder, DROP_IN);
    // Only the box's own, and those that DHCP tells: those that timesyncd was built with are nobody's choice.
    const text = `[Time]\nNTP=${servers.join(" ")}\nFallbackNTP=\n`;
    if ((await readFile(path, "utf8").catch(() => "")) === text) return false;
    await mkdir(this.#folder, { recursive: true });
    // In memory: it need not outlive a power cut, but timesyncd must not read half of it.
    await writeFile(`${path}.tmp`, text, { mode: 0o644 });
    await rename(`${path}.tmp`, path);
    return true;
  }

  async #order(program: string, args: readonly string[]): Promise<string> {
    const result: CommandResult = await this.#run(program, args, { timeoutMs: 10_000, env: { TZ: "UTC" } });
    return result.ok ? "" : result.why;
  }
}
