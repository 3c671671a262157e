/** What the media processes write to stderr: files in the folders of the channels, which the media keeps within bounds. */
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Level, type LogFilter, type LogLine, type LogPage, type LogSource, type NoPage, passes } from "./line.ts";

const CHANNEL = /^[a-z0-9][a-z0-9-]{0,31}$/;
const FILE = /^(encode|transmit|output-[a-z0-9-]{1,32})\.log$/;
/** What is read of a file, from its end, bytes. */
const READ_MAX = 1024 * 1024;
const MESSAGE_MAX = 4096;

export class MediaLogs implements LogSource {
  readonly #folder: string;

  /** @param folder the runtime folder, which holds one for each channel */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async list(): Promise<string[]> {
    const channels = (await namesIn(this.#folder)).filter((name) => CHANNEL.test(name)).sort();
    const lists = channels.map(async (channel) => {
      const files = (await namesIn(join(this.#folder, channel))).filter((name) => FILE.test(name)).sort();
      return files.map((file) => `${channel}/${file.slice(0, -".log".length)}`);
    });
    return (await Promise.all(lists)).flat();
  }

  /** Cursors are places in the files; when a file is put aside between two pages, some lines come again. */
  async page(filter: LogFilter, before: string | undefined, limit: number): Promise<LogPage | NoPage> {
    const [channel = "", name = "", ...more] = filter.source.split("/");
    if (more.length > 0 || !CHANNEL.test(channel) || !FILE.test(`${name}.log`)) {
      return { failed: `there is no media process ${filter.source}` };
    }
    const end = before === undefined ? Number.POSITIVE_INFINITY : /^\d{1,9}$/.test(before) ? Number(before) : undefined;
    if (end === undefined) return { failed: "that is no cursor of this log", cursor: true };
    const path = join(this.#folder, channel, `${name}.log`);
    const text = (await endOf(`${path}.1`)) + (await endOf(path));
    const found: LogLine[] = [];
    const wanted = passes(filter);
    let place = 0;
    const lines = text.split("\n").flatMap((row): LogLine[] => {
      const cursor = place;
      place += row.length + 1;
      const message = row.trimEnd().slice(0, MESSAGE_MAX);
      if (message === "" || cursor >= end) return [];
      // The libraries that write here tell no time of the day.
      return [{ cursor: String(cursor), time: null, level: levelOf(message), source: filter.source, message }];
    });
    for (const line of lines.reverse()) {
      if (!wanted(line)) continue;
      if (found.length === limit) return { lines: found, next: found.at(-1)?.cursor ?? null };
      found.push(line);
    }
    return { lines: found, next: null };
  }
}

/** By the words that GStreamer, GLib and FFmpeg have for it. */
function levelOf(message: string): Level {
  if (/\b(ERROR|CRITICAL|FATAL|panic|error:)/i.test(message)) return "error";
  if (/\b(WARN|WARNING)\b/i.test(message)) return "warning";
  return /\b(DEBUG|TRACE)\b/.test(message) ? "debug" : "info";
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch(() => []);
}

async function endOf(path: string): Promise<string> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return "";
  try {
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(size, READ_MAX));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
    const text = buffer.subarray(0, bytesRead).toString("utf8");
    return text === "" || text.endsWith("\n") ? text : `${text}\n`;
  } catch {
    return "";
  } finally {
    await file.close();
  }
}
