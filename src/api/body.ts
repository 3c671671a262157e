/** Reads JSON bodies. */
import type { Context } from "koa";
import type { z } from "zod";
import { explain } from "../config/explain.ts";
import { JsonError, parseJson } from "../config/json.ts";
import { invalid, Problem } from "./problem.ts";

/** Largest body, bytes. A full configuration of 32 channels has some 200 kB. */
export const MAX_BODY = 1024 * 1024;
/** A client that sends more than this is cut off, bytes. */
const MAX_DRAINED = 16 * MAX_BODY;

/** The request's JSON body. Throws Problem when it is too large, of another media type, or not JSON. */
export async function readJson(ctx: Context, types: readonly string[]): Promise<unknown> {
  const type = ctx.get("Content-Type").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const encoding = ctx.get("Content-Encoding").toLowerCase();
  if (!types.includes(type) || (encoding !== "" && encoding !== "identity")) {
    const is = encoding === "" ? type || "none" : `${type} in ${encoding}`;
    throw new Problem("media-type", `Content-Type must be ${types.join(" or ")}, is ${is}`);
  }
  const bytes = await read(ctx);
  try {
    return parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Problem("bad-request", `The body ${error instanceof JsonError ? error.message : "is not UTF-8 text"}`);
  }
}

/** The request's JSON body as the schema has it. Throws Problem also when it does not fit, with each field that is wrong. */
export async function readValid<T>(ctx: Context, types: readonly string[], schema: z.ZodType<T>): Promise<T> {
  const body = await readJson(ctx, types);
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw invalid(explain(schema, body, result.error.issues));
}

async function read(ctx: Context): Promise<Uint8Array> {
  let chunks: Uint8Array[] = [];
  let size = 0;
  try {
    // Read to its end even when it is too large, because most clients hear nothing before they have said all.
    for await (const chunk of ctx.req as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > MAX_DRAINED) break;
      if (size <= MAX_BODY) chunks.push(chunk);
      else chunks = [];
    }
  } catch {
    throw new Problem("bad-request", "The body ended too early");
  }
  if (size > MAX_BODY) throw new Problem("too-large", `The body must have at most ${MAX_BODY} bytes`);
  return Buffer.concat(chunks);
}
