/** What all routes that change the configuration have in common. */
import type { Context } from "koa";
import type { ChangeOptions, ChangeResult } from "../config/store.ts";
import { invalid, Problem } from "./problem.ts";

/** The condition of a change by If-Match (RFC 9110 section 13.1.1): strong comparison, so weak tags never match. */
export function conditions(ctx: Context): ChangeOptions {
  const header = ctx.get("If-Match").trim();
  if (header === "" || header === "*") return {};
  const tags = header.split(",").map((tag) => /^"([^"]*)"$/.exec(tag.trim())?.[1]);
  return { ifTag: tags.filter((tag) => tag !== undefined) };
}

/** Throws the problem of a change that was refused. */
export function changed(
  result: ChangeResult,
  unknownChannel = () => new Problem("not-found", "No such channel"),
): void {
  if (result.ok) return;
  switch (result.reason) {
    case "invalid":
      throw invalid(result.errors);
    case "stale":
      throw new Problem("stale", `It is at revision ${result.revision} now; read it again and repeat the change`);
    case "unknown-channel":
      throw unknownChannel();
  }
}
