/**
 * What a backup is made of. A *part* is a piece of the box that a backup can hold and that can be chosen by itself: a section of
 * the configuration, the users. A *keeper* holds one or several parts in one place and changes them in one step.
 */
import type { ChangeOptions } from "../change.ts";
import type { Difference } from "../diff.ts";
import type { FieldError } from "../explain.ts";
import type { Trial } from "../trial.ts";

/** What a part gives to a backup, and takes from it. Both are JSON. */
export interface PartContent {
  /** Readable by everybody who has the file: no secret is in it. */
  open: unknown;
  /** Only in backups with a passphrase, encrypted; undefined: nothing of this part is secret, or it was left out. */
  secret?: unknown;
}

/** One value that an import changes; secrets are told as SECRET_MARK. The pointer begins with the part's name. */
export type BackupDifference = Difference;

/** Who imports, for the history. */
export type ApplyOptions = Pick<ChangeOptions, "author" | "comment" | "confirmSeconds">;

export type ApplyResult =
  /** With `trial` it is in force until it is confirmed, or else is taken back by the keeper itself. */
  | { ok: true; trial?: Trial }
  /** Nothing has changed: something else was changed since the plan, or waits for its confirmation. */
  | { ok: false; reason: "stale" | "conflict"; message: string }
  | { ok: false; reason: "invalid"; errors: FieldError[] }
  | { ok: false; reason: "failed"; message: string };

/** An import that a keeper could do. */
export interface PartPlan {
  ok: true;
  differences: BackupDifference[];
  /** In words, what whoever imports should know: "the PIN was not in the backup: the panel is not locked". */
  notes: string[];
  /** All that the keeper holds, secrets included, as it is and as it will be: JSON that `restore` takes. */
  before: unknown;
  after: unknown;
  /** Whether `after` is another content than `before`. */
  changes: boolean;
  /** Whether it will be on trial, because who imports may be cut off by it. */
  onTrial: boolean;
  /** Changes to `after`, unless something else was changed since the plan was made. */
  apply(options: ApplyOptions): Promise<ApplyResult>;
}

export interface PartKeeper {
  /** Names it in the journal of an import. */
  readonly id: string;
  /** Of the parts that it holds. */
  readonly names: readonly string[];
  /** Its parts as they are. Nothing of it changes while a caller holds it. */
  export(): Record<string, PartContent>;
  /**
   * What an import of some of its parts would do; changes nothing. Never throws, whatever the content is. Pointers of errors
   * begin with the part's name.
   * @param schemaVersion of the configuration when the backup was made
   */
  plan(
    parts: Record<string, PartContent>,
    schemaVersion: number,
  ): PartPlan | { ok: false; errors: FieldError[] } | Promise<PartPlan | { ok: false; errors: FieldError[] }>;
  /**
   * Changes to what a plan told as `before` or `after`, whatever is there; does nothing when it is there already. Used to bring to
   * an end what a power cut or a failure left half done. Rejects when it cannot be done.
   */
  restore(content: unknown): Promise<void>;
  /** Whether it takes parts under names that it does not know, in backups of this older schema version: sections get new names. */
  takesOlder?(schemaVersion: number): boolean;
  /** Whether a plan's `before` or `after` is what it holds. Left out: it can't tell. */
  holds?(content: unknown): boolean;
}

/** The simple case: one part in a place of its own. */
export interface BackupPart {
  readonly name: string;
  export(): PartContent;
  /** What is wrong; pointers begin in the part. Never throws. */
  check(content: PartContent): FieldError[];
  /**
   * Makes the content the one in force. Without `secret`, what needs one is left as it is. Must be able to take what `export` gave
   * at any time before, and do nothing when that is in force already. Rejects when it cannot be stored; nothing has changed then.
   */
  apply(content: PartContent): Promise<void>;
  /** What applying would change, without secrets; pointers begin in the part. */
  differences?(content: PartContent): BackupDifference[];
  /** What whoever imports should know: who is left out, for example. */
  notes?(content: PartContent): string[];
}

/** A keeper of one part. */
export function keeperOf(part: BackupPart): PartKeeper {
  const { name } = part;
  const within = <T extends { pointer: string }>(list: readonly T[]): T[] =>
    list.map((entry) => ({ ...entry, pointer: `/${name}${entry.pointer}` }));
  return {
    id: name,
    names: [name],
    export: () => ({ [name]: part.export() }),
    plan: (parts) => {
      const content = parts[name] ?? { open: undefined };
      const errors = within(part.check(content));
      if (errors.length > 0) return { ok: false, errors };
      const before = part.export();
      const differences = within(part.differences?.(content) ?? []);
      return {
        ok: true,
        differences,
        notes: part.notes?.(content) ?? [],
        before,
        after: content,
        changes: part.differences === undefined || differences.length > 0,
        onTrial: false,
        apply: async () => {
          if (JSON.stringify(part.export()) !== JSON.stringify(before)) {
            return { ok: false, reason: "stale", message: `${name} has changed meanwhile` };
          }
          await part.apply(content);
          return { ok: true };
        },
      };
    },
    restore: (content) => part.apply(content as PartContent),
  };
}
