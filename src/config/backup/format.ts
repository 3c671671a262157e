/**
 * The file of a backup: one JSON document that a human can read.
 *
 *     { "format": "steadycast-backup", "formatVersion": 1, "created": "2026-01-01T02:30:00.000Z", "box": "Rack 7",
 *       "firmware": "1.2.3", "schemaVersion": 2, "parts": { "channels": […], … }, "secrets": { … }, "checksum": "sha256:…" }
 *
 * `parts` holds what is open, with SECRET_MARK in place of each secret that is set. `secrets` is there only with a passphrase:
 * the secret content by part, encrypted (see secretBox.ts) and bound to everything else in the file. The checksum tells
 * damage from a wrong passphrase. It covers all of the file as canonical JSON (keys sorted, no white space), so white
 * space and the order of keys may change.
 */
import { createHash } from "node:crypto";
import { isObject, JsonError, parseJson } from "../json.ts";
import { SCHEMA_VERSION } from "../schema.ts";
import type { PartContent } from "./part.ts";
import { newHeader, open, refuse, type Sealed, type SealHeader, seal } from "./secretBox.ts";

export const FORMAT = "steadycast-backup";
export const FORMAT_VERSION = 1;
/** Largest file, bytes: what a request to the API can hold. */
export const MAX_BACKUP = 1000 * 1024;
const MAX_PARTS = 64;

export interface BackupFile {
  format: typeof FORMAT;
  formatVersion: typeof FORMAT_VERSION;
  /** ISO 8601. */
  created: string;
  /** Name of the box. */
  box: string;
  /** Version of the firmware that made it. */
  firmware: string;
  /** Of the configuration. */
  schemaVersion: number;
  /** What is open, by part. */
  parts: Record<string, unknown>;
  secrets?: Sealed;
  checksum: string;
}

export type Parsed =
  | { ok: true; backup: BackupFile }
  /** `message` says what is wrong, after "the backup". */
  | { ok: false; message: string };

export interface BackupHead {
  created: Date;
  box: string;
  firmware: string;
}

/** Makes the file. Without a passphrase, what is secret is left out. */
export async function makeBackup(
  head: BackupHead,
  contents: Record<string, PartContent>,
  passphrase?: string,
): Promise<BackupFile> {
  const entries = Object.entries(contents);
  const plain = {
    format: FORMAT,
    formatVersion: FORMAT_VERSION,
    created: head.created.toISOString(),
    box: head.box,
    firmware: head.firmware,
    schemaVersion: SCHEMA_VERSION,
    parts: Object.fromEntries(entries.map(([name, part]) => [name, part.open])),
  } as const;
  if (passphrase === undefined) return { ...plain, checksum: checksum(plain) };
  const secret = entries.flatMap(([name, part]) => (part.secret === undefined ? [] : [[name, part.secret]]));
  const header = newHeader();
  const secrets = await seal(JSON.stringify(Object.fromEntries(secret)), header, passphrase, bound(plain, header));
  return { ...plain, secrets, checksum: checksum({ ...plain, secrets }) };
}

