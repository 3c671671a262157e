/** The backups that are kept on the box: `backups/<box>-<date>-<time>.json`, in the time zone of the box. */
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { type BackupFile, fromBytes, toBytes } from "../../config/backup/format.ts";
import { type FilePort, files as realFiles } from "../../config/files.ts";
import { localTime } from "../localTime.ts";

/** One backup on the box. */
export interface KeptBackup {
  name: string;
  /** ISO 8601. */
  created: string;
  /** Name of the box when it was made. */
  box: string;
  firmware: string;
  bytes: number;
  /** Whether it holds secrets, encrypted. */
  secrets: boolean;
}

const NAME = /^[a-z0-9-]{1,40}-\d{4,6}-\d{2}-\d{2}-\d{6}(-\d{1,3})?\.json$/;
/** Files that are looked at, at most; `keep` is far below. */
const MAX_FILES = 200;

export class BackupFolder {
  readonly #folder: string;
  readonly #files: FilePort;
  /** Oldest first; what is not our file, or is damaged, is not among them. */
  readonly #kept = new Map<string, KeptBackup>();

  constructor(folder: string, files: FilePort = realFiles) {
    this.#folder = folder;
    this.#files = files;
  }

  /** Looks what is there, and sweeps what a power cut has left. Rejects when the folder cannot be used. */
  async start(): Promise<void> {
    this.#kept.clear();
    await this.#files.makeFolder(this.#folder);
    await this.#files.syncFolder(dirname(this.#folder));
    const names = await this.#files.list(this.#folder);
    for (const name of names.filter((one) => one.endsWith(".tmp"))) {
      await this.#files.remove(this.#path(name)).catch(() => undefined);
    }
    const found: KeptBackup[] = [];
    for (const name of names.filter(isName).slice(0, MAX_FILES)) {
      const bytes = await this.#files.read(this.#path(name)).catch(() => undefined);
      const read = bytes === undefined ? undefined : fromBytes(bytes);
      if (bytes !== undefined && read?.ok) found.push(describe(name, bytes, read.backup));
    }
    found.sort(byAge);
    for (const kept of found) this.#kept.set(kept.name, kept);
  }

  /** Newest first. */
  list(): KeptBackup[] {
    return [...this.#kept.values()].reverse();
  }

  has(name: string): boolean {
    return this.#kept.has(name);
  }

  /** Undefined when there is no such backup any more. */
  async read(name: string): Promise<Uint8Array | undefined> {
    if (!this.#kept.has(name)) return undefined;
    return await this.#files.read(this.#path(name)).catch(() => undefined);
  }

  /** Returns when the backup is on the medium, and the oldest are gone: `keep` stay. */
  async add(backup: BackupFile, zone: string, keep: number): Promise<KeptBackup> {
    const bytes = toBytes(backup);
    const name = this.#freeName(backup, zone);
    const temporary = `${name}.${randomBytes(4).toString("hex")}.tmp`;
    try {
      const file = await this.#files.create(this.#path(temporary));
      try {
        await file.write(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await this.#files.rename(this.#path(temporary), this.#path(name));
      await this.#files.syncFolder(this.#folder);
    } catch (error) {
      await this.#files.remove(this.#path(temporary)).catch(() => undefined);
      throw error;
    }
    const kept = describe(name, bytes, backup);
    this.#kept.set(name, kept);
    // The one just made stays, even when the clock was wrong and says that it is the oldest.
    const others = [...this.#kept.keys()].filter((other) => other !== name);
    for (const old of others.slice(0, Math.max(0, others.length + 1 - keep))) await this.remove(old);
    return kept;
  }

  /** False when there is no such backup. */
  async remove(name: string): Promise<boolean> {
    if (!this.#kept.delete(name)) return false;
    await this.#files.remove(this.#path(name)).catch(() => undefined);
    await this.#files.syncFolder(this.#folder);
    return true;
  }

  #freeName({ box, created }: BackupFile, zone: string): string {
    const { year, month, day, hour, minute, second } = localTime(new Date(created), zone);
    const two = (value: number): string => String(value).padStart(2, "0");
    const time = `${two(hour)}${two(minute)}${two(second)}`;
    const base = `${slug(box)}-${String(year).padStart(4, "0")}-${two(month)}-${two(day)}-${time}`;
    let name = `${base}.json`;
    for (let n = 2; this.#kept.has(name); n++) name = `${base}-${n}.json`;
    return name;
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}

/** Whether it is a name that this folder gives: nothing else is ever read or removed. */
export function isName(name: string): boolean {
  return NAME.test(name);
}

function describe(name: string, bytes: Uint8Array, backup: BackupFile): KeptBackup {
  const { created, box, firmware, secrets } = backup;
  return {
    name,
    created,
    box: box.slice(0, 60),
    firmware: firmware.slice(0, 60),
    bytes: bytes.length,
    secrets: secrets !== undefined,
  };
}

/** Of the same second, the shorter name came first. */
function byAge(a: KeptBackup, b: KeptBackup): number {
  if (a.created !== b.created) return a.created < b.created ? -1 : 1;
  return a.name.length - b.name.length || (a.name < b.name ? -1 : 1);
}

function slug(box: string): string {
  const plain = box.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  const name = plain.replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "");
  return name.slice(0, 40).replace(/-+$/, "") || "box";
}
