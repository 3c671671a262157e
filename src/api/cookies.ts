/** The cookies of a log-in: the session, and the device that has been logged in on before. */
import type { Context } from "koa";

const SESSION = "steadycast_session";
const DEVICE = "steadycast_device";
/** How long a device is known, s. */
const DEVICE_SECONDS = 180 * 24 * 3600;

/** A browser takes these only from HTTPS, for this host and the path /, so that nobody on the way can plant one. */
const nameOf = (name: string, secure: boolean): string => (secure ? `__Host-${name}` : name);

export const sessionCookie = (ctx: Context): string | undefined => read(ctx, SESSION);
export const deviceCookie = (ctx: Context): string | undefined => read(ctx, DEVICE);

export function setSessionCookie(ctx: Context, secret: string): void {
  write(ctx, SESSION, secret, "");
}

export function clearSessionCookie(ctx: Context): void {
  write(ctx, SESSION, "", "; Max-Age=0");
}

export function setDeviceCookie(ctx: Context, secret: string): void {
  write(ctx, DEVICE, secret, `; Max-Age=${DEVICE_SECONDS}`);
}

function write(ctx: Context, name: string, value: string, more: string): void {
  const secure = ctx.secure;
  const attributes = `Path=/; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}${more}`;
  ctx.append("Set-Cookie", `${nameOf(name, secure)}=${value}; ${attributes}`);
}

/** Values are base64url, so nothing needs decoding; what looks otherwise is not ours. */
function read(ctx: Context, name: string): string | undefined {
  const wanted = nameOf(name, ctx.secure);
  for (const pair of ctx.get("Cookie").split(";")) {
    const at = pair.indexOf("=");
    if (at < 0 || pair.slice(0, at).trim() !== wanted) continue;
    const value = pair.slice(at + 1).trim();
    return /^[\w.-]{1,512}$/.test(value) ? value : undefined;
  }
  return undefined;
}
