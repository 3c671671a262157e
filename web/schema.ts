/** The configuration's schema as the page has it: JSON Schema with what src/config/schema/setting.ts adds to it. */

export interface JsonSchema {
  type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  const?: string | number | boolean;
  enum?: (string | number)[];
  oneOf?: JsonSchema[];
  anyOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  multipleOf?: number;
  maxLength?: number;
  maxItems?: number;
  minItems?: number;
  format?: string;
  label?: string;
  help?: string;
  unit?: string;
  secret?: true;
}

/** What a field of a form looks like. */
export type Kind =
  | { kind: "object"; properties: [string, JsonSchema][] }
  /** One of several objects, told apart by a property with a constant. */
  | { kind: "union"; by: string; options: [string, JsonSchema][] }
  | { kind: "choice"; choices: (string | number)[] }
  /** Some of several. */
  | { kind: "several"; choices: (string | number)[] }
  | { kind: "list"; items: JsonSchema }
  | { kind: "number" }
  | { kind: "flag" }
  | { kind: "text" }
  | { kind: "secret" }
  /** Not for people to change. */
  | { kind: "fixed" };

type Fields = Record<string, unknown>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function kindOf(schema: JsonSchema): Kind {
  if (schema.const !== undefined) return { kind: "fixed" };
  if (schema.enum !== undefined) return { kind: "choice", choices: schema.enum };
  const constants = schema.anyOf?.map((option) => option.const);
  if (constants?.every((one) => typeof one === "string" || typeof one === "number")) {
    return { kind: "choice", choices: constants };
  }
  if (schema.oneOf !== undefined) return unionOf(schema.oneOf);
  if (schema.type === "array" && schema.items !== undefined) {
    const inner = kindOf(schema.items);
    return inner.kind === "choice" ? { ...inner, kind: "several" } : { kind: "list", items: schema.items };
  }
  if (schema.type === "object") return { kind: "object", properties: Object.entries(schema.properties ?? {}) };
  if (schema.type === "boolean") return { kind: "flag" };
  if (schema.type === "integer" || schema.type === "number") return { kind: "number" };
  return { kind: schema.secret ? "secret" : "text" };
}

function unionOf(options: JsonSchema[]): Kind {
  const named = Object.entries(options[0]?.properties ?? {});
  const by = named.find(([, property]) => property.const !== undefined)?.[0] ?? "type";
  return { kind: "union", by, options: options.map((one) => [String(one.properties?.[by]?.const ?? ""), one]) };
}

/** The option of a union that a value is. */
export function optionOf(union: Extract<Kind, { kind: "union" }>, value: unknown): JsonSchema | undefined {
  const name = isFields(value) ? String(value[union.by]) : "";
  return union.options.find(([option]) => option === name)?.[1];
}

/** What a new entry starts with: the defaults, and as little as may be where there are none. */
export function initial(schema: JsonSchema): unknown {
  const kind = kindOf(schema);
  switch (kind.kind) {
    case "object":
      return Object.fromEntries(kind.properties.map(([name, property]) => [name, initial(property)]));
    case "union": {
      const preset = optionOf(kind, schema.default) ?? kind.options[0]?.[1];
      return preset === undefined ? {} : initial(preset);
    }
    case "fixed":
      return schema.const;
    case "several":
    case "list":
      return schema.default ?? Array.from({ length: schema.minItems ?? 0 }, () => initial(schema.items ?? {}));
    case "choice":
      return schema.default ?? kind.choices[0];
    case "number":
      return schema.default ?? schema.minimum ?? 0;
    case "flag":
      return schema.default ?? false;
    default:
      return schema.default ?? "";
  }
}

/** A value, with all that it leaves out at the default. */
export function completed(schema: JsonSchema, value: unknown): unknown {
  const kind = kindOf(schema);
  if (value === undefined) return initial(schema);
  if (kind.kind === "union") {
    const option = optionOf(kind, value);
    return option === undefined ? initial(schema) : completed(option, value);
  }
  if (kind.kind === "list" && Array.isArray(value)) return value.map((one) => completed(kind.items, one));
  if (kind.kind !== "object" || !isFields(value)) return value;
  return Object.fromEntries(kind.properties.map(([name, property]) => [name, completed(property, value[name])]));
}

