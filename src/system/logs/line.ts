/** What a line of the log is, and which lines are asked for. */

/** From the least to the most. */
export const levels = ["debug", "info", "warning", "error"] as const;
export type Level = (typeof levels)[number];

export interface LogLine {
  /** Names its place in the log; pages go on from there. */
  cursor: string;
  /** ISO 8601, of the box's clock; null where the source does not tell it. */
  time: string | null;
  level: Level;
  /** Part of the box, such as `config`; `kernel`, `system`; `ch1/encode` for a media process. */
  source: string;
  message: string;
  /** How often it was said since the line before that says the same; left out: once. */
  count?: number;
}

export interface LogFilter {
  /** At least. */
  level: Level;
  /** Only this one; "" takes all parts of the box, but not the system's or media processes' own logs. */
  source: string;
  /** Held by the message, whatever the case. */
  text: string;
}

/** Some lines, newest first. */
export interface LogPage {
  lines: LogLine[];
  /** Cursor from which older ones go on, null when there are none. A page can be empty and have one all the same. */
  next: string | null;
}

/** Why there is no page; `cursor` when what was given is none of this log. */
export interface NoPage {
  failed: string;
  cursor?: true;
}

/** Lines that something beside the bus keeps. */
export interface LogSource {
  /** What it has now, by the names that lines have as their source. */
  list(): Promise<string[]>;
  /**
   * Lines before the cursor, or the newest.
   * @param limit most lines of the page
   */
  page(filter: LogFilter, before: string | undefined, limit: number): Promise<LogPage | NoPage>;
}

export const everything: LogFilter = { level: "debug", source: "", text: "" };

/** Whether the line is asked for. */
export function passes({ level, source, text }: LogFilter): (line: LogLine) => boolean {
  const least = levels.indexOf(level);
  const wanted = text.toLowerCase();
  return (line) =>
    levels.indexOf(line.level) >= least &&
    (source === "" || line.source === source) &&
    (wanted === "" || line.message.toLowerCase().includes(wanted));
}

/** A line as a person reads it. */
export function toText({ time, level, source, message, count }: LogLine): string {
  return `${time ?? "-"} ${level} ${source}: ${message}${count === undefined ? "" : ` (${count} times)`}\n`;
}
