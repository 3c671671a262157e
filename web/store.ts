/** What the page knows, and how news changes it. */
import type { ChannelState, ChannelStatus } from "../src/channels/status.ts";
import type { StoreProblem } from "../src/config/durableFile.ts";
import type { Config } from "../src/config/schema.ts";
import { type BoardAction, type BoardState, reduceBoard } from "./boardState.ts";

/** How much of the past the bitrate chart shows, ms. */
export const historyMs = 120_000;
/** Figures older than this look stale, ms; they come once a second. */
export const freshMs = 3500;

/** One measurement; `at` in ms of the page's monotonic clock, rates in bit/s. */
export interface Sample {
  at: number;
  bitrate: number;
  payload: number;
}

export interface Channel {
  status: ChannelStatus;
  /** When the status came, ms of the page's monotonic clock. */
  at: number;
  history: Sample[];
}

export interface State {
  /** `connecting`: not yet heard from the box; `lost`: heard once, not now. */
  link: "connecting" | "open" | "lost";
  channels: Channel[];
  /** Null until it is known, and where the box has none. */
  board: BoardState | null;
  config: Config | null;
  /** Entity tag of the configuration. */
  configTag: string;
  /** What was wrong with the stored configuration since the box's start. */
  storeProblems: StoreProblem[];
  /** What the box's clock is ahead of this computer's, ms; 0 when they agree within the second. */
  clockOffset: number;
}

export const initialState: State = {
  link: "connecting",
  channels: [],
  board: null,
  config: null,
  configTag: "",
  storeProblems: [],
  clockOffset: 0,
};

export type Action =
  | { type: "snapshot"; channels: ChannelStatus[]; board?: BoardState | null; at: number }
  | { type: "channel"; status: ChannelStatus; at: number }
  | { type: "channelRemoved"; id: string }
  | { type: "config"; config: Config; configTag?: string; storeProblems: StoreProblem[]; clockOffset: number }
  | { type: "lost" }
  /** Nobody is logged in any more: what was known is forgotten. */
  | { type: "left" }
  | BoardAction;

function extended(history: Sample[], status: ChannelStatus, at: number): Sample[] {
  const kept = history.filter((sample) => at - sample.at <= historyMs);
  if (status.transmit === null) return kept;
  // A change of state is told at once, with the figures of the last full second: no new measurement.
  const last = kept.at(-1);
  if (last !== undefined && at - last.at < 500) kept.pop();
  kept.push({ at, bitrate: status.transmit.bitrate, payload: status.transmit.payloadBitrate });
  return kept;
}

function withStatus(channels: Channel[], status: ChannelStatus, at: number): Channel {
  const known = channels.find((channel) => channel.status.id === status.id);
  return { status, at, history: extended(known?.history ?? [], status, at) };
}

export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case "snapshot": {
      const channels = action.channels.map((status) => withStatus(state.channels, status, action.at));
      return { ...state, link: "open", channels, board: action.board ?? null };
    }
    case "channel": {
      const changed = withStatus(state.channels, action.status, action.at);
      const index = state.channels.findIndex((channel) => channel.status.id === action.status.id);
      return { ...state, channels: index < 0 ? [...state.channels, changed] : state.channels.with(index, changed) };
    }
    case "channelRemoved":
      return { ...state, channels: state.channels.filter((channel) => channel.status.id !== action.id) };
    case "config":
      return {
        ...state,
        config: action.config,
        configTag: action.configTag ?? "",
        storeProblems: action.storeProblems,
        clockOffset: action.clockOffset,
      };
    case "lost":
      return state.link === "open" ? { ...state, link: "lost" } : state;
    case "left":
      return initialState;
    default:
      return { ...state, board: reduceBoard(state.board, action) };
  }
}

/** Whether a channel's figures are too old to be believed. A stopped channel has none that could age. */
export function isStale(state: State, channel: Channel, now: number): boolean {
  return state.link !== "open" || (channel.status.state !== "stopped" && now - channel.at > freshMs);
}

/** States in which viewers may miss something. */
export function needsAttention(state: ChannelState): boolean {
  return state === "held" || state === "slate" || state === "failed";
}

export class Store {
  #state: State = initialState;
  readonly #listeners = new Set<() => void>();

  get state(): State {
    return this.#state;
  }

  dispatch(action: Action): void {
    this.#state = reduce(this.#state, action);
    for (const listener of this.#listeners) listener();
  }

  /** Calls the listener after each change; returns the function that ends it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