/** The bytes of a file, one setting a line. */
export function toBytes(backup: BackupFile): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(backup, null, 2)}\n`);
}

/** Reads the bytes of a file. Never throws, whatever they are. */
export function fromBytes(bytes: Uint8Array): Parsed {
  if (bytes.length > MAX_BACKUP) return wrong(`must have at most ${MAX_BACKUP} bytes, has ${bytes.length}`);
  try {
    return parseBackup(parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (error) {
    return wrong(error instanceof JsonError ? error.message : "is not UTF-8 text");
  }
}

/** Checks JSON that should be a backup: all but the content of its parts. Never throws. */
export function parseBackup(value: unknown): Parsed {
  if (!isObject(value) || value.format !== FORMAT) return wrong("is no backup of a Steadycast box");
  const { formatVersion } = value;
  if (formatVersion !== FORMAT_VERSION) {
    const newer = typeof formatVersion === "number" && formatVersion > FORMAT_VERSION;
    return wrong(newer ? newerFirmware("format", formatVersion, FORMAT_VERSION) : "has no format that is known");
  }
  const { format, created, box, firmware, schemaVersion, parts, secrets, checksum: sum, ...rest } = value;
  const { formatVersion: _, ...unknown } = rest;
  const [extra] = Object.keys(unknown);
  if (extra !== undefined) return wrong(`has an unknown field "${extra.slice(0, 60)}"`);
  if (typeof sum !== "string") return wrong("has no checksum");
  if (typeof created !== "string" || !isTime(created)) return wrong('has a "created" that is not a time');
  if (typeof box !== "string" || typeof firmware !== "string") return wrong('has no "box" or no "firmware"');
  if (typeof schemaVersion !== "number" || !Number.isSafeInteger(schemaVersion) || schemaVersion < 1) {
    return wrong('has a "schemaVersion" that is not a whole number from 1');
  }
  if (!isObject(parts)) return wrong('has no "parts"');
  if (Object.keys(parts).length > MAX_PARTS) return wrong(`has more than ${MAX_PARTS} parts`);
  if (secrets !== undefined) {
    const why = isObject(secrets) ? refuse(secrets) : "is no object";
    if (why !== undefined) return wrong(`cannot be used: its "secrets" ${why}`);
  }
  const file = { format, formatVersion, created, box, firmware, schemaVersion, parts } as Omit<BackupFile, "checksum">;
  if (secrets !== undefined) file.secrets = secrets as unknown as Sealed;
  if (sum !== checksum(file)) return wrong("is damaged or was changed: it does not match its checksum");
  if (schemaVersion > SCHEMA_VERSION) return wrong(newerFirmware("schema", schemaVersion, SCHEMA_VERSION));
  return { ok: true, backup: { ...file, checksum: sum } };
}

export type Opened =
  | { ok: true; contents: Record<string, PartContent> }
  | { ok: false; reason: "wrong-passphrase" | "damaged"; message: string };

/** The parts with their secrets; without a passphrase, with what is open alone. */
export async function openBackup(backup: BackupFile, passphrase?: string): Promise<Opened> {
  const { secrets } = backup;
  const contents = new Map<string, PartContent>(
    Object.entries(backup.parts).map(([name, part]) => [name, { open: part }]),
  );
  if (secrets !== undefined && passphrase !== undefined) {
    const { tag, data, ...header } = secrets;
    const text = await open(secrets, passphrase, bound(backup, header));
    if (text === undefined) {
      return {
        ok: false,
        reason: "wrong-passphrase",
        message: "does not open this backup: it is not the one that it was made with",
      };
    }
    let opened: unknown;
    try {
      opened = parseJson(text);
    } catch {
      opened = undefined;
    }
    if (!isObject(opened)) return { ok: false, reason: "damaged", message: "holds secrets that make no sense" };
    for (const [name, secret] of Object.entries(opened)) {
      const part = contents.get(name);
      if (part !== undefined) part.secret = secret;
    }
  }
  return { ok: true, contents: Object.fromEntries(contents) };
}

function wrong(message: string): Parsed {
  return { ok: false, message };
}

function newerFirmware(what: string, version: number, known: number): string {
  return `has ${what} version ${version}, made by a newer firmware; this one knows versions up to ${known}`;
}

function isTime(text: string): boolean {
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString() === text;
}

/** What the encryption is bound to: the whole file but the encrypted bytes and the checksum. */
function bound(file: Omit<BackupFile, "checksum">, header: SealHeader): Uint8Array {
  const { format, formatVersion, created, box, firmware, schemaVersion, parts } = file;
  const { kdf, N, r, p, salt, cipher, iv } = header;
  const secrets = { kdf, N, r, p, salt, cipher, iv };
  const text = canonical({ format, formatVersion, created, box, firmware, schemaVersion, parts, secrets });
  return new TextEncoder().encode(text);
}

function checksum(file: Omit<BackupFile, "checksum">): string {
  return `sha256:${createHash("sha256").update(canonical(file)).digest("hex")}`;
}

/** JSON in one spelling. Nesting is bounded by parseJson, or by who made the document. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? "null";
  const names = Object.keys(value)
    .filter((name) => value[name] !== undefined)
    .sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}