/** Names that the schema leaves without a label. */
const names: Record<string, string> = {
  type: "Kind",
  name: "Name",
  id: "Name",
  ipv4: "IPv4",
  ipv6: "IPv6",
  dns: "DNS",
};

export function labelOf(schema: JsonSchema | undefined, name: string): string {
  if (schema?.label !== undefined) return schema.label;
  if (names[name] !== undefined) return names[name];
  const words = name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const choiceNames: Record<string, string> = {
  dhcp: "DHCP",
  vlan: "VLAN",
  sftp: "SFTP",
  http: "HTTP or HTTPS (PUT)",
  "802.3ad": "802.3ad (LACP)",
  mon: "Monday",
  tue: "Tuesday",
  wed: "Wednesday",
  thu: "Thursday",
  fri: "Friday",
  sat: "Saturday",
  sun: "Sunday",
};

/** A choice in words. */
export function choiceWords(choice: string | number): string {
  const text = String(choice);
  return choiceNames[text] ?? text.charAt(0).toUpperCase() + text.slice(1);
}

/** JSON pointer (RFC 6901) to its steps. */
export function stepsOf(pointer: string): string[] {
  const [, ...steps] = pointer.split("/");
  return steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The pointer one step further. */
export function below(pointer: string, step: string | number): string {
  return `${pointer}/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** By what people know an entry of a list. */
function entryName(value: unknown, index: string): string {
  if (isFields(value)) {
    for (const key of ["name", "connector", "id", "destination"]) {
      const name = value[key];
      if (typeof name === "string" && name !== "") return name;
    }
  }
  return /^\d+$/.test(index) ? `no. ${Number(index) + 1}` : index;
}

export interface Place {
  /** From the outside in, such as `Ports`, `eth0`, `Address`. */
  words: string[];
  schema: JsonSchema | undefined;
}

/** What a pointer of the configuration means; documents that have the value tell the names of entries of lists. */
export function placeOf(root: JsonSchema, pointer: string, ...documents: unknown[]): Place {
  const words: string[] = [];
  let schema: JsonSchema | undefined = root;
  let values = documents;
  for (const step of stepsOf(pointer)) {
    values = values.map((value) => (isFields(value) || Array.isArray(value) ? (value as Fields)[step] : undefined));
    const kind: Kind | undefined = schema && kindOf(schema);
    if (kind?.kind === "list" || kind?.kind === "several") {
      schema = schema?.items;
      words.push(entryName(values.find(isFields), step));
    } else {
      const options: JsonSchema[] = kind?.kind === "union" ? kind.options.map(([, option]) => option) : [schema ?? {}];
      schema = options.find((option) => option.properties?.[step] !== undefined)?.properties?.[step];
      words.push(labelOf(schema, step));
    }
  }
  return { words, schema };
}

const secretMark = "********";

/** A value in words, with its unit. */
export function valueWords(schema: JsonSchema | undefined, value: unknown): string {
  if (value === undefined || value === null) return "–";
  if (value === secretMark) return "a secret";
  if (value === true) return "yes";
  if (value === false) return "no";
  if (value === "") return "empty";
  if (Array.isArray(value)) {
    return value.length === 0 ? "none" : value.map((one) => valueWords(schema?.items, one)).join(", ");
  }
  if (!isFields(value)) return schema?.unit === undefined ? String(value) : `${value}\u00a0${schema.unit}`;
  const kind = schema && kindOf(schema);
  const properties = (kind?.kind === "union" ? optionOf(kind, value) : schema)?.properties;
  const parts = Object.entries(value).map(
    ([name, one]) => `${labelOf(properties?.[name], name)} ${valueWords(properties?.[name], one)}`,
  );
  return isEntry(value) ? `${entryName(value, "")} (${parts.join(", ")})` : parts.join(", ");
}

const isEntry = (value: Fields) => entryName(value, "") !== "";
