/** What the store asks of a file system: a port, so that tests can cut the power at every step. */
import { mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";

export interface WritableFile {
  write(bytes: Uint8Array): Promise<void>;
  /** Returns when the content is on the medium (fsync). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Every method rejects with Node's errors (`code` is the errno's name). */
export interface FilePort {
  makeFolder(path: string): Promise<void>;
  list(folder: string): Promise<string[]>;
  read(path: string): Promise<Uint8Array>;
  /** Creates a file that must not exist, readable by its owner alone. */
  create(path: string): Promise<WritableFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Returns when the names in the folder are on the medium (fsync of the folder). */
  syncFolder(path: string): Promise<void>;
}

/** The real one. */
export const files: FilePort = {
  makeFolder: async (path) => void (await mkdir(path, { recursive: true })),
  list: (folder) => readdir(folder),
  read: (path) => readFile(path),
  create: async (path) => {
    const handle = await open(path, "wx", 0o600);
    return {
      write: (bytes) => handle.writeFile(bytes),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  rename,
  remove: unlink,
  syncFolder: async (path) => {
    const handle = await open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};
