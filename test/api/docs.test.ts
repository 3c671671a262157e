import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { parseArgs } from "node:util";
import { PROBLEMS, type ProblemKind } from "../../src/api/problem.ts";
import type { Route } from "../../src/api/route.ts";
import { everyRoute } from "./support/everyRoute.ts";

const page = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");

interface Example {
  line: string;
  method: string;
  path: string;
  query: string[];
  headers: Map<string, string>;
  body: string | undefined;
}

/** The calls of the page that go to the box by its name. */
function examples(): Example[] {
  const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = ""]) => text.replaceAll(/\\\n\s*/g, ""));
  const lines = blocks.flatMap((block) => block.split("\n")).filter((line) => line.startsWith("curl "));
  return lines.map((line) => {
    const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(#.*)|(\S+)/g)].flatMap(([, a, b, comment, c]) =>
      comment === undefined ? [a ?? b ?? c ?? ""] : [],
    );
    const { values, positionals } = parseArgs({
      args: words.slice(1),
      allowPositionals: true,
      options: {
        method: { type: "string", short: "X" },
        header: { type: "string", short: "H", multiple: true, default: [] },
        data: { type: "string", short: "d" },
        upload: { type: "string", short: "T" },
        cookies: { type: "string", short: "b" },
        jar: { type: "string", short: "c" },
        ...{ include: { type: "boolean", short: "i" }, unbuffered: { type: "boolean", short: "N" } },
        ...{ output: { type: "boolean", short: "O" }, named: { type: "boolean", short: "J" } },
      },
    });
    const url = new URL((positionals[0] ?? "").replace("$BOX", "https://box"));
    return {
      ...{ line, path: url.pathname, query: [...url.searchParams.keys()], body: values.data ?? values.upload },
      method: (values.method ?? (values.data === undefined ? "GET" : "POST")).toLowerCase(),
      headers: new Map(values.header.map((header) => header.split(": ") as [string, string])),
    };
  });
}

function routeFor({ method, path }: Example, routes: Iterable<Route>): Route | undefined {
  return [...routes].find(
    (route) => route.method === method && new RegExp(`^/api/v1${route.path.replaceAll(/:\w+/g, "[^/]+")}$`).test(path),
  );
}

test("every example of the API's page is a call that the API takes", async () => {
  const routes = [...(await everyRoute()).values()];
  const found = examples();
  assert.ok(found.length >= 30, `only ${found.length}`);
  for (const example of found) {
    const { line, query, headers, body } = example;
    const route = routeFor(example, routes);
    assert(route !== undefined, `there is no such route: ${line}`);
    for (const name of query) assert.ok(route.query?.[name], `${name} is no parameter: ${line}`);
    assert.equal(body === undefined, route.body === undefined, `with a body or not: ${line}`);
    if (body !== undefined && route.body !== undefined) {
      assert.ok(route.body.types.includes(headers.get("Content-Type") ?? ""), `another type of body: ${line}`);
      const parsed = route.body.schema?.safeParse(JSON.parse(body));
      assert.ok(parsed?.success !== false, `${line}: ${parsed?.error}`);
    }
    const opens = /\$BOX\/api\/v1\/session( |$)/.test(line) && example.method === "post";
    const changes = example.method !== "get" && !opens;
    const byToken = headers.get("Authorization") === "Bearer $TOKEN";
    // What a session changes proves that its own page wants it.
    if (changes && !byToken) assert.equal(headers.get("Steadycast-Request"), "1", line);
    if (headers.has("If-Match")) assert.equal(route.conditional, true, line);
  }
});

test("every problem but those of the box's own making is on the page, with its status", () => {
  for (const [kind, [status]] of Object.entries(PROBLEMS) as [ProblemKind, readonly [number, string]][]) {
    if (kind === "internal") continue;
    const row = page.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${kind}\``));
    assert.ok(row?.split("|")[1]?.includes(String(status)), `${kind} ${status}`);
  }
});
