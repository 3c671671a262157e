/**
 * What may talk to the box. There is no access control here: the server listens on the loopback address only, and these
 * checks keep web pages of others, which a browser on the same machine may have open, from reaching through to it.
 */
import type { Context, Middleware, Next } from "koa";
import { Problem } from "./problem.ts";

const OWN_NAMES = new Set(["localhost", "127.0.0.1", "[::1]"]);
const READING = new Set(["GET", "HEAD", "OPTIONS"]);

const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** Refuses foreign host names (DNS rebinding) and changes ordered by foreign origins (request forgery). */
export const guard: Middleware = async (ctx: Context, next: Next) => {
  ctx.set(HEADERS);
  const host = ctx.get("Host").toLowerCase();
  if (!OWN_NAMES.has(host.replace(/:\d{1,5}$/, ""))) {
    throw new Problem("misdirected", `Host must be localhost, 127.0.0.1 or [::1], is ${JSON.stringify(host)}`);
  }
  if (!READING.has(ctx.method)) {
    const origin = ctx.get("Origin").toLowerCase();
    if (origin !== "" && origin !== `http://${host}`) {
      throw new Problem("foreign-origin", `Origin must be http://${host}, is ${JSON.stringify(origin)}`);
    }
    // Browsers leave Origin out of some requests, but not this one.
    const site = ctx.get("Sec-Fetch-Site");
    if (site !== "" && site !== "same-origin" && site !== "none") {
      throw new Problem("foreign-origin", `The request comes from a ${site} page`);
    }
  }
  await next();
};
