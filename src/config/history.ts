/**
 * The last versions of the configuration, each in a sealed file `history/<revision>.json`. A version is written after it is
 * in force, so a power cut in between leaves one out; the next start adds it.
 */
import { join } from "node:path";
import { discard, replaceFile, TEMPORARY } from "./atomicFile.ts";
import type { Check, StoreProblem } from "./durableFile.ts";
import { checksum, type Stored, seal, unseal } from "./envelope.ts";
import type { FilePort } from "./files.ts";
import type { Config } from "./schema.ts";

/** Versions that are kept. */
export const MAX_VERSIONS = 50;

export interface Version {
  revision: number;
  /** When it came into force, ISO 8601; empty when that is not known. */
  saved: string;
  author: string | null;
  comment: string | null;
}

export interface HistoryOptions {
  /** Of the configuration; the versions are in `history` in it. */
  folder: string;
  check: Check<Config>;
  report(problem: Omit<StoreProblem, "when">): void;
  files: FilePort;
}

const FOLDER = "history";

export class History {
  readonly #parent: string;
  readonly #folder: string;
  readonly #check: Check<Config>;
  readonly #report: HistoryOptions["report"];
  readonly #files: FilePort;
  /** Revisions that have a file. */
  #revisions = new Set<number>();
  readonly #known = new Map<number, Version>();

  constructor({ folder, check, report, files }: HistoryOptions) {
    this.#parent = folder;
    this.#folder = join(folder, FOLDER);
    this.#check = check;
    this.#report = report;
    this.#files = files;
  }

  /** Finds the versions. Never rejects. */
  async start(): Promise<void> {
    this.#known.clear();
    this.#revisions.clear();
    try {
      await this.#files.makeFolder(this.#folder);
      await this.#files.syncFolder(this.#parent);
      const names = await this.#files.list(this.#folder);
      await discard(
        this.#files,
        this.#folder,
        names.filter((name) => name.endsWith(TEMPORARY)),
      );
      this.#revisions = new Set(names.flatMap((name) => revisionOf(name) ?? []));
      await this.#prune();
    } catch (error) {
      this.#tell(FOLDER, `cannot be used: ${describe(error)}`, "versions are not kept");
    }
  }

  /** Of the newest version; 0 when there is none. */
  get newest(): number {
    return Math.max(0, ...this.#revisions);
  }

  /** Whether this very version is in it. */
  async has(stored: Stored<Config>): Promise<boolean> {
    if (!this.#revisions.has(stored.revision)) return false;
    const found = await this.#open(stored.revision);
    return found !== undefined && checksum(found) === checksum(stored);
  }

  /** Adds a version, and removes what is too old. Never rejects: what fails is reported. */
  async add(stored: Stored<Config>): Promise<void> {
    const { revision } = stored;
    const file = fileOf(revision);
    try {
      await replaceFile(this.#files, this.#folder, file, String(revision), seal(stored));
    } catch (error) {
      const action = "the configuration is in force, but not in the history";
      this.#tell(`${FOLDER}/${file}`, `could not be written: ${describe(error)}`, action);
      return;
    }
    this.#revisions.add(revision);
    this.#known.set(revision, versionOf(stored));
    await this.#prune();
  }

  /** Newest first. Damaged ones are reported, removed and left out. */
  async list(): Promise<Version[]> {
    const versions: Version[] = [];
    for (const revision of this.#sorted()) {
      const version = this.#known.get(revision) ?? (await this.#read(revision));
      if (version !== undefined) versions.push(version);
    }
    return versions;
  }

  /** A version as the present schema has it; undefined when there is none that can be used. */
  async get(revision: number): Promise<Stored<Config> | undefined> {
    if (!this.#revisions.has(revision)) return undefined;
    const found = await this.#open(revision);
    if (found === undefined) return undefined;
    const checked = this.#check(found.document);
    return checked.ok ? { ...found, document: checked.document } : undefined;
  }

  /** The newest version that can be used. */
  async best(): Promise<{ file: string; stored: Stored<Config> } | undefined> {
    for (const revision of this.#sorted()) {
      const stored = await this.get(revision);
      if (stored !== undefined) return { file: `${FOLDER}/${fileOf(revision)}`, stored };
    }
    return undefined;
  }

  async #read(revision: number): Promise<Version | undefined> {
    const found = await this.#open(revision);
    if (found === undefined) return undefined;
    const version = versionOf(found);
    this.#known.set(revision, version);
    return version;
  }

  async #open(revision: number): Promise<Stored<unknown> | undefined> {
    const file = fileOf(revision);
    let what: string;
    try {
      const unsealed = unseal(await this.#files.read(join(this.#folder, file)));
      const whole = unsealed.ok && unsealed.stored.revision === revision;
      if (whole) return unsealed.stored;
      what = unsealed.ok ? `holds revision ${unsealed.stored.revision}` : unsealed.damage;
      await discard(this.#files, this.#folder, [file]);
    } catch (error) {
      what = `cannot be read: ${describe(error)}`;
    }
    this.#forget(revision);
    this.#tell(`${FOLDER}/${file}`, what, "it is left out of the history");
    return undefined;
  }

  async #prune(): Promise<void> {
    const old = this.#sorted().slice(MAX_VERSIONS);
    for (const revision of old) this.#forget(revision);
    await discard(this.#files, this.#folder, old.map(fileOf));
  }

  #forget(revision: number): void {
    this.#revisions.delete(revision);
    this.#known.delete(revision);
  }

  #sorted(): number[] {
    return [...this.#revisions].sort((a, b) => b - a);
  }

  #tell(file: string, what: string, action: string): void {
    this.#report({ file, what, action });
  }
}

function fileOf(revision: number): string {
  return `${revision}.json`;
}

function revisionOf(name: string): number | undefined {
  const [, digits] = /^([1-9]\d{0,14})\.json$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function versionOf({ revision, saved, author, comment }: Stored<unknown>): Version {
  return { revision, saved, author: author ?? null, comment: comment ?? null };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
