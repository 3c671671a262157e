/** Finds what the schema says of each part of a document. */
import { z } from "zod";
import { isObject, type Path, valueAt } from "./json.ts";
import type { Effect, SettingMeta } from "./schema.ts";

const WRAPPERS = [z.ZodDefault, z.ZodPrefault, z.ZodOptional, z.ZodExactOptional, z.ZodNullable];
type Wrapper = InstanceType<(typeof WRAPPERS)[number]>;
type Schema = z.core.$ZodType;

/** A schema without its wrappers, and what they say of the setting; the inner one counts. */
export function unwrap(schema: Schema): { node: Schema; meta?: SettingMeta } {
  let node = schema;
  let meta = metaOf(node);
  while (WRAPPERS.some((wrapper) => node instanceof wrapper)) {
    node = (node as Wrapper).unwrap();
    meta = metaOf(node) ?? meta;
  }
  return { node, ...(meta === undefined ? {} : { meta }) };
}

/** The schema at a path of the document, without its wrappers, and what it says of the setting there. */
export function resolve(schema: z.ZodType, document: unknown, path: Path): { leaf?: z.ZodType; meta?: SettingMeta } {
  let at: Schema | undefined = schema;
  let meta: SettingMeta | undefined;
  for (let depth = 0; at !== undefined; ) {
    const found = unwrap(at);
    at = found.node;
    meta = found.meta ?? meta;
    if (at instanceof z.ZodDiscriminatedUnion) {
      const option = optionFor(at, valueAt(document, path.slice(0, depth)));
      if (option !== undefined) {
        at = option;
        continue;
      }
    }
    if (depth === path.length) break;
    const step = path[depth++];
    meta = undefined;
    if (at instanceof z.ZodObject) at = (at.shape as Record<PropertyKey, Schema>)[step as PropertyKey];
    else if (at instanceof z.ZodRecord) at = at.valueType;
    else at = at instanceof z.ZodArray ? at.element : undefined;
  }
  return { ...(at === undefined ? {} : { leaf: at as z.ZodType }), ...(meta === undefined ? {} : { meta }) };
}

/** The option of a union that the value's discriminator names. */
export function optionFor(union: z.ZodDiscriminatedUnion, value: unknown): Schema | undefined {
  const key = union.def.discriminator;
  return union.options.find(
    (option) =>
      option instanceof z.ZodObject &&
      isObject(value) &&
      (option.shape[key] as z.ZodLiteral).values.has(value[key] as string),
  );
}

/** A setting that the schema declares; in its path, "*" stands for any place of a list and any key of a record. */
export interface DeclaredSetting {
  path: string[];
  schema: z.ZodType;
  meta: SettingMeta;
}

/** Every setting of a schema, those within settings and those of each option of a union too. */
export function* declaredSettings(schema: Schema, path: string[] = []): Generator<DeclaredSetting> {
  const { node, meta } = unwrap(schema);
  if (meta !== undefined) yield { path, schema: schema as z.ZodType, meta };
  if (node instanceof z.ZodObject) {
    for (const [key, part] of Object.entries(node.shape)) yield* declaredSettings(part as Schema, [...path, key]);
  } else if (node instanceof z.ZodArray) yield* declaredSettings(node.element, [...path, "*"]);
  else if (node instanceof z.ZodRecord) yield* declaredSettings(node.valueType, [...path, "*"]);
  else if (node instanceof z.ZodUnion) for (const option of node.options) yield* declaredSettings(option, path);
}

/** A copy of the value in which each secret setting holds what `change` makes of it. The value need not be valid. */
export function mapSecrets(
  schema: Schema,
  value: unknown,
  change: (value: unknown, path: Path) => unknown,
  path: Path = [],
): unknown {
  const { node, meta } = unwrap(schema);
  if (meta?.secret) return change(value, path);
  if (node instanceof z.ZodDiscriminatedUnion) {
    const option = optionFor(node, value);
    return option === undefined ? value : mapSecrets(option, value, change, path);
  }
  if (node instanceof z.ZodUnion) {
    return node.options.reduce<unknown>((mapped, option) => mapSecrets(option, mapped, change, path), value);
  }
  if (node instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((entry: unknown, i) => mapSecrets(node.element, entry, change, [...path, i]));
  }
  if (!isObject(value)) return value;
  const partOf = (key: string): Schema | undefined => {
    if (node instanceof z.ZodRecord) return node.valueType;
    return node instanceof z.ZodObject && Object.hasOwn(node.shape, key) ? (node.shape[key] as Schema) : undefined;
  };
  // fromEntries defines properties, so that a key such as __proto__ stays data.
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => {
      const part = partOf(key);
      return [key, part === undefined ? entry : mapSecrets(part, entry, change, [...path, key])];
    }),
  );
}

/** From the least to the most that a change can do. */
const weights: Record<Effect, number> = { none: 0, live: 1, transmit: 2, encoder: 3, network: 4 };

export function heavier(a: Effect, b: Effect): Effect {
  return weights[a] >= weights[b] ? a : b;
}

/**
 * What a change at a path of the document does. A part that is no setting itself, such as an entry of a list, does what the
 * heaviest of its settings does; one without settings, such as the type of a source, what its neighbours do.
 */
export function effectAt(schema: z.ZodType, document: unknown, path: Path): Effect {
  for (let length = path.length; length >= 0; length--) {
    const { leaf, meta } = resolve(schema, document, path.slice(0, length));
    if (meta !== undefined) return meta.effect;
    const within = leaf === undefined ? [] : [...declaredSettings(leaf)].map((setting) => setting.meta.effect);
    if (within.length > 0) return within.reduce(heavier);
  }
  return "none";
}

function metaOf(schema: Schema): SettingMeta | undefined {
  return z.globalRegistry.get(schema) as SettingMeta | undefined;
}
