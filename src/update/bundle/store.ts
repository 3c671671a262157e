/**
 * The folder of the bundle at hand. A bundle is received beside it, checked there, and takes its name only when it is whole
 * and on the medium; whatever else is found at a start is removed.
 */
import { createHash, randomBytes } from "node:crypto";
import { stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { type FilePort, files as realFiles, type WritableFile } from "../../config/files.ts";
import { inWords } from "../results.ts";

export type Received =
  /** `sha256`: "" where it was not wanted. */
  | { ok: true; part: string; size: number; sha256: string }
  | { ok: false; kind: "too-large" | "no-space" | "cut-off" | "cancelled" | "failed"; why: string };

export interface ReceiveOptions {
  /** Bytes that are to come; null: not known. */
  size: number | null;
  /** Most that is taken, bytes. */
  max: number;
  /** How many bytes have come. */
  tell(bytes: number): void;
  signal: AbortSignal;
  /** Whether its SHA-256 is wanted. */
  sum?: boolean;
}

export interface BundleStoreOptions {
  folder: string;
  files?: FilePort;
  /** Bytes that are free for us where the folder is. */
  free?(folder: string): Promise<number>;
  /** Bytes that are left free for all else. */
  reserve?: number;
}

const PART = ".part";
const BUNDLE = /^bundle-[0-9a-f]{8}\.raucb$/;
/** Left for the configuration, logs and backups, bytes. */
const RESERVE = 32 * 1024 * 1024;
/** The medium gets what was written in pieces of this size, so that it never has more than that to do at once. */
const SYNC_EVERY = 8 * 1024 * 1024;
/** What comes is written in pieces of this size. */
const PIECE = 256 * 1024;

export class BundleStore {
  readonly #folder: string;
  readonly #files: FilePort;
  readonly #free: (folder: string) => Promise<number>;
  readonly #reserve: number;

  constructor({ folder, files, free, reserve }: BundleStoreOptions) {
    this.#folder = folder;
    this.#files = files ?? realFiles;
    this.#free = free ?? freeBytes;
    this.#reserve = reserve ?? RESERVE;
  }

  /** Removes all but the bundle of that name; tells whether that one is there. */
  async start(keep: string | undefined): Promise<boolean> {
    await this.#files.makeFolder(this.#folder);
    let kept = false;
    for (const name of await this.#files.list(this.#folder)) {
      if (name === keep) kept = true;
      else if (name.endsWith(PART) || BUNDLE.test(name)) await this.remove(name);
    }
    return kept;
  }

  path(name: string): string {
    return join(this.#folder, name);
  }

  /** How many bytes a bundle may have. */
  async room(): Promise<number> {
    return Math.max(0, (await this.#free(this.#folder)) - this.#reserve);
  }

  /** Bytes of a bundle; undefined when it is not there. */
  async sizeOf(name: string): Promise<number | undefined> {
    return await stat(this.path(name)).then(
      ({ size }) => size,
      () => undefined,
    );
  }

  /** Writes what comes, no faster than the disk takes it. What does not end well leaves nothing behind. */
  async receive(source: AsyncIterable<Uint8Array>, options: ReceiveOptions): Promise<Received> {
    const { size, max, signal } = options;
    if (size !== null && size > max) return tooLarge(max);
    let room = await this.room();
    if (size !== null && size > room) return noSpace(size, room);
    const part = `bundle-${randomBytes(4).toString("hex")}${PART}`;
    let file: WritableFile | undefined;
    const hash = options.sum === true ? createHash("sha256") : undefined;
    let [written, unsynced] = [0, 0];
    const refuse = async (received: Received): Promise<Received> => {
      await file?.close().catch(() => {});
      await this.remove(part);
      return received;
    };
    try {
      file = await this.#files.create(this.path(part));
      for await (const chunk of inPieces(source, options.tell)) {
        signal.throwIfAborted();
        if (written + chunk.length > max) return await refuse(tooLarge(max));
        // What others have written meanwhile counts, too.
        if (unsynced >= SYNC_EVERY) {
          await file.sync();
          unsynced = 0;
          room = written + (await this.room());
        }
        if (written + chunk.length > room) return await refuse(noSpace(size, room));
        await file.write(chunk);
        hash?.update(chunk);
        written += chunk.length;
        unsynced += chunk.length;
      }
      signal.throwIfAborted();
      if (size !== null && written !== size) {
        return await refuse({ ok: false, kind: "cut-off", why: `It ended after ${written} of ${size} bytes` });
      }
      await file.sync();
      await file.close();
      return { ok: true, part, size: written, sha256: hash?.digest("hex") ?? "" };
    } catch (error) {
      return await refuse(signal.aborted ? { ok: false, kind: "cancelled", why: "It was given up" } : failure(error));
    }
  }

  /** Gives what was received its name; returns when that is on the medium. */
  async keep(part: string): Promise<string> {
    const name = part.replace(PART, ".raucb");
    await this.#files.rename(this.path(part), this.path(name));
    await this.#files.syncFolder(this.#folder);
    return name;
  }

  async remove(name: string): Promise<void> {
    await this.#files.remove(this.path(name)).catch(() => {});
  }
}

/** Small parts together: each write costs more than what it writes. */
async function* inPieces(source: AsyncIterable<Uint8Array>, tell: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let [waiting, size]: [Uint8Array[], number] = [[], 0];
  let sum = 0;
  for await (const chunk of source) {
    waiting.push(chunk);
    size += chunk.length;
    sum += chunk.length;
    tell(sum);
    if (size < PIECE) continue;
    yield Buffer.concat(waiting, size);
    [waiting, size] = [[], 0];
  }
  if (size > 0) yield Buffer.concat(waiting, size);
}

function tooLarge(max: number): Received {
  return { ok: false, kind: "too-large", why: `A bundle for this box has at most ${max} bytes` };
}

function noSpace(size: number | null, room: number): Received {
  const needs = size === null ? "The bundle needs more" : `The bundle has ${size} bytes`;
  return { ok: false, kind: "no-space", why: `${needs}, and there is room for ${Math.max(0, room)}` };
}

function failure(error: unknown): Received {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const message = inWords(error);
  if (code === "ENOSPC" || code === "EDQUOT") return { ok: false, kind: "no-space", why: "The disk is full" };
  if (code === "ECONNRESET" || code === "ERR_STREAM_PREMATURE_CLOSE" || message === "aborted") {
    return { ok: false, kind: "cut-off", why: "The connection was cut before all was here" };
  }
  return { ok: false, kind: "failed", why: message };
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
