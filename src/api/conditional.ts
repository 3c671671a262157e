/** Conditional requests (RFC 9110 section 13). */
import type { Context } from "koa";
import type { ChangeOptions } from "../config/store.ts";

/** The condition of a change by If-Match: strong comparison, so weak tags never match. */
export function changeCondition(ctx: Context): ChangeOptions {
  const header = ctx.get("If-Match").trim();
  if (header === "" || header === "*") return {};
  return { ifTag: tags(header).flatMap((tag) => /^"(.*)"$/.exec(tag)?.[1] ?? []) };
}

/**
 * Answers with the body, or with 304 when the client has what the ETag or the Last-Modified set before describes. A request
 * with Cache-Control: no-cache, as programs send it together with a condition, asks just for this validation.
 */
export function answerUnlessKnown(ctx: Context, body: unknown): void {
  ctx.status = 200;
  const match = ctx.get("If-None-Match").trim();
  // Many answers have none, which no tag of a client's is like.
  const own = withoutWeak(String(ctx.response.get("ETag") ?? "")) || undefined;
  const known =
    match !== ""
      ? match === "*" || tags(match).some((tag) => withoutWeak(tag) === own)
      : Date.parse(ctx.get("If-Modified-Since")) >= (ctx.response.lastModified?.getTime() ?? Number.POSITIVE_INFINITY);
  if (known && (ctx.method === "GET" || ctx.method === "HEAD")) ctx.status = 304;
  else ctx.body = body;
}

function tags(header: string): string[] {
  return header.split(",").map((tag) => tag.trim());
}

function withoutWeak(tag: string): string {
  return tag.replace(/^W\//, "");
}
