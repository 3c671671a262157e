/** Reads JSON bodies. */
import type { Context } from "koa";
import { JsonError, parseJson } from "../config/json.ts";
import { Problem } from "./problem.ts";

/** Largest body, bytes. A full configuration of 32 channels has some 200 kB. */
export const MAX_BODY = 1024 * 1024;

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

async function read(ctx: Context): Promise<Uint8Array> {
  // What is not read any more must not be taken for the next request.
  const headers = { Connection: "close" };
  const tooLarge = () => new Problem("too-large", `The body must have at most ${MAX_BODY} bytes`, { headers });
  if ((ctx.request.length ?? 0) > MAX_BODY) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of ctx.req as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > MAX_BODY) break;
      chunks.push(chunk);
    }
  } catch {
    throw new Problem("bad-request", "The body ended too early", { headers });
  }
  if (size > MAX_BODY) throw tooLarge();
  return Buffer.concat(chunks);
}
