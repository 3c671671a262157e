/**
 * The audit log: every change, who made it and from where, for good. In its folder, all readable by the supervisor alone:
 * - `audit-<number of its first record>.jsonl`: segments, one record a line, chained (chain.ts).
 * - `head.json`: the number and hash of the last record that is certainly on the medium, sealed with the key.
 * - `key.json`: the key.
 *
 * Whoever has the key, or puts the whole folder back as it once was, can forge it: export it where that matters.
 */

import type { Bus } from "../../bus.ts";
import { discard, replaceFile, TEMPORARY } from "../../config/atomicFile.ts";
import type { Timers } from "../../config/timers.ts";
import type { AuditEvent, AuditRecorder } from "../record.ts";
import { type AuditEntry, BOX, bounded, firstOf, GENESIS, readLine, sealHead } from "./chain.ts";
import { type AuditCheck, checkLog } from "./check.ts";
import { isMissing, type LogFiles, logFiles } from "./files.ts";
import { AuditKey } from "./key.ts";
import { findEnd, HEAD, readHead } from "./recovery.ts";
import { AuditWriter } from "./writer.ts";

export interface AuditLogOptions {
  folder: string;
  bus: Bus;
  clock: Pick<Timers, "after">;
  files?: LogFiles;
  now?(): Date;
  /** Size at which a new segment is begun, bytes; the default is 1 MiB. */
  segmentBytes?: number;
  /** How many segments are kept; the default is 64. */
  segments?: number;
}

export interface AuditQuery {
  /** Only records with a lower number. */
  before?: number;
  /** How many at the most, 1 to 200; the default is 50. */
  limit?: number;
  /** Part of the user's name or address. */
  who?: string;
  /** Part of what was done, or to what. */
  what?: string;
}

export interface AuditPage {
  /** Newest first. */
  records: AuditEntry[];
  /** What to ask for with `before` to go on; null: that was all. There may be more even when `records` is short. */
  next: number | null;
}

/** How long a record may wait to be on the medium, ms. */
const SYNC_MS = 200;
/** How long after a failed write the next one is tried, ms. */
const RETRY_MS = 5000;
/** Events that wait while the disk does not take them. */
const MAX_WAITING = 1000;
/** Records that are written in one go. */
const BATCH = 100;
/** Segments that one page may look through. */
const SEGMENTS_A_PAGE = 8;

