/** The box's API as this page uses it. */
import type { BoardSnapshot, BoardStatus, PanelStatus } from "../src/api/boardControl.ts";
import type { InputStatus } from "../src/board/inputs/inputs.ts";
import type { ChannelStatus } from "../src/channels/status.ts";
import type { StoreProblem } from "../src/config/durableFile.ts";
import type { Config } from "../src/config/schema.ts";
import type { FirmwareStatus } from "../src/update/status.ts";
import type { BoardAction } from "./boardState.ts";

export const base = "/api/v1";

/** How long an answer may take, ms. Stopping a channel waits for its processes to end. */
const timeoutMs = 15_000;
/** The box speaks at least once a second while a channel runs and beats when none does; silence means that it is gone. */
const silenceMs = 6000;
const firstRetryMs = 500;
const lastRetryMs = 8000;

export type Order = "start" | "stop" | "restart" | "keyframe";

/** A refused value of what was sent. */
export interface FieldProblem {
  /** JSON pointer into it. */
  pointer: string;
  detail: string;
}

interface Refused {
  status: number;
  kind: string;
  errors: FieldProblem[];
  retryAfter: number | null;
}

/** The box refused or could not be asked; the message is for the user. */
export class ApiError extends Error {
  /** Of HTTP; 0: there was no answer. */
  readonly status: number;
  /** Last part of the problem's type, such as `invalid`; "" where it has none. */
  readonly kind: string;
  readonly errors: readonly FieldProblem[];
  /** In so many seconds it may be tried again. */
  readonly retryAfter: number | null;

  constructor(message: string, refused: Partial<Refused> = {}) {
    super(message);
    this.status = refused.status ?? 0;
    this.kind = refused.kind ?? "";
    this.errors = refused.errors ?? [];
    this.retryAfter = refused.retryAfter ?? null;
  }
}

let doubt = () => {};

/** Has a function called when an answer makes it doubtful that we are still logged in, with the role that we had. */
export function onDoubt(call: () => void): void {
  doubt = call;
}

function channelPath(id: string): string {
  return `${base}/channels/${encodeURIComponent(id)}`;
}

/** What an answer that refuses has. */
interface Answered {
  /** That was asked for. */
  path: string;
  status: number;
  statusText: string;
  /** Of the header. */
  retryAfter: string | null;
  body: string;
}

/** What a refusal says: RFC 9457 problem details, or what HTTP tells when there are none. */
export function refusalOf({ path, status, statusText, retryAfter, body }: Answered): ApiError {
  if ((status === 401 || status === 403) && path !== `${base}/session`) doubt();
  const wait = Number(retryAfter ?? "");
  const refused = { status, retryAfter: wait > 0 ? wait : null };
  try {
    const { detail, title, type, errors } = JSON.parse(body) as Record<string, unknown>;
    const kind = typeof type === "string" ? type.slice(type.lastIndexOf(":") + 1) : "";
    const more = { ...refused, kind, errors: Array.isArray(errors) ? (errors as FieldProblem[]) : [] };
    if (typeof detail === "string" && detail !== "") return new ApiError(detail, more);
    if (typeof title === "string" && title !== "") return new ApiError(title, more);
  } catch {
    // Not JSON: the status line has to do.
  }
  return new ApiError(`The box answered ${status} ${statusText}`.trim(), refused);
}

/** How long after a key or a touch somebody counts as present, ms. */
const presentMs = 60_000;
let lastInput = 0;

/**
 * Notes when somebody uses the page. It asks the box for pictures and figures by itself, too, which must not keep a session
 * alive that has been left.
 */
export function watchPresence(): void {
  const note = () => {
    lastInput = performance.now();
  };
  for (const name of ["pointerdown", "keydown", "wheel"])
    addEventListener(name, note, { capture: true, passive: true });
}

/** A request that gives up in time. @throws ApiError, or what an aborted fetch throws */
export async function request(path: string, init: RequestInit, limitMs = timeoutMs): Promise<Response> {
  const limit = AbortSignal.timeout(limitMs);
  const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
  const headers = new Headers(init.headers);
  // What other sites make a browser send cannot have it, so the box takes changes only with it.
  if (init.method !== undefined && init.method !== "GET") headers.set("Steadycast-Request", "1");
  else if (performance.now() - lastInput > presentMs) headers.set("Steadycast-Background", "1");
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers, signal });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(limit.aborted ? "The box did not answer in time" : "The box cannot be reached");
  }
  if (response.ok) return response;
  const { status, statusText } = response;
  const body = await response.text().catch(() => "");
  throw refusalOf({ path, status, statusText, retryAfter: response.headers.get("retry-after"), body });
}

