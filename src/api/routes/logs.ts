/** `/logs` and `/diagnostics`: what the box has said, and all that helps to find a fault. Neither holds secrets. */
import { Readable } from "node:stream";
import type { RouterContext } from "@koa/router";
import type { Diagnostics } from "../../system/diagnostics/diagnostics.ts";
import { type LogFilter, type LogLine, levels, toText } from "../../system/logs/line.ts";
import type { LogService } from "../../system/logs/logService.ts";
import { Problem } from "../problem.ts";
import { answer, type Route } from "../route.ts";
import { logPage } from "../systemSchemas.ts";

const LIMIT = 200;
const LIMIT_MAX = 1000;
const TEXT_MAX = 200;
/** Characters that are sent at once. */
const CHUNK = 64 * 1024;

const filterQuery = {
  level: "At least: debug, info, warning or error; info if left out",
  source:
    "A part of the box, such as config; one of the page's `sources`: the kernel, the system's programs, or a media " +
    "process; all parts of the box if left out",
  text: "Held by the message, whatever the case",
};

export function logRoutes(
  logs: Pick<LogService, "browse" | "sources" | "all">,
  diagnostics: Pick<Diagnostics, "name" | "bundle">,
): Route[] {
  return [
    {
      id: "listLogs",
      method: "get",
      path: "/logs",
      access: { role: "operator", scope: "system" },
      summary: "The log, newest lines first",
      description: "A page may have fewer lines than asked for, or none, and yet not be the last: `next` tells.",
      query: {
        ...filterQuery,
        before: "Only lines before the one with this cursor; the `next` of the page before",
        limit: `Most lines, 1 to ${LIMIT_MAX}; ${LIMIT} if left out`,
      },
      answers: { 200: { description: "A page; `next` is null on the last", schema: logPage } },
      problems: ["bad-request", "unavailable"],
      handle: async (ctx) => {
        const limit = single(ctx, "limit") ?? String(LIMIT);
        const number = /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
        if (number < 1 || number > LIMIT_MAX) throw new Problem("bad-request", `limit must be 1 to ${LIMIT_MAX}`);
        const page = await logs.browse(filterOf(ctx), single(ctx, "before"), number);
        if ("failed" in page) throw new Problem(page.cursor ? "bad-request" : "unavailable", page.failed);
        answer(ctx, { ...page, sources: await logs.sources() });
      },
    },
    {
      id: "downloadLogs",
      method: "get",
      path: "/logs/download",
      access: { role: "admin", scope: "system" },
      summary: "All that is kept of the log, oldest lines first",
      query: { ...filterQuery, format: "text (the default), or ndjson: a line of JSON for each" },
      answers: { 200: { description: "A file", type: "text/plain" } },
      problems: ["bad-request"],
      handle: (ctx) => {
        const format = single(ctx, "format") ?? "text";
        if (format !== "text" && format !== "ndjson") throw new Problem("bad-request", "format must be text or ndjson");
        const filter = filterOf(ctx);
        ctx.attachment(format === "text" ? "steadycast.log" : "steadycast.ndjson");
        ctx.type = format === "text" ? "text/plain; charset=utf-8" : "application/x-ndjson";
        ctx.set("Cache-Control", "no-store");
        const write = format === "text" ? toText : (line: LogLine) => `${JSON.stringify(line)}\n`;
        ctx.body = Readable.from(inChunks(logs.all(filter), write), { objectMode: false });
      },
    },
    {
      id: "getDiagnostics",
      method: "get",
      path: "/diagnostics",
      access: { role: "admin", scope: "system" },
      summary: "Everything that helps to find a fault, in one file without secrets",
      description: "It is made while it is sent, which may take a minute; one at a time.",
      answers: { 200: { description: "A compressed archive (tar)", type: "application/gzip" } },
      problems: ["conflict"],
      handle: (ctx) => {
        const { name } = diagnostics;
        // Who only asks whether there is one need not have it made.
        const bundle = ctx.method === "HEAD" ? Readable.from([]) : diagnostics.bundle();
        if (bundle === undefined) throw new Problem("conflict", "Another one is being made; try again in a minute");
        ctx.attachment(`${name}.tar.gz`);
        ctx.type = "application/gzip";
        ctx.set("Cache-Control", "no-store");
        ctx.body = bundle;
      },
    },
  ];
}

function filterOf(ctx: RouterContext): LogFilter {
  const {
    level = "info",
    source = "",
    text = "",
  } = {
    level: single(ctx, "level"),
    source: single(ctx, "source"),
    text: single(ctx, "text"),
  };
  const known = levels.find((one) => one === level);
  if (known === undefined) throw new Problem("bad-request", `level must be one of ${levels.join(", ")}`);
  if (source.length > TEXT_MAX) throw new Problem("bad-request", `source must have at most ${TEXT_MAX} characters`);
  if (text.length > TEXT_MAX) throw new Problem("bad-request", `text must have at most ${TEXT_MAX} characters`);
  return { level: known, source, text };
}

function single(ctx: RouterContext, name: string): string | undefined {
  const value = ctx.query[name];
  if (Array.isArray(value)) throw new Problem("bad-request", `${name} is given more than once`);
  return value;
}

async function* inChunks(lines: AsyncIterable<LogLine>, write: (line: LogLine) => string): AsyncGenerator<string> {
  let chunk = "";
  for await (const line of lines) {
    chunk += write(line);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = "";
  }
  if (chunk !== "") yield chunk;
}
