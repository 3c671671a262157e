/**
 * What an import is about to do, kept on the medium while it is done: `import.json`, which is only there for a power cut in
 * between. It holds secrets, as the files do that it is about; when the import has ended, both of its copies hold nothing.
 */
import { DurableJsonFile, StoreError, type StoreProblem } from "../durableFile.ts";
import type { FilePort } from "../files.ts";
import { isObject } from "../json.ts";

/** An import under way: for each keeper all that it held and is to hold. */
export interface Pending {
  /** When it began, ISO 8601. */
  began: string;
  /** Whether one of the keepers takes it back by itself when nobody confirms it: then all others have to follow. */
  onTrial: boolean;
  keepers: { id: string; before: unknown; after: unknown }[];
}

interface Entry {
  pending: Pending | null;
}

export interface JournalOptions {
  folder: string;
  files?: FilePort;
  now(): Date;
  report(problem: StoreProblem): void;
}

export class ImportJournal {
  readonly #file: DurableJsonFile<Entry>;
  readonly #now: () => Date;
  #revision = 0;
  #inForce = false;
  #unsafe: string | undefined;

  constructor({ folder, files, now, report }: JournalOptions) {
    this.#now = now;
    this.#file = new DurableJsonFile<Entry>({
      ...{ folder, name: "import", check, now },
      report: (problem) => {
        if (problem.file === "import.json") this.#unsafe = problem.what;
        report(problem);
      },
      ...(files === undefined ? {} : { files }),
    });
  }

  /** Whether an import is written down that has not ended. */
  get open(): boolean {
    return this.#inForce;
  }

  /** The import that a power cut has interrupted. */
  async read(): Promise<Pending | null> {
    const stored = await this.#file.read();
    this.#revision = stored?.revision ?? 0;
    const pending = stored?.document.pending ?? null;
    this.#inForce = pending !== null;
    return pending;
  }

  /** Returns when the import is on the medium. Rejects with StoreError; nothing is to be done then. */
  async begin(pending: Pending): Promise<void> {
    this.#unsafe = undefined;
    await this.#write({ pending });
    this.#inForce = true;
    if (this.#unsafe === undefined) return;
    const why = this.#unsafe;
    await this.end();
    throw new StoreError(new Error(`the journal ${why}`));
  }

  /** Forgets the import. Rejects with StoreError; it is still written down then. */
  async end(): Promise<void> {
    await this.#write({ pending: null });
    this.#inForce = false;
  }

  async #write(document: Entry): Promise<void> {
    const revision = this.#revision + 1;
    await this.#file.write({ revision, saved: this.#now().toISOString(), document });
    this.#revision = revision;
  }
}

function check(document: unknown): { ok: true; document: Entry } | { ok: false; what: string } {
  const what = "is no journal of an import";
  if (!isObject(document)) return { ok: false, what };
  const { pending } = document;
  if (pending === null) return { ok: true, document: { pending } };
  if (
    !isObject(pending) ||
    typeof pending.began !== "string" ||
    typeof pending.onTrial !== "boolean" ||
    !Array.isArray(pending.keepers)
  ) {
    return { ok: false, what };
  }
  const whole = pending.keepers.every((keeper: unknown) => isObject(keeper) && typeof keeper.id === "string");
  return whole ? { ok: true, document: { pending: pending as unknown as Pending } } : { ok: false, what };
}
