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

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
