/** What the audit log asks of a file system beside what a store does: files that grow. A port, to cut the power in tests. */
import { open, truncate } from "node:fs/promises";
import { type FilePort, files, type WritableFile } from "../../config/files.ts";

/** Every method rejects with Node's errors. */
export interface LogFiles extends FilePort {
  /** Opens a file to write at its end; makes it, readable by its owner alone, when there is none. */
  append(path: string): Promise<WritableFile>;
  /** Cuts a file to so many bytes; returns when that is on the medium. */
  truncate(path: string, bytes: number): Promise<void>;
}

/** The real one. */
export const logFiles: LogFiles = {
  ...files,
  append: async (path) => {
    const handle = await open(path, "a", 0o600);
    return {
      write: (bytes) => handle.appendFile(bytes),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  truncate: async (path, bytes) => {
    await truncate(path, bytes);
    const handle = await open(path, "r+");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** Replaces a small file whole: after a power cut there is the old one or the new one. */
export async function replaceFile(port: LogFiles, folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${folder}/${name}.tmp`;
  // One that a power cut has left is in the way.
  await port.remove(temporary).catch(() => undefined);
  const file = await port.create(temporary);
  try {
    await file.write(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await port.rename(temporary, `${folder}/${name}`);
  await port.syncFolder(folder);
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
