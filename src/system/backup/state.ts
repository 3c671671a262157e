/** What the daily backups remember over a restart. */
import { z } from "zod";
import { DurableJsonFile, type StoreProblem } from "../../config/durableFile.ts";
import type { FilePort } from "../../config/files.ts";

const event = z.strictObject({ at: z.string(), name: z.string() });
const failure = z.strictObject({ at: z.string(), reason: z.string() });

const state = z.strictObject({
  /** Daily backups that were due up to then are made. */
  done: z.string().nullable(),
  made: event.nullable(),
  failure: failure.nullable(),
  /** To the server that is set now. */
  sent: event.nullable(),
  sendFailure: failure.nullable(),
  /** Where `sent` and `sendFailure` belong to. */
  server: z.string(),
  /** Of the SFTP server, as it was found at the first connection. */
  hostKey: z.string().nullable(),
});

export type BackupState = z.infer<typeof state>;

const empty: BackupState = {
  ...{ done: null, made: null, failure: null, sent: null, sendFailure: null, server: "", hostKey: null },
};

export class StateFile {
  readonly #file: DurableJsonFile<BackupState>;
  readonly #now: () => Date;
  #revision = 0;
  #current = empty;

  constructor(folder: string, now: () => Date, report: (problem: StoreProblem) => void, files?: FilePort) {
    this.#now = now;
    this.#file = new DurableJsonFile<BackupState>({
      ...{ folder, name: "backup-state", now, report },
      check: (document) => {
        const parsed = state.safeParse(document);
        return parsed.success ? { ok: true, document: parsed.data } : { ok: false, what: "is no state of backups" };
      },
      ...(files === undefined ? {} : { files }),
    });
  }

  async start(): Promise<void> {
    const stored = await this.#file.read();
    this.#revision = stored?.revision ?? 0;
    this.#current = stored?.document ?? empty;
  }

  get current(): BackupState {
    return this.#current;
  }

  /** Holds from now on, also when it cannot be written; then it rejects. */
  async change(change: Partial<BackupState>): Promise<void> {
    this.#current = { ...this.#current, ...change };
    this.#revision++;
    await this.#file.write({ revision: this.#revision, saved: this.#now().toISOString(), document: this.#current });
  }
}
