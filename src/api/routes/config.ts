/** `/config`: the whole configuration. */
import { config as schema } from "../../config/schema.ts";
import type { ConfigService } from "../../config/store.ts";
import { readJson } from "../body.ts";
import { changed } from "../change.ts";
import { changeCondition } from "../conditional.ts";
import { answer, type Route } from "../route.ts";
import { storeProblemList } from "../schemas.ts";

const JSON_TYPE = ["application/json"] as const;

export function configRoutes(config: ConfigService): Route[] {
  return [
    {
      id: "getConfig",
      method: "get",
      path: "/config",
      access: { role: "viewer", scope: "config" },
      summary: "The configuration in force; its ETag changes with every change",
      answers: { 200: { description: "The configuration", schema }, 304: { description: "Not changed" } },
      problems: [],
      handle: (ctx) => answer(ctx, config.current, config.tag),
    },
    {
      id: "replaceConfig",
      method: "put",
      path: "/config",
      access: { role: "admin", scope: "config" },
      summary: "Replace the configuration",
      description: "It is checked as a whole: either all of it takes effect, or nothing has changed.",
      body: { types: JSON_TYPE, schema },
      conditional: true,
      answers: { 200: { description: "The configuration as it was stored", schema } },
      problems: ["invalid", "storage"],
      handle: async (ctx) => {
        changed(await config.replace(await readJson(ctx, JSON_TYPE), changeCondition(ctx)));
        answer(ctx, config.current, config.tag);
      },
    },
    {
      id: "listConfigProblems",
      method: "get",
      path: "/config/problems",
      access: { role: "viewer", scope: "config" },
      summary: "What was wrong with the stored files since the start, and what was used instead",
      answers: { 200: { description: "Oldest first; empty when all was well", schema: storeProblemList } },
      problems: [],
      handle: (ctx) => answer(ctx, { problems: config.problems() }),
    },
  ];
}
