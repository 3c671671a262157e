/** Logs of the media processes: what libraries write to stderr, kept within bounds. */
import { copyFile, stat, truncate } from "node:fs/promises";

/** Bytes from which on a log is put aside; so two of them take twice this. */
export const LOG_MAX = 512 * 1024;

/** Puts a log that has grown too long aside as `<log>.1`. It is cut in place: the process goes on appending to it. */
export async function boundLog(path: string): Promise<void> {
  try {
    if ((await stat(path)).size <= LOG_MAX) return;
    await copyFile(path, `${path}.1`);
    await truncate(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
