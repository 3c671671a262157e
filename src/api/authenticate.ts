/** Who asks, whether they mean it, and whether they may: between what any request must be (guard.ts) and the routes. */
import type { Context, Middleware, Next } from "koa";
import type { Credentials } from "../access/access.ts";
import { clientOf } from "../access/addresses.ts";
import { may, type Principal } from "../access/principal.ts";
import { sessionCookie } from "./cookies.ts";
import { isApi } from "./guard.ts";
import type { Buckets } from "./limits.ts";
import { originOf } from "./listeners.ts";
import { isKnown, principalOf, setPrincipal } from "./principal.ts";
import { Problem } from "./problem.ts";
import { BASE, type Route } from "./route.ts";

/** What is asked of the access service here. */
export interface Identification {
  /** Counts as use of a session. */
  identify(credentials: Credentials): Principal | undefined;
  /** Whether a session or token still holds with this role and these scopes; does not count as use. */
  holds(principal: Principal): boolean;
  standing(principal: Principal): { mustEnrol: boolean };
}

export interface AuthenticateOptions {
  access: Identification;
  buckets: Record<"reading" | "changing" | "unknown" | "page", Buckets>;
}

/** Whoever comes through the socket of the box. */
const LOCAL: Principal = { name: "local", role: "admin", via: "local", id: "local", address: "" };

const READING = new Set(["GET", "HEAD", "OPTIONS"]);

export function changes(ctx: Context): boolean {
  return !READING.has(ctx.method);
}

/** Finds out who asks, and slows down who asks too much. */
export function authenticate({ access, buckets }: AuthenticateOptions): Middleware {
  const slow = (bucket: Buckets, key: string): void => {
    const seconds = bucket.take(key);
    if (seconds === 0) return;
    const headers = { "Retry-After": String(seconds) };
    throw new Problem("too-many", `Ask again in ${seconds} s`, { headers });
  };
  return async (ctx: Context, next: Next) => {
    const { door, address } = originOf(ctx.req);
    if (door === "local") {
      setPrincipal(ctx, LOCAL);
      return await next();
    }
    const near = clientOf(address);
    if (!isApi(ctx.path)) {
      slow(buckets.page, near);
      return await next();
    }
    const bearer = /^Bearer +(\S+)$/i.exec(ctx.get("Authorization"))?.[1];
    // A token goes first: a program that sends one does not mean a cookie that its library has kept.
    const cookie = bearer === undefined ? sessionCookie(ctx) : undefined;
    const some = bearer !== undefined || cookie !== undefined;
    const principal = some ? access.identify({ bearer, cookie, address, background: isBackground(ctx) }) : undefined;
    if (principal === undefined) slow(buckets.unknown, near);
    else {
      slow(changes(ctx) ? buckets.changing : buckets.reading, `${principal.via} ${principal.id} ${near}`);
      setPrincipal(ctx, principal);
    }
    await next();
  };
}

/** What the page asks for by itself: what it says so of, and its stream of events, which it opens again and again. */
function isBackground(ctx: Context): boolean {
  return !changes(ctx) && (ctx.get("Steadycast-Background") === "1" || ctx.path === `${BASE}/events`);
}

/** Throws unless the one who asks may use the route; without a route, unless they may be told that there is none. */
export function authorize(
  ctx: Context,
  { access, isOwn }: { access: Identification; isOwn(address: string): boolean },
  route: Route | undefined,
): void {
  proveIntent(ctx);
  const needs = route?.access;
  if (needs === "public") return;
  if (!isKnown(ctx)) {
    if (route?.ownMachine && isOwn(originOf(ctx.req).address)) return;
    const headers = { "WWW-Authenticate": 'Bearer realm="Steadycast"' };
    throw new Problem("unauthenticated", "Log in, or send a token that is valid", { headers });
  }
  const principal = principalOf(ctx);
  if (needs === "setup") {
    if (principal.via !== "setup") throw new Problem("forbidden", "This box is set up already");
    return;
  }
  if (principal.via === "setup") throw new Problem("forbidden", "Set the box up first: it needs a password of its own");
  if (principal.via === "session" && !isOfAccount(route) && access.standing(principal).mustEnrol) {
    throw new Problem("forbidden", "Set up your second factor first");
  }
  if (needs === undefined || may(principal, needs)) return;
  const { role, scope } = needs;
  throw new Problem("forbidden", `This takes the role ${role} and, of a token, the scope ${scope}`);
}

/** What somebody must still be able to do who has to set up a second factor. */
function isOfAccount(route: Route | undefined): boolean {
  return route !== undefined && /^\/(account|session)(\/|$)/.test(route.path);
}

/**
 * Refuses changes that a page of somebody else makes a browser send (request forgery). A browser adds a session's cookie by
 * itself, and a token or the socket's permissions never.
 */
function proveIntent(ctx: Context): void {
  const via = isKnown(ctx) ? principalOf(ctx).via : undefined;
  if (!changes(ctx) || via === "token" || via === "local") return;
  const own = `${ctx.protocol}://${ctx.get("Host").toLowerCase()}`;
  const origin = ctx.get("Origin").toLowerCase();
  if (origin !== "" && origin !== own) {
    throw new Problem("foreign-origin", `Origin must be ${own}, is ${JSON.stringify(origin.slice(0, 200))}`);
  }
  // Browsers leave Origin out of some requests, but not this one.
  const site = ctx.get("Sec-Fetch-Site");
  if (site !== "" && site !== "same-origin" && site !== "none") {
    throw new Problem("foreign-origin", `The request comes from a ${site.slice(0, 20)} page`);
  }
  if (via === undefined) return;
  if (origin === "" && site === "") {
    throw new Problem("foreign-origin", "A session's change needs Origin or Sec-Fetch-Site");
  }
  if (ctx.get("Steadycast-Request") !== "1") {
    throw new Problem("foreign-origin", "A session's change needs the header Steadycast-Request: 1");
  }
}
