/** The box's API as this page uses it. */
import type { BoardSnapshot, BoardStatus, PanelStatus } from "../src/api/boardControl.ts";
import type { InputStatus } from "../src/board/inputs/inputs.ts";
import type { ChannelStatus } from "../src/channels/status.ts";
import type { StoreProblem } from "../src/config/durableFile.ts";
import type { Config } from "../src/config/schema.ts";
import type { BoardAction } from "./boardState.ts";

export const base = "/api/v1";

/** How long an answer may take, ms. Stopping a channel waits for its processes to end. */
const timeoutMs = 15_000;
/** The box speaks at least once a second while a channel runs and beats when none does; silence means that it is gone. */
const silenceMs = 6000;
const firstRetryMs = 500;
const lastRetryMs = 8000;

export type Order = "start" | "stop" | "restart" | "keyframe";

/** The box refused or could not be asked; the message is for the user. */
export class ApiError extends Error {}

function channelPath(id: string): string {
  return `${base}/channels/${encodeURIComponent(id)}`;
}

/** What a refusal says: RFC 9457 problem details, or what HTTP tells when there are none. */
async function problem(response: Response): Promise<ApiError> {
  const text = `The box answered ${response.status} ${response.statusText}`.trim();
  try {
    const body: unknown = await response.json();
    const { detail, title } = body as { detail?: unknown; title?: unknown };
    if (typeof detail === "string" && detail !== "") return new ApiError(detail);
    if (typeof title === "string" && title !== "") return new ApiError(title);
  } catch {
    // Not JSON: the status line has to do.
  }
  return new ApiError(text);
}

/** A request that gives up in time. @throws ApiError, or what an aborted fetch throws */
export async function request(path: string, init: RequestInit): Promise<Response> {
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
  let response: Response;
  try {
    response = await fetch(path, { ...init, signal });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(limit.aborted ? "The box did not answer in time" : "The box cannot be reached");
  }
  if (!response.ok) throw await problem(response);
  return response;
}

/** @throws ApiError */
export async function order(channel: string, what: Order): Promise<void> {
  await request(`${channelPath(channel)}/${what}`, { method: "POST" });
}

export interface ConfigNews {
  config: Config;
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
  /** The connection broke; it is tried again by itself. */
  lost(): void;
}

/** Listens to the box for as long as the page lives, through losses of the connection. */
export function listen(listener: Listener): void {
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
    on("beat", () => {});
  };

  // The browser's own retry has a fixed delay and gives up at some answers, so a broken stream is thrown away.
  const broken = () => {
    clearTimeout(silence);
    clearTimeout(retry);
    source?.close();
    source = null;
    listener.lost();
    retry = setTimeout(connect, retryMs * (0.75 + Math.random() / 2));
    retryMs = Math.min(retryMs * 2, lastRetryMs);
  };

  const hurry = () => {
    if (source !== null || document.visibilityState !== "visible") return;
    retryMs = firstRetryMs;
    connect();
  };
  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", hurry);
  connect();
}
