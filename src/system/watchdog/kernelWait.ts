/** Whether this process waits for the kernel. */
import { readdirSync, readFileSync } from "node:fs";

/**
 * Whether a thread of this process is in uninterruptible sleep (state D, proc(5)): it waits for a device. A disk that hangs
 * keeps it there, and no new process could do better.
 *
 * /proc is in memory, and is read at once: what waits are the threads that would read it for us.
 */
export function waitsInKernel(folder = "/proc/self/task"): boolean {
  return readdirSync(folder).some((thread) => {
    try {
      const stat = readFileSync(`${folder}/${thread}/stat`, "utf8");
      // The name, in parentheses, may hold anything.
      return stat.charAt(stat.lastIndexOf(")") + 2) === "D";
    } catch {
      return false; // it has ended meanwhile
    }
  });
}