export class AuditLog implements AuditRecorder {
  readonly #options: AuditLogOptions;
  readonly #files: LogFiles;
  readonly #now: () => Date;
  #writer: AuditWriter | undefined;
  #key: Uint8Array = Buffer.alloc(0);
  #waiting: Omit<AuditEntry, "seq">[] = [];
  #dropped = 0;
  #work: Promise<void> = Promise.resolve();
  #pumping = false;
  #failing = false;
  #checking: Promise<AuditCheck> | undefined;
  #cancelSync: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#files = options.files ?? logFiles;
    this.#now = options.now ?? (() => new Date());
  }

  /**
   * Finds the log's end. Never rejects: what is wrong is told in the log of the box and, if it can be written, recorded.
   * Events may be recorded before; they wait.
   */
  async start(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      this.#tell("error", `the audit log cannot be opened: ${describe(error)}`);
      return;
    }
    this.#pump();
  }

  /** Returns when all that was recorded is on the medium, or cannot get there. */
  async stop(): Promise<void> {
    await this.flush();
    this.#cancelRetry?.();
    await this.#writer?.close().catch(() => undefined);
    this.#writer = undefined;
  }

  record(event: AuditEvent): void {
    try {
      if (this.#waiting.length >= MAX_WAITING) {
        this.#dropped++;
        return;
      }
      // A copy of its own: the event's values may go on changing.
      const entry = { time: this.#now().toISOString(), ...bounded(event) };
      this.#waiting.push(JSON.parse(JSON.stringify(entry)) as typeof entry);
      this.#pump();
    } catch (error) {
      this.#tell("error", `an event could not be recorded: ${describe(error)}`);
    }
  }

  /** Returns when all that was recorded so far is on the medium, or a write has failed. */
  async flush(): Promise<void> {
    await this.#written();
    await this.#sync();
  }

  /** Number of the newest record; 0 when there is none. */
  get last(): number {
    return this.#writer?.end.seq ?? 0;
  }

  /** A page of the records, newest first. They are as they stand there; `check` tells whether they are to be trusted. */
  async list({
    before = Number.MAX_SAFE_INTEGER,
    limit = 50,
    who = "",
    what = "",
  }: AuditQuery = {}): Promise<AuditPage> {
    await this.#written();
    const records: AuditEntry[] = [];
    const wanted = Math.min(Math.max(1, limit), 200);
    const segments = (this.#writer?.segments ?? []).filter((name) => (firstOf(name) ?? 0) < before).reverse();
    for (const [index, name] of segments.entries()) {
      if (index >= SEGMENTS_A_PAGE) return { records, next: firstOf(segments[index - 1] ?? "") ?? null };
      const text = await this.#read(name);
      for (const line of text.split("\n").reverse()) {
        const record = readLine(line);
        if (record === undefined || record.seq >= before || !fits(record, who, what)) continue;
        if (records.length === wanted) return { records, next: records.at(-1)?.seq ?? null };
        const { prev: _, hash: __, ...entry } = record;
        records.push(entry);
      }
    }
    return { records, next: null };
  }

  /** Every record as it is stored, oldest first, as lines of JSON. */
  async *export(): AsyncGenerator<Uint8Array> {
    await this.#written();
    const { segments = [], bytes } = this.#writer ?? {};
    const last = segments.at(-1);
    for (const name of [...segments]) {
      try {
        const content = await this.#files.read(`${this.#options.folder}/${name}`);
        yield name === last ? content.subarray(0, bytes ?? content.length) : content;
      } catch (error) {
        // Whoever takes long may find the oldest removed meanwhile.
        if (!isMissing(error)) throw error;
      }
    }
  }

  /** Holds every record against the chain, and the chain's end against the noted one. Rejects when the log is not running. */
  check(): Promise<AuditCheck> {
    // It reads all there is: whoever asks while it does so gets the same answer.
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #check(): Promise<AuditCheck> {
    await this.flush();
    const writer = this.#writer;
    if (writer === undefined) throw new Error("the audit log is not running");
    const release = writer.hold();
    try {
      const { files, folder, key } = { files: this.#files, folder: this.#options.folder, key: this.#key };
      const { noted, bytes } = writer;
      const found = await readHead(files, folder, key);
      // One that was put back to an older state is as wrong as a forged one.
      const isOurs = typeof found === "object" && found.seq >= noted.seq;
      const head = isOurs ? noted : undefined;
      return await checkLog({ files, folder, key, head, ...(bytes === undefined ? {} : { lastBytes: bytes }) });
    } finally {
      release();
    }
  }

  async #open(): Promise<void> {
    const { folder, segmentBytes = 1024 * 1024, segments = 64 } = this.#options;
    const [files, now] = [this.#files, this.#now];
    await files.makeFolder(folder);
    const unfinished = (await files.list(folder)).filter(
      (name) => name.startsWith("head.") && name.endsWith(TEMPORARY),
    );
    await discard(files, folder, unfinished);
    const report = ({ file, what, action }: { file: string; what: string; action: string }): void =>
      this.#tell("warning", `${file} ${what}: ${action}`);
    const store = new AuditKey({ folder, files, report, now });
    const known = await store.read();
    this.#key = known ?? store.make();
    let found = await findEnd(files, folder, this.#key);
    if (known === undefined) {
      const isNew = found.segments.length === 0;
      // The note comes before the key: a key without a note then always means that the note was taken away.
      await replaceFile(files, folder, HEAD, "head", sealHead(this.#key, isNew ? GENESIS : found.end));
      await store.keep(this.#key, now());
      const damage = "its key is gone: what was recorded before this cannot be checked";
      found = isNew ? { ...found, end: GENESIS, next: 1, damage: undefined } : { ...found, damage };
    }
    const { torn, damage, bytes } = found;
    if (torn > 0) await files.truncate(`${folder}/${found.segments.at(-1)}`, bytes ?? 0);
    this.#writer = new AuditWriter({
      ...{ files, folder, key: this.#key, segmentBytes },
      maxSegments: segments,
      found,
    });
    const note = (what: string, detail: string): void => {
      this.#waiting.unshift({ time: now().toISOString(), who: BOX, what, target: "audit", result: "done", detail });
    };
    if (torn > 0) note("auditRecovered", `The power went during a write: ${torn} unfinished bytes were cut off`);
    if (damage !== undefined) {
      note("auditDamaged", `The log is not as it was written: ${damage}`);
      this.#tell("error", `the audit log is not as it was written: ${damage}`);
    }
  }

  /** Writes what waits, unless that is being done. */
  #pump(): void {
    if (this.#pumping || this.#failing || this.#writer === undefined) return;
    this.#pumping = true;
    this.#work = this.#work
      .then(() => this.#write())
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#pumping = false;
        if (this.#waiting.length > 0) this.#pump();
      });
  }

  async #write(): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) return;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH);
      await writer.append(batch, this.#now);
      this.#waiting.splice(0, batch.length);
      if (this.#dropped > 0) {
        const detail = `${this.#dropped} events were lost, because the disk did not take them`;
        this.#dropped = 0;
        this.#waiting.push({
          time: this.#now().toISOString(),
          who: BOX,
          what: "auditLost",
          target: "audit",
          result: "failed",
          detail,
        });
      }
      this.#cancelSync ??= this.#options.clock.after(SYNC_MS, () => void this.#sync());
    }
  }

  /** Returns when all that waits is written, or a write has failed. */
  async #written(): Promise<void> {
    do await this.#work;
    while (this.#pumping);
  }

  #sync(): Promise<void> {
    this.#cancelSync?.();
    this.#cancelSync = undefined;
    this.#work = this.#work.then(() => this.#writer?.sync()).catch((error: unknown) => this.#failed(error));
    return this.#work;
  }

  #failed(error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#tell("error", `the audit log cannot be written, ${this.#waiting.length} events wait: ${describe(error)}`);
    this.#cancelRetry = this.#options.clock.after(RETRY_MS, () => {
      this.#failing = false;
      this.#pump();
      void this.#sync();
    });
  }

  async #read(name: string): Promise<string> {
    const bytes = await this.#files.read(`${this.#options.folder}/${name}`).catch(() => Buffer.alloc(0));
    return Buffer.from(bytes).toString("utf8");
  }

  #tell(level: "warning" | "error", message: string): void {
    this.#options.bus.emit("log", { level, source: "audit", message });
  }
}

function fits({ who, what, target }: AuditEntry, whoPart: string, whatPart: string): boolean {
  const has = (part: string, ...texts: string[]): boolean =>
    part === "" || texts.some((text) => text.toLowerCase().includes(part.toLowerCase()));
  return has(whoPart, who.name, who.address) && has(whatPart, what, target);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
