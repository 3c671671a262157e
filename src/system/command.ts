/** Bounded commands of the system: run for their result, ended with all that they started when they take too long. */
import { type ChildProcess, spawn } from "node:child_process";
import { type Clock, systemClock } from "../board/ports.ts";

export interface CommandOptions {
  /** Longest time, ms. */
  timeoutMs?: number;
  /** Most of what is read of its output, bytes; one that says more is ended, and `truncated` tells it. */
  outputMax?: number;
  /** What it reads. */
  input?: string;
  /** Beside the supervisor's own and LC_ALL=C. */
  env?: Record<string, string>;
}

/** What became of a command. That it fails is a normal result. */
export type CommandResult =
  | { ok: true; stdout: string; truncated: boolean }
  /** `code` is null when it could not be run or was ended; `why` is in words, with the end of what it wrote to stderr. */
  | { ok: false; code: number | null; why: string; stdout: string; stderr: string };

/** Runs a program to its end. Never rejects. */
export type RunCommand = (program: string, args: readonly string[], options?: CommandOptions) => Promise<CommandResult>;

const TIMEOUT_MS = 10_000;
const OUTPUT_MAX = 256 * 1024;
/** What is kept of stderr, characters. */
const STDERR_MAX = 4096;
/** What is told of stderr, characters. */
const TOLD_MAX = 300;

/** The real one; its clock measures the time limit. */
export function commandRunner(clock: Clock = systemClock): RunCommand {
  return (program, args, options = {}) => runCommand(clock, program, args, options);
}

function runCommand(
  clock: Clock,
  program: string,
  args: readonly string[],
  { timeoutMs = TIMEOUT_MS, outputMax = OUTPUT_MAX, input = "", env = {} }: CommandOptions,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    // In a group of its own, so that what it starts can be ended with it. In the C locale its texts can be parsed.
    const child = spawn(program, args, {
      ...{ stdio: "pipe", detached: true },
      env: { ...process.env, ...{ LC_ALL: "C" }, ...env },
    });
    const chunks: Buffer[] = [];
    let [size, stderr] = [0, ""];
    let truncated = false;
    const stdout = () => Buffer.concat(chunks).subarray(0, outputMax).toString("utf8");
    const cancel = clock.after(timeoutMs, () => {
      // A command that hangs in the kernel does not end even so: its end is not waited for.
      fail(null, `did not end within ${timeoutMs} ms`);
      end(child);
    });
    const settle = (result: CommandResult) => {
      cancel();
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(result);
    };
    const fail = (code: number | null, how: string) => {
      const told = stderr.trim().slice(-TOLD_MAX);
      const why = `${program}: ${how}${told === "" ? "" : `: ${told}`}`;
      settle({ ok: false, code, why, stdout: stdout(), stderr });
    };
    child.stdout.on("data", (chunk: Buffer) => {
      if (truncated) return;
      chunks.push(chunk);
      size += chunk.length;
      if (size <= outputMax) return;
      truncated = true;
      settle({ ok: true, stdout: stdout(), truncated });
      end(child);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-STDERR_MAX);
    });
    // A program that does not read its input may close it first.
    child.stdin.on("error", () => {}).end(input);
    child.once("error", (error: NodeJS.ErrnoException) => {
      fail(null, error.code === "ENOENT" ? "there is no such program" : error.message);
    });
    child.once("close", (code, signal) => {
      if (code === 0) settle({ ok: true, stdout: stdout(), truncated });
      else fail(code, code === null ? `was ended by ${signal}` : `exit code ${code}`);
    });
  });
}

function end({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended, with all that it started.
  }
}
