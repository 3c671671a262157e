/** Settings on the command line: found by pointer, typed, labelled and printed as the schema says. */
import { z } from "zod";
import { fromPointer, isObject, type Path, toPointer, valueAt } from "../config/json.ts";
import { config as schema } from "../config/schema.ts";
import { resolve } from "../config/walk.ts";
import { UsageError } from "./command.ts";

/** What names an entry of a list, beside its place. */
const NAMES = ["id", "connector", "name"];

/**
 * The path that a pointer leads to in a document. Entries of lists can be named by their place or their name, as in
 * `/channels/ch1/name`; `-` is the place after the last one. The slash in front may be left out.
 */
export function pathOf(document: unknown, pointer: string): Path {
  const text = pointer === "" || pointer.startsWith("/") ? pointer : `/${pointer}`;
  const path: (string | number)[] = [];
  for (const step of fromPointer(text)) {
    const at = valueAt(document, path);
    path.push(Array.isArray(at) ? placeIn(at, step, toPointer(path)) : step);
  }
  return path;
}

function placeIn(list: readonly unknown[], step: string, where: string): number {
  if (step === "-") return list.length;
  const named = list.findIndex((entry) => isObject(entry) && NAMES.some((name) => entry[name] === step));
  if (named >= 0) return named;
  if (/^\d{1,4}$/.test(step) && Number(step) < list.length) return Number(step);
  throw new UsageError(`${where} has no entry ${JSON.stringify(step)}`);
}

/** What was typed as the type that the setting at the path has; what does not fit is left for the box to refuse. */
export function typed(document: unknown, path: Path, text: string): unknown {
  const { leaf } = resolve(schema, document, path);
  if (leaf instanceof z.ZodBoolean) {
    if (/^(true|on|yes)$/i.test(text)) return true;
    return /^(false|off|no)$/i.test(text) ? false : text;
  }
  if (leaf instanceof z.ZodNumber) return /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
  const isText = leaf !== undefined && z.toJSONSchema(leaf, { io: "input", unrepresentable: "any" }).type === "string";
  if (isText) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Label of a setting with those of what it is part of, such as `Bitrate`; its pointer when it has none. */
export function labelOf(document: unknown, pointer: string): string | undefined {
  return resolve(schema, document, pointerPath(document, pointer)).meta?.label;
}

export interface Row {
  pointer: string;
  /** With its unit. */
  value: string;
  label: string;
}

/** Each single setting within a value, with its unit and label. */
export function rowsOf(document: unknown, path: Path): Row[] {
  const value = valueAt(document, path);
  const isList = Array.isArray(value) && value.some((entry) => typeof entry === "object");
  if (isList) return value.flatMap((_, i) => rowsOf(document, [...path, i]));
  if (isObject(value)) return Object.keys(value).flatMap((key) => rowsOf(document, [...path, key]));
  const { meta } = resolve(schema, document, path);
  const shown = Array.isArray(value) ? value.join(", ") : String(value ?? "");
  const unit = meta?.unit !== undefined && shown !== "" ? ` ${meta.unit}` : "";
  return [{ pointer: toPointer(path), value: shown + unit, label: meta?.label ?? "" }];
}

function pointerPath(document: unknown, pointer: string): Path {
  try {
    return pathOf(document, pointer);
  } catch {
    return [];
  }
}
