/**
 * A change on trial: in force, but not stored, so that a power cut or a crash brings back what was confirmed last. A marker
 * on disk lets the next start tell that it was so.
 */
import { join } from "node:path";
import { discard, replaceFile } from "./atomicFile.ts";
import type { Difference } from "./diff.ts";
import { type Stored, seal, unseal } from "./envelope.ts";
import type { FilePort } from "./files.ts";
import type { Config } from "./schema.ts";
import type { Timers } from "./timers.ts";

/** What is told of a change on trial. */
export interface Trial {
  revision: number;
  author: string | null;
  comment: string | null;
  /** How long it waits for its confirmation. */
  confirmSeconds: number;
  /** When it is taken back, ISO 8601. */
  until: string;
  /** Seconds until then. */
  remainingSeconds: number;
  /** What it changes; secrets are told as SECRET_MARK. */
  differences: Difference[];
}

export class PendingTrial {
  readonly stored: Stored<Config>;
  readonly #told: Omit<Trial, "remainingSeconds">;
  readonly #timers: Timers;
  readonly #end: number;
  /** Cancels the time-out. */
  readonly cancel: () => void;

  constructor(
    stored: Stored<Config>,
    options: { seconds: number; now: Date; differences: Difference[]; timers: Timers; expired: () => void },
  ) {
    const { seconds, now, differences, timers, expired } = options;
    const [author, comment] = [stored.author ?? null, stored.comment ?? null];
    this.stored = stored;
    const until = new Date(now.getTime() + seconds * 1000).toISOString();
    this.#told = { revision: stored.revision, author, comment, confirmSeconds: seconds, until, differences };
    this.#timers = timers;
    this.#end = timers.now() + seconds * 1000;
    this.cancel = timers.after(seconds * 1000, expired);
  }

  tell(): Trial {
    const remainingSeconds = Math.max(0, Math.ceil((this.#end - this.#timers.now()) / 1000));
    return { ...this.#told, remainingSeconds };
  }
}

/** Who tried what: what the marker holds. */
export type Marked = Omit<Stored<unknown>, "document">;

const FILE = "config.trial.json";

/** The marker of a trial. It helps people and nothing depends on it, so what fails is only told. */
export class TrialMarker {
  static readonly file = FILE;
  readonly #folder: string;
  readonly #files: FilePort;
  readonly #failed: (what: string) => void;

  constructor(folder: string, files: FilePort, failed: (what: string) => void) {
    this.#folder = folder;
    this.#files = files;
    this.#failed = failed;
  }

  async write({ document: _, ...stored }: Stored<Config>): Promise<void> {
    await this.#attempt("written", () =>
      replaceFile(this.#files, this.#folder, FILE, "config.trial", seal({ ...stored, document: {} })),
    );
  }

  async remove(): Promise<void> {
    await this.#attempt("removed", async () => {
      await this.#files.remove(join(this.#folder, FILE));
      await this.#files.syncFolder(this.#folder);
    });
  }

  /** What an earlier run left behind; undefined when there is none. A damaged one is removed. */
  async read(): Promise<Marked | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#files.read(join(this.#folder, FILE));
    } catch {
      return undefined;
    }
    const unsealed = unseal(bytes);
    if (unsealed.ok) return unsealed.stored;
    this.#failed(unsealed.damage);
    await discard(this.#files, this.#folder, [FILE]);
    return undefined;
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT" && what === "removed") return;
      this.#failed(`could not be ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
