/** Follows the chain of an audit log from its first record to its last, and tells each place where it is broken. */

import { firstOf, GENESIS, type Link, linesOf, type Removal, segmentsOf, unseal } from "./chain.ts";
import type { LogFiles } from "./files.ts";

/** A place where the chain is broken. */
export interface Break {
  /** File; "" for what concerns the whole log. */
  segment: string;
  /** In the file, from 1; 0 for what concerns the whole file. */
  line: number;
  /** In words, after the place: "was changed". */
  what: string;
}

export interface AuditCheck {
  ok: boolean;
  /** How many records are whole. */
  records: number;
  /** Sequence numbers of the first and the last of them; 0 when there is none. */
  first: number;
  last: number;
  /** The first places where the chain is broken, ten at the most. */
  breaks: Break[];
  /** The outcome in one sentence. */
  text: string;
}

export interface CheckOptions {
  files: LogFiles;
  folder: string;
  key: Uint8Array;
  /** What the log must hold at the least: the noted end. Undefined: the note is missing or was changed. */
  head: Link | undefined;
  /** How many bytes of the last segment count, because the rest is being written. */
  lastBytes?: number;
}

const MAX_BREAKS = 10;

export async function checkLog({ files, folder, key, head, lastBytes }: CheckOptions): Promise<AuditCheck> {
  const segments = segmentsOf(await files.list(folder));
  const breaks: Break[] = [];
  const broken = (segment: string, line: number, what: string): void => {
    if (breaks.length < MAX_BREAKS) breaks.push({ segment, line, what });
  };
  const removals: Removal[] = [];
  let begin: { first: Link; segment: string } | undefined;
  let first = 0;
  let records = 0;
  let end: Link | undefined = GENESIS;
  let last = 0;
  let headSeen = head?.seq === 0;
  if (head === undefined) broken("", 0, "the note of the log's end is missing or was changed");

  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    const all = await files.read(`${folder}/${segment}`);
    const { lines, rest } = linesOf(isLast && lastBytes !== undefined ? all.subarray(0, lastBytes) : all);
    if (lines.length === 0 && rest.length === 0 && !isLast) broken(segment, 0, "is empty");
    for (const [at, line] of lines.entries()) {
      const opened = unseal(key, line);
      if ("wrong" in opened) {
        broken(segment, at + 1, opened.wrong);
        // The chain is followed anew from the next record that is whole.
        end = undefined;
        continue;
      }
      const { record } = opened;
      if (at === 0 && record.seq !== firstOf(segment)) broken(segment, 1, "does not belong into this file");
      if (records === 0 && end !== undefined && record.seq > 1) {
        begin = { first: { seq: record.seq - 1, hash: record.prev }, segment };
      } else if (end !== undefined && (record.seq !== end.seq + 1 || record.prev !== end.hash)) {
        broken(segment, at + 1, follows(record.seq, end.seq));
      }
      if (records === 0) first = record.seq;
      if (record.removed !== undefined) removals.push(record.removed);
      if (record.seq === head?.seq) {
        headSeen = record.hash === head.hash;
        if (!headSeen) broken(segment, at + 1, "is not the record that was noted");
      }
      records++;
      last = record.seq;
      end = { seq: record.seq, hash: record.hash };
    }
    if (rest.length > 0) broken(segment, lines.length + 1, "is cut off");
  }

  if (begin !== undefined) {
    const { seq, hash } = begin.first;
    const told = removals.some((removal) => removal.through === seq && removal.hash === hash);
    if (!told)
      broken(begin.segment, 1, `is the first, but the records before it (up to ${seq}) were not removed by the box`);
  }
  if (head !== undefined && !headSeen && last < head.seq) {
    broken(
      "",
      0,
      `${last + 1 === head.seq ? `record ${head.seq} is` : `records ${last + 1} to ${head.seq} are`} missing at the end`,
    );
  }
  return { ok: breaks.length === 0, records, first, last, breaks, text: inWords(breaks, records) };
}

function follows(seq: number, before: number): string {
  if (seq <= before) return `is record ${seq}, which does not belong after record ${before}`;
  if (seq === before + 1) return `is record ${seq}, but does not follow the record ${before} that is there`;
  return seq === before + 2
    ? `follows a missing record (${before + 1})`
    : `follows missing records (${before + 1} to ${seq - 1})`;
}

function inWords([first]: readonly Break[], records: number): string {
  if (first === undefined) return `All ${records} records are as they were written.`;
  const { segment, line, what } = first;
  const place = line === 0 ? segment : `${segment}, line ${line}`;
  return `The log is not as it was written: ${place === "" ? "" : `${place} `}${what}.`;
}
