/** Turns what the schema refuses into words: which field, what limit, which value. */
import { z } from "zod";
import { toPointer, valueAt } from "./json.ts";
import { resolve } from "./walk.ts";

/** The limit that a value broke, in the words of JSON Schema, with the unit of the numbers. */
export type Limit = {
  type?: "integer" | "number" | "string" | "boolean" | "array" | "object";
  minimum?: number;
  maximum?: number;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  format?: string;
  enum?: (string | number | boolean)[];
  unit?: string;
};

/** One refused value. */
export interface FieldError {
  /** JSON pointer (RFC 6901) to the field. */
  pointer: string;
  /** Limit and value in words, such as "must be between 100 and 60000 kbit/s, is 9". */
  message: string;
  limit?: Limit;
  /** The value when it is a single one and no secret. */
  value?: string | number | boolean | null;
}

/** No list of errors is longer; whoever sends nonsense gets the first of them. */
const MAX_ERRORS = 50;
const MAX_VALUE = 200;

/** The errors of a refused document, in the document's order of checking, 50 at the most. */
export function explain(schema: z.ZodType, document: unknown, issues: readonly z.core.$ZodIssue[]): FieldError[] {
  return issues.flatMap((issue) => explainIssue(schema, document, issue)).slice(0, MAX_ERRORS);
}

/** One line for a log or a list of problems. */
export function inOneLine(errors: readonly FieldError[]): string {
  const [first] = errors;
  if (first === undefined) return "";
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return `${first.pointer || "the document"}: ${first.message}${more}`;
}

function explainIssue(schema: z.ZodType, document: unknown, issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      pointer: toPointer([...issue.path, key]),
      message: "is not a known setting",
      ...shown(valueAt(document, [...issue.path, key])),
    }));
  }
  const value = valueAt(document, issue.path);
  const { leaf, meta } = resolve(schema, document, issue.path);
  const pointer = toPointer(issue.path);
  if (meta?.secret)
    return [{ pointer, message: issue.code === "custom" ? issue.message : secretMessage(issue, value) }];
  if (issue.code === "custom") {
    const limit = (issue.params ?? {}) as Limit;
    return [{ pointer, message: issue.message, ...(Object.keys(limit).length > 0 ? { limit } : {}), ...shown(value) }];
  }
  const limit = limitOf(leaf, issue);
  if (meta?.unit !== undefined && (limit.type === "integer" || limit.type === "number")) limit.unit = meta.unit;
  return [{ pointer, message: message(issue, limit, value), limit, ...shown(value) }];
}

function secretMessage(issue: z.core.$ZodIssue, value: unknown): string {
  return issue.code === "invalid_format" ? issue.message : `must be text, is ${kindOf(value)}`;
}

function message(issue: z.core.$ZodIssue, limit: Limit, value: unknown): string {
  if (value === undefined) return "is required";
  if (issue.code === "invalid_format" && issue.format === "regex") return `${issue.message}, is ${inWords(value)}`;
  return `must ${requirement(limit, value)}${Array.isArray(value) && limit.type === "array" ? `, has ${value.length}` : actual(limit, value)}`;
}

function actual(limit: Limit, value: unknown): string {
  if (typeof value === "string" && limit.type === "string" && (limit.format ?? limit.enum) === undefined) {
    return `, has ${value.length}`;
  }
  return `, is ${inWords(value)}`;
}

/** What the limit asks for, after "must". */
function requirement(limit: Limit, value: unknown): string {
  if (limit.enum !== undefined) {
    const choices = limit.enum.map(inWords);
    return choices.length === 1 ? `be ${choices[0]}` : `be one of ${choices.join(", ")}`;
  }
  switch (limit.type) {
    case "integer":
    case "number": {
      const unit = limit.unit === undefined ? "" : ` ${limit.unit}`;
      const whole = limit.type === "integer" && !Number.isInteger(value) ? "be a whole number" : "be";
      const kind = limit.multipleOf === undefined ? whole : `be a multiple of ${limit.multipleOf}`;
      return `${kind} ${range(limit.minimum, limit.maximum)}${unit}`.trimEnd();
    }
    case "string":
      if (limit.format !== undefined) return `be an ${limit.format === "ipv4" ? "IPv4 address" : limit.format}`;
      if (typeof value !== "string") return "be text";
      return `have ${range(limit.minLength, limit.maxLength)} characters`;
    case "boolean":
      return "be true or false";
    case "array":
      if (!Array.isArray(value)) return "be a list";
      return `have ${range(limit.minItems, limit.maxItems)} entries`;
    case "object":
      return "be an object";
    default:
      return "be another value";
  }
}

function range(from: number | undefined, to: number | undefined): string {
  if (from !== undefined && to !== undefined) return `between ${from} and ${to}`;
  if (from !== undefined) return `at least ${from}`;
  return to === undefined ? "" : `at most ${to}`;
}

const LIMIT_KEYS = [
  ...["type", "minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems"],
  ...["pattern", "format", "enum"],
] as (keyof Limit)[];

function limitOf(leaf: z.ZodType | undefined, issue: z.core.$ZodIssue): Limit {
  // No option of a discriminated union fits: its discriminator is at fault.
  if (issue.code === "invalid_union" && "options" in issue) return { enum: issue.options as string[] };
  if (leaf === undefined) return {};
  const schema = z.toJSONSchema(leaf, { io: "input" });
  if (schema.const !== undefined) return { enum: [schema.const as string | number] };
  if (schema.anyOf !== undefined) return { enum: schema.anyOf.map((option) => (option as { const: number }).const) };
  if (schema.oneOf !== undefined) return { type: "object" };
  const limit: Limit = {};
  for (const key of LIMIT_KEYS) {
    if (schema[key] !== undefined) Object.assign(limit, { [key]: schema[key] });
  }
  // Numeric names come out of the enum in no order that a reader would expect.
  if (limit.enum?.every((name) => Number(name) > 0)) limit.enum.sort((a, b) => Number(a) - Number(b));
  // The range of a safe integer is no limit of ours.
  if (limit.minimum === Number.MIN_SAFE_INTEGER) delete limit.minimum;
  if (limit.maximum === Number.MAX_SAFE_INTEGER) delete limit.maximum;
  // A pattern that a format stands for would only repeat it.
  if (limit.format !== undefined) delete limit.pattern;
  if (issue.code === "too_big" || issue.code === "too_small") delete limit.pattern;
  return limit;
}

function shown(value: unknown): { value?: string | number | boolean | null } {
  if (typeof value === "string") return { value: value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE)}…` : value };
  if (value === null || typeof value === "boolean" || typeof value === "number") return { value };
  return {};
}

function inWords(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  return value === null || typeof value === "number" || typeof value === "boolean" ? String(value) : kindOf(value);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "object":
      return "an object";
    case "string":
      return "text";
    case "number":
      return "a number";
    default:
      return typeof value === "boolean" ? String(value) : "missing";
  }
}
