/**
 * The log on the disk: JSON lines in files that are put aside when they are full. Lines are written in batches, behind the
 * back of who says them; a disk that is full or read-only is told once, and tried again.
 */
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../board/ports.ts";
import { levels } from "./line.ts";
import type { OwnLine } from "./ring.ts";

/** How long lines wait for others, ms. */
const BATCH_MS = 1000;
/** How long a disk that fails is left alone, ms. */
const RETRY_MS = 30_000;
/** Most of what waits to be written, characters. */
const WAITING_MAX = 1024 * 1024;

export interface LogFilesOptions {
  folder: string;
  clock: Clock;
  /** Bytes of one file; it may have one batch more. */
  fileMax?: number;
  /** How many files are kept. */
  files?: number;
  /** Told when the disk begins to fail, and when it works again ("", with how many lines were lost). Called once each time. */
  report(trouble: string, lost: number): void;
}

export class LogFiles {
  readonly #options: Required<LogFilesOptions>;
  #waiting: string[] = [];
  #waitingLength = 0;
  #lost = 0;
  #trouble = "";
  #cancel: (() => void) | undefined;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: LogFilesOptions) {
    this.#options = { fileMax: 1024 * 1024, files: 8, ...options };
  }

  /** Gives the number of the last line that was stored, 0 where there is none. Never fails. */
  async start(): Promise<number> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 }).catch(() => undefined);
    for await (const text of this.texts("newest-first")) {
      for (const line of linesOf(text, "newest-first")) return line.id;
    }
    return 0;
  }

  /** Keeps the line for the next batch. */
  append(line: OwnLine): void {
    const text = `${JSON.stringify(line)}\n`;
    if (this.#waitingLength + text.length > WAITING_MAX) {
      this.#lost++;
      return;
    }
    this.#waiting.push(text);
    this.#waitingLength += text.length;
    this.#cancel ??= this.#options.clock.after(this.#trouble === "" ? BATCH_MS : RETRY_MS, () => void this.flush());
  }

  /** Writes what waits, and nothing after that. */
  async stop(): Promise<void> {
    await this.flush();
    this.#cancel?.();
  }

  /** Writes what waits. Never rejects. */
  flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    const work = this.#work.then(() => this.#write());
    this.#work = work;
    return work;
  }

  /**
   * The files as they are now, each as text: they are opened at once, so that none is missed when they move on meanwhile.
   * A file that cannot be read is left out.
   */
  async *texts(order: "newest-first" | "oldest-first"): AsyncGenerator<string> {
    const numbers = Array.from({ length: this.#options.files }, (_, i) => i);
    const opened = await Promise.all(numbers.map((n) => open(this.#path(n), "r").catch(() => undefined)));
    const handles = opened.filter((handle) => handle !== undefined);
    if (order === "oldest-first") handles.reverse();
    try {
      for (const handle of handles) {
        const text = await read(handle, 2 * this.#options.fileMax).catch(() => "");
        if (text !== "") yield text;
      }
    } finally {
      await Promise.all(handles.map((handle) => handle.close().catch(() => undefined)));
    }
  }

  async #write(): Promise<void> {
    const [lines, length] = [this.#waiting, this.#waitingLength];
    if (lines.length === 0) return;
    this.#waiting = [];
    this.#waitingLength = 0;
    try {
      await this.#append(lines.join(""));
      if (this.#trouble !== "") {
        this.#trouble = "";
        const lost = this.#lost;
        this.#lost = 0;
        this.#options.report("", lost);
      }
    } catch (error) {
      // They wait for the next try, before those that have come meanwhile.
      this.#waiting = [...lines, ...this.#waiting];
      this.#waitingLength += length;
      const first = this.#trouble === "";
      this.#trouble = error instanceof Error ? error.message : String(error);
      if (first) this.#options.report(this.#trouble, 0);
      this.#cancel ??= this.#options.clock.after(RETRY_MS, () => void this.flush());
    }
  }

  async #append(text: string): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    let file = await open(this.#path(0), "a+", 0o600);
    try {
      let { size } = await file.stat();
      if (size > 0 && size + Buffer.byteLength(text) > this.#options.fileMax) {
        await file.close();
        await this.#rotate();
        file = await open(this.#path(0), "a+", 0o600);
        size = 0;
      }
      const torn = size > 0 && !(await endsLine(file, size));
      // After a power cut or a full disk the last line may be half a line: the next one must not be glued to it.
      await file.appendFile(`${torn ? "\n" : ""}${text}`);
    } finally {
      await file.close().catch(() => undefined);
    }
  }

  async #rotate(): Promise<void> {
    await rm(this.#path(this.#options.files - 1), { force: true });
    for (let n = this.#options.files - 2; n >= 0; n--) {
      await rename(this.#path(n), this.#path(n + 1)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    }
  }

  #path(n: number): string {
    return join(this.#options.folder, n === 0 ? "steadycast.jsonl" : `steadycast.${n}.jsonl`);
  }
}

/** The lines that a file's text holds; what is not a line of ours, such as one that was cut off, is left out. */
export function* linesOf(text: string, order: "newest-first" | "oldest-first"): Generator<OwnLine> {
  const rows = text.split("\n");
  if (order === "newest-first") rows.reverse();
  for (const row of rows) {
    const line = toLine(row);
    if (line !== undefined) yield line;
  }
}

function toLine(row: string): OwnLine | undefined {
  if (row === "") return undefined;
  try {
    const { id, time, level, source, message, count } = JSON.parse(row) as OwnLine;
    if (!Number.isSafeInteger(id) || typeof time !== "string" || !levels.includes(level)) return undefined;
    if (typeof source !== "string" || typeof message !== "string") return undefined;
    return { id, time, level, source, message, ...(Number.isSafeInteger(count) ? { count: count as number } : {}) };
  } catch {
    return undefined;
  }
}

async function endsLine(file: FileHandle, size: number): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 1 && buffer[0] === 0x0a;
}

/** Its end, when it is longer than `max`. */
async function read(file: FileHandle, max: number): Promise<string> {
  const { size } = await file.stat();
  const buffer = Buffer.alloc(Math.min(size, max));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
  return buffer.subarray(0, bytesRead).toString("utf8");
}
