/** The journal of systemd as a source of lines: what the kernel and the other programs of the box say. */
import type { RunCommand } from "../command.ts";
import { type Level, type LogFilter, type LogLine, type LogPage, type LogSource, type NoPage, passes } from "./line.ts";

/** syslog's priorities (RFC 5424, 6.2.1) that a level takes at the least. */
const PRIORITY: Record<Level, string> = { debug: "7", info: "6", warning: "4", error: "3" };

/** How the journal got its entries (systemd.journal-fields(7)): all but those of the kernel are programs'. */
const TRANSPORTS = {
  kernel: ["kernel"],
  system: ["journal", "syslog", "stdout", "driver", "audit"],
};

/** How many entries are looked through for a text before the page ends. */
const LOOKED_THROUGH = 5000;
const TIMEOUT_MS = 15_000;
const OUTPUT_MAX = 16 * 1024 * 1024;

/** A cursor as journalctl prints it. */
const CURSOR = /^[0-9a-z=;]{1,300}$/;

export class Journal implements LogSource {
  readonly #run: RunCommand;

  constructor(run: RunCommand) {
    this.#run = run;
  }

  async list(): Promise<string[]> {
    return Object.keys(TRANSPORTS);
  }

  async page(filter: LogFilter, before: string | undefined, limit: number): Promise<LogPage | NoPage> {
    const { source, level, text } = filter;
    if (source !== "kernel" && source !== "system") return { failed: `the journal has no ${source}` };
    if (before !== undefined && !CURSOR.test(before))
      return { failed: "that is no cursor of the journal", cursor: true };
    const count = text === "" ? limit : Math.max(limit, LOOKED_THROUGH);
    const args = [
      ...["--no-pager", "--quiet", "--reverse", "--output=json", `--lines=${count}`],
      "--output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_PID",
      ...(level === "debug" ? [] : [`--priority=${PRIORITY[level]}`]),
      ...(before === undefined ? [] : [`--after-cursor=${before}`]),
      ...TRANSPORTS[source].map((transport) => `_TRANSPORT=${transport}`),
    ];
    const result = await this.#run("journalctl", args, { timeoutMs: TIMEOUT_MS, outputMax: OUTPUT_MAX });
    if (!result.ok) return { failed: result.why };
    const rows = result.stdout.split("\n").filter((row) => row !== "");
    // The last one is cut off where there was too much.
    const lines = (result.truncated ? rows.slice(0, -1) : rows).flatMap((row) => toLine(row, source) ?? []);
    const found = lines.filter(passes(filter)).slice(0, limit);
    const more = result.truncated || rows.length >= count;
    const last = found.length === limit ? found.at(-1) : lines.at(-1);
    return { lines: found, next: more ? (last?.cursor ?? null) : null };
  }
}

function toLine(row: string, source: "kernel" | "system"): LogLine | undefined {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(row) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { __CURSOR: cursor, __REALTIME_TIMESTAMP: time, SYSLOG_IDENTIFIER: name, _PID: pid } = entry;
  if (typeof cursor !== "string") return undefined;
  const who =
    source === "kernel" || typeof name !== "string" ? "" : `${name}${typeof pid === "string" ? `[${pid}]` : ""}: `;
  const microseconds = Number(time);
  return {
    cursor,
    time: Number.isFinite(microseconds) ? new Date(microseconds / 1000).toISOString() : null,
    level: toLevel(Number(entry.PRIORITY ?? 6)),
    source,
    message: `${who}${toMessage(entry.MESSAGE)}`,
  };
}

function toLevel(priority: number): Level {
  if (priority <= 3) return "error";
  if (priority === 4) return "warning";
  return priority === 7 ? "debug" : "info";
}

/** Text as it is; what is not UTF-8 comes as numbers, what is too long as null, what was given several times as a list. */
function toMessage(message: unknown): string {
  if (typeof message === "string") return message;
  if (message === null || message === undefined) return "(too long to be shown)";
  if (!Array.isArray(message)) return String(message);
  if (message.every((byte) => typeof byte === "number")) return Buffer.from(message as number[]).toString("utf8");
  return message.map(toMessage).join(" ");
}
