/** The HTTP server: web page and API. It listens on the loopback address only while there is no access control. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import Koa from "koa";
import type { Bus } from "../bus.ts";
import type { ChannelControl } from "../channels/status.ts";
import type { ConfigService } from "../config/store.ts";
import type { BoardControl } from "./boardControl.ts";
import { EventHub } from "./events.ts";
import { guard } from "./guard.ts";
import { openapi } from "./openapi.ts";
import { problems } from "./problem.ts";
import { type Route, serveRoutes } from "./route.ts";
import { benchRoutes } from "./routes/bench.ts";
import { boardRoutes } from "./routes/board.ts";
import { boxRoutes } from "./routes/box.ts";
import { channelRoutes } from "./routes/channels.ts";
import { configRoutes } from "./routes/config.ts";
import { webFiles } from "./web.ts";

const HOST = "127.0.0.1";
/** How long requests in hand may take when the server stops, ms. */
const STOP_MS = 2000;
/** What a client that goes away leaves behind. */
const BROKEN_CONNECTION = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED", "ETIMEDOUT", "ERR_STREAM_PREMATURE_CLOSE"]);

export interface ApiServerOptions {
  /** 0 takes any free port. */
  port: number;
  /** Folder of the built web page. */
  webFolder: string;
  /** Of this firmware. */
  version: string;
  bus: Bus;
  config: ConfigService;
  channels: ChannelControl;
  /** Without it, the box has no inputs, sensors and panel to tell of. */
  board?: BoardControl;
  /** How long a client of the events may take nothing, ms; the default is 30 s. */
  stallMs?: number;
}

export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #events: EventHub;
  readonly #server: Server;
  /** Every route of the API. */
  readonly routes: readonly Route[];

  constructor(options: ApiServerOptions) {
    const { bus, config, channels, board, version, stallMs } = options;
    this.#options = options;
    const revision = () => config.revision;
    this.#events = new EventHub({ bus, channels, board, revision, ...(stallMs === undefined ? {} : { stallMs }) });
    const describe = () => openapi(this.routes, version);
    this.routes = [
      ...channelRoutes(config, channels),
      ...configRoutes(config),
      ...(board === undefined ? [] : boardRoutes(board)),
      ...(board?.virtual === undefined ? [] : benchRoutes(board.virtual, board.file)),
      ...boxRoutes({ config, channels, events: this.#events, version, describe }),
    ];

    const app = new Koa();
    app.on("error", (error: NodeJS.ErrnoException) => {
      if (BROKEN_CONNECTION.has(error.code ?? "")) return;
      bus.emit("log", { level: "error", source: "api", message: error.stack ?? error.message });
    });
    app.use(problems(bus)).use(guard);
    for (const middleware of serveRoutes(this.routes)) app.use(middleware);
    app.use(webFiles(options.webFolder));

    const handle = app.callback();
    this.#server = createServer(
      {
        maxHeaderSize: 16 * 1024,
        headersTimeout: 10_000,
        requestTimeout: 30_000,
        keepAliveTimeout: 5_000,
        connectionsCheckingInterval: 2_000,
      },
      (request, response) => void handle(request, response),
    );
    this.#server.maxConnections = 256;
    // Of silence in both directions; streams of events beat.
    this.#server.timeout = 60_000;
    this.#server.on("clientError", refuse);
  }

  /** Rejects when the port cannot be had. */
  async start(): Promise<void> {
    const { port } = this.#options;
    this.#server.listen({ port, host: HOST, exclusive: true });
    try {
      await once(this.#server, "listening");
    } catch (cause) {
      const taken = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
      const why = taken ? "another program has it; choose another port" : String(cause);
      throw new Error(`cannot listen on ${HOST}, port ${port}: ${why}`, { cause });
    }
    this.#events.start();
  }

  /** Lets requests in hand end, for two seconds at the most. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#events.stop();
    const closed = once(this.#server, "close");
    this.#server.close();
    const deadline = setTimeout(() => this.#server.closeAllConnections(), STOP_MS);
    await closed;
    clearTimeout(deadline);
  }

  /** Where it listens, such as `http://127.0.0.1:8080`. */
  get url(): string {
    return `http://${HOST}:${(this.#server.address() as AddressInfo).port}`;
  }
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
