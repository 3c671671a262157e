/**
 * Secrets in a configuration: passphrases, passwords and PINs are told as SECRET_MARK and never themselves; where a change
 * comes with the mark, it means the secret that is there already.
 */
import type { z } from "zod";
import type { FieldError } from "./explain.ts";
import { isObject, type Path, toPointer, valueAt } from "./json.ts";
import { config, SECRET_MARK } from "./schema.ts";
import { mapSecrets } from "./walk.ts";

/** The document with SECRET_MARK for every secret that is set. `schema` is that of the document, or of the part of it. */
export function redact<T>(document: T, schema: z.ZodType = config): T {
  return mapSecrets(schema, document, (value) => (isSet(value) ? SECRET_MARK : value)) as T;
}

export interface Extracted<T> {
  /** With SECRET_MARK for every secret. */
  document: T;
  /** By JSON pointer into the document. */
  secrets: Record<string, string>;
}

/** Takes the secrets out of a document, so that they can be kept elsewhere. */
export function extractSecrets<T>(document: T, schema: z.ZodType = config): Extracted<T> {
  const secrets: Record<string, string> = {};
  const redacted = mapSecrets(schema, document, (value, path) => {
    if (!isSet(value)) return value;
    secrets[toPointer(path)] = value;
    return SECRET_MARK;
  });
  return { document: redacted as T, secrets };
}

/**
 * Puts secrets back to where they were taken from: only where the mark is, so that nothing else can be changed. The document
 * may have an older schema version. Marks without a secret stay.
 */
export function injectSecrets<T>(document: T, secrets: Readonly<Record<string, string>>): T {
  const inject = (value: unknown, path: Path): unknown => {
    if (value === SECRET_MARK) {
      const pointer = toPointer(path);
      return Object.hasOwn(secrets, pointer) ? secrets[pointer] : value;
    }
    if (Array.isArray(value)) return value.map((entry: unknown, i) => inject(entry, [...path, i]));
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, inject(entry, [...path, key])]));
  };
  return inject(document, []) as T;
}

/** The document with the secrets of `current` where it has the mark, and an error for each mark that stands for none. */
export function restoreSecrets(
  incoming: unknown,
  current: unknown,
  schema: z.ZodType = config,
): { document: unknown; errors: FieldError[] } {
  const errors: FieldError[] = [];
  const document = mapSecrets(schema, incoming, (value, path) => {
    if (value !== SECRET_MARK) return value;
    const found = secretFor(incoming, current, path);
    if (found.ok) return found.secret;
    errors.push({ pointer: toPointer(path), message: `must be given anew${found.why}` });
    return value;
  });
  return { document, errors };
}

/** What names a thing among others of its kind; undefined when nothing does. */
export function identityOf(value: unknown): string | undefined {
  if (!isObject(value)) return undefined;
  // A VLAN has a number as its id; its name is what names it.
  return [value.id, value.connector, value.name].find((name) => typeof name === "string");
}

/** Settings that tell where a secret is sent: it must not follow to somewhere else. */
const PEERS = ["host", "url"] as const;

type Secret = { ok: true; secret: string } | { ok: false; why: string };

/** The secret at the place of the present document that matches a place of the incoming one. */
function secretFor(incoming: unknown, current: unknown, path: Path): Secret {
  let [theirs, ours] = [incoming, current];
  for (const step of path) {
    if (isObject(theirs) && isObject(ours) && theirs.type !== ours.type) return { ok: false, why: "" };
    const next = valueAt(theirs, [step]);
    if (Array.isArray(theirs)) {
      const name = identityOf(next);
      const list = Array.isArray(ours) ? (ours as unknown[]) : [];
      // Without a name it is the place that counts.
      ours = name === undefined ? list[Number(step)] : list.find((entry) => identityOf(entry) === name);
    } else {
      if (next === SECRET_MARK && isObject(theirs) && isObject(ours)) {
        for (const peer of PEERS) {
          if (theirs[peer] !== ours[peer]) return { ok: false, why: `, because the ${peer} is another one` };
        }
      }
      ours = valueAt(ours, [step]);
    }
    theirs = next;
  }
  return isSet(ours) ? { ok: true, secret: ours } : { ok: false, why: "" };
}

function isSet(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
