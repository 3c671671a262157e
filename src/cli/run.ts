/** The command line: finds the command, does it, and says what went wrong. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { Client, Refusal, type Target, Unreachable } from "./client.ts";
import { type Command, EXIT, Failure, type Option, UsageError } from "./command.ts";
import { accessCommands } from "./commands/access.ts";
import { boxCommands } from "./commands/box.ts";
import { configCommands } from "./commands/config.ts";
import { firmwareCommands } from "./commands/firmware.ts";
import { powerCommands } from "./commands/power.ts";
import { generalOptions, help } from "./help.ts";
import { Output, printable, type Sink } from "./output.ts";
import { labelOf } from "./settings.ts";

export const commands: readonly Command[] = [
  ...boxCommands,
  ...configCommands,
  ...accessCommands,
  ...powerCommands,
  ...firmwareCommands,
];

export interface Surroundings {
  stdout: Sink;
  stderr: Sink;
  /** All that the command is fed with. */
  readInput(): Promise<string>;
  ask(prompt: string): Promise<string>;
  env: NodeJS.ProcessEnv;
}

/** Does a command line; gives the exit code. */
export async function run(argv: readonly string[], around: Surroundings): Promise<number> {
  const complain = (text: string) => around.stderr.write(`${text}\n`);
  try {
    const words = wordsOf(argv);
    const command = find(words);
    if (argv.includes("--help") || argv.includes("-h") || argv.length === 0 || argv[0] === "help") {
      await around.stdout.write(help(commands, command));
      return argv.length === 0 ? EXIT.usage : EXIT.done;
    }
    if (command === undefined)
      throw new UsageError(`There is no command ${JSON.stringify(words.slice(0, 2).join(" "))}`);
    return await perform(command, argv, around);
  } catch (error) {
    if (error instanceof UsageError) {
      await complain(`${error.message}\nsteadycast --help tells the commands`);
      return EXIT.usage;
    }
    if (error instanceof Unreachable) {
      await complain(printable(error.message));
      return EXIT.unreachable;
    }
    if (error instanceof Refusal) {
      for (const line of refusalLines(error)) await complain(printable(line));
      return EXIT.failed;
    }
    if (error instanceof Failure) {
      await complain(printable(error.message));
      return EXIT.failed;
    }
    throw error;
  }
}

async function perform(command: Command, argv: readonly string[], around: Surroundings): Promise<number> {
  const { env } = around;
  const { values, positionals } = parse(command, argv);
  const args = positionals.slice(command.name.split(" ").length);
  const wanted = command.args?.split(" ") ?? [];
  const needed = wanted.filter((arg) => arg.startsWith("<")).length;
  if (args.length < needed || args.length > wanted.length) {
    throw new UsageError(`Usage: steadycast ${command.name} ${command.args ?? ""}`.trimEnd());
  }
  const option = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === "string" ? value : undefined;
  };
  const has = (flag: string): boolean => values[flag] === true;
  const client = new Client(targetOf(option, has, env));
  const output = new Output(around.stdout, { json: has("json"), coloured: !env.NO_COLOR });
  const read = (path: string): Promise<string> => (path === "-" ? around.readInput() : readText(path));
  await command.run({ client, output, args, option, has, read, env, ask: around.ask });
  return EXIT.done;
}

/** The command with the most words that the line begins with. */
function find(words: readonly string[]): Command | undefined {
  const fitting = commands.filter(({ name }) => `${words.join(" ")} `.startsWith(`${name} `));
  return fitting.sort((a, b) => b.name.length - a.name.length)[0];
}

type Options = Record<string, { type: "boolean" | "string" }>;

function optionsOf(list: readonly (Record<string, Option> | undefined)[]): Options {
  const all = list.flatMap((options) => Object.entries(options ?? {}));
  return Object.fromEntries(
    all.map(([name, { value }]) => [name, { type: value === undefined ? "boolean" : "string" }]),
  );
}

/** What a command line has beside options and their values. */
function wordsOf(argv: readonly string[]): string[] {
  const options = optionsOf([generalOptions, ...commands.map((command) => command.options)]);
  return parseArgs({ args: marked(argv), options, strict: false, allowPositionals: true }).positionals;
}

function parse(command: Command, argv: readonly string[]) {
  const options = optionsOf([generalOptions, command.options]);
  try {
    const { values, positionals } = parseArgs({ args: marked(argv), options, allowPositionals: true });
    return { values, positionals: positionals.map((word) => word.replace(MARK, "")) };
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message.split(". ", 1)[0] : error}`);
  }
}

const MARK = "\u0000";

/** Marks negative numbers, which are no options. */
function marked(argv: readonly string[]): string[] {
  return argv.map((word) => (/^-\d+(\.\d+)?$/.test(word) ? MARK + word : word));
}

function targetOf(
  option: (name: string) => string | undefined,
  has: (flag: string) => boolean,
  env: NodeJS.ProcessEnv,
): Target {
  const text = option("url") ?? env.STEADYCAST_URL;
  if (text === undefined || text === "") {
    return { socketPath: option("socket") ?? ownSocket(env) };
  }
  let url: URL;
  try {
    url = new URL(text.includes("://") ? text : `https://${text}`);
  } catch {
    throw new UsageError(`--url must be an address such as https://box, is ${JSON.stringify(text)}`);
  }
  const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isHere)) {
    throw new UsageError("--url must be https://…: a token must not go over the network in the clear");
  }
  const token = option("token") ?? env.STEADYCAST_TOKEN;
  const fingerprint = option("fingerprint") ?? env.STEADYCAST_FINGERPRINT;
  if (fingerprint !== undefined && !/^(sha-?256:)?([0-9a-f]{2}:?){32}$/i.test(fingerprint)) {
    throw new UsageError("--fingerprint must be SHA256: and 32 bytes in hexadecimal, as the box tells it");
  }
  return { url, token, fingerprint, insecure: has("insecure") };
}

/** That of the supervisor on this machine: in the runtime folder that is given, or the first of the usual ones that has it. */
function ownSocket({ STEADYCAST_RUNTIME: given, XDG_RUNTIME_DIR: own }: NodeJS.ProcessEnv): string {
  if (given !== undefined && given !== "") return `${given}/api.sock`;
  const usual = [
    "/run/steadycast",
    ...(own ? [`${own}/steadycast`] : []),
    `/dev/shm/steadycast-${process.getuid?.() ?? 0}`,
  ];
  const sockets = usual.map((folder) => `${folder}/api.sock`);
  return sockets.find((path) => existsSync(path)) ?? (sockets[0] as string);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new Failure(`${path}: ${error instanceof Error ? error.message : error}`);
  }
}

/** What the box said, and field by field what is wrong. */
function refusalLines({ problem: { title, detail, errors = [] } }: Refusal): string[] {
  if (errors.length === 0) return [`${title}: ${detail}`];
  return [
    `${title}:`,
    ...errors.map(({ pointer, detail: what }) => {
      const label = labelOf(undefined, pointer.replace(/^\/document(?=\/)/, ""));
      return `  ${pointer || "the document"}${label === undefined ? "" : ` (${label})`}: ${what}`;
    }),
  ];
}
