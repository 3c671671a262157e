/** Writes whole files so that after a power cut there is the old one or the new one, never a mix. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { FilePort, WritableFile } from "./files.ts";

/** Ending of the names of writes in flight; whoever owns a folder sweeps them at its start. */
export const TEMPORARY = ".tmp";

/** Puts the bytes on the medium under a name of their own, reads them back, and gives the name. */
export async function writeTemporary(
  files: FilePort,
  folder: string,
  prefix: string,
  bytes: Uint8Array,
): Promise<string> {
  const name = `${prefix}.${randomBytes(4).toString("hex")}${TEMPORARY}`;
  const path = join(folder, name);
  const file = await files.create(path);
  try {
    await writeAndClose(file, bytes);
    if (Buffer.compare(await files.read(path), bytes) !== 0) throw new Error("it reads back otherwise");
  } catch (error) {
    await discard(files, folder, [name]);
    throw error;
  }
  return name;
}

/** Returns when the file, new or in place of the old one, is on the medium. */
export async function replaceFile(
  files: FilePort,
  folder: string,
  name: string,
  prefix: string,
  bytes: Uint8Array,
): Promise<void> {
  const temporary = await writeTemporary(files, folder, prefix, bytes);
  try {
    await files.rename(join(folder, temporary), join(folder, name));
    await files.syncFolder(folder);
  } catch (error) {
    await discard(files, folder, [temporary]);
    throw error;
  }
}

/** Removes files that are of no use; one that stays is swept at the next start. */
export async function discard(files: FilePort, folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) await files.remove(join(folder, name)).catch(() => undefined);
}

async function writeAndClose(file: WritableFile, bytes: Uint8Array): Promise<void> {
  try {
    await file.write(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
