/** All routes that there are in src/api/routes, whatever they need: with services that do nothing. */
import { readdirSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Route } from "../../../src/api/route.ts";

const folder = fileURLToPath(new URL("../../../src/api/routes/", import.meta.url));

/** Can be called, taken apart and gone through, and there is nothing in it. */
const nothing: unknown = new Proxy(() => undefined, { get: () => nothing, apply: () => nothing });

/** By operation id. Their handlers cannot be used. */
export async function everyRoute(): Promise<Map<string, Route>> {
  const found = new Map<string, Route>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".ts"))) {
    const module = (await import(pathToFileURL(folder + file).href)) as Record<string, unknown>;
    for (const [name, make] of Object.entries(module)) {
      if (!name.endsWith("Routes") || typeof make !== "function") continue;
      for (const route of make(nothing, nothing, nothing, nothing, nothing) as Route[]) found.set(route.id, route);
    }
  }
  return found;
}
