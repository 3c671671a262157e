/** Reads of the kernel's class directories, whose files are one value each. */
import { readdir, readFile } from "node:fs/promises";

/** The text of a file without its last line break; undefined when there is no such file or it can't be read. */
export async function readValue(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).replace(/[\0\n]+$/, "");
  } catch {
    return undefined;
  }
}

/** Names in a directory that match, in the order of the numbers in them; none when there is no such directory. */
export async function namesIn(directory: string, pattern: RegExp): Promise<string[]> {
  try {
    const names = (await readdir(directory)).filter((name) => pattern.test(name));
    return names.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  } catch {
    return [];
  }
}
