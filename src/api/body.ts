/** Reads JSON bodies. */
import type { Context } from "koa";
import type { z } from "zod";
import { explain } from "../config/explain.ts";
import { JsonError, parseJson } from "../config/json.ts";
import { invalid, Problem } from "./problem.ts";

/** Largest body, bytes. A full configuration of 32 channels has some 200 kB. */
export const MAX_BODY = 1024 * 1024;
/** Of a client that is not known. */
export const MAX_UNKNOWN_BODY = 16 * 1024;
/** A client that sends so much more than it may is cut off, bytes. */
const MAX_DRAINED = 16 * 1024 * 1024;

/** Bounds what all bodies together take while they come in. */
export class BodyStore {
  readonly #max: number;
  #bytes = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** False when there is no room for so many bytes more. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#max) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

interface Bounds {
  max: number;
  store: BodyStore;
}

const bounds = new WeakMap<Context["req"], Bounds>();

/** Says how much a request's body may have. */
export function boundBody(ctx: Context, max: number, store: BodyStore): void {
  bounds.set(ctx.req, { max, store });
}

/** The request's JSON body. Throws Problem when it is too large, of another media type, or not JSON. */
export async function readJson(ctx: Context, types: readonly string[]): Promise<unknown> {
  const type = ctx.get("Content-Type").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const encoding = ctx.get("Content-Encoding").toLowerCase();
  if (!types.includes(type) || (encoding !== "" && encoding !== "identity")) {
    const is = encoding === "" ? type || "none" : `${type} in ${encoding}`;
    throw new Problem("media-type", `Content-Type must be ${types.join(" or ")}, is ${is}`);
  }
  const bytes = await readBytes(ctx);
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

/** The request's body. Throws Problem when it is too large. */
export async function readBytes(ctx: Context): Promise<Buffer> {
  const { max, store } = bounds.get(ctx.req) ?? { max: MAX_UNKNOWN_BODY, store: new BodyStore(MAX_UNKNOWN_BODY) };
  let chunks: Uint8Array[] = [];
  let size = 0;
  let held = 0;
  let full = false;
  try {
    // Read to its end even when it is too large, because most clients hear nothing before they have said all.
    for await (const chunk of ctx.req as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > max + MAX_DRAINED) break;
      full ||= size <= max && !store.take(chunk.length);
      if (size <= max && !full) {
        held += chunk.length;
        chunks.push(chunk);
      } else {
        chunks = [];
        store.give(held);
        held = 0;
      }
    }
  } catch {
    throw new Problem("bad-request", "The body ended too early");
  } finally {
    store.give(held);
  }
  if (size > max) throw new Problem("too-large", `The body must have at most ${max} bytes`);
  if (full) {
    throw new Problem("unavailable", "The box has too many requests in hand", { headers: { "Retry-After": "2" } });
  }
  return Buffer.concat(chunks);
}
