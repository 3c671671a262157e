/** The OpenAPI 3.1 document, made from the table of routes and the schemas. */
import { z } from "zod";
import { PROBLEMS, type ProblemKind } from "./problem.ts";
import { type Answer, BASE, type Route } from "./route.ts";
import { ANSWERS, problemDetails, REQUESTS } from "./schemas.ts";

type Json = Record<string, unknown>;

/** What any request may be answered with. */
const GENERAL: readonly ProblemKind[] = ["misdirected", "too-many", "internal"];

const SECURITY_SCHEMES = {
  session: {
    type: "apiKey",
    in: "cookie",
    name: "__Host-steadycast_session",
    description:
      "Set by POST /session; over HTTP, which this machine alone can use, its name is steadycast_session. A request that " +
      "changes something needs the header `Steadycast-Request: 1` and an Origin that is the box.",
  },
  token: { type: "http", scheme: "bearer", description: "Made by POST /tokens; begins with sc_." },
};

export function openapi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = `${BASE}${route.path.replaceAll(/:(\w+)/g, "{$1}")}`;
    paths[path] ??= {};
    paths[path][route.method] = operation(route);
  }
  const schemas = { ...components(ANSWERS, "output"), ...components(REQUESTS, "input") };
  return {
    openapi: "3.1.0",
    info: { title: "Steadycast", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    paths,
    components: { securitySchemes: SECURITY_SCHEMES, schemas: onlyUsed(schemas, paths) },
  };
}

function operation(route: Route): Json {
  const parameters: Json[] = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    ...{ name, in: "path", required: true, schema: { type: "string" } },
  }));
  for (const [name, description] of Object.entries(route.query ?? {})) {
    parameters.push({ name, in: "query", description, schema: { type: "string" } });
  }
  if (route.conditional) {
    const description = "Act only on the configuration with this ETag";
    parameters.push({ name: "If-Match", in: "header", description, schema: { type: "string" } });
  }
  const responses: Json = {};
  for (const [status, answer] of Object.entries(route.answers)) responses[status] = response(answer);
  for (const [status, description] of problemsOf(route)) {
    const content = { "application/problem+json": { schema: reference(problemDetails, ANSWERS) } };
    responses[status] = { description, content };
  }
  return {
    operationId: route.id,
    tags: [/^\/([\w-]+)/.exec(route.path)?.[1]],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined ? {} : { requestBody: requestBody(route.body) }),
    responses,
    ...security(route),
  };
}

/** Who may, for programs to read: `x-role` is public, setup, or the least role; `x-scope` is what a token must not lack;
 * `x-own-machine` lets in whoever asks from the box itself. */
function security({ access, ownMachine }: Route): Json {
  if (access === "public") return { security: [], "x-role": "public" };
  if (access === "setup") return { security: [{ session: [] }], "x-role": "setup" };
  const known = { "x-role": access.role, "x-scope": access.scope };
  if (!ownMachine) return { security: [{ session: [] }, { token: [] }], ...known };
  return { security: [{ session: [] }, { token: [] }, {}], ...known, "x-own-machine": true };
}

function requestBody({ types, schema }: NonNullable<Route["body"]>): Json {
  const media = { schema: schema === undefined ? { type: "string", format: "binary" } : reference(schema, REQUESTS) };
  return { required: true, content: Object.fromEntries(types.map((type) => [type, media])) };
}

function response({ description, schema, type }: Answer): Json {
  if (schema !== undefined) {
    return { description, content: { "application/json": { schema: reference(schema, ANSWERS) } } };
  }
  return type === undefined ? { description } : { description, content: { [type]: {} } };
}

/** What a status means; several kinds of problem may share one. */
function problemsOf(route: Route): Map<number, string> {
  const forBody: ProblemKind[] =
    route.body === undefined ? [] : ["bad-request", "too-large", "media-type", "unavailable"];
  const forChange: ProblemKind[] = route.method === "get" ? [] : ["foreign-origin"];
  const forAccess: ProblemKind[] = route.access === "public" ? [] : ["unauthenticated", "forbidden"];
  const conditional: ProblemKind[] = route.conditional ? ["stale"] : [];
  const described = new Map<number, string>();
  for (const kind of new Set([...route.problems, ...forBody, ...forChange, ...forAccess, ...conditional, ...GENERAL])) {
    const [status, title] = PROBLEMS[kind];
    const before = described.get(status);
    described.set(status, before === undefined ? title : `${before}. ${title}`);
  }
  return described;
}

function reference(schema: z.ZodType, names: ReadonlyMap<z.ZodType, string>): Json {
  const name = names.get(schema);
  if (name === undefined) throw new Error("a schema of the table of routes has no name");
  return { $ref: `#/components/schemas/${name}` };
}

/** Named schemas as JSON Schema, referring to each other by name. */
function components(names: ReadonlyMap<z.ZodType, string>, io: "input" | "output"): Json {
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of names) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io,
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => rename(jsonSchema),
  });
  for (const schema of Object.values(schemas)) {
    delete schema.$schema;
    delete schema.$id;
  }
  return schemas;
}

/** The schemas that the paths lead to, by whatever way: a box without a part has neither its routes nor its shapes. */
function onlyUsed(schemas: Json, paths: Json): Json {
  const used = new Set<string>();
  const follow = (part: unknown): void => {
    for (const [, name = ""] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      follow(schemas[name]);
    }
  };
  follow(paths);
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
}

/** Labels and help under the names that OpenAPI has for them; what it has no name for as extensions. */
function rename(schema: Json): void {
  const { label, help, unit, effect, secret } = schema;
  for (const key of ["label", "help", "unit", "effect", "secret"]) delete schema[key];
  if (label !== undefined) schema.title = label;
  if (help !== undefined) schema.description = help;
  if (unit !== undefined) schema["x-unit"] = unit;
  if (effect !== undefined) schema["x-effect"] = effect;
  if (secret !== undefined) {
    schema.format = "password";
    // What stands for a secret is no secret itself.
    if (typeof schema.pattern === "string") schema.pattern = `^\\*{8}$|${schema.pattern}`;
  }
}
