/** The table of routes: the router and the OpenAPI document are both made from it, so neither can miss one. */
import Router, { type RouterContext } from "@koa/router";
import type { Context, Middleware } from "koa";
import type { z } from "zod";
import type { Requirement } from "../access/principal.ts";
import { answerUnlessKnown } from "./conditional.ts";
import { isApi } from "./guard.ts";
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
  /** Without a schema it is a file, which the handler takes as it comes. */
  body?: { types: readonly string[]; schema?: z.ZodType };
  /** Who may; `public` for everybody, `setup` for who sets the box up. */
  access: Requirement | "public" | "setup";
  /** Programs on this machine may, too, without being known: nobody is then. */
  ownMachine?: boolean;
  /** Takes If-Match with a tag of the configuration. */
  conditional?: boolean;
  /** Largest body, bytes; the default is 1 MiB, and for who is not known 16 KiB. */
  bodyLimit?: number;
  /**
   * What the audit log keeps of a change: `each` (the default), of a `series` such as keys pressed one after the other only
   * the first within a minute, or nothing of what only asks although it is no GET.
   */
  audit?: "each" | "series" | "nothing";
  /** Answers when all is well, by status. */
  answers: Record<number, Answer>;
  /** Problems of its own, beside those that any request may meet. */
  problems: readonly ProblemKind[];
  handle(ctx: RouterContext): Promise<void> | void;
}

/** Called around each request; `route` is undefined where the table has none. Throws to refuse it. */
export type Gate = (ctx: Context, route: Route | undefined, handle: () => Promise<void> | void) => Promise<void>;

/** Serves the routes; what is below `/api` and not among them is answered with 404 or 405, with Allow. */
export function serveRoutes(routes: readonly Route[], gate: Gate): Middleware[] {
  const router = new Router({ prefix: BASE, sensitive: true, strict: true });
  for (const route of routes) {
    router[route.method](route.path, (ctx: RouterContext) => gate(ctx, route, () => route.handle(ctx)));
  }
  const isPublic = (path: string) => routes.some((route) => BASE + route.path === path && route.access === "public");
  return [router.routes() as Middleware, unmatched(gate, isPublic)];
}

function unmatched(gate: Gate, isPublic: (path: string) => boolean): Middleware {
  return async (ctx: Context, next) => {
    if (!isApi(ctx.path)) return await next();
    const layers = (ctx as RouterContext).matched ?? [];
    const refuse = () => {
      if (layers.length === 0) throw new Problem("not-found", `There is nothing at ${ctx.path}`);
      const allow = [...new Set(layers.flatMap((layer) => layer.methods)), "OPTIONS"].join(", ");
      if (ctx.method === "OPTIONS") {
        ctx.set("Allow", allow);
        ctx.status = 204;
        return;
      }
      throw new Problem("method-not-allowed", `${ctx.path} takes ${allow}`, { headers: { Allow: allow } });
    };
    // What there is, only those are told who may ask at all.
    if (isPublic(ctx.path)) refuse();
    else await gate(ctx, undefined, refuse);
  };
}

/** Answers with JSON. With a tag it may be kept and asked for again by If-None-Match. */
export function answer(ctx: Context, body: unknown, tag?: string): void {
  ctx.set("Cache-Control", tag === undefined ? "no-store" : "no-cache");
  if (tag !== undefined) ctx.etag = tag;
  answerUnlessKnown(ctx, body);
}
