/** The settings as the menu walks them, made from the schema: what is in what, which editor a value needs, its limits. */
import { z } from "zod";
import { fromPointer, isObject, type Path } from "../../../config/json.ts";
import type { Effect, SettingMeta } from "../../../config/schema.ts";
import { heavier } from "../../../config/walk.ts";

interface Common {
  /** Name in the document; that of the list for an entry of one. */
  key: string;
  label: string;
  help?: string;
  unit?: string;
  secret: boolean;
  effect: Effect;
  /** May be left out of the document. */
  optional: boolean;
  /** Without its wrappers. */
  schema: z.ZodType;
}

export interface Group extends Common {
  kind: "group";
  fields: readonly Setting[];
}

/** One of several groups, told apart by the value of `key`. */
export interface Variant extends Common {
  kind: "variant";
  discriminator: string;
  options: ReadonlyMap<string, Group>;
}

export interface List extends Common {
  kind: "list";
  entry: Setting;
  min: number;
  max: number;
  /** The entries' setting that tells them apart, undefined: only their place does. */
  identity?: string;
}

export type Single = string | number | boolean;

export interface Choice extends Common {
  kind: "choice";
  choices: readonly Single[];
}

export interface Whole extends Common {
  kind: "whole";
  min: number;
  max: number;
  /** The value is a multiple of this. */
  step: number;
}

export interface Ipv4 extends Common {
  kind: "ipv4";
}

export interface Text extends Common {
  kind: "text";
  /** Characters. */
  max: number;
}

/** Shown, but nothing that the panel has an editor for. */
export interface Fixed extends Common {
  kind: "fixed";
}

export type Leaf = Choice | Whole | Ipv4 | Text | Fixed;
export type Setting = Group | Variant | List | Leaf;

/** The tree of settings of a schema. Single values without a label (versions, ids) are no settings. */
export function settingsOf(schema: z.ZodType): Setting {
  return describe(schema, "") ?? fail("the schema has no settings");
}

export function isLeaf(setting: Setting): setting is Leaf {
  return setting.kind !== "group" && setting.kind !== "variant" && setting.kind !== "list";
}

/** The setting at a path of the document, which tells the options of variants. */
export function settingAt(root: Setting, document: unknown, path: Path): Setting | undefined {
  let [at, value]: [Setting | undefined, unknown] = [root, document];
  for (const step of path) {
    const group: Setting | undefined = at?.kind === "variant" ? optionOf(at, value) : at;
    if (group?.kind === "list" && Array.isArray(value)) at = Number(step) < value.length ? group.entry : undefined;
    else at = group?.kind === "group" ? group.fields.find(({ key }) => key === step) : undefined;
    value = isObject(value) || Array.isArray(value) ? (value as Record<PropertyKey, unknown>)[step] : undefined;
  }
  return at;
}

/** The label of the setting that a JSON pointer (RFC 6901) leads to, also where the document has nothing yet. */
export function labelAt(root: Setting, pointer: string): string | undefined {
  const steps = fromPointer(pointer);
  let at: Setting | undefined = root;
  for (const step of steps) {
    if (at?.kind === "list") at = at.entry;
    else {
      const fields: readonly Setting[] =
        at?.kind === "variant" ? [...at.options.values()].flatMap((option) => option.fields) : [];
      at = (at?.kind === "group" ? at.fields : fields).find(({ key }) => key === step);
    }
  }
  return steps.length === 0 ? undefined : (at?.label ?? steps.at(-1));
}

/** The group that a variant's value is. */
export function optionOf(variant: Variant, value: unknown): Group | undefined {
  return isObject(value) ? variant.options.get(String(value[variant.discriminator])) : undefined;
}

/** What a new value begins with: the schema's defaults; what has none is left out. */
export function blank(schema: z.core.$ZodType): unknown {
  const whole = z.safeParse(schema, undefined);
  if (whole.success) return whole.data;
  if (schema instanceof z.ZodLiteral) return [...schema.values][0];
  if (!(schema instanceof z.ZodObject)) return undefined;
  const fields = Object.entries(schema.shape as Record<string, z.core.$ZodType>);
  return Object.fromEntries(fields.map(([key, of]) => [key, blank(of)]).filter(([, value]) => value !== undefined));
}

/** The most that a change of this setting, with all in it, does to a channel on air. */
export function effectOf(setting: Setting, value: unknown): Effect {
  const effects = [setting.effect];
  if (setting.kind === "variant") {
    const option = optionOf(setting, value);
    if (option !== undefined) effects.push(effectOf(option, value));
  } else if (setting.kind === "group") {
    for (const field of setting.fields) effects.push(effectOf(field, isObject(value) ? value[field.key] : undefined));
  } else if (setting.kind === "list") {
    for (const entry of Array.isArray(value) ? value : []) effects.push(effectOf(setting.entry, entry));
  }
  return effects.reduce(heavier);
}

