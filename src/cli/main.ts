/** `steadycast`: the command line of a box, on the box itself or elsewhere. */
import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { Sink } from "./output.ts";
import { run } from "./run.ts";

function sink(stream: NodeJS.WriteStream): Sink {
  return {
    isTerminal: stream.isTTY === true,
    write: async (text) => {
      // Whoever reads slowly is waited for.
      if (!stream.write(text)) await once(stream, "drain");
    },
  };
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** Asks at the terminal, on standard error so that a redirected answer holds nothing else; what is typed is not shown. */
async function ask(prompt: string): Promise<string> {
  if (!process.stdin.isTTY) return (await readInput()).split(/\r?\n/, 1)[0] ?? "";
  process.stderr.write(prompt);
  const nothing = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nothing, terminal: true });
  try {
    return await terminal.question("");
  } finally {
    terminal.close();
    process.stderr.write("\n");
  }
}

// Whoever reads has heard enough, as in `steadycast logs | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
process.stderr.on("error", () => {});

try {
  const around = { stdout: sink(process.stdout), stderr: sink(process.stderr), readInput, ask, env: process.env };
  process.exitCode = await run(process.argv.slice(2), around);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
  process.exitCode = 1;
}
