/** JSON that comes from outside: parsed within limits, addressed by pointer (RFC 6901), merged (RFC 7396), frozen. */

/** Levels of arrays and objects that a document may have; the schema needs seven. */
const MAX_DEPTH = 32;

/** The text is not JSON, or is nested deeper than any document of ours. */
export class JsonError extends Error {}

/** Parses JSON text. Throws JsonError; nesting is checked first, so no later recursion can overflow the stack. */
export function parseJson(text: string): unknown {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === "\\") i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === "[" || c === "{") {
      if (++depth > MAX_DEPTH) throw new JsonError(`is nested deeper than ${MAX_DEPTH} levels`);
    } else if (c === "]" || c === "}") depth--;
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    // Some messages quote the text, which may hold secrets.
    const message = error instanceof Error ? error.message.replace(/, (\.{3})?".*$/s, "") : String(error);
    throw new JsonError(`is not JSON: ${message}`);
  }
}

export type Path = readonly PropertyKey[];

/** Path as a JSON pointer (RFC 6901); the whole document is "". */
export function toPointer(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** The value at a path, or undefined. Only own properties are followed. */
export function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * JSON merge patch (RFC 7396): objects are merged, null removes, everything else replaces. One thing is added: an object
 * whose `type` changes is another kind of thing, so nothing of the old one is merged into it.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const same = isObject(target) && (patch.type === undefined || patch.type === target.type);
  const merged = new Map(same ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  // fromEntries defines properties, so that a key such as __proto__ stays data and is refused by the schema.
  return Object.fromEntries(merged);
}

/** Freezes a document with all that is in it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/**
 * A copy of the document with another value at a path; undefined takes it out, and an entry of a list with its place. What is
 * missing on the way is made. Shares what is the same.
 */
export function withValue(document: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (Array.isArray(document) || typeof step === "number") {
    const list = Array.isArray(document) ? [...(document as unknown[])] : [];
    const place = Number(step);
    if (rest.length === 0 && value === undefined) return list.filter((_, index) => index !== place);
    list[place] = withValue(list[place], rest, value);
    return list;
  }
  const fields = new Map(isObject(document) ? Object.entries(document) : []);
  const key = String(step);
  fields.set(key, withValue(fields.get(key), rest, value));
  // fromEntries defines properties, so that a key such as __proto__ stays data.
  return Object.fromEntries([...fields].filter(([, field]) => field !== undefined));
}

/** The steps of a JSON pointer (RFC 6901). */
export function fromPointer(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}
