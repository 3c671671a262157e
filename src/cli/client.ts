/** Talks to the API of a box: by its own socket on the box itself, or by HTTPS with a token. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { connect as connectTls } from "node:tls";
import { Failure } from "./command.ts";

/** The box cannot be reached, or is not the one that it should be. */
export class Unreachable extends Error {}

/** The box refused; what it said is printed as it is. */
export class Refusal extends Failure {
  readonly problem: ProblemBody;

  constructor(problem: ProblemBody) {
    super(problem.detail);
    this.problem = problem;
  }
}

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  errors?: { pointer: string; detail: string }[];
}

export type Target =
  | { socketPath: string }
  | { url: URL; token: string | undefined; fingerprint: string | undefined; insecure: boolean };

export interface Answer {
  status: number;
  /** Without the quotes. */
  tag: string | undefined;
  headers: IncomingMessage["headers"];
  text: string;
}

export interface Call {
  /** A status that is an answer, too, where it comes with one. */
  also?: number;
  body?: unknown;
  /** In the place of a body. */
  file?: { content: Readable; size: number };
  headers?: Record<string, string>;
}

/** Longest silence of a box, ms; it beats every 2 s while it tells events. */
const SILENCE_MS = 30_000;
const CONNECT_MS = 10_000;
/** Longest answer, bytes: an audit log with all of its segments. */
const MAX_ANSWER = 128 * 1024 * 1024;

export class Client {
  readonly target: Target;

  constructor(target: Target) {
    this.target = target;
  }

  /** The JSON that is answered. Throws Refusal, or Unreachable. */
  async get<T>(path: string, call: Call = {}): Promise<T> {
    return JSON.parse((await this.call("GET", path, call)).text) as T;
  }

  /** Undefined when the answer has no body. */
  async post<T>(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const { text } = await this.call("POST", path, { ...(body === undefined ? {} : { body }), headers });
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** Sends a file as it is. */
  async upload<T>(path: string, content: Readable, size: number): Promise<T> {
    return JSON.parse((await this.call("POST", path, { file: { content, size } })).text) as T;
  }

  async call(method: string, path: string, call: Call = {}): Promise<Answer> {
    const response = await this.#send(method, path, call);
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > MAX_ANSWER) throw new Error("its answer is too long");
        chunks.push(chunk);
      }
    } catch (error) {
      throw new Unreachable(`The box broke off: ${reason(error)}`);
    }
    return accept(response, Buffer.concat(chunks).toString("utf8"), call.also);
  }

  /** Passes the answer on as it comes. */
  async *stream(path: string): AsyncGenerator<Buffer> {
    const response = await this.#send("GET", path, {});
    if (response.statusCode !== 200) {
      const chunks: Buffer[] = [];
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
      accept(response, Buffer.concat(chunks).toString("utf8"));
    }
    try {
      yield* response as AsyncIterable<Buffer>;
    } catch (error) {
      throw new Unreachable(`The box broke off: ${reason(error)}`);
    }
  }

  /** News of one kind, as they come, until the box goes away. */
  async *events(kind: string): AsyncGenerator<unknown> {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of this.stream("/events")) {
      text += decoder.decode(chunk, { stream: true });
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const event = /^event: (.*)$/m.exec(text.slice(0, end))?.[1];
        const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
        text = text.slice(end + 2);
        if (event === kind && data !== undefined) yield JSON.parse(data);
      }
    }
    throw new Unreachable("The box has closed the connection");
  }

  async #send(method: string, path: string, { body, file, headers = {} }: Call): Promise<IncomingMessage> {
    const socket = await connect(this.target);
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const token = "url" in this.target ? this.target.token : undefined;
    const call = request({
      createConnection: () => socket,
      ...{ method, path: `/api/v1${path}` },
      headers: {
        Host: "url" in this.target ? this.target.url.host : "localhost",
        Accept: "application/json, */*",
        Connection: "close",
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(payload === undefined
          ? {}
          : { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(payload)) }),
        ...(file === undefined
          ? {}
          : { "Content-Type": "application/octet-stream", "Content-Length": String(file.size) }),
        ...headers,
      },
    });
    call.setTimeout(SILENCE_MS, () => call.destroy(new Error(`it said nothing for ${SILENCE_MS / 1000} s`)));
    const answered = once(call, "response");
    // What goes wrong with the sending shows in the answer, or in that there is none.
    if (file === undefined) call.end(payload);
    else void pipeline(file.content, call).catch(() => call.destroy());
    try {
      const [response] = (await answered) as [IncomingMessage];
      return response;
    } catch (error) {
      throw new Unreachable(`The box does not answer: ${reason(error)}`);
    }
  }
}

function accept(response: IncomingMessage, text: string, also?: number): Answer {
  const { statusCode: status = 0, headers } = response;
  const isJson = headers["content-type"]?.startsWith("application/json");
  if ((status >= 200 && status < 300) || (status === also && isJson)) {
    return { status, headers, text, tag: headers.etag?.replaceAll('"', "") };
  }
  if (headers["content-type"]?.startsWith("application/problem+json"))
    throw new Refusal(JSON.parse(text) as ProblemBody);
  const to = headers.location === undefined ? "" : `; it is at ${headers.location}`;
  throw new Unreachable(`What answers there is no Steadycast box (HTTP ${status}${to})`);
}

async function connect(target: Target): Promise<Socket> {
  if ("socketPath" in target) {
    const { socketPath } = target;
    return await connected(connectPlain({ path: socketPath }), "connect", (error) => {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EACCES") return `You may not use ${socketPath}: it takes root, or the group of the box's service`;
      if (code !== "ENOENT" && code !== "ECONNREFUSED") return `${socketPath}: ${reason(error)}`;
      return `No box runs here (${socketPath}). Elsewhere: --url https://box --token sc_…`;
    });
  }
  const { url, fingerprint, insecure } = target;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  if (url.protocol === "http:") {
    return await connected(connectPlain({ host, port }), "connect", (error) => `${url.host}: ${reason(error)}`);
  }
  // Nothing is sent before the certificate is found good here: by its fingerprint, or by its authority and names.
  const name = isIP(host) === 0 ? { servername: host } : {};
  const tls = connectTls({ host, port, ...name, minVersion: "TLSv1.2", rejectUnauthorized: false });
  await connected(tls, "secureConnect", (error) => `${url.host}: ${reason(error)}`);
  const shown = `SHA256:${tls.getPeerCertificate().fingerprint256}`;
  const good = fingerprint === undefined ? insecure || tls.authorized : plain(shown) === plain(fingerprint);
  if (good) return tls;
  tls.destroy();
  if (fingerprint !== undefined) {
    throw new Unreachable(`${url.host} is not the box that it should be: its certificate has ${shown}`);
  }
  throw new Unreachable(
    `The certificate of ${url.host} is not trusted here (${tls.authorizationError}). If the box itself tells the fingerprint ${shown}, give that with --fingerprint`,
  );
}

async function connected<T extends Socket>(socket: T, event: string, words: (error: unknown) => string): Promise<T> {
  const timer = setTimeout(() => socket.destroy(new Error("it takes too long to connect")), CONNECT_MS);
  try {
    await once(socket, event);
    return socket;
  } catch (error) {
    throw new Unreachable(words(error));
  } finally {
    clearTimeout(timer);
  }
}

/** A fingerprint as hexadecimal digits alone. */
function plain(fingerprint: string): string {
  return fingerprint
    .replace(/^sha-?256:/i, "")
    .replaceAll(/[:\s]/g, "")
    .toUpperCase();
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ((error as NodeJS.ErrnoException).code ?? "it failed");
}
