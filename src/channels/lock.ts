/** Makes sure that one supervisor at most works in a runtime folder. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { realpath } from "node:fs/promises";
import { createServer, type Server } from "node:net";

/** The runtime folder belongs to another supervisor that runs. */
export class LockedError extends Error {
  override readonly name = "LockedError";
}

/**
 * The lock is an abstract UNIX socket (unix(7)) named after the folder: the kernel lets one process have it, and takes
 * it back however that process ends. So there are no stale locks.
 */
export class RuntimeLock {
  readonly #folder: string;
  #server: Server | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws LockedError */
  async start(): Promise<void> {
    const name = createHash("sha256")
      .update(await realpath(this.#folder))
      .digest("hex")
      .slice(0, 32);
    const server = createServer((socket) => socket.destroy());
    server.listen({ path: `\0steadycast-${name}` });
    try {
      await once(server, "listening");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      throw new LockedError(`another supervisor runs in ${this.#folder}; end it, or give --runtime another folder`);
    }
    server.unref();
    this.#server = server;
  }

  stop(): void {
    this.#server?.close();
  }
}
