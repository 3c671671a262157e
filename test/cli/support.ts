import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { run } from "../../src/cli/run.ts";

/** Begins what commands a terminal. */
export const ESCAPE = "\u001b";

export interface Request {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: unknown;
}

/** What a fake box answers: JSON, a problem, or whatever the function does. */
export type Reply = object | ((response: ServerResponse, request: Request) => void);

/** A box that answers from a table and remembers what it was asked. */
export class FakeBox {
  readonly requests: Request[] = [];
  readonly replies = new Map<string, Reply>();

  readonly handle: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const { method = "", url = "", headers } = request;
      const asked = {
        method,
        path: url.replace("/api/v1", ""),
        headers,
        body: text === "" ? undefined : JSON.parse(text),
      };
      this.requests.push(asked);
      const reply =
        this.replies.get(`${method} ${asked.path}`) ?? this.replies.get(`${method} ${asked.path.split("?", 1)[0]}`);
      if (typeof reply === "function") reply(response, asked);
      else if (reply === undefined)
        problem(response, { status: 404, title: "There is no such thing here", detail: asked.path });
      else
        response.setHeader("Content-Type", "application/json").setHeader("ETag", '"7-abc"').end(JSON.stringify(reply));
    });
  };

  /** The last request of this method and path. */
  asked(method: string, path: string): Request | undefined {
    return this.requests.findLast((request) => request.method === method && request.path === path);
  }
}

export function problem(
  response: ServerResponse,
  body: { status: number; title: string; detail: string; errors?: unknown },
): void {
  response.statusCode = body.status;
  response.setHeader("Content-Type", "application/problem+json");
  response.end(JSON.stringify({ type: "urn:steadycast:problem:x", instance: "", ...body }));
}

export interface Outcome {
  code: number;
  out: string;
  error: string;
}

export interface Given {
  input?: string;
  env?: Record<string, string>;
  isTerminal?: boolean;
  password?: string;
}

/** Runs a command line within this process. */
export async function steadycast(
  argv: readonly string[],
  { input = "", env = {}, isTerminal = false, password = "" }: Given = {},
): Promise<Outcome> {
  const [out, error]: [string[], string[]] = [[], []];
  const sink = (list: string[]) => ({
    isTerminal,
    write: async (text: string | Uint8Array) => void list.push(Buffer.from(text as string).toString()),
  });
  const code = await run(argv, {
    ...{ stdout: sink(out), stderr: sink(error), env },
    readInput: async () => input,
    ask: async () => password,
  });
  return { code, out: out.join(""), error: error.join("") };
}

export async function onSocket(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-cli-"));
  const box = new FakeBox();
  const server = createServer(box.handle);
  server.listen(join(folder, "api.sock"));
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const call = (line: string | readonly string[], given: Given = {}) =>
    steadycast(typeof line === "string" ? line.split(" ") : line, {
      ...given,
      env: { STEADYCAST_RUNTIME: folder, ...given.env },
    });
  return { box, call, folder };
}
