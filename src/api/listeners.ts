/** Where the server listens: HTTP, HTTPS, and the socket of the box itself. All of them lead to the same handler. */
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import { plainAddress } from "../access/addresses.ts";
import type { Connections } from "./limits.ts";

/** How long requests in hand may take when the server stops, ms. */
const STOP_MS = 2000;
/** How long a client may go on with a request that has been answered, ms. */
const LINGER_MS = 2000;
/** Read and write for the owner and the group of the runtime folder's socket, for nobody else. */
const SOCKET_UMASK = 0o117;

/** Certificate and key of the box. */
export interface TlsSource {
  context(): SecureContextOptions;
  /** Calls back when there is another certificate; returns the function that ends it. */
  onChange(listener: () => void): () => void;
}

export type Door = "http" | "https" | "local";
type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** How long clients may take, ms. */
export interface Patience {
  /** For the head of a request. */
  headMs: number;
  /** For a whole request. */
  requestMs: number;
  /** For taking an answer that is no stream. */
  answerMs: number;
  /** Between two looks for those who take longer. */
  lookMs: number;
}

export const PATIENCE: Patience = { headMs: 10_000, requestMs: 30_000, answerMs: 60_000, lookMs: 2000 };

export interface ListenersOptions {
  http: { port: number; address: string };
  https?: { port: number; address: string; tls: TlsSource } | undefined;
  /** Path of the UNIX socket. */
  socket?: string | undefined;
  connections: Connections;
  patience: Patience;
  handle: Handler;
}

/** Where a request comes from. */
export interface Origin {
  door: Door;
  /** Of the peer, without a port; "" for the socket of the box. */
  address: string;
}

/** Kept, since a connection that is cut does not tell its address any more. */
const origins = new WeakMap<IncomingMessage, Origin>();

export function originOf(request: IncomingMessage): Origin {
  const origin = origins.get(request);
  if (origin === undefined) throw new Error("a request that came through no door");
  return origin;
}

/** Until when the requests that come in must be here, ms of the monotonic clock. */
const deadlines = new WeakMap<IncomingMessage, number>();

/** Lets the client take more time for this request than others have, as a large file needs it. */
export function allowTime(request: IncomingMessage): void {
  deadlines.set(request, Number.POSITIVE_INFINITY);
}

export class Listeners {
  readonly #options: ListenersOptions;
  readonly #http: Server;
  readonly #https: ReturnType<typeof createTlsServer> | undefined;
  readonly #local: Server | undefined;
  /** Answers under way, and since when all of each is said and waits to be taken, ms of the monotonic clock. */
  readonly #answers = new Map<ServerResponse, number>();
  /** Requests that may still come in, and whether they are answered. */
  readonly #requests = new Map<IncomingMessage, boolean>();
  #forgetTls = () => {};
  #look: NodeJS.Timeout | undefined;

