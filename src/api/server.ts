/** The server of web page and API. It serves nobody but those whom the access service knows. */
import type { IncomingMessage, ServerResponse } from "node:http";
import Koa, { type Context } from "koa";
import type { AccessService } from "../access/access.ts";
import type { AuditRecorder } from "../access/record.ts";
import { type Clock, systemClock } from "../board/ports.ts";
import type { Bus } from "../bus.ts";
import type { ChannelControl } from "../channels/status.ts";
import type { ConfigService } from "../config/store.ts";
import { Auditing } from "./auditing.ts";
import { authenticate, authorize, type Identification } from "./authenticate.ts";
import type { BoardControl } from "./boardControl.ts";
import { BodyStore, boundBody, MAX_BODY, MAX_UNKNOWN_BODY } from "./body.ts";
import { EventHub } from "./events.ts";
import { guard } from "./guard.ts";
import { Buckets, Connections, isLoopback, LIMITS, type Limits } from "./limits.ts";
import { Listeners, PATIENCE, type Patience, type TlsSource } from "./listeners.ts";
import { openapi } from "./openapi.ts";
import { problems } from "./problem.ts";
import { type Gate, type Route, serveRoutes } from "./route.ts";
import { accessRoutes } from "./routes/access.ts";
import { benchRoutes } from "./routes/bench.ts";
import { boardRoutes } from "./routes/board.ts";
import { boxRoutes, type HealthSource } from "./routes/box.ts";
import { channelRoutes } from "./routes/channels.ts";
import { configRoutes } from "./routes/config.ts";
import { webFiles } from "./web.ts";

/** What a client that goes away leaves behind. */
const BROKEN_CONNECTION = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED", "ETIMEDOUT", "ERR_STREAM_PREMATURE_CLOSE"]);

export interface ApiServerOptions {
  /** Of HTTP, which answers this machine and sends all others to HTTPS; 0 takes any free port. */
  port: number;
  /** Where HTTP and HTTPS listen; the default is 127.0.0.1. */
  address?: string;
  /** 0 takes any free port; without it there is no HTTPS. */
  https?: { port: number; address?: string; tls: TlsSource };
  /** Path of the UNIX socket, by which programs on the box itself are admins; without it there is none. */
  socket?: string;
  /** Folder of the built web page. */
  webFolder: string;
  /** Of this firmware. */
  version: string;
  bus: Bus;
  config: ConfigService;
  channels: ChannelControl;
  /** Who may do what. Without it, or `everybody` in its place, the server does not start. */
  access?: AccessService;
  /** For tests of all else: knows people in place of the access service, which then has no routes either. */
  everybody?: Identification | undefined;
  /** Is told of what clients have changed. */
  audit?: AuditRecorder;
  /** Without it, the box has no inputs, sensors and panel to tell of. */
  board?: BoardControl;
  /** Those of the services that the server itself does not need. */
  routes?: readonly Route[];
  /** Whether the firmware does its work; without it, that is not looked at. */
  health?: HealthSource;
  /** What is wrong with the system of the box, beside its board and channels. */
  faults?(): readonly unknown[];
  /** How long a client of the events may take nothing, ms; the default is 30 s. */
  stallMs?: number;
  limits?: Partial<Limits>;
  patience?: Partial<Patience>;
  /** Who counts as this machine; for tests. */
  isLoopback?(address: string): boolean;
  clock?: Pick<Clock, "now">;
}

