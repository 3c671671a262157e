/**
 * Media processes as the operating system knows them. They run in a session of their own and outlive the supervisor,
 * so a process is known by its command line (`--socket PATH`) and its start time, never by a number alone.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { systemTimers, type Timers } from "../config/timers.ts";
import { within } from "./timers.ts";

/** How often an adopted process, which is nobody's child here, is looked at, in milliseconds. */
const WATCH_INTERVAL = 100;
/** How long each step of an ending may take, in milliseconds. */
export const END_STEPS = { quit: 2000, terminate: 1000, kill: 2000 } as const;

/** What `/proc` says about a process that serves a control socket. */
export interface ProcessEntry {
  pid: number;
  /** In clock ticks since boot: tells a process from a later one of the same number. */
  startTime: string;
  socket: string;
}

function readEntry(pid: number): ProcessEntry | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    const socket = words[words.indexOf("--socket") + 1];
    if (!words.includes("--socket") || socket === undefined || socket === "") return undefined;
    // The command's name, in parentheses, may hold anything; state is field 3, start time is field 22 (proc(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const startTime = fields[19];
    return startTime === undefined || fields[0] === "Z" ? undefined : { pid, startTime, socket };
  } catch {
    return undefined; // ended meanwhile, or not ours to see
  }
}

/** The processes that serve a control socket which `wanted` accepts. */
export function findProcesses(wanted: (socket: string) => boolean): ProcessEntry[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readEntry(Number(name)))
    .filter((entry) => entry !== undefined && wanted(entry.socket)) as ProcessEntry[];
}

export interface SpawnOptions {
  /** The program and its first arguments. */
  command: readonly [string, ...string[]];
  socket: string;
  /** 0: never end for want of a supervisor. */
  orphanSeconds: number;
  /** Where stdout and stderr go, appended. */
  logFile: string;
}

/** A media process, started by us or found running. */
export class MediaProcess {
  readonly pid: number;
  readonly adopted: boolean;
  /** Fulfilled with what there is to say when the process has ended. */
  readonly exited: Promise<string>;
  readonly #entry: ProcessEntry | undefined;
  readonly #timers: Timers;
  #isRunning = true;

  private constructor(pid: number, entry: ProcessEntry | undefined, exited: Promise<string>, timers: Timers) {
    this.pid = pid;
    this.adopted = entry !== undefined;
    this.#entry = entry;
    this.#timers = timers;
    this.exited = exited.then((how) => {
      this.#isRunning = false;
      return how;
    });
  }

  /** @throws Error when the program cannot be run or the log not be opened. */
  static async spawn(options: SpawnOptions, timers: Timers = systemTimers): Promise<MediaProcess> {
    const [program, ...first] = options.command;
    const log = openSync(options.logFile, "a", 0o640);
    try {
      const child = spawn(
        program,
        [...first, "--socket", options.socket, "--orphan-seconds", String(options.orphanSeconds)],
        { detached: true, stdio: ["ignore", log, log] },
      );
      const exited = new Promise<string>((resolve) => {
        child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`));
      });
      await new Promise<void>((resolve, reject) => {
        child.once("spawn", resolve);
        child.once("error", reject);
      });
      // The supervisor may end without it.
      child.unref();
      return new MediaProcess(child.pid as number, undefined, exited, timers);
    } finally {
      closeSync(log);
    }
  }

  /** Takes charge of a process that is found running. */
  static adopt(entry: ProcessEntry, timers: Timers = systemTimers): MediaProcess {
    const exited = new Promise<string>((resolve) => {
      const look = () => {
        if (readEntry(entry.pid)?.startTime === entry.startTime) timers.after(WATCH_INTERVAL, look);
        else resolve("ended");
      };
      look();
    });
    return new MediaProcess(entry.pid, entry, exited, timers);
  }

  get running(): boolean {
    return this.#isRunning;
  }

  /** Sends a signal, but never to a successor of the same number. */
  signal(name: NodeJS.Signals): void {
    if (!this.#isRunning) return;
    if (this.#entry !== undefined && readEntry(this.pid)?.startTime !== this.#entry.startTime) return;
    try {
      process.kill(this.pid, name);
    } catch {
      // It has just ended.
    }
  }

  /**
   * Ends it: by `ask` (orderly), then SIGTERM, then SIGKILL, each with its time limit.
   * @returns false when it could not even be killed (stuck in the kernel).
   */
  async end(ask?: () => Promise<unknown>): Promise<boolean> {
    if (ask !== undefined) {
      ask().catch(() => {}); // what counts is whether it ends
      if (await within(this.#timers, END_STEPS.quit, this.exited)) return true;
    }
    this.signal("SIGTERM");
    if (await within(this.#timers, END_STEPS.terminate, this.exited)) return true;
    return await this.kill();
  }

  /** Ends it at once, even when it is frozen. */
  async kill(): Promise<boolean> {
    this.signal("SIGKILL");
    return await within(this.#timers, END_STEPS.kill, this.exited);
  }
}
