/**
 * A disk that can lose power or fail at any step. It keeps what POSIX allows it to keep: without fsync of a file any mixture
 * of its old and new blocks, zeros among them; without fsync of the folder any of the renames, creations and removals since.
 */
import { dirname, join, relative } from "node:path";
import type { FilePort, WritableFile } from "../../../src/config/files.ts";
import type { Random } from "../../support/random.ts";

/** Thrown by the step at which the power goes, and by every later one. */
export class PowerCut extends Error {}

interface Inode {
  content: Uint8Array;
  /** What is on the medium for certain. */
  synced: Uint8Array;
  isFolder?: true;
}

type NameChange = { name: string; inode: Inode | undefined };

const BLOCK = 512;

export class SimulatedDisk implements FilePort {
  readonly #names: Map<string, Inode>;
  readonly #syncedNames: Map<string, Inode>;
  #unsynced: NameChange[] = [];
  #steps = 0;
  #cutAt = Number.POSITIVE_INFINITY;
  #failAt = Number.POSITIVE_INFINITY;
  #failures = 0;
  #errno = "";
  /** A disk whose cache lies: fsync returns at once. */
  lying = false;

  /** The first folder that was used; names are told relative to it. */
  #root: string | undefined;

  constructor(names = new Map<string, Inode>(), root?: string) {
    this.#names = names;
    this.#syncedNames = new Map(names);
    this.#root = root;
  }

  /** Steps done so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Whether the power is gone: nobody hears of what was done since. */
  get cut(): boolean {
    return this.#steps >= this.#cutAt;
  }

  /** Cuts the power instead of the nth step from now, counted from 1. */
  cutPowerAt(step: number): void {
    this.#cutAt = this.#steps + step;
  }

  /** Lets the nth step from now and `count − 1` more fail. */
  failAt(step: number, errno: string, count = 1): void {
    this.#failAt = this.#steps + step;
    this.#errno = errno;
    this.#failures = count;
  }

