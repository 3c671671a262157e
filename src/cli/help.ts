/** The help, made from the table of commands. */
import type { Command, Option } from "./command.ts";

/** Those that every command has. */
export const generalOptions: Record<string, Option> = {
  json: { help: "answer as JSON" },
  socket: {
    value: "PATH",
    help: "socket of the box that runs here ($STEADYCAST_RUNTIME/api.sock, /run/steadycast/api.sock)",
  },
  url: { value: "URL", help: "another box, such as https://box ($STEADYCAST_URL)" },
  token: { value: "TOKEN", help: "API token for it; better in $STEADYCAST_TOKEN, which no list of processes shows" },
  fingerprint: { value: "SHA256:…", help: "its certificate's, when that is self-signed ($STEADYCAST_FINGERPRINT)" },
  insecure: { help: "take any certificate: whoever is in between can read and change everything" },
  help: { help: "this text; after a command, its options" },
};

const CODES = ["0 done", "1 refused or failed", "2 the command line is wrong", "3 the box cannot be reached"];

/** The help of a command, or without one of all. */
export function help(commands: readonly Command[], command: Command | undefined): string {
  const lines =
    command === undefined
      ? [
          "Usage: steadycast <command> [options]",
          "",
          "Commands:",
          ...aligned(commands.map((one) => [call(one), one.summary])),
        ]
      : [`Usage: steadycast ${call(command)} [options]`, "", sentence(command.summary)];
  const own = Object.entries(command?.options ?? {});
  if (own.length > 0) lines.push("", "Options:", ...aligned(own.map(optionLine)));
  lines.push(
    "",
    "Options of all commands:",
    ...aligned(Object.entries(generalOptions).map(optionLine)),
    "",
    `Exit codes: ${CODES.join(", ")}`,
  );
  return `${lines.join("\n")}\n`;
}

function call({ name, args }: Command): string {
  return args === undefined ? name : `${name} ${args}`;
}

function optionLine([name, { value, help: text }]: [string, Option]): [string, string] {
  return [`--${name}${value === undefined ? "" : ` ${value}`}`, text];
}

function aligned(list: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...list.map(([name]) => name.length));
  return list.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
