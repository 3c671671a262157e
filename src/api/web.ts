/** Serves the web page's files. */
import { type FileHandle, open } from "node:fs/promises";
import { extname, join } from "node:path";
import type { Context, Middleware } from "koa";
import { answerUnlessKnown } from "./conditional.ts";
import { Problem } from "./problem.ts";

/** One path segment: no dot in front, so neither hidden files nor the way up. */
const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
/** esbuild's content hash in a name: such a file never changes. */
const HASHED = /-[A-Z0-9]{8}\.[a-z0-9]+$/;

/** Serves GET and HEAD from a folder; of a path that ends with `/`, its index.html. */
export function webFiles(folder: string): Middleware {
  return async (ctx: Context) => {
    if (ctx.method !== "GET" && ctx.method !== "HEAD") {
      const headers = { Allow: "GET, HEAD" };
      throw new Problem("method-not-allowed", `${ctx.path} takes GET, HEAD`, { headers });
    }
    const segments = (ctx.path.endsWith("/") ? `${ctx.path}index.html` : ctx.path).slice(1).split("/");
    const nothing = new Problem("not-found", `There is nothing at ${ctx.path}`);
    if (!segments.every((segment) => SEGMENT.test(segment))) throw nothing;
    const name = segments.join("/");
    const hashed = HASHED.test(name);
    const cache = hashed ? "public, max-age=31536000, immutable" : "no-cache";
    if (!(await sendFile(ctx, join(folder, ...segments), { type: extname(name), cache }))) throw nothing;
  };
}

/** Sends a small file with ETag and Last-Modified, or 304. False when there is no such file. */
export async function sendFile(
  ctx: Context,
  path: string,
  { type, cache }: { type: string; cache: string },
): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  try {
    const { size, mtime, mtimeMs, ino } = await file.stat();
    const body = await file.readFile();
    ctx.type = type;
    ctx.set("Cache-Control", cache);
    ctx.lastModified = mtime;
    ctx.etag = `${mtimeMs.toString(36)}-${ino.toString(36)}-${size.toString(36)}`;
    answerUnlessKnown(ctx, body);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  } finally {
    await file.close();
  }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : "";
  return code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR" || code === "ENAMETOOLONG";
}
