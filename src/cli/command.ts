/** What a command of the command line is, and what it gets to work with. */
import type { Client } from "./client.ts";
import type { Output } from "./output.ts";

/** Exit codes; scripts rely on them. */
export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3 } as const;

/** The command line is wrong. */
export class UsageError extends Error {}

/** The command could not be done; the message says why. */
export class Failure extends Error {}

export interface Option {
  /** What stands for its value in the help; left out: it has none. */
  value?: string;
  help: string;
}

export interface Command {
  /** Such as `config get`. */
  name: string;
  /** As in the help: `<needed>`, `[may be left out]`. */
  args?: string;
  summary: string;
  options?: Record<string, Option>;
  run(context: Context): Promise<void>;
}

export interface Context {
  client: Client;
  output: Output;
  /** Those that are left out are undefined. */
  args: readonly string[];
  /** The text of an option that was given. */
  option(name: string): string | undefined;
  has(flag: string): boolean;
  /** A file's content; `-` is what the command is fed with. */
  read(path: string): Promise<string>;
  env: NodeJS.ProcessEnv;
  /** Asks for a secret at the terminal, without showing it. */
  ask(prompt: string): Promise<string>;
}

/** A number that was given as text. */
export function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${name} must be a whole number, is ${JSON.stringify(text)}`);
  return Number(text);
}

/** JSON that was given as text. */
export function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${what} is not JSON`);
  }
}
