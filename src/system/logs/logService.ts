/** Keeps what the box says: every `log` event of the bus, in memory and on the disk, without secrets. */
import { type Clock, systemClock } from "../../board/ports.ts";
import type { Bus } from "../../bus.ts";
import type { Fault } from "../fault.ts";
import { Fold, type Said } from "./fold.ts";
import { everything, type LogFilter, type LogLine, type LogPage, type LogSource, type NoPage, passes } from "./line.ts";
import { LogFiles, linesOf } from "./logFiles.ts";
import type { Redact } from "./redactor.ts";
import { type OwnLine, Ring } from "./ring.ts";

export interface LogServiceOptions {
  /** Holds the files. */
  folder: string;
  bus: Bus;
  /** Takes secrets out: of what is said, before anybody hears it, and of a line again before it is given away. */
  redact: Redact;
  /** Further ones: the journal of systemd, the logs of the media processes. */
  sources?: readonly LogSource[];
  clock?: Clock;
  /** The wall clock. */
  now?(): Date;
}

const RING_LINES = 5000;
const RING_BYTES = 2 * 1024 * 1024;
const MESSAGE_MAX = 4096;
const SOURCE_MAX = 40;
/** What is looked at of a message, characters: far more than is kept, so that no secret is cut in two. */
const LOOKED_AT = 64 * 1024;
const LOOK_AT_ONCE = 500;
/** Lines of a download from a source that is not our own. */
const DOWNLOAD_LINES = 20_000;

export class LogService {
  readonly #options: LogServiceOptions;
  readonly #now: () => Date;
  readonly #ring = new Ring(RING_LINES, RING_BYTES);
  readonly #files: LogFiles;
  readonly #fold: Fold;
  #id: number | undefined;
  /** What is said before the number of the last stored line is known. */
  #early: Said[] = [];
  #fault: Fault | undefined;
  #deaf: () => void = () => {};
  #browsing: Promise<unknown> = Promise.resolve();

  constructor(options: LogServiceOptions) {
    const { clock = systemClock, folder } = options;
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    this.#files = new LogFiles({ folder, clock, report: (trouble, lost) => this.#reportDisk(trouble, lost) });
    this.#fold = new Fold(clock, (said) => this.#keep(said));
  }

