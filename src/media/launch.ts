/**
 * GStreamer launch descriptions from typed parts. Nothing that could end a value and begin another element gets through:
 * values are numbers, booleans, or words of a safe alphabet, and free text exists only as a percent-encoded URI.
 */

/** Without white space, quotes, backslashes and `!`, gst_parse_launch takes a value as it is. */
const WORD = /^[A-Za-z0-9_.,:;/=%~+@()-]+$/;

export type Value = string | number | boolean;

function word(name: string, value: Value): string {
  const text = String(value);
  if (!WORD.test(text) || (typeof value === "number" && !Number.isFinite(value))) {
    throw new Error(`${name}=${JSON.stringify(value)} cannot stand in a launch description`);
  }
  return text;
}

/**
 * One element with its properties; those that are undefined or "" are left at their default.
 * @throws Error for a value that is not safe
 */
export function element(factory: string, properties: Record<string, Value | undefined> = {}): string {
  const words = Object.entries(properties)
    .filter((entry): entry is [string, Value] => entry[1] !== undefined && entry[1] !== "")
    .map(([name, value]) => `${name}=${word(name, value)}`);
  return [factory, ...words].join(" ");
}

/** Caps, as a filter between two elements. */
export function caps(type: string, fields: Record<string, Value | undefined> = {}): string {
  const words = Object.entries(fields)
    .filter((entry): entry is [string, Value] => entry[1] !== undefined)
    .map(([name, value]) => `${name}=${word(name, value)}`);
  return [type, ...words].join(",");
}

/** Elements in a row. */
export function chain(...elements: (string | undefined)[]): string {
  return elements.filter((one) => one !== undefined).join(" ! ");
}

/** The URI of a file (RFC 8089): every byte but unreserved ones and `/` is percent-encoded. */
export function fileUri(path: string): string {
  let uri = "file://";
  for (const byte of Buffer.from(path)) {
    const character = String.fromCharCode(byte);
    uri += /[A-Za-z0-9_.~/-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return uri;
}
