/**
 * A small validator of JSON Schema 2020-12: as much as our documents use, and an error for the rest. It shares nothing with
 * zod, so it is a second opinion on what the schema accepts and on what the API answers.
 */
type Json = Record<string, unknown>;

const ANNOTATIONS = new Set(["title", "description", "default", "x-unit", "x-effect", "format", "readOnly", "$schema"]);

/** What is wrong with the value, as `pointer: words`. `root` is where `$ref` leads into. */
export function violations(schema: Json, value: unknown, root: Json = schema, at = ""): string[] {
  const wrong: string[] = [];
  const fail = (words: string): void => void wrong.push(`${at || "/"}: ${words}`);
  const sub = (inner: unknown, part: unknown, step: string | number): void => {
    wrong.push(...violations(inner as Json, part, root, `${at}/${step}`));
  };
  const branches = (list: unknown): string[][] => (list as Json[]).map((branch) => violations(branch, value, root, at));
  const object = typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;

  for (const [keyword, limit] of Object.entries(schema)) {
    switch (keyword) {
      case "$ref":
        wrong.push(...violations(resolve(root, limit as string), value, root, at));
        break;
      case "type":
        if (![limit].flat().some((type) => hasType(value, type as string))) fail(`is not ${limit}`);
        break;
      case "const":
        if (value !== limit) fail(`is not ${JSON.stringify(limit)}`);
        break;
      case "enum":
        if (!(limit as unknown[]).includes(value)) fail(`is none of ${JSON.stringify(limit)}`);
        break;
      case "anyOf":
        if (branches(limit).every((found) => found.length > 0)) fail("fits no branch of anyOf");
        break;
      case "oneOf":
        if (branches(limit).filter((found) => found.length === 0).length !== 1) fail("fits not one branch of oneOf");
        break;
      case "minimum":
        if (typeof value === "number" && value < (limit as number)) fail(`is below ${limit}`);
        break;
      case "maximum":
        if (typeof value === "number" && value > (limit as number)) fail(`is above ${limit}`);
        break;
      case "multipleOf":
        if (typeof value === "number" && value % (limit as number) !== 0) fail(`is no multiple of ${limit}`);
        break;
      case "minLength":
        if (typeof value === "string" && value.length < (limit as number)) fail(`is shorter than ${limit}`);
        break;
      case "maxLength":
        if (typeof value === "string" && value.length > (limit as number)) fail(`is longer than ${limit}`);
        break;
      case "pattern":
        if (typeof value === "string" && !new RegExp(limit as string, "u").test(value)) fail(`does not fit ${limit}`);
        break;
      case "minItems":
        if (Array.isArray(value) && value.length < (limit as number)) fail(`has fewer than ${limit} items`);
        break;
      case "maxItems":
        if (Array.isArray(value) && value.length > (limit as number)) fail(`has more than ${limit} items`);
        break;
      case "items":
        for (const [index, item] of entries(value)) sub(limit, item, index);
        break;
      case "prefixItems":
        for (const [index, item] of entries(value)) sub((limit as Json[])[index], item, index);
        break;
      case "required":
        for (const key of limit as string[]) if (object && !Object.hasOwn(object, key)) fail(`has no ${key}`);
        break;
      case "properties":
        for (const [key, inner] of Object.entries(limit as Json)) {
          if (object && Object.hasOwn(object, key)) sub(inner, object[key], key);
        }
        break;
      case "propertyNames":
        for (const key of Object.keys(object ?? {})) sub(limit, key, key);
        break;
      case "additionalProperties":
        for (const [key, part] of Object.entries(object ?? {})) {
          if (Object.hasOwn((schema.properties ?? {}) as Json, key)) continue;
          if (limit === false) fail(`has an unknown ${key}`);
          else sub(limit, part, key);
        }
        break;
      default:
        if (!ANNOTATIONS.has(keyword)) throw new Error(`this validator does not know "${keyword}"`);
    }
  }
  return wrong;
}

function entries(value: unknown): [number, unknown][] {
  return Array.isArray(value) ? [...value.entries()] : [];
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function resolve(root: Json, reference: string): Json {
  let at: unknown = root;
  for (const step of reference.replace(/^#\//, "").split("/")) at = (at as Json)[step];
  if (at === undefined) throw new Error(`${reference} leads nowhere`);
  return at as Json;
}
