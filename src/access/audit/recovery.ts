/** Finds the end of an audit log at a start, after an orderly stop, a power cut, damage or an edit. */
import { firstOf, GENESIS, type Link, linesOf, segmentsOf, unseal, unsealHead } from "./chain.ts";
import { isMissing, type LogFiles } from "./files.ts";

export const HEAD = "head.json";

export interface Found {
  /** Oldest first. */
  segments: string[];
  /** What the next record follows. */
  end: Link;
  /** The next record's number: more than one after the end where some must not be used again. */
  next: number;
  /** Bytes of the last segment, to go on there; undefined: a new one is to be begun. */
  bytes: number | undefined;
  /** Bytes at the end of the last segment that were written when the power went, and are to be cut off. */
  torn: number;
  /** What is not as it was written, in words. */
  damage: string | undefined;
}

/** Reads the last segment and the noted end. Changes nothing. */
export async function findEnd(files: LogFiles, folder: string, key: Uint8Array): Promise<Found> {
  const segments = segmentsOf(await files.list(folder));
  const head = await readHead(files, folder, key);
  const last = segments.at(-1);
  if (last === undefined) {
    const end = head === "wrong" ? GENESIS : (head ?? GENESIS);
    const lost = head === "wrong" ? "the log and the note of its end are gone" : `all ${end.seq} records are gone`;
    const damage = head === "wrong" || end.seq > 0 ? lost : undefined;
    return { segments, end, next: end.seq + 1, bytes: undefined, torn: 0, damage };
  }

  const all = await files.read(`${folder}/${last}`);
  const { lines, rest } = linesOf(all);
  let end: Link | undefined;
  let good = 0;
  let whole = 0;
  for (const line of lines) {
    const opened = unseal(key, line);
    if ("wrong" in opened) break;
    const { seq, hash, prev } = opened.record;
    if (end !== undefined && (seq !== end.seq + 1 || prev !== end.hash)) break;
    end = { seq, hash };
    good += line.length + 1;
    whole++;
  }
  const torn = all.length - good;
  const foreign = lines.slice(whole).some((line) => {
    const opened = unseal(key, line);
    return "record" in opened && opened.record.seq <= (end?.seq ?? 0);
  });
  const begin = firstOf(last) ?? 1;
  // Numbers that records have had which are there no more, or in a part that cannot be read.
  const used = begin + lines.length + (rest.length > 0 ? 1 : 0);

  if (head === "wrong" || head === undefined) {
    const damage = "the note of the log's end is missing or was changed";
    if (torn === 0 && end !== undefined) return { segments, end, next: end.seq + 1, bytes: good, torn: 0, damage };
    return { segments, end: end ?? GENESIS, next: used + 1, bytes: undefined, torn: 0, damage };
  }
  // An empty last segment follows the noted end, and so does one whose first record was being written.
  const reached = end ?? (begin === head.seq + 1 ? head : undefined);
  const isNoted = reached !== undefined && (reached.seq > head.seq || reached.hash === head.hash);
  // No power cut writes an old record once more.
  if (isNoted && !foreign) {
    return { segments, end: reached, next: reached.seq + 1, bytes: good, torn, damage: undefined };
  }
  const missing = reached === undefined ? head.seq : reached.seq;
  const damage =
    torn === 0 && missing < head.seq
      ? `the records after ${missing} are gone, up to ${head.seq}`
      : `${last}, line ${whole + 1}, is not as it was written`;
  return { segments, end: head, next: Math.max(head.seq + 1, used), bytes: undefined, torn: 0, damage };
}

/** The noted end; undefined when there is no note, "wrong" when it was not made with this key. */
export async function readHead(files: LogFiles, folder: string, key: Uint8Array): Promise<Link | "wrong" | undefined> {
  try {
    return unsealHead(key, await files.read(`${folder}/${HEAD}`)) ?? "wrong";
  } catch (error) {
    if (isMissing(error)) return undefined;
    return "wrong";
  }
}
