/**
 * A JSON document on disk that survives power cuts, damage and full disks: lowdb's adapter.
 *
 * Files in its folder, for the name `config`:
 * - `config.json`: the document in force.
 * - `config.last-good.json`: a second copy, replaced only after the first is verified and on the medium.
 * - `config.version-<n>.json`: the last document of an older schema version, kept by a migration, so that an older
 *   firmware which takes over again finds a document that it understands.
 * - `config.damaged-<time>.json`: up to five files that could not be used, for whoever wants to look.
 * - `*.tmp`: a write in flight; swept at the next start.
 */
import { join } from "node:path";
import type { Adapter } from "lowdb";
import { discard, replaceFile, TEMPORARY, writeTemporary } from "./atomicFile.ts";
import { type Stored, seal, unseal } from "./envelope.ts";
import { type FilePort, files as realFiles } from "./files.ts";

/** What went wrong with the stored files, and what was done about it. */
export interface StoreProblem {
  /** ISO 8601. */
  when: string;
  file: string;
  /** What is wrong, after the file's name: "is empty". */
  what: string;
  action: string;
}

/** The document could not be written; the one in force, in memory and on disk, is the old one. */
export class StoreError extends Error {
  readonly reason: "disk-full" | "read-only" | "failed";

  constructor(cause: unknown) {
    const code = errorCode(cause);
    const reason = code === "ENOSPC" || code === "EDQUOT" ? "disk-full" : code === "EROFS" ? "read-only" : "failed";
    const words = { "disk-full": "the disk is full", "read-only": "the disk is read-only", failed: describe(cause) };
    super(`could not be stored: ${words[reason]}`, { cause });
    this.reason = reason;
  }
}

/** Whether a document of a file can be used. `from` is set when it had to be migrated from that schema version. */
export type Check<T> = (document: unknown) => { ok: true; document: T; from?: number } | { ok: false; what: string };

export interface DurableFileOptions<T> {
  folder: string;
  /** Base name of the files. */
  name: string;
  check: Check<T>;
  report(problem: StoreProblem): void;
  /** What is used when there are files and none of them can be: the best of other copies. Never rejects. */
  spare?(): Promise<{ file: string; stored: Stored<T> } | undefined>;
  files?: FilePort;
  now?(): Date;
}

type Usable<T> = { state: "usable"; bytes: Uint8Array; stored: Stored<T>; edited: boolean; from?: number };
type Found<T> = Usable<T> | { state: "missing" } | { state: "damaged"; what: string };

const MAX_DAMAGED = 5;

export class DurableJsonFile<T> implements Adapter<Stored<T>> {
  readonly #folder: string;
  readonly #name: string;
  readonly #check: Check<T>;
  readonly #report: (file: string, what: string, action: string) => void;
  readonly #spare: NonNullable<DurableFileOptions<T>["spare"]>;
  readonly #files: FilePort;
  readonly #now: () => Date;
  #settled = false;

  constructor(options: DurableFileOptions<T>) {
    this.#folder = options.folder;
    this.#name = options.name;
    this.#check = options.check;
    this.#spare = options.spare ?? (async () => undefined);
    this.#files = options.files ?? realFiles;
    this.#now = options.now ?? (() => new Date());
    this.#report = (file, what, action) => options.report({ when: this.#now().toISOString(), file, what, action });
  }

  /** Whether the disk holds what `read` gave; otherwise it wants a `write`. */
  get settled(): boolean {
    return this.#settled;
  }