  /** Listens from the call on; the bus tells secrets to nobody from then on. Never fails. */
  async start(): Promise<void> {
    const { bus, redact } = this.#options;
    // For all who listen, once.
    bus.redact = (message) => redact(message.slice(0, LOOKED_AT));
    this.#deaf = bus.on("log", ({ level, source, message }) => {
      const short = message.length > MESSAGE_MAX ? `${message.slice(0, MESSAGE_MAX)} …` : message;
      this.#fold.say({ level, source: source.slice(0, SOURCE_MAX), message: short });
    });
    this.#id = await this.#files.start();
    for (const said of this.#early.splice(0)) this.#keep(said);
  }

  /** Writes what is left. */
  async stop(): Promise<void> {
    this.#deaf();
    this.#fold.flush();
    await this.#files.stop();
  }

  /** What is wrong with the log itself. */
  faults(): Fault[] {
    return this.#fault === undefined ? [] : [this.#fault];
  }

  /** The names that a filter can have as its source, beside those of the parts of the box. */
  async sources(): Promise<string[]> {
    return (await Promise.all((this.#options.sources ?? []).map((source) => source.list()))).flat();
  }

  /**
   * Lines newest first.
   * @param before cursor of the line before which they are to be; the newest where it is left out
   * @param limit most of them, up to 1000
   */
  async browse(filter: LogFilter, before: string | undefined, limit: number): Promise<LogPage | NoPage> {
    const page = await (await this.#pageOf(filter))(before, limit);
    if ("failed" in page) return page;
    return { ...page, lines: page.lines.map((line) => ({ ...line, message: this.#options.redact(line.message) })) };
  }

  /** All that is kept, oldest first; from the disk as it goes. A source that cannot be read gives one line that says so. */
  async *all(filter: LogFilter = everything): AsyncGenerator<LogLine> {
    const other = await this.#sourceOf(filter.source);
    const lines =
      other === undefined ? this.#own(filter) : fromPage(await other.page(filter, undefined, DOWNLOAD_LINES));
    for await (const line of lines) yield { ...line, message: this.#options.redact(line.message) };
  }

  async *#own(filter: LogFilter): AsyncGenerator<LogLine> {
    const inMemory = this.#ring.list();
    const wanted = passes(filter);
    let last = 0;
    const next = (line: OwnLine): LogLine[] => {
      if (line.id <= last) return [];
      last = line.id;
      const shown = toLine(line);
      return wanted(shown) ? [shown] : [];
    };
    for await (const text of this.#files.texts("oldest-first")) {
      for (const line of linesOf(text, "oldest-first")) yield* next(line);
    }
    for (const line of inMemory) yield* next(line);
  }

  async #pageOf(filter: LogFilter): Promise<(before: string | undefined, limit: number) => Promise<LogPage | NoPage>> {
    const other = await this.#sourceOf(filter.source);
    if (other !== undefined) return (before, limit) => other.page(filter, before, limit);
    return (before, limit) => {
      // One after the other: looking through the files costs time that the supervisor has other uses for.
      const page = this.#browsing.then(() => this.#ownPage(filter, before, limit));
      this.#browsing = page.catch(() => undefined);
      return page;
    };
  }

  async #ownPage(filter: LogFilter, before: string | undefined, limit: number): Promise<LogPage | NoPage> {
    if (before !== undefined && !/^\d{1,15}$/.test(before))
      return { failed: "that is no cursor of this log", cursor: true };
    const wanted = passes(filter);
    const lines: LogLine[] = [];
    let reached = before === undefined ? Number.POSITIVE_INFINITY : Number(before);
    const take = (line: OwnLine): boolean => {
      reached = line.id;
      const shown = toLine(line);
      if (wanted(shown)) lines.push(shown);
      return lines.length >= limit;
    };
    for (const line of this.#ring.newestFirst(reached)) if (take(line)) return { lines, next: String(reached) };
    reached = Math.min(reached, this.#ring.oldest);
    let looked = 0;
    for await (const text of this.#files.texts("newest-first")) {
      for (const line of linesOf(text, "newest-first")) {
        // A file has thousands: others get their turn in between.
        if (++looked % LOOK_AT_ONCE === 0) await new Promise(setImmediate);
        if (line.id < reached && take(line)) return { lines, next: String(reached) };
      }
    }
    return { lines, next: null };
  }

  async #sourceOf(name: string): Promise<LogSource | undefined> {
    if (name === "") return undefined;
    for (const source of this.#options.sources ?? []) {
      if ((await source.list()).includes(name)) return source;
    }
    return undefined;
  }

  #keep(said: Said): void {
    if (this.#id === undefined) {
      if (this.#early.length < RING_LINES) this.#early.push(said);
      return;
    }
    const line = { id: ++this.#id, time: this.#now().toISOString(), ...said };
    this.#ring.push(line);
    this.#files.append(line);
  }

  #reportDisk(trouble: string, lost: number): void {
    if (trouble !== "") {
      const message = `the log cannot be stored: ${trouble}`;
      this.#fault = { id: "logs:disk", severity: "warning", message, since: this.#now().toISOString() };
      this.#options.bus.emit("log", { level: "warning", source: "logs", message });
      return;
    }
    this.#fault = undefined;
    const message = `the log is stored again${lost === 0 ? "" : `; ${lost} lines were lost`}`;
    this.#options.bus.emit("log", { level: "info", source: "logs", message });
  }
}

function toLine({ id, ...line }: OwnLine): LogLine {
  return { cursor: String(id), ...line };
}

function fromPage(page: LogPage | NoPage): LogLine[] {
  if (!("failed" in page)) return page.lines.reverse();
  return [{ cursor: "", time: null, level: "error", source: "logs", message: page.failed }];
}
