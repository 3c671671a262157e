/**
 * Live news as server-sent events (HTML standard, section 9.2). A client gets a `snapshot` of everything first, then each
 * `channel`, `levels`, `channelRemoved`, `input`, `readings`, `firmware`, `config` and `log` of the bus, and on a change
 * `panel` and `faults` of the board; `log` and `firmware` only who may read them. A `beat` every two seconds lets it tell a quiet box from a broken
 * connection, which it cannot do by comments; at each it is looked whether the client may still listen.
 */
import type { ServerResponse } from "node:http";
import type { Context } from "koa";
import { may, type Principal, type Requirement } from "../access/principal.ts";
import type { Bus, Events } from "../bus.ts";
import type { ChannelControl } from "../channels/status.ts";
import { type BoardControl, boardSnapshot, panelStatus } from "./boardControl.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { principalOf } from "./principal.ts";
import { Problem } from "./problem.ts";

const BEAT_MS = 2000;
/** How long a client may leave its buffers full. */
const STALL_MS = 30_000;
/** Log lines that are kept for a client that has fallen behind. */
const LOG_LINES = 50;
/** What events take beside the right to listen at all. */
const NEEDS: { readonly [K in keyof Events]?: Requirement } = {
  log: { role: "operator", scope: "system" },
  firmware: { role: "viewer", scope: "system" },
};
/** What changes without news on the bus, which is the panel and the board's faults, is looked at this often, ms. */
const LOOK_MS = 200;

export interface EventHubOptions {
  bus: Bus;
  channels: ChannelControl;
  board?: BoardControl | undefined;
  revision(): number;
  /** Whether a client's session or token still holds. */
  holds(principal: Principal): boolean;
  limits?: Limits["streams"] | undefined;
  stallMs?: number | undefined;
}

export class EventHub {
  readonly #bus: Bus;
  readonly #channels: ChannelControl;
  readonly #board: BoardControl | undefined;
  readonly #revision: () => number;
  readonly #holds: (principal: Principal) => boolean;
  readonly #limits: Limits["streams"];
  readonly #stallMs: number;
  readonly #clients = new Set<Client>();
  readonly #ends: (() => void)[] = [];
  #beat: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  #forgetLevels = () => {};
  /** By their names, the events that a look sent last. */
  readonly #seen = new Map<string, string>();
  #logLine = 0;

  constructor(options: EventHubOptions) {
    this.#bus = options.bus;
    this.#channels = options.channels;
    this.#board = options.board;
    this.#revision = options.revision;
    this.#holds = (principal) => options.holds(principal);
    this.#limits = options.limits ?? LIMITS.streams;
    this.#stallMs = options.stallMs ?? STALL_MS;
  }