  /** The best document there is, or null when there is none. Never rejects; what it could not use is reported. */
  async read(): Promise<Stored<T> | null> {
    const names = await this.#prepareFolder();
    const current = `${this.#name}.json`;
    const lastGood = `${this.#name}.last-good.json`;
    const first = await this.#inspect(current);
    if (first.state === "usable") {
      this.#settled = !first.edited && first.from === undefined;
      if (first.edited) this.#report(current, "was edited by hand", "its document is valid and is used");
      else if (this.#settled) await this.#renewLastGood(lastGood, first.bytes);
      return await this.#use(first);
    }

    const unusable = first.state === "damaged" ? [{ file: current, what: first.what }] : [];
    const spares = [
      lastGood,
      ...names
        .filter((name) => this.#isVersionCopy(name))
        .sort()
        .reverse(),
    ];
    let chosen: { file: string; found: Usable<T> } | undefined;
    for (const file of spares) {
      const found = await this.#inspect(file);
      if (found.state === "usable") {
        chosen = { file, found };
        break;
      }
      // A copy that a newer firmware kept for another one is in nobody's way.
      if (found.state === "damaged" && file === lastGood) unusable.push({ file, what: found.what });
    }
    const spare = chosen === undefined && unusable.length > 0 ? await this.#spare() : undefined;
    const source = chosen === undefined ? spare : { file: chosen.file, stored: chosen.found.stored };
    const use =
      source === undefined ? "the default is used" : `${source.file} (revision ${source.stored.revision}) is used`;
    if (chosen !== undefined && first.state === "missing") this.#report(current, "is missing", use);
    for (const { file, what } of unusable) this.#report(file, what, `${await this.#setAside(file)}; ${use}`);
    this.#settled = false;
    return chosen === undefined ? (spare?.stored ?? null) : await this.#use(chosen.found);
  }

  /**
   * Writes both copies. Rejects with StoreError before anything has changed; once the first copy has taken its place,
   * the document is in force and what fails after that is only reported.
   */
  async write(stored: Stored<T>): Promise<void> {
    const bytes = seal(stored);
    const temporary: string[] = [];
    try {
      // Both are on the medium before either takes its place: a full disk is found while nothing has changed.
      temporary.push(await this.#writeTemporary(bytes));
      temporary.push(await this.#writeTemporary(bytes));
      await this.#files.rename(this.#path(temporary[0] as string), this.#path(`${this.#name}.json`));
    } catch (error) {
      await this.#discard(temporary);
      throw new StoreError(error);
    }
    this.#settled = true;
    try {
      await this.#files.syncFolder(this.#folder);
    } catch (error) {
      await this.#discard(temporary.slice(1));
      this.#report(`${this.#name}.json`, `may not survive a power cut: ${describe(error)}`, "it is used all the same");
      return;
    }
    const lastGood = `${this.#name}.last-good.json`;
    try {
      await this.#files.rename(this.#path(temporary[1] as string), this.#path(lastGood));
      await this.#files.syncFolder(this.#folder);
    } catch (error) {
      await this.#discard(temporary.slice(1));
      this.#report(lastGood, ...notRenewed(error));
    }
  }

  async #prepareFolder(): Promise<string[]> {
    try {
      await this.#files.makeFolder(this.#folder);
      const names = await this.#files.list(this.#folder);
      const orphans = names.filter((name) => name.startsWith(`${this.#name}.`) && name.endsWith(TEMPORARY));
      await this.#discard(orphans);
      return names;
    } catch (error) {
      this.#report(".", `the folder cannot be used: ${describe(error)}`, "changes cannot be stored");
      return [];
    }
  }

  async #inspect(file: string): Promise<Found<T>> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#files.read(this.#path(file));
    } catch (error) {
      if (errorCode(error) === "ENOENT") return { state: "missing" };
      return { state: "damaged", what: `cannot be read: ${describe(error)}` };
    }
    const unsealed = unseal(bytes);
    if (!unsealed.ok) return { state: "damaged", what: unsealed.damage };
    const { stored, edited } = unsealed;
    const checked = this.#check(stored.document);
    if (!checked.ok) return { state: "damaged", what: checked.what };
    const from = checked.from === undefined ? {} : { from: checked.from };
    return { state: "usable", bytes, stored: { ...stored, document: checked.document }, edited, ...from };
  }

  /** An edited or a migrated document is a new revision; a migrated one is also kept as it was. */
  async #use({ stored, edited, from, bytes }: Usable<T>): Promise<Stored<T>> {
    if (from !== undefined) {
      const copy = `${this.#name}.version-${from}.json`;
      try {
        await this.#replace(copy, bytes);
      } catch (error) {
        this.#report(copy, `could not be written: ${describe(error)}`, "an older firmware will not find its document");
      }
    }
    if (!edited && from === undefined) return stored;
    const comment = edited ? "edited by hand" : `brought up to date from schema version ${from}`;
    return { revision: stored.revision + 1, saved: stored.saved, comment, document: stored.document };
  }

  async #renewLastGood(lastGood: string, bytes: Uint8Array): Promise<void> {
    const found = await this.#inspect(lastGood);
    if (found.state === "usable" && same(found.bytes, bytes)) return;
    try {
      await this.#replace(lastGood, bytes);
      if (found.state === "damaged") this.#report(lastGood, found.what, "it was renewed from the one in force");
    } catch (error) {
      this.#report(lastGood, ...notRenewed(error));
    }
  }

  #replace(file: string, bytes: Uint8Array): Promise<void> {
    return replaceFile(this.#files, this.#folder, file, this.#name, bytes);
  }

  #writeTemporary(bytes: Uint8Array): Promise<string> {
    return writeTemporary(this.#files, this.#folder, this.#name, bytes);
  }

  async #setAside(file: string): Promise<string> {
    const time = this.#now().toISOString().replaceAll(/[-:.]/g, "");
    try {
      const names = await this.#files.list(this.#folder);
      let target = `${this.#name}.damaged-${time}.json`;
      for (let n = 2; names.includes(target); n++) target = `${this.#name}.damaged-${time}-${n}.json`;
      await this.#files.rename(this.#path(file), this.#path(target));
      const damaged = [...names, target].filter((name) => name.startsWith(`${this.#name}.damaged-`)).sort();
      await this.#discard(damaged.slice(0, -MAX_DAMAGED));
      return `set aside as ${target}`;
    } catch (error) {
      return `could not be set aside (${describe(error)})`;
    }
  }

  #discard(names: string[]): Promise<void> {
    return discard(this.#files, this.#folder, names);
  }

  #isVersionCopy(name: string): boolean {
    return name.startsWith(`${this.#name}.version-`) && name.endsWith(".json");
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

function notRenewed(error: unknown): [what: string, action: string] {
  return [`could not be renewed: ${describe(error)}`, "the configuration is stored without a copy"];
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
