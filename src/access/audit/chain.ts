/**
 * The lines of the audit log and the chain that they make.
 *
 *     {"seq":7,"time":"2026-01-01T00:00:00.000Z","who":{…},"what":"replaceConfig",…,"prev":"…","hash":"…"}
 *
 * `hash` is the HMAC-SHA256, under the box's key, of the bytes of the line before `,"hash"`; `prev` is the hash of the line
 * before it. So no byte can be changed, and no line taken out, put in or moved, by who does not have the key.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { AuditEvent, Difference } from "../record.ts";

/** Says that the records up to one are not kept any more, by the log itself. */
export interface Removal {
  through: number;
  /** Of the record `through`. */
  hash: string;
}

/** An event as it is kept. */
export interface AuditEntry extends AuditEvent {
  /** Counts the records, from 1, without a gap. */
  seq: number;
  /** ISO 8601. */
  time: string;
  /** How many differences were left out because there were too many. */
  more?: number;
  removed?: Removal;
}

export interface AuditRecord extends AuditEntry {
  prev: string;
  hash: string;
}

/** The end of the chain. */
export interface Link {
  seq: number;
  hash: string;
}

/** What the first record follows. */
export const GENESIS: Link = { seq: 0, hash: "0".repeat(64) };

/** Who the box's own records are from. */
export const BOX = { name: "box", role: "admin", via: "local", address: "" } as const;

const MAX_VALUE = 500;
const MAX_DIFFERENCES = 40;
const MAX_TEXT = { name: 100, address: 60, what: 100, target: 500, detail: 1000, pointer: 300 };

/** An event within the size that a record may have: some 50 kB in the worst case, a few hundred bytes as a rule. */
export function bounded(event: AuditEvent): AuditEvent & { more?: number } {
  const { who, what, target, result, detail, diff } = event;
  const more = Math.max(0, (diff?.length ?? 0) - MAX_DIFFERENCES);
  return {
    who: {
      name: cut(who.name, MAX_TEXT.name),
      role: who.role,
      via: who.via,
      address: cut(who.address, MAX_TEXT.address),
    },
    what: cut(what, MAX_TEXT.what),
    target: cut(target, MAX_TEXT.target),
    result,
    ...(detail === undefined ? {} : { detail: cut(detail, MAX_TEXT.detail) }),
    ...(diff === undefined ? {} : { diff: diff.slice(0, MAX_DIFFERENCES).map(boundedDifference) }),
    ...(more > 0 ? { more } : {}),
  };
}

function boundedDifference({ pointer, before, after }: Difference): Difference {
  return {
    pointer: cut(pointer, MAX_TEXT.pointer),
    ...(before === undefined ? {} : { before: boundedValue(before) }),
    ...(after === undefined ? {} : { after: boundedValue(after) }),
  };
}

/** The value, or the beginning of it as text. */
function boundedValue(value: unknown): unknown {
  const text = JSON.stringify(value) ?? "";
  return text.length <= MAX_VALUE ? value : cut(typeof value === "string" ? value : text, MAX_VALUE);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}

/** The line of the record that follows `previous`, with its line feed, and the chain's new end. */
export function seal(key: Uint8Array, entry: AuditEntry, previous: Link): { line: string; end: Link } {
  const body = JSON.stringify({ ...entry, prev: previous.hash }).slice(0, -1);
  const hash = mac(key, body);
  return { line: `${body},"hash":"${hash}"}\n`, end: { seq: entry.seq, hash } };
}

const HASH_PART = /^,"hash":"([0-9a-f]{64})"\}$/;
const HASH_LENGTH = ',"hash":""}'.length + 64;

/** The record of a line (without its line feed), or what is wrong with the line. */
export function unseal(key: Uint8Array, line: Uint8Array): { record: AuditRecord } | { wrong: string } {
  if (line.length === 0) return { wrong: "is empty" };
  const split = Math.max(0, line.length - HASH_LENGTH);
  const hash = HASH_PART.exec(Buffer.from(line.subarray(split)).toString("latin1"))?.[1];
  if (hash === undefined) return { wrong: "is no record" };
  if (!sameText(hash, mac(key, line.subarray(0, split)))) return { wrong: "was changed" };
  return { record: JSON.parse(Buffer.from(line).toString("utf8")) as AuditRecord };
}

/** The record of a line as it stands there, unchecked; undefined when it makes no sense. */
export function readLine(line: string): AuditRecord | undefined {
  try {
    const record = JSON.parse(line) as AuditRecord;
    return typeof record.seq === "number" && typeof record.who?.name === "string" ? record : undefined;
  } catch {
    return undefined;
  }
}

/** The note of the chain's end, kept beside it so that a missing tail is noticed. */
export function sealHead(key: Uint8Array, { seq, hash }: Link): Uint8Array {
  return Buffer.from(`${JSON.stringify({ seq, hash, mac: headMac(key, { seq, hash }) })}\n`);
}

/** The noted end; undefined when the note was not made with this key. */
export function unsealHead(key: Uint8Array, bytes: Uint8Array): Link | undefined {
  try {
    const { seq, hash, mac: found } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Record<string, unknown>;
    if (typeof seq !== "number" || typeof hash !== "string" || typeof found !== "string") return undefined;
    return sameText(found, headMac(key, { seq, hash })) ? { seq, hash } : undefined;
  } catch {
    return undefined;
  }
}

function headMac(key: Uint8Array, { seq, hash }: Link): string {
  // No record begins like this, so none can pass for a head.
  return mac(key, `head ${seq} ${hash}`);
}

function mac(key: Uint8Array, text: string | Uint8Array): string {
  return createHmac("sha256", key).update(text).digest("hex");
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** The lines in bytes, without their line feeds; what follows the last line feed is `rest`. */
export function linesOf(bytes: Uint8Array): { lines: Uint8Array[]; rest: Uint8Array } {
  const lines: Uint8Array[] = [];
  let from = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
    lines.push(bytes.subarray(from, at));
    from = at + 1;
  }
  return { lines, rest: bytes.subarray(from) };
}

const SEGMENT = /^audit-(\d{12})\.jsonl$/;

export function segmentName(first: number): string {
  return `audit-${String(first).padStart(12, "0")}.jsonl`;
}

/** The sequence number that a segment begins with; undefined for other files. */
export function firstOf(name: string): number | undefined {
  const digits = SEGMENT.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Names of the segments in a folder, oldest first. */
export function segmentsOf(names: readonly string[]): string[] {
  return names.filter((name) => firstOf(name) !== undefined).sort();
}