  /** The disk as it may be found after the power cut. */
  afterPowerCut(random: Random): SimulatedDisk {
    const kept = new Map(this.#syncedNames);
    for (const { name, inode } of this.#unsynced) {
      if (random.chance(0.5)) continue;
      if (inode === undefined) kept.delete(name);
      else kept.set(name, inode);
    }
    const found = new Map<string, Inode>();
    for (const [name, inode] of kept) {
      const content = settle(inode, random);
      found.set(name, { ...inode, content, synced: content });
    }
    // What is in a folder that is lost is lost with it.
    for (const name of found.keys()) {
      const folder = dirname(name);
      if (folder !== "." && !found.get(folder)?.isFolder) found.delete(name);
    }
    return new SimulatedDisk(found, this.#root);
  }

  /** What a file holds now; undefined when there is none. */
  contentOf(name: string): Uint8Array | undefined {
    return this.#names.get(name)?.content;
  }

  /** Changes a file behind everyone's back. */
  damage(name: string, content: Uint8Array): void {
    const inode = { content, synced: content };
    this.#names.set(name, inode);
    this.#syncedNames.set(name, inode);
  }

  /** Files in the first folder that was used, or in one within it. */
  names(folder = "."): string[] {
    return [...this.#names]
      .filter(([name, { isFolder }]) => dirname(name) === folder && !isFolder)
      .map(([name]) => relative(folder, name))
      .sort();
  }

  async makeFolder(path: string): Promise<void> {
    this.#step();
    const key = this.#keyOf(join(path, "x"), path);
    const folder = dirname(key);
    if (folder === "." || this.#names.has(folder)) return;
    this.#change(folder, { content: new Uint8Array(), synced: new Uint8Array(), isFolder: true });
  }

  async list(path: string): Promise<string[]> {
    this.#step();
    const folder = dirname(this.#keyOf(join(path, "x"), path));
    if (folder !== "." && !this.#names.has(folder)) throw errno("ENOENT");
    const keys = [...this.#names.keys()].filter((name) => dirname(name) === folder);
    return keys.map((name) => relative(folder, name)).sort();
  }

  async read(path: string): Promise<Uint8Array> {
    this.#step();
    const inode = this.#names.get(this.#keyOf(path));
    if (inode === undefined) throw errno("ENOENT");
    return inode.content;
  }

  async create(path: string): Promise<WritableFile> {
    this.#step();
    const folder = dirname(this.#keyOf(path));
    if (folder !== "." && !this.#names.get(folder)?.isFolder) throw errno("ENOENT");
    if (this.#names.has(this.#keyOf(path))) throw errno("EEXIST");
    const inode: Inode = { content: new Uint8Array(), synced: new Uint8Array() };
    this.#change(this.#keyOf(path), inode);
    return {
      write: async (bytes) => {
        // A write that fails or is cut may have got part of the way.
        inode.content = bytes.slice(0, bytes.length >> 1);
        this.#step();
        inode.content = bytes.slice();
      },
      sync: async () => {
        this.#step();
        if (!this.lying) inode.synced = inode.content;
      },
      close: async () => this.#step(),
    };
  }

  /** Opens a file to write at its end, and makes it when there is none. */
  async append(path: string): Promise<WritableFile> {
    this.#step();
    const found = this.#names.get(this.#keyOf(path));
    const inode: Inode = found ?? { content: new Uint8Array(), synced: new Uint8Array() };
    if (found === undefined) this.#change(this.#keyOf(path), inode);
    return {
      write: async (bytes) => {
        const before = inode.content;
        inode.content = Buffer.concat([before, bytes.subarray(0, bytes.length >> 1)]);
        this.#step();
        inode.content = Buffer.concat([before, bytes]);
      },
      sync: async () => {
        this.#step();
        if (!this.lying) inode.synced = inode.content;
      },
      close: async () => this.#step(),
    };
  }

  /** Cuts a file off, and returns when that is on the medium. */
  async truncate(path: string, bytes: number): Promise<void> {
    this.#step();
    const inode = this.#names.get(this.#keyOf(path));
    if (inode === undefined) throw errno("ENOENT");
    inode.content = inode.content.slice(0, bytes);
    this.#step();
    if (!this.lying) inode.synced = inode.content;
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step();
    if (dirname(from) !== dirname(to)) throw errno("EXDEV");
    const inode = this.#names.get(this.#keyOf(from));
    if (inode === undefined) throw errno("ENOENT");
    this.#change(this.#keyOf(to), inode);
    this.#change(this.#keyOf(from), undefined);
  }

  async remove(path: string): Promise<void> {
    this.#step();
    if (!this.#names.has(this.#keyOf(path))) throw errno("ENOENT");
    this.#change(this.#keyOf(path), undefined);
  }

  async syncFolder(path: string): Promise<void> {
    this.#step();
    if (this.lying) return;
    const folder = dirname(this.#keyOf(join(path, "x"), path));
    const isIn = ({ name }: NameChange): boolean => dirname(name) === folder;
    const done = this.#unsynced.filter(isIn);
    this.#unsynced = this.#unsynced.filter((change) => !isIn(change));
    for (const { name, inode } of done) {
      if (inode === undefined) this.#syncedNames.delete(name);
      else this.#syncedNames.set(name, inode);
    }
  }

  /** The name of a file relative to the first folder that was used. */
  #keyOf(path: string, root = dirname(path)): string {
    this.#root ??= root;
    return relative(this.#root, path);
  }

  #change(name: string, inode: Inode | undefined): void {
    if (inode === undefined) this.#names.delete(name);
    else this.#names.set(name, inode);
    this.#unsynced.push({ name, inode });
  }

  #step(): void {
    this.#steps++;
    if (this.#steps >= this.#cutAt) throw new PowerCut("the power is gone");
    if (this.#steps >= this.#failAt && this.#failures > 0) {
      this.#failures--;
      throw errno(this.#errno);
    }
  }
}

/**
 * What is left of a file: all of the old, all of the new, the new cut off, or any mixture of blocks. What was there before
 * and is the same still, such as the beginning of a file that grows, is never touched.
 */
function settle({ content, synced }: Inode, random: Random): Uint8Array {
  if (Buffer.compare(content, synced) === 0) return content;
  let same = 0;
  while (same < Math.min(content.length, synced.length) && content[same] === synced[same]) same++;
  switch (random.below(4)) {
    case 0:
      return synced;
    case 1:
      return content;
    case 2:
      return content.slice(0, same + random.below(content.length - same + 1));
    default: {
      const mixed = new Uint8Array(content.length);
      for (let at = 0; at < mixed.length; at += BLOCK) {
        const from = random.pick([content, synced, new Uint8Array(mixed.length)]);
        mixed.set(from.subarray(at, Math.min(at + BLOCK, mixed.length)), at);
      }
      mixed.set(content.subarray(0, same));
      return mixed;
    }
  }
}

function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated`), { code });
}
