/** `/audit`: who changed what, from where. */
import { Readable } from "node:stream";
import type { RouterContext } from "@koa/router";
import type { AuditLog, AuditQuery } from "../../access/audit/log.ts";
import { auditCheck, auditPage } from "../auditSchemas.ts";
import { Problem } from "../problem.ts";
import { answer, type Route } from "../route.ts";

const ADMIN = { role: "admin", scope: "access" } as const;
/** Characters of a search. */
const MAX_TEXT = 100;

export function auditRoutes(audit: Pick<AuditLog, "list" | "export" | "check">): Route[] {
  return [
    {
      id: "listAudit",
      method: "get",
      path: "/audit",
      access: ADMIN,
      summary: "The audit log, newest first",
      description: "A page may have fewer records than asked for, or none, and yet not be the last: `next` tells.",
      query: {
        before: "Only records with a lower number; the `next` of the page before",
        limit: "How many at the most, 1 to 200; 50 when left out",
        who: "Part of the user's name or address",
        what: "Part of the operation's id, or of what it was done to",
      },
      answers: { 200: { description: "A page; `next` is null on the last", schema: auditPage } },
      problems: ["bad-request"],
      handle: async (ctx) => answer(ctx, await audit.list(queryOf(ctx))),
    },
    {
      id: "exportAudit",
      method: "get",
      path: "/audit/export",
      access: ADMIN,
      summary: "The whole audit log as it is stored, oldest first, with the hashes that chain it",
      answers: { 200: { description: "A line of JSON each", type: "application/x-ndjson" } },
      problems: [],
      handle: (ctx) => {
        ctx.attachment("audit.jsonl");
        ctx.type = "application/x-ndjson";
        ctx.set("Cache-Control", "no-store");
        ctx.body = Readable.from(audit.export());
      },
    },
    {
      id: "checkAudit",
      method: "get",
      path: "/audit/check",
      access: ADMIN,
      summary: "Whether the audit log is as it was written",
      description: "Holds every record against the chain of hashes, and tells the first ten places where it is broken.",
      answers: { 200: { description: "The outcome", schema: auditCheck } },
      problems: ["unavailable"],
      handle: async (ctx) => {
        const check = await audit.check().catch((error: unknown) => {
          throw new Problem(
            "unavailable",
            `The log cannot be checked: ${error instanceof Error ? error.message : error}`,
          );
        });
        answer(ctx, check);
      },
    },
  ];
}

function queryOf(ctx: RouterContext): AuditQuery {
  const query: AuditQuery = {};
  for (const name of ["before", "limit"] as const) {
    const value = single(ctx, name);
    if (value === undefined) continue;
    const max = name === "limit" ? 200 : Number.MAX_SAFE_INTEGER;
    const number = /^\d{1,16}$/.test(value) ? Number(value) : 0;
    if (number < 1 || number > max) {
      throw new Problem(
        "bad-request",
        `${name} must be a whole number ${name === "limit" ? "from 1 to 200" : "from 1"}`,
      );
    }
    query[name] = number;
  }
  for (const name of ["who", "what"] as const) {
    const value = single(ctx, name);
    if (value === undefined) continue;
    if (value.length > MAX_TEXT) throw new Problem("bad-request", `${name} must have at most ${MAX_TEXT} characters`);
    query[name] = value;
  }
  return query;
}

function single(ctx: RouterContext, name: string): string | undefined {
  const value = ctx.query[name];
  if (Array.isArray(value)) throw new Problem("bad-request", `${name} is given more than once`);
  return value;
}
