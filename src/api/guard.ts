/**
 * What any request must be before it is asked who sends it: for this box by name, so that a foreign name cannot be bent to
 * it (DNS rebinding), and over a connection that nobody else can read. And what every answer tells browsers.
 */
import { isIP } from "node:net";
import type { Context, Middleware, Next } from "koa";
import { isLoopback } from "./limits.ts";
import { originOf } from "./listeners.ts";
import { Problem } from "./problem.ts";

const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy":
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), " +
    "microphone=(), midi=(), payment=(), serial=(), usb=()",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};
/** Browsers forget it when the box is not asked for a year. */
const HSTS = "max-age=31536000";

export interface GuardOptions {
  /** Names that the box answers to beside localhost and addresses. */
  names(): readonly string[];
  /** Of HTTPS; undefined: there is none. */
  securePort(): number | undefined;
  isLoopback?: ((address: string) => boolean) | undefined;
}

export function guard(options: GuardOptions): Middleware {
  const isOwn = options.isLoopback ?? isLoopback;
  return async (ctx: Context, next: Next) => {
    ctx.set(HEADERS);
    if (isApi(ctx.path)) ctx.set("Cache-Control", "no-store");
    const { door, address } = originOf(ctx.req);
    // Who may open the socket is held by its permissions, and no browser can.
    if (door === "local") return await next();

    const name = hostName(ctx.get("Host"));
    if (name === undefined || !(isAddress(name) || isNamed(name, options.names()))) {
      const is = JSON.stringify(ctx.get("Host").slice(0, 100));
      throw new Problem("misdirected", `Host must be an address or a name of this box, is ${is}`);
    }
    // A certificate for localhost would bind everything else on that machine, too.
    if (door === "https" && name !== "localhost") ctx.set("Strict-Transport-Security", HSTS);
    if (door === "http" && !isOwn(address)) {
      const port = options.securePort();
      if (port === undefined) throw new Problem("forbidden", "Without HTTPS, this box answers itself only");
      ctx.set("Location", `https://${name}${port === 443 ? "" : `:${port}`}${ctx.path}${ctx.search}`);
      ctx.status = 308;
      ctx.body = "";
      return;
    }
    await next();
  };
}

export function isApi(path: string): boolean {
  return path === "/api" || path.startsWith("/api/");
}

/** Without the port; in lower case. */
function hostName(host: string): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/.exec(host.toLowerCase())?.[1];
}

function isAddress(name: string): boolean {
  return isIP(name.startsWith("[") ? name.slice(1, -1) : name) !== 0;
}

function isNamed(name: string, names: readonly string[]): boolean {
  const bare = name.replace(/\.$/, "");
  return bare === "localhost" || names.some((own) => own.toLowerCase().replace(/\.$/, "") === bare);
}