  constructor(options: ListenersOptions) {
    this.#options = options;
    const { https, socket, patience } = options;
    const settings: ServerOptions = {
      maxHeaderSize: 16 * 1024,
      headersTimeout: patience.headMs,
      // Held by ourselves: not every request has the same.
      requestTimeout: 0,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: patience.lookMs,
    };
    this.#http = this.#set(createServer(settings, this.#through("http")), true);
    if (https !== undefined) {
      // The certificate is taken at the start: until then the box may have none.
      const server = createTlsServer({ ...settings, handshakeTimeout: patience.headMs }, this.#through("https"));
      server.on("tlsClientError", (_error, socket) => socket.destroy());
      this.#https = this.#set(server, true);
    }
    if (socket !== undefined) this.#local = this.#set(createServer(settings, this.#through("local")), false);
  }

  /** Rejects when a port cannot be had; then none is. */
  async start(): Promise<void> {
    const { http, https, socket } = this.#options;
    try {
      await listen(this.#http, http);
      if (this.#https !== undefined && https !== undefined) {
        this.#https.setSecureContext(secure(https.tls));
        await listen(this.#https, https);
        this.#forgetTls = https.tls.onChange(() => this.#https?.setSecureContext(secure(https.tls)));
      }
      if (this.#local !== undefined && socket !== undefined) await listenLocally(this.#local, socket);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#look = setInterval(() => this.#cutSlow(), this.#options.patience.lookMs);
  }

  /** Lets requests in hand end, for two seconds at the most. */
  async stop(): Promise<void> {
    clearInterval(this.#look);
    this.#forgetTls();
    await Promise.all([this.#http, this.#https, this.#local].map((server) => server && close(server)));
  }

  /** Such as `http://127.0.0.1:8080`. */
  get url(): string {
    return urlOf("http", this.#http);
  }

  /** Such as `https://127.0.0.1:8443`; undefined: there is no HTTPS. */
  get secureUrl(): string | undefined {
    return this.#https && urlOf("https", this.#https);
  }

  /** Undefined while it does not listen, as `securePort` also is without HTTPS. */
  get port(): number | undefined {
    return portOf(this.#http);
  }

  get securePort(): number | undefined {
    return this.#https && portOf(this.#https);
  }

  #through(door: Door): Handler {
    return (request, response) => {
      origins.set(request, { door, address: plainAddress(request.socket.remoteAddress) });
      this.#answers.set(response, Number.POSITIVE_INFINITY);
      response.once("close", () => {
        this.#answers.delete(response);
        if (request.complete) this.#requests.delete(request);
        else {
          // Time to hear the answer, not to go on.
          this.#requests.set(request, true);
          deadlines.set(request, performance.now() + LINGER_MS);
        }
      });
      this.#requests.set(request, false);
      deadlines.set(request, performance.now() + this.#options.patience.requestMs);
      this.#options.handle(request, response);
    };
  }

  #set<T extends Server>(server: T, bounded: boolean): T {
    // Of silence in both directions; streams of events beat.
    server.timeout = 60_000;
    server.on("clientError", refuse);
    if (bounded) server.on("connection", (socket: Socket) => this.#options.connections.admit(socket));
    return server;
  }

  /**
   * Cuts clients that take too long for their request, or go on with it after its answer, and those that take their answer
   * too slowly, or not at all; streams without end look after themselves.
   */
  #cutSlow(): void {
    const now = performance.now();
    for (const [request, isAnswered] of this.#requests) {
      const isOver = request.complete || request.socket.destroyed;
      if (!isOver && now <= (deadlines.get(request) ?? 0)) continue;
      this.#requests.delete(request);
      if (isOver) continue;
      if (isAnswered) request.socket.destroy();
      else refuse(Object.assign(new Error(), { code: "ERR_HTTP_REQUEST_TIMEOUT" }), request.socket);
    }
    for (const [response, since] of this.#answers) {
      if (!response.writableEnded) continue;
      if (since === Number.POSITIVE_INFINITY) this.#answers.set(response, now);
      else if (now - since > this.#options.patience.answerMs) response.destroy();
    }
  }
}

function secure(tls: TlsSource) {
  return { ...tls.context(), minVersion: "TLSv1.2" as const };
}

function portOf(server: Server): number | undefined {
  return (server.address() as AddressInfo | null)?.port;
}

function urlOf(scheme: string, server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  // What listens everywhere is found on this machine, too.
  const host = address === "0.0.0.0" || address === "::" ? "127.0.0.1" : family === "IPv6" ? `[${address}]` : address;
  return `${scheme}://${host}:${port}`;
}

async function listen(server: Server, { port, address }: { port: number; address: string }): Promise<void> {
  server.listen({ port, host: address, exclusive: true });
  try {
    await once(server, "listening");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : "";
    const why =
      code === "EADDRINUSE"
        ? "another program has it; choose another port"
        : code === "EADDRNOTAVAIL"
          ? "this machine does not have that address"
          : String(cause);
    throw new Error(`cannot listen on ${address}, port ${port}: ${why}`, { cause });
  }
}

/** The runtime folder has one supervisor only (RuntimeLock), so a socket that is there is one that a killed one left. */
async function listenLocally(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true });
  // Made with its permissions, so that there is no moment without them.
  const old = process.umask(SOCKET_UMASK);
  try {
    server.listen({ path });
  } finally {
    process.umask(old);
  }
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new Error(`cannot listen on ${path}: ${String(cause)}`, { cause });
  }
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  const deadline = setTimeout(() => server.closeAllConnections(), STOP_MS);
  await closed;
  clearTimeout(deadline);
}

/** Answers what is not HTTP, or too slow or long, before any request exists. */
function refuse(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const status =
    error.code === "HPE_HEADER_OVERFLOW"
      ? "431 Request Header Fields Too Large"
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? "408 Request Timeout"
        : "400 Bad Request";
  const code = Number.parseInt(status, 10);
  const body = JSON.stringify({ type: "about:blank", title: status.slice(4), status: code });
  const length = Buffer.byteLength(body);
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/problem+json\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`,
  );
}