  start(): void {
    // A key names what a newer event replaces while a client cannot take it.
    this.#forward("channel", ({ id }) => ({ key: `channel ${id}`, channel: id }));
    this.#forward("channelRemoved", ({ id }) => ({ key: `channel ${id}`, channel: id }));
    this.#forward("input", ({ connector }) => ({ key: `input ${connector}` }));
    this.#forward("readings", () => ({ key: "readings" }));
    this.#forward("firmware", () => ({ key: "firmware" }));
    this.#forward("config", () => ({ key: "config" }));
    this.#forward("log", () => ({ key: `log ${this.#logLine++ % LOG_LINES}` }));
    this.#beat = setInterval(() => {
      const beat = frame("beat", {});
      for (const client of this.#clients) {
        if (this.#holds(client.principal)) client.beat(beat, this.#stallMs);
        else client.end();
      }
    }, BEAT_MS);
  }

  /** Ends every client's stream. */
  stop(): void {
    clearInterval(this.#beat);
    this.#lookAway();
    this.#forgetLevels();
    for (const end of this.#ends.splice(0)) end();
    for (const client of this.#clients) client.end();
  }

  /** Turns a request into a stream of events; `only` limits it to these channels. */
  open(ctx: Context, only?: ReadonlySet<string>): void {
    const principal = principalOf(ctx);
    const headers = { "Retry-After": "5" };
    const { all, perPrincipal } = this.#limits;
    if (this.#clients.size >= all) {
      throw new Problem("unavailable", `${all} clients listen already`, { headers });
    }
    if ([...this.#clients].filter((client) => isSame(client.principal, principal)).length >= perPrincipal) {
      throw new Problem("too-many", `You listen ${perPrincipal} times already`, { headers });
    }
    ctx.set({ "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    ctx.status = 200;
    ctx.respond = false;
    if (ctx.method === "HEAD") {
      ctx.res.end();
      return;
    }
    const client = new Client(ctx.res, principal, only);
    this.#clients.add(client);
    ctx.res.on("close", () => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) this.#forgetLevels();
      if (this.#clients.size === 0) this.#lookAway();
    });
    if (this.#clients.size === 1) this.#hearLevels();
    const channels = this.#channels.list().filter(({ id }) => client.wants(id));
    const board = this.#board && boardSnapshot(this.#board);
    client.send("snapshot", frame("snapshot", { revision: this.#revision(), channels, ...board }));
    if (this.#board !== undefined) this.#lookAt(this.#board);
  }

  /** Looks at the board for as long as somebody listens. */
  #lookAt(board: BoardControl): void {
    const look = (tell: boolean) => {
      for (const [name, data] of Object.entries({ panel: panelStatus(board), faults: board.faults() })) {
        const text = frame(name, data);
        if (this.#seen.get(name) === text) continue;
        this.#seen.set(name, text);
        if (tell) for (const client of this.#clients) client.send(name, text);
      }
    };
    if (this.#look !== undefined) return;
    // The first client has all of it in its snapshot.
    look(false);
    this.#look = setInterval(() => look(true), LOOK_MS);
  }

  #lookAway(): void {
    clearInterval(this.#look);
    this.#look = undefined;
  }

  /** They come ten times a second, and are not made where nobody listens. */
  #hearLevels(): void {
    this.#forgetLevels();
    this.#forgetLevels = this.#listen("levels", ({ channel }) => ({ key: `levels ${channel}`, channel }));
  }

  #forward<K extends keyof Events>(name: K, about: (event: Events[K]) => { key: string; channel?: string }): void {
    this.#ends.push(this.#listen(name, about));
  }

  #listen<K extends keyof Events>(name: K, about: (event: Events[K]) => { key: string; channel?: string }): () => void {
    return this.#bus.on(name, (event) => {
      if (this.#clients.size === 0) return;
      const { key, channel } = about(event);
      const text = frame(name, event);
      const needs = NEEDS[name];
      for (const client of this.#clients) {
        if (needs !== undefined && !may(client.principal, needs)) continue;
        if (channel === undefined || client.wants(channel)) client.send(key, text);
      }
    });
  }
}

/**
 * One listener. While its connection takes nothing, only the latest event of each key waits, so what it costs has a bound
 * and what it gets next is news.
 */
class Client {
  readonly principal: Principal;
  readonly #response: ServerResponse;
  readonly #only: ReadonlySet<string> | undefined;
  readonly #waiting = new Map<string, string>();
  /** When the connection's buffers filled up, ms of the monotonic clock. */
  #fullSince: number | undefined;

  constructor(response: ServerResponse, principal: Principal, only: ReadonlySet<string> | undefined) {
    this.principal = principal;
    this.#response = response;
    this.#only = only;
    response.on("drain", () => this.#drained());
    // A connection that broke is no news: its end follows.
    response.on("error", () => response.destroy());
  }

  wants(channel: string): boolean {
    return this.#only?.has(channel) ?? true;
  }

  send(key: string, text: string): void {
    if (this.#fullSince === undefined) {
      if (!this.#response.write(text)) this.#fullSince = performance.now();
      return;
    }
    // Deleted first, so that it takes its place in the order of time.
    this.#waiting.delete(key);
    this.#waiting.set(key, text);
  }

  /** Sends a beat, or cuts a client that has taken nothing for too long. */
  beat(text: string, stallMs: number): void {
    if (this.#fullSince === undefined) this.send("beat", text);
    else if (performance.now() - this.#fullSince > stallMs) this.#response.destroy();
  }

  end(): void {
    this.#response.end();
  }

  #drained(): void {
    this.#fullSince = undefined;
    for (const [key, text] of this.#waiting) {
      if (this.#fullSince !== undefined) return;
      this.#waiting.delete(key);
      this.send(key, text);
    }
  }
}

/** A user counts as one with all of their sessions; each token is a program of its own. */
function isSame(a: Principal, b: Principal): boolean {
  return a.via === b.via && (a.via === "token" ? a.id === b.id : a.name === b.name);
}

function frame(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
