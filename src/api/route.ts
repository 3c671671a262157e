/** The table of routes: the router and the OpenAPI document are both made from it, so neither can miss one. */
import Router, { type RouterContext } from "@koa/router";
import type { Context, Middleware } from "koa";
import type { z } from "zod";
import type { Requirement } from "../access/principal.ts";
import { answerUnlessKnown } from "./conditional.ts";
import { Problem, type ProblemKind } from "./problem.ts";

export const BASE = "/api/v1";

export type Method = "get" | "post" | "put" | "patch" | "delete";

export interface Answer {
  description: string;
  /** Of a JSON body; must have a name in `schemas.ts`. */
  schema?: z.ZodType;
  /** Of a body that is not JSON. */
  type?: string;
}

export interface Route {
  /** Operation id. */
  id: string;
  method: Method;
  /** Below `/api/v1`, with parameters as `:name`. */
  path: string;
  summary: string;
  description?: string;
  /** Query parameters and what they do. */
  query?: Record<string, string>;
  body?: { types: readonly string[]; schema: z.ZodType };
  /** Who may; `public` for everybody, `setup` for who sets the box up. */
  access: Requirement | "public" | "setup";
  /** Takes If-Match with a tag of the configuration. */
  conditional?: boolean;
  /** Answers when all is well, by status. */
  answers: Record<number, Answer>;
  /** Problems of its own, beside those that any request may meet. */
  problems: readonly ProblemKind[];
  handle(ctx: RouterContext): Promise<void> | void;
}

/** Serves the routes; what is below `/api` and not among them is answered with 404 or 405, with Allow. */
export function serveRoutes(routes: readonly Route[]): Middleware[] {
  const router = new Router({ prefix: BASE, sensitive: true, strict: true });
  for (const route of routes) router[route.method](route.path, (ctx: RouterContext) => route.handle(ctx));
  return [router.routes() as Middleware, unmatched];
}

const unmatched: Middleware = async (ctx: Context, next) => {
  if (ctx.path !== "/api" && !ctx.path.startsWith("/api/")) return await next();
  const layers = (ctx as RouterContext).matched ?? [];
  if (layers.length === 0) throw new Problem("not-found", `There is nothing at ${ctx.path}`);
  const allow = [...new Set(layers.flatMap((layer) => layer.methods)), "OPTIONS"].join(", ");
  if (ctx.method === "OPTIONS") {
    ctx.set("Allow", allow);
    ctx.status = 204;
    return;
  }
  throw new Problem("method-not-allowed", `${ctx.path} takes ${allow}`, { headers: { Allow: allow } });
};

/** Answers with JSON. With a tag it may be kept and asked for again by If-None-Match. */
export function answer(ctx: Context, body: unknown, tag?: string): void {
  ctx.set("Cache-Control", tag === undefined ? "no-store" : "no-cache");
  if (tag !== undefined) ctx.etag = tag;
  answerUnlessKnown(ctx, body);
}
