/** Writes the segments of an audit log, and the note of its end. Its owner calls one method at a time. */
import { replaceFile } from "../../config/atomicFile.ts";
import type { WritableFile } from "../../config/files.ts";
import {
  type AuditEntry,
  BOX,
  type Link,
  linesOf,
  type Removal,
  seal,
  sealHead,
  segmentName,
  unseal,
} from "./chain.ts";
import { isMissing, type LogFiles } from "./files.ts";
import { type Found, HEAD } from "./recovery.ts";

export interface AuditWriterOptions {
  files: LogFiles;
  folder: string;
  key: Uint8Array;
  segmentBytes: number;
  maxSegments: number;
  found: Found;
}

export class AuditWriter {
  readonly #options: AuditWriterOptions;
  readonly #segments: string[];
  #end: Link;
  #next: number;
  /** Of the last segment that are written; undefined: a new one is to be begun. */
  #bytes: number | undefined;
  #noted: Link;
  #file: WritableFile | undefined;
  /** Whether bytes behind `#bytes` may be in the file, from a write that failed. */
  #unclean = false;
  #unsynced = false;
  #holds = 0;

  constructor(options: AuditWriterOptions) {
    const { segments, end, next, bytes } = options.found;
    this.#options = options;
    this.#segments = [...segments];
    this.#end = end;
    this.#next = next;
    this.#bytes = bytes;
    // What was found may be written and not yet on the medium.
    this.#unsynced = bytes !== undefined;
    this.#noted = end;
  }

  get end(): Link {
    return this.#end;
  }

  /** What was last noted to be on the medium. */
  get noted(): Link {
    return this.#noted;
  }

  get segments(): readonly string[] {
    return this.#segments;
  }

  /** Bytes of the last segment that are whole records; undefined: all that is there, for it is not written any more. */
  get bytes(): number | undefined {
    return this.#bytes;
  }

  /** Keeps all segments until the function that it returns is called. */
  hold(): () => void {
    this.#holds++;
    return () => void this.#holds--;
  }

  /** Writes records at the end: all of them, or none and it rejects. */
  async append(entries: readonly Omit<AuditEntry, "seq">[], now: () => Date): Promise<void> {
    if (this.#bytes === undefined || this.#bytes >= this.#options.segmentBytes) await this.#beginSegment();
    if (this.#holds === 0 && this.#segments.length > this.#options.maxSegments) await this.#removeOldest(now());
    await this.#write(entries);
  }

  async #write(entries: readonly Omit<AuditEntry, "seq">[]): Promise<void> {
    const { key } = this.#options;
    let [end, next] = [this.#end, this.#next];
    const lines = entries.map((entry) => {
      const sealed = seal(key, { seq: next, ...entry }, end);
      ({ end } = sealed);
      next = end.seq + 1;
      return sealed.line;
    });
    const bytes = Buffer.from(lines.join(""));
    const file = await this.#open();
    this.#unclean = true;
    await file.write(bytes);
    this.#unclean = false;
    this.#unsynced = true;
    this.#bytes = (this.#bytes ?? 0) + bytes.length;
    [this.#end, this.#next] = [end, next];
  }

  /** Returns when all that was written is on the medium, and noted. */
  async sync(): Promise<void> {
    if (!this.#unsynced) return;
    const { files, folder, key } = this.#options;
    const end = this.#end;
    await (await this.#open()).sync();
    await replaceFile(files, folder, HEAD, "head", sealHead(key, end));
    this.#noted = end;
    this.#unsynced = false;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #open(): Promise<WritableFile> {
    const { files, folder } = this.#options;
    const path = `${folder}/${this.#segments.at(-1)}`;
    if (this.#unclean) {
      await this.close();
      await files.truncate(path, this.#bytes ?? 0);
      this.#unclean = false;
    }
    this.#file ??= await files.append(path);
    return this.#file;
  }

  async #beginSegment(): Promise<void> {
    const { files, folder } = this.#options;
    // What is noted never lies behind a segment that is not on the medium.
    if (this.#bytes !== undefined) await this.sync();
    await this.close();
    const name = segmentName(this.#next);
    const file = await files.append(`${folder}/${name}`);
    try {
      await files.syncFolder(folder);
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#file = file;
    this.#unclean = false;
    if (this.#segments.at(-1) !== name) this.#segments.push(name);
    this.#bytes = 0;
  }

  /** The chain says where it begins now, before the file goes. */
  async #removeOldest(now: Date): Promise<void> {
    const { files, folder, key } = this.#options;
    const [oldest = "", second = ""] = this.#segments;
    const removed = await this.#beginning(`${folder}/${second}`, key);
    const detail = `The oldest records were removed to make room${removed === undefined ? "" : `, up to ${removed.through}`}`;
    const entry = {
      time: now.toISOString(),
      who: BOX,
      what: "auditRemoved",
      target: oldest,
      result: "done",
      detail,
    } as const;
    await this.#write([{ ...entry, ...(removed === undefined ? {} : { removed }) }]);
    await this.sync();
    await files.remove(`${folder}/${oldest}`).catch((error: unknown) => {
      if (!isMissing(error)) throw error;
    });
    this.#segments.shift();
    await files.syncFolder(folder);
  }

  /** What lies before a segment, by its first record; undefined when that is damaged. */
  async #beginning(path: string, key: Uint8Array): Promise<Removal | undefined> {
    const line = linesOf(await this.#options.files.read(path)).lines[0];
    const opened = line === undefined ? undefined : unseal(key, line);
    if (opened === undefined || "wrong" in opened) return undefined;
    return { through: opened.record.seq - 1, hash: opened.record.prev };
  }
}
