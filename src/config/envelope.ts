/**
 * The format of a stored document: JSON that a human can read, with a checksum that tells whole from damaged.
 *
 *     { "checksum": "sha256:…", "revision": 7, "saved": "2026-01-01T00:00:00.000Z",
 *       "author": "anna", "comment": "Summer schedule", "document": { … } }
 *
 * Author and comment may be missing. The checksum covers all the rest as compact JSON, so it catches any change of content and no change of
 * white space. A wrong checksum means damage, even if what is left happens to make sense. Whoever edits a file by hand
 * removes the checksum line: such a file counts when its document is valid, and is sealed again at the next start.
 */
import { createHash } from "node:crypto";
import { isObject, JsonError, parseJson } from "./json.ts";

export interface Stored<T> {
  /** Counts every change, from 1. */
  revision: number;
  /** When it was written, ISO 8601. */
  saved: string;
  /** Who made the change. */
  author?: string;
  /** Why, in their words. */
  comment?: string;
  document: T;
}

export type Unsealed =
  | { ok: true; stored: Stored<unknown>; edited: boolean }
  /** `damage` says what is wrong, after "the file". */
  | { ok: false; damage: string };

/** `sha256:` and 64 hexadecimal digits. */
export function checksum({ revision, saved, author, comment, document }: Stored<unknown>): string {
  // What is undefined is left out.
  const text = JSON.stringify({ revision, saved, author, comment, document });
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

export function seal(stored: Stored<unknown>): Uint8Array {
  const { revision, saved, author, comment, document } = stored;
  const file = { checksum: checksum(stored), revision, saved, author, comment, document };
  return new TextEncoder().encode(`${JSON.stringify(file, null, 2)}\n`);
}

/** Opens the bytes of a file. Never throws, whatever they are. The document itself is not checked here. */
export function unseal(bytes: Uint8Array): Unsealed {
  const damaged = (damage: string): Unsealed => ({ ok: false, damage });
  if (bytes.length === 0) return damaged("is empty");
  if (bytes.every((byte) => byte === 0)) return damaged("is filled with zeros");
  let value: unknown;
  try {
    value = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return damaged(error instanceof JsonError ? error.message : "is not UTF-8 text");
  }
  if (!isObject(value) || !isObject(value.document)) return damaged('has no "document"');
  const { checksum: sum, revision = 1, saved = "", author, comment, document, ...rest } = value;
  const [extra] = Object.keys(rest);
  if (extra !== undefined) return damaged(`has an unknown field "${extra.slice(0, 60)}"`);
  if (typeof revision !== "number" || !Number.isSafeInteger(revision) || revision < 1) {
    return damaged('has a "revision" that is not a whole number from 1');
  }
  if (typeof saved !== "string") return damaged('has a "saved" that is not a time');
  const stored: Stored<unknown> = { revision, saved, document };
  for (const [name, text] of Object.entries({ author, comment })) {
    if (text === undefined) continue;
    if (typeof text !== "string") return damaged(`has ${name === "author" ? "an" : "a"} "${name}" that is not text`);
    stored[name as "author" | "comment"] = text;
  }
  if (sum === undefined) return { ok: true, stored, edited: true };
  if (sum !== checksum(stored)) {
    return damaged("does not match its checksum (remove the checksum line of a file that is edited by hand)");
  }
  return { ok: true, stored, edited: false };
}