/** Asks with JSON and is answered with JSON; undefined for an answer without a body. @throws ApiError */
export async function ask<T = void>(
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  const response = await request(base + path, {
    method,
    cache: "no-store",
    headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** @throws ApiError */
export async function order(channel: string, what: Order): Promise<void> {
  await request(`${channelPath(channel)}/${what}`, { method: "POST" });
}

export interface ConfigNews {
  config: Config;
  /** The entity tag of the configuration, for If-Match. */
  configTag: string;
  storeProblems: StoreProblem[];
  /** What the box's clock is ahead of ours, ms. */
  clockOffset: number;
}

/** The configuration in force and what was wrong with the stored one. @throws ApiError */
export async function fetchConfig(): Promise<ConfigNews> {
  const [response, problems] = await Promise.all([
    request(`${base}/config`, { cache: "no-store" }),
    request(`${base}/config/problems`, { cache: "no-store" }),
  ]);
  const boxTime = Date.parse(response.headers.get("date") ?? "");
  const offset = boxTime - Date.now();
  return {
    config: (await response.json()) as Config,
    configTag: response.headers.get("etag") ?? "",
    storeProblems: ((await problems.json()) as { problems: StoreProblem[] }).problems,
    // The header counts whole seconds, so less than that is no difference.
    clockOffset: Number.isFinite(offset) && Math.abs(offset) > 1500 ? offset : 0,
  };
}

/** The newest preview and how old it was when it was sent, ms; null while there is none. @throws ApiError */
export async function fetchPreview(channel: string, signal: AbortSignal): Promise<{ image: Blob; age: number } | null> {
  let response: Response;
  try {
    response = await request(`${channelPath(channel)}/preview.jpg`, { cache: "no-cache", signal });
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
  const sent = Date.parse(response.headers.get("date") ?? "");
  const made = Date.parse(response.headers.get("last-modified") ?? "");
  const age = sent - made;
  return { image: await response.blob(), age: Number.isFinite(age) ? Math.max(0, age) : 0 };
}

export interface Levels {
  channel: string;
  /** dBFS by sound channel. */
  peak: number[];
  rms: number[];
}

/** What the box tells while it is listened to. */
export interface Listener {
  snapshot(channels: ChannelStatus[], board: BoardSnapshot | null): void;
  channel(status: ChannelStatus): void;
  channelRemoved(id: string): void;
  levels(levels: Levels): void;
  board(news: BoardAction): void;
  /** Another configuration is in force. */
  config(): void;
  firmware(status: FirmwareStatus): void;
  /** The connection broke; it is tried again by itself. */
  lost(): void;
}

/**
 * Listens to the box, through losses of the connection, until the function that is returned is called.
 * @param admitted asked before each new attempt; false ends the attempts, since a stream does not tell why it was refused.
 */
export function listen(listener: Listener, admitted: () => Promise<boolean>): () => void {
  let ended = false;
  let source: EventSource | null = null;
  let retryMs = firstRetryMs;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;

  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(broken, silenceMs);
  };

  const on = <T>(name: string, take: (data: T) => void) => {
    source?.addEventListener(name, (event: MessageEvent<string>) => {
      heard();
      take(JSON.parse(event.data) as T);
    });
  };

  const connect = () => {
    clearTimeout(retry);
    source?.close();
    source = new EventSource(`${base}/events`);
    heard();
    source.onerror = broken;
    on<{ channels: ChannelStatus[] } & Partial<BoardSnapshot>>("snapshot", ({ channels, board, inputs, panel }) => {
      retryMs = firstRetryMs;
      listener.snapshot(channels, board && inputs && panel ? { board, inputs, panel } : null);
    });
    on<ChannelStatus>("channel", (status) => listener.channel(status));
    on<{ id: string }>("channelRemoved", ({ id }) => listener.channelRemoved(id));
    on<Levels>("levels", (levels) => listener.levels(levels));
    on<InputStatus>("input", (status) => listener.board({ type: "input", status }));
    on<BoardStatus["readings"]>("readings", (readings) => listener.board({ type: "readings", readings }));
    on<BoardStatus["faults"]>("faults", (faults) => listener.board({ type: "faults", faults }));
    on<PanelStatus>("panel", (panel) => listener.board({ type: "panel", panel }));
    on("config", () => listener.config());
    on<FirmwareStatus>("firmware", (status) => listener.firmware(status));
    on("beat", () => {});
  };

  // The browser's own retry has a fixed delay and gives up at some answers, so a broken stream is thrown away.
  const broken = () => {
    clearTimeout(silence);
    clearTimeout(retry);
    source?.close();
    source = null;
    listener.lost();
    retry = setTimeout(() => void again(), retryMs * (0.75 + Math.random() / 2));
    retryMs = Math.min(retryMs * 2, lastRetryMs);
  };

  const again = async () => {
    clearTimeout(retry);
    if ((await admitted()) && !ended && source === null) connect();
  };

  const hurry = () => {
    if (source !== null || document.visibilityState !== "visible") return;
    retryMs = firstRetryMs;
    void again();
  };
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", hurry);
  connect();
  return () => {
    ended = true;
    clearTimeout(silence);
    clearTimeout(retry);
    source?.close();
    source = null;
    removeEventListener("online", hurry);
    document.removeEventListener("visibilitychange", hurry);
  };
}
