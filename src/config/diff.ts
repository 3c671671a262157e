/** What differs between two configurations. */
import { isDeepStrictEqual } from "node:util";
import type { z } from "zod";
import { isObject, type Path, toPointer, valueAt } from "./json.ts";
import { config } from "./schema.ts";
import { identityOf, redact } from "./secrets.ts";

/** One value that is another one. Things of a list are matched by what names them, not by their place. */
export interface Difference {
  /** JSON pointer (RFC 6901) into the later document; of something that was removed, into the earlier one. */
  pointer: string;
  /** Left out: it was not there. Secrets are told as SECRET_MARK. */
  before?: unknown;
  /** Left out: it is not there any more. */
  after?: unknown;
}

/** Where a difference is in each of the documents that has it. */
export interface Place {
  before?: Path;
  after?: Path;
  /** The things of a list are the same, but in another order. */
  order?: { before: string[]; after: string[] };
}

/** The differences, with secrets told as SECRET_MARK: a secret that is another one has the mark before and after. */
export function diff(before: unknown, after: unknown, schema: z.ZodType = config): Difference[] {
  return describe(places(before, after), redact(before, schema), redact(after, schema));
}

/** Differences with the values of the documents that are given, which should be redacted. */
export function describe(found: readonly Place[], before: unknown, after: unknown): Difference[] {
  return found.map(({ before: from, after: to, order }) => ({
    pointer: toPointer(to ?? from ?? []),
    ...(order ?? {
      ...(from === undefined ? {} : { before: valueAt(before, from) }),
      ...(to === undefined ? {} : { after: valueAt(after, to) }),
    }),
  }));
}

/** Where the documents differ, as far down as it can be told. */
export function places(before: unknown, after: unknown, from: Path = [], to: Path = []): Place[] {
  if (isObject(before) && isObject(after) && before.type === after.type) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => {
      if (!Object.hasOwn(after, key)) return [{ before: [...from, key] }];
      if (!Object.hasOwn(before, key)) return [{ after: [...to, key] }];
      return places(before[key], after[key], [...from, key], [...to, key]);
    });
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const [old, now] = [namesOf(before), namesOf(after)];
    if (old !== undefined && now !== undefined) return inNamed(before, after, old, now, from, to);
    if ([...before, ...after].every(isObject)) return inPlaces(before, after, from, to);
  }
  return isDeepStrictEqual(before, after) ? [] : [{ before: from, after: to }];
}

/** The names of a list's things; undefined when they do not tell them apart. */
function namesOf(list: readonly unknown[]): string[] | undefined {
  const names = list.map(identityOf).filter((name) => name !== undefined);
  return new Set(names).size === list.length ? names : undefined;
}

function inNamed(
  before: readonly unknown[],
  after: readonly unknown[],
  old: readonly string[],
  now: readonly string[],
  from: Path,
  to: Path,
): Place[] {
  const found = old.flatMap((name, i): Place[] => (now.includes(name) ? [] : [{ before: [...from, i] }]));
  now.forEach((name, i) => {
    const was = old.indexOf(name);
    if (was < 0) found.push({ after: [...to, i] });
    else found.push(...places(before[was], after[i], [...from, was], [...to, i]));
  });
  const order = { before: old.filter((name) => now.includes(name)), after: now.filter((name) => old.includes(name)) };
  if (!isDeepStrictEqual(order.before, order.after)) found.push({ before: from, after: to, order });
  return found;
}

function inPlaces(before: readonly unknown[], after: readonly unknown[], from: Path, to: Path): Place[] {
  return Array.from({ length: Math.max(before.length, after.length) }, (_, i): Place[] => {
    if (i >= after.length) return [{ before: [...from, i] }];
    if (i >= before.length) return [{ after: [...to, i] }];
    return places(before[i], after[i], [...from, i], [...to, i]);
  }).flat();
}