export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #events: EventHub;
  readonly #listeners: Listeners;
  /** Every route of the API. */
  readonly routes: readonly Route[];

  constructor(options: ApiServerOptions) {
    const { bus, config, channels, board, version, stallMs, clock = systemClock } = options;
    this.#options = options;
    const limits = { ...LIMITS, ...options.limits };
    const access = options.everybody ?? options.access ?? NOBODY;
    const isOwn = (address: string) => options.isLoopback?.(address) ?? isLoopback(address);
    this.#events = new EventHub({
      ...{ bus, channels, board, stallMs, limits: limits.streams },
      revision: () => config.revision,
      holds: (principal) => principal.via === "local" || access.holds(principal),
    });
    const describe = () => openapi(this.routes, version);
    this.routes = [
      ...channelRoutes(config, channels),
      ...configRoutes(config),
      ...(board === undefined ? [] : boardRoutes(board)),
      ...(board?.virtual === undefined ? [] : benchRoutes(board.virtual, board.file)),
      ...(options.access === undefined ? [] : accessRoutes(options.access)),
      ...(options.routes ?? []),
      ...boxRoutes({
        ...{ config, channels, events: this.#events, version, describe },
        health: options.health ?? { check: async () => ({ ok: true, checks: [] }) },
        faults: () => (board?.faults().length ?? 0) + (options.faults?.().length ?? 0),
      }),
    ];

    const app = new Koa();
    app.on("error", (error: NodeJS.ErrnoException) => {
      if (BROKEN_CONNECTION.has(error.code ?? "")) return;
      bus.emit("log", { level: "error", source: "api", message: error.stack ?? error.message });
    });
    const names = () => {
      const { network, access } = config.current;
      return [network.hostname, `${network.hostname}.local`, ...access.hostNames];
    };
    const buckets = {
      reading: new Buckets(limits.reading, clock),
      changing: new Buckets(limits.changing, clock),
      unknown: new Buckets(limits.unknown, clock),
      page: new Buckets(limits.page, clock),
    };
    app.use(problems(bus));
    app.use(guard({ names, securePort: () => this.#listeners.securePort, isLoopback: isOwn }));
    app.use(authenticate({ access, buckets }));
    const auditing = options.audit && new Auditing(options.audit, clock);
    for (const middleware of serveRoutes(
      this.routes,
      gate({ access, isOwn }, auditing, new BodyStore(limits.bodies)),
    )) {
      app.use(middleware);
    }
    app.use(webFiles(options.webFolder));

    const { address = "127.0.0.1", https, socket } = options;
    const handle = app.callback();
    this.#listeners = new Listeners({
      http: { port: options.port, address },
      https: https && { address, ...https },
      socket,
      connections: new Connections(limits.connections, isOwn),
      patience: { ...PATIENCE, ...options.patience },
      handle: (request: IncomingMessage, response: ServerResponse) => void handle(request, response),
    });
  }

  /** Rejects when a port cannot be had, and without access control. */
  async start(): Promise<void> {
    const { access, everybody } = this.#options;
    if (access === undefined && everybody === undefined) throw new Error("the API needs the access service");
    await this.#listeners.start();
    this.#events.start();
  }

  /** Lets requests in hand end, for two seconds at the most. */
  async stop(): Promise<void> {
    this.#events.stop();
    await this.#listeners.stop();
  }

  /** The ports of the web page, while it is served. */
  get web(): { http: number; https: number | undefined; localOnly: boolean } | undefined {
    const { port, securePort } = this.#listeners;
    const { address = "127.0.0.1" } = this.#options;
    return port === undefined ? undefined : { http: port, https: securePort, localOnly: isLoopback(address) };
  }

  /** Where it listens, such as `http://127.0.0.1:8080`. */
  get url(): string {
    return this.#listeners.url;
  }

  /** Such as `https://127.0.0.1:8443`; undefined: it does not listen for HTTPS. */
  get secureUrl(): string | undefined {
    return this.#listeners.secureUrl;
  }
}

/** Of a server that cannot start. */
const NOBODY: Identification = {
  identify: () => undefined,
  holds: () => false,
  standing: () => ({ mustEnrol: false }),
};

/** What each request to the API goes through on its way to its route. */
function gate(
  who: { access: Identification; isOwn(address: string): boolean },
  auditing: Auditing | undefined,
  store: BodyStore,
): Gate {
  return async (ctx: Context, route, handle) => {
    const work = async (): Promise<void> => {
      authorize(ctx, who, route);
      const needs = route?.access;
      const known = typeof needs === "object";
      boundBody(ctx, route?.bodyLimit ?? (known ? MAX_BODY : MAX_UNKNOWN_BODY), store);
      await handle();
    };
    if (route === undefined || auditing === undefined) await work();
    else await auditing.around(ctx, route, work);
  };
}
