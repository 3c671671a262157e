/**
 * The one event bus: news travels upwards on it, calls go downwards. A listener that throws is reported and hurts nobody
 * else.
 */
import type { InputStatus } from "./board/inputs/inputs.ts";
import type { BoardReadings } from "./board/sensors/readings.ts";
import type { ChannelStatus } from "./channels/status.ts";
import type { FirmwareStatus } from "./update/status.ts";

/** Every event and what it carries. */
export interface Events {
  /** A channel's state, faults or figures changed. Sent at once on a change of state, else once a second. */
  channel: ChannelStatus;
  /** Audio levels in dBFS, ten times a second while somebody listens. */
  levels: { channel: string; peak: number[]; rms: number[] };
  /** A channel was removed from the configuration. */
  channelRemoved: { id: string };
  /** The signal on a connector of the box, or what is said of it, is another one. */
  input: InputStatus;
  /** What the sensors of the box tell: when a state changes, and every 5 s. */
  readings: BoardReadings;
  /** A new configuration is in force. */
  config: { revision: number };
  /** A change on trial began, or ended: `expired` when nobody confirmed it in time, `stopped` with the supervisor. */
  trial: {
    revision: number;
    author: string | null;
    comment: string | null;
    state: "pending" | "confirmed" | "reverted" | "expired" | "stopped";
  };
  /** The firmware, its slots or the work on it changed; at most four times a second. */
  firmware: FirmwareStatus;
  /** A line for the log. */
  log: { level: "debug" | "info" | "warning" | "error"; source: string; message: string };
}

type Listener<K extends keyof Events> = (event: Events[K]) => void;

export class Bus {
  readonly #listeners = new Map<keyof Events, Set<(event: never) => void>>();
  readonly #attention = new Set<{ name: keyof Events; changed: () => void }>();
  readonly #failed: (name: string, error: unknown) => void;

  /** Takes secrets out of messages for the log before anybody hears them. */
  redact: (message: string) => string = (message) => message;

  /** @param failed is told of a listener that threw; the default writes to stderr. */
  constructor(failed?: (name: string, error: unknown) => void) {
    this.#failed = failed ?? ((name, error) => console.error(`listener of "${name}" failed:`, error));
  }

  /** Listens; returns the function that ends it. */
  on<K extends keyof Events>(name: K, listener: Listener<K>): () => void {
    let set = this.#listeners.get(name);
    if (set === undefined) {
      set = new Set();
      this.#listeners.set(name, set);
    }
    set.add(listener);
    if (set.size === 1) this.#tellAttention(name);
    return () => {
      if (set.delete(listener) && set.size === 0) this.#tellAttention(name);
    };
  }

  /** Tells whenever the first listener comes or the last one goes; returns the function that ends it. */
  onAttention(name: keyof Events, changed: () => void): () => void {
    const entry = { name, changed };
    this.#attention.add(entry);
    return () => this.#attention.delete(entry);
  }

  /** Whether anybody listens: what comes often need not be made for nobody. */
  hears(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  #tellAttention(name: keyof Events): void {
    for (const entry of [...this.#attention]) if (entry.name === name) entry.changed();
  }

  emit<K extends keyof Events>(name: K, event: Events[K]): void {
    const told = "message" in event ? { ...event, message: this.redact(event.message) } : event;
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as Listener<K>)(told);
      } catch (error) {
        this.#failed(name, error);
      }
    }
  }
}
