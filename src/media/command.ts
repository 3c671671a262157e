/** Bounded commands: programs that are run for their result, with a time limit. */
import { spawn } from "node:child_process";
import { setPriority } from "node:os";

export interface CommandOptions {
  /** Milliseconds after which it is killed. */
  timeoutMs: number;
  /** −20…19; background work takes a positive one. */
  nice?: number;
}

/** A command that failed; the message holds the end of what it wrote to stderr. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

const OUTPUT_MAX = 8192;

/**
 * Runs a program to its end; gives the end of what it wrote to stdout (8192 characters).
 * @throws CommandError when it cannot be run, fails or takes too long.
 */
export function runCommand(program: string, args: readonly string[], options: CommandOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] = (output[name] + text).slice(-OUTPUT_MAX);
      });
    }
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      child.kill("SIGKILL");
    }, options.timeoutMs);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(new CommandError(`${program}: ${error.message}`));
    });
    child.once("spawn", () => {
      if (options.nice === undefined || child.pid === undefined) return;
      try {
        setPriority(child.pid, options.nice);
      } catch {
        // It has ended already.
      }
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) {
        resolve(output.stdout);
        return;
      }
      const how = expired
        ? `not done within ${options.timeoutMs} ms`
        : code === null
          ? `killed by ${signal}`
          : `exit code ${code}`;
      reject(new CommandError(`${program}: ${how}${output.stderr === "" ? "" : `: ${output.stderr.trim()}`}`));
    });
  });
}
