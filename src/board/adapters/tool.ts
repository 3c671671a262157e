/** Runs of a tool of the system: bounded commands and watchers. None outlives its time, nor the supervisor for long. */
import { type ChildProcess, spawn } from "node:child_process";
import { BusError, type Clock, systemClock } from "../ports.ts";
import type { Output } from "./v4l2ctl.ts";

/** Longest time for a command, ms: a box that is busy must not seem to hang. */
const COMMAND_TIMEOUT = 10_000;
/** A watcher is ended and started anew after so long, s: so none stays for ever when the supervisor is killed. */
const WATCHER_LIFE = 300;
/** Most of what is kept of an output, characters. */
const OUTPUT_MAX = 65_536;

export interface Watcher {
  /** Given when it has ended, with what it printed. */
  readonly ended: Promise<Output>;
  stop(): void;
}

export interface Tool {
  /**
   * Runs it to its end; that it fails is for the caller to see in its output.
   * @throws BusError `unavailable` when it can't be run, `timeout` when it does not end
   */
  run(args: readonly string[], input?: string): Promise<Output>;
  /** Runs it until it ends by itself, is stopped, or has run for five minutes. */
  watch(args: readonly string[]): Watcher;
}

export class SystemTool implements Tool {
  readonly #program: string;
  readonly #clock: Clock;
  /** A command that does not even end when it is killed: it hangs in the kernel. */
  #stuck: ChildProcess | undefined;

  constructor(program: string, clock: Clock = systemClock) {
    this.#program = program;
    this.#clock = clock;
  }

  async run(args: readonly string[], input = ""): Promise<Output> {
    if (this.#stuck !== undefined) throw this.#late();
    const child = start(this.#program, args);
    const ended = outputOf(child);
    // A tool that does not read its input may close it first.
    child.stdin?.on("error", () => {}).end(input);
    let cancel = () => {};
    const late = new Promise<never>((_, refuse) => {
      cancel = this.#clock.after(COMMAND_TIMEOUT, () => {
        this.#stuck = child;
        child.once("close", () => {
          this.#stuck = undefined;
        });
        child.kill("SIGKILL");
        refuse(this.#late());
      });
    });
    ended.catch(() => {}); // when it is late, its end interests nobody any more
    try {
      return await Promise.race([ended, late]);
    } finally {
      cancel();
    }
  }

  watch(args: readonly string[]): Watcher {
    // timeout(1) bounds it also when the supervisor is no longer there to do so, and passes SIGTERM on.
    const child = start("timeout", [String(WATCHER_LIFE), this.#program, ...args], true);
    child.stdin?.on("error", () => {}).end();
    const ended = outputOf(child).catch((error: Error) => ({ stdout: "", stderr: error.message }));
    return { ended, stop: () => endGroup(child) };
  }

  #late(): BusError {
    return new BusError("timeout", `${this.#program} did not end within ${COMMAND_TIMEOUT} ms`);
  }
}

/** @param detached in a process group of its own */
function start(program: string, args: readonly string[], detached = false): ChildProcess {
  // Its texts are parsed: in the C locale they are the same everywhere.
  return spawn(program, args, { stdio: "pipe", detached, env: { ...process.env, LC_ALL: "C" } });
}

/** Ends a process and its child. timeout(1) alone may end without its child, when it has only just started that. */
function endGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, "SIGTERM");
  } catch {
    // It has just ended.
  }
}

function outputOf(child: ChildProcess): Promise<Output> {
  return new Promise((resolve, reject) => {
    const output: Output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8").on("data", (text: string) => {
        output[name] = (output[name] + text).slice(-OUTPUT_MAX);
      });
    }
    child.once("error", (error) => reject(new BusError("unavailable", error.message)));
    child.once("close", () => resolve(output));
  });
}
