/** What is on the disk of an emulated box whose power is off: its slots, and the boot script's state. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type BootState, parseBootState } from "../../../src/update/rauc/bootState.ts";
import type { EmulatedBox } from "./emulatedBox.ts";

const SECTOR = 512;
const CHUNK = 1 << 20;

export interface Disk {
  /** undefined: no valid one. */
  state: BootState | undefined;
  /** SHA-256 of as many bytes of a slot as an image has. */
  slot(name: "A" | "B", bytes: number): string;
}

/** Gives what is read to a function: the copy of the disk is gone afterwards. */
export async function readDisk<T>(box: EmulatedBox, use: (disk: Disk) => T): Promise<T> {
  const raw = join(box.folder, "disk.raw");
  await promisify(execFile)("qemu-img", ["convert", "-O", "raw", join(box.folder, "disk.qcow2"), raw]);
  const file = openSync(raw, "r");
  try {
    const read = (at: number, length: number) => {
      const buffer = Buffer.alloc(length);
      readSync(file, buffer, 0, length, at);
      return buffer;
    };
    const partitions = partitionsOf(read);
    const start = (name: string) => {
      const at = partitions.get(name);
      if (at === undefined) throw new Error(`There is no partition ${name}`);
      return at;
    };
    return use({
      state: parseBootState(read(start("bootstate"), SECTOR)),
      slot(name, bytes) {
        const hash = createHash("sha256");
        const at = start(name === "A" ? "slot-a" : "slot-b");
        for (let done = 0; done < bytes; done += CHUNK) hash.update(read(at + done, Math.min(CHUNK, bytes - done)));
        return hash.digest("hex");
      },
    });
  } finally {
    closeSync(file);
    rmSync(raw);
  }
}

/** Where the partitions of a GPT begin, in bytes, by their names (UEFI 2.10, 5.3). */
function partitionsOf(read: (at: number, length: number) => Buffer): Map<string, number> {
  const header = read(SECTOR, SECTOR);
  if (header.subarray(0, 8).toString("latin1") !== "EFI PART") throw new Error("The disk has no GPT");
  const at = Number(header.readBigUInt64LE(72)) * SECTOR;
  const [count, size] = [header.readUInt32LE(80), header.readUInt32LE(84)];
  const entries = read(at, count * size);
  const found = new Map<string, number>();
  for (let i = 0; i < count; i += 1) {
    const entry = entries.subarray(i * size, (i + 1) * size);
    const name = entry.subarray(56, 128).toString("utf16le").replace(/\0.*$/, "");
    if (name !== "") found.set(name, Number(entry.readBigUInt64LE(32)) * SECTOR);
  }
  return found;
}