function describe(schema: z.core.$ZodType, key: string, label?: string): Setting | undefined {
  let meta: Partial<SettingMeta> = {};
  let optional = false;
  let at = schema;
  for (;;) {
    meta = { ...(z.globalRegistry.get(at) as Partial<SettingMeta> | undefined), ...meta };
    optional ||= at instanceof z.ZodOptional;
    if (!(at instanceof z.ZodDefault || at instanceof z.ZodPrefault || at instanceof z.ZodOptional)) break;
    at = at.unwrap();
  }
  const common: Common = {
    key,
    label: meta.label ?? label ?? inWords(key),
    ...(meta.help === undefined ? {} : { help: meta.help }),
    ...(meta.unit === undefined ? {} : { unit: meta.unit }),
    secret: meta.secret ?? false,
    effect: meta.effect ?? "none",
    optional,
    schema: at as z.ZodType,
  };
  if (at instanceof z.ZodObject) return { ...common, kind: "group", fields: fieldsOf(at) };
  if (at instanceof z.ZodDiscriminatedUnion) return variant(at, common);
  if (at instanceof z.ZodArray) return list(at, common);
  return meta.label === undefined && label === undefined ? undefined : leaf(common);
}

function fieldsOf(object: z.ZodObject): Setting[] {
  return Object.entries(object.shape).flatMap(([key, field]) => describe(field, key) ?? []);
}

function variant(union: z.ZodDiscriminatedUnion, common: Common): Variant {
  const discriminator = union.def.discriminator;
  const options = new Map<string, Group>();
  for (const option of union.options) {
    if (!(option instanceof z.ZodObject)) continue;
    const group: Group = { ...common, schema: option, kind: "group", fields: fieldsOf(option) };
    for (const name of (option.shape[discriminator] as z.ZodLiteral).values) options.set(String(name), group);
  }
  return { ...common, kind: "variant", discriminator, options };
}

function list(array: z.ZodArray, common: Common): Setting {
  const entry = describe(array.element, common.key, common.label);
  if (entry === undefined) return { ...common, kind: "fixed" };
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = z.toJSONSchema(array, { io: "input" });
  const identity = identityOf(array.element);
  return {
    ...common,
    kind: "list",
    entry,
    min: minItems,
    max: maxItems,
    ...(identity === undefined ? {} : { identity }),
  };
}

/** The first text that every entry must have. */
function identityOf(element: z.core.$ZodType): string | undefined {
  const object = element instanceof z.ZodDiscriminatedUnion ? element.options[0] : element;
  if (!(object instanceof z.ZodObject)) return undefined;
  return Object.entries(object.shape).find(([, field]) => field.type === "string")?.[0];
}

function leaf(common: Common): Leaf {
  const { schema } = common;
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  if (json.type === "boolean") return { ...common, kind: "choice", choices: [false, true] };
  const choices = json.enum ?? json.anyOf?.map((option) => (typeof option === "object" ? option.const : undefined));
  if (choices?.every(isSingle)) return { ...common, kind: "choice", choices: inOrder(choices) };
  if (json.type === "integer") {
    const step = json.multipleOf ?? 1;
    const from = json.minimum ?? (typeof json.exclusiveMinimum === "number" ? json.exclusiveMinimum + 1 : 0);
    const to = json.maximum ?? (typeof json.exclusiveMaximum === "number" ? json.exclusiveMaximum - 1 : LARGEST);
    const [min, max] = [Math.max(from, -LARGEST), Math.min(to, LARGEST)];
    return { ...common, kind: "whole", min: Math.ceil(min / step) * step, max: Math.floor(max / step) * step, step };
  }
  if (json.type === "string" && json.format === "ipv4") return { ...common, kind: "ipv4" };
  const texts = json.type === "string" || json.anyOf?.every((o) => typeof o === "object" && o.type === "string");
  return texts ? { ...common, kind: "text", max: json.maxLength ?? LONGEST } : { ...common, kind: "fixed" };
}

/** No number of nine digits and no text of this length is edited on a panel. */
const LARGEST = 999_999_999;
const LONGEST = 4096;

const isSingle = (value: unknown): value is Single => ["string", "number", "boolean"].includes(typeof value);

/** Words first, as they are declared; then numbers by size, since an object puts some of those names first. */
function inOrder(choices: readonly Single[]): Single[] {
  const isNumber = (choice: Single) => choice !== "" && !Number.isNaN(Number(choice));
  const numbers = choices.filter(isNumber).sort((a, b) => Number(a) - Number(b));
  return [...choices.filter((choice) => !isNumber(choice)), ...numbers];
}

/** `originalNetworkId` → `Original network id`. */
function inWords(key: string): string {
  const words = key.replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`).trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function fail(message: string): never {
  throw new Error(message);
}
