/** Brings documents of older schema versions up to the present one. */
import { isObject } from "./json.ts";
import { SCHEMA_VERSION } from "./schema.ts";

/** One step: from version `from` to `from + 1`. */
export interface Migration {
  from: number;
  /** What changes, for the log. */
  note: string;
  /** Gives the new document; must not change the old one. The version number is set by `migrate`. */
  change(document: Record<string, unknown>): Record<string, unknown>;
}

/** Every step since the first version, in order. Steps are never removed: a backup may be of any age. */
export const migrations: readonly Migration[] = [
  {
    from: 1,
    note: "network, time, access, power, backup and presets can be set; they begin with their defaults",
    change: (document) => document,
  },
  { from: 2, note: "SSH can be switched on; it begins switched off", change: (document) => document },
];

export type Migrated =
  | { ok: true; document: unknown; from: number; notes: string[] }
  /** `newer`: written by a firmware newer than this one. */
  | { ok: false; reason: "newer" | "no-version" | "failed"; message: string };

/** Applies the steps that a document needs; what has the present version comes back as it is. Never throws. */
export function migrate(document: unknown, steps = migrations, target = SCHEMA_VERSION): Migrated {
  const from = isObject(document) ? document.version : undefined;
  if (typeof from !== "number" || !Number.isInteger(from) || from < 1 || !isObject(document)) {
    return { ok: false, reason: "no-version", message: "has no schema version" };
  }
  if (from > target) {
    const message = `has schema version ${from}, made by a newer firmware; this one knows versions up to ${target}`;
    return { ok: false, reason: "newer", message };
  }
  let current = document;
  const notes: string[] = [];
  for (let version = from; version < target; version++) {
    const step = steps.find((candidate) => candidate.from === version);
    const failed = `cannot be brought from schema version ${version} to ${version + 1}`;
    if (step === undefined) return { ok: false, reason: "failed", message: failed };
    try {
      current = { ...step.change(current), version: version + 1 };
    } catch (error) {
      return { ok: false, reason: "failed", message: `${failed}: ${String(error)}` };
    }
    notes.push(step.note);
  }
  return { ok: true, document: current, from, notes };
}
