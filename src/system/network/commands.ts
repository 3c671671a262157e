/** Bounded commands: programs of the system that are run for their result. */
import { spawn } from "node:child_process";

export interface CommandResult {
  /** Null: it could not be run, was killed, or did not end in time. */
  code: number | null;
  stdout: string;
  /** Also says why when it could not be run. */
  stderr: string;
}

/** Runs a program to its end, with a text on its standard input. Never throws. */
export type Run = (program: string, args: readonly string[], input?: string) => Promise<CommandResult>;

const TIMEOUT = 10_000;
/** Most of what is kept of an output, characters; a box with 32 links tells some 200,000. */
const OUTPUT_MAX = 2_000_000;

export const runCommand: Run = (program, args, input = "") =>
  new Promise((resolve) => {
    // Its texts are parsed: in the C locale they are the same everywhere.
    const child = spawn(program, args, { stdio: "pipe", env: { ...process.env, LC_ALL: "C" } });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        if (output[name].length < OUTPUT_MAX) output[name] += text;
      });
    }
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, TIMEOUT);
    const end = (code: number | null, why = "") => {
      clearTimeout(timer);
      resolve({ ...output, code, stderr: `${output.stderr}${why}` });
    };
    child.once("error", (error) => end(null, error.message));
    child.once("close", (code) => (late ? end(null, `not done within ${TIMEOUT} ms`) : end(code)));
    // A program that does not read its input may close it first.
    child.stdin.on("error", () => {}).end(input);
  });

/** One line of what a program said when it failed. */
export function reason(program: string, { code, stdout, stderr }: CommandResult): string {
  const said = (stderr.trim() || stdout.trim()).split("\n", 1)[0]?.slice(0, 200) ?? "";
  const how = code === null ? "" : ` (exit code ${code})`;
  return `${program}${how}: ${said === "" ? "failed" : said}`;
}
