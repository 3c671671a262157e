/** Archives as the kernel takes them for its first root file system ("newc", kernel's driver-api/early-userspace). */
import { dirname } from "node:path";

export interface Entry {
  /** Without a slash in front. */
  path: string;
  /** Left out: a folder. */
  content?: Buffer | string;
  mode?: number;
}

const FOLDER = 0o040755;
const FILE = 0o100000;

/** Folders on the way to a file need not be given. */
export function archive(entries: readonly Entry[]): Buffer {
  const folders = new Set<string>();
  const parts: Buffer[] = [];
  const add = (path: string, mode: number, content: Buffer) => {
    const name = Buffer.from(`${path}\0`);
    // Inode (of no use), mode, owner, group, links, time, size, device numbers, length of the name, checksum.
    const fields = [parts.length, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
    parts.push(padded(Buffer.concat([Buffer.from(head), name])), padded(content));
  };
  const addFolder = (path: string) => {
    if (path === "." || folders.has(path)) return;
    addFolder(dirname(path));
    folders.add(path);
    add(path, FOLDER, Buffer.alloc(0));
  };
  for (const { path, content, mode = 0o644 } of entries) {
    addFolder(content === undefined ? path : dirname(path));
    if (content !== undefined) add(path, FILE | mode, Buffer.from(content));
  }
  add("TRAILER!!!", 0, Buffer.alloc(0));
  return Buffer.concat(parts);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
