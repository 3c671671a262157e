/** The state of a channel and its faults, from what its workers say. Nothing is assumed: silence leaves things as they are. */
import type { z } from "zod";
import type { ChannelConfig } from "../config/schema.ts";
import type { RawEvent } from "../media/connection.ts";
import {
  type EncodeStats,
  encodeStats,
  type OutputStats,
  outputEvent,
  outputStats,
  programmeEvent,
  sourceEvent,
  type sourceState,
  type TransmitStats,
  transmitStats,
} from "../media/protocol.ts";
import type { Supervised } from "../media/worker.ts";
import { FaultBook } from "./faults.ts";
import type { ChannelState, Fault, OutputStatus } from "./status.ts";

/** Samples in a row after which losses count: a change of settings costs some units for a moment. */
const LASTING = 3;

type WorkerView = Pick<Supervised<unknown>, "state" | "lastExit" | "refusal">;

export interface Evidence {
  enabled: boolean;
  /** The workers cannot even be started. */
  blocked: boolean;
  encode: WorkerView["state"] | null;
  transmit: WorkerView["state"] | null;
  /** Datagrams leave. */
  onAir: boolean;
  source: z.infer<typeof sourceState>;
  programme: TransmitStats["programmes"][number]["state"];
  /** The source was live, or it or the encoder was found missing, since the channel was started. */
  settled: boolean;
}

/** What the evidence makes of the channel; see ChannelState. */
export function channelState(evidence: Evidence): ChannelState {
  const { enabled, blocked, encode, transmit, onAir, source, programme, settled } = evidence;
  if (!enabled) return "stopped";
  if (encode === "failed" || transmit === "failed" || blocked) return "failed";
  if (transmit !== "running" || !onAir) return "starting";
  switch (programme) {
    case "live":
      // The multiplexer has not missed the encoder yet.
      if (encode !== "running") return settled ? "held" : "starting";
      if (source === "live" || source === "held") return source;
      return settled ? "slate" : "starting";
    case "hold":
      return settled ? "held" : "starting";
    case "slate":
    case "none":
      return settled ? "slate" : "starting";
  }
}

export class Monitor {
  readonly #faults: FaultBook;
  readonly #now: () => Date;
  #encode: EncodeStats | null = null;
  #transmit: TransmitStats | null = null;
  readonly #outputs = new Map<string, OutputStats>();
  #source: Evidence["source"] = "none";
  #programme: Evidence["programme"] = "none";
  #settled = false;
  #input = "";
  #state: ChannelState = "stopped";
  #since: string;

  constructor(now: () => Date = () => new Date()) {
    this.#now = now;
    this.#faults = new FaultBook(now);
    this.#since = now().toISOString();
  }

  get state(): ChannelState {
    return this.#state;
  }
  get since(): string {
    return this.#since;
  }
  get encode(): EncodeStats | null {
    return this.#encode;
  }
  get transmit(): TransmitStats | null {
    return this.#transmit;
  }
  output(id: string): OutputStats | null {
    return this.#outputs.get(id) ?? null;
  }
  faults(): Fault[] {
    return this.#faults.list();
  }

  /** A fault that the channel itself finds. */
  fault(id: string, wrong: boolean, severity: Fault["severity"], message: string): void {
    this.#faults.set(id, wrong, severity, message);
  }

  /** What an input of the box knows of its signal, which says more than that no picture comes; "" for other sources. */
  inputSays(text: string): void {
    this.#input = text;
    this.#takeSource(this.#source, "");
  }

  /** Takes the state anew from what is known; true when it or the faults changed. */
  update(enabled: boolean, encode: WorkerView | undefined, transmit: WorkerView | undefined): boolean {
    const before = JSON.stringify([this.#state, this.#faults.list()]);
    this.#worker("encoder", encode, "The encoder");
    this.#worker("transmit", transmit, "The multiplexer");
    const state = channelState({
      enabled,
      blocked: encode === undefined && this.#faults.has("not-applied"),
      encode: encode?.state ?? null,
      transmit: transmit?.state ?? null,
      onAir: this.#transmit !== null && (this.#transmit.datagrams > 0 || this.#transmit.bitrate > 0),
      source: this.#source,
      programme: this.#programme,
      settled: this.#settled,
    });
    if (state !== this.#state) {
      this.#state = state;
      this.#since = this.#now().toISOString();
    }
    return before !== JSON.stringify([this.#state, this.#faults.list()]);
  }

  /** @throws ZodError for an event that is not as the protocol says */
  takeEncode(event: RawEvent): void {
    if (event.event === "stats") {
      this.#encode = figures(encodeStats.parse(event));
      this.#takeSource(this.#encode.source.state, this.#encode.source.detail);
      this.#faults.count(
        "encoder-overload",
        this.#encode.video.overload,
        "warning",
        "The encoder is too slow and leaves pictures out: choose a smaller picture or frame rate",
        LASTING,
      );
    } else if (event.event === "source") {
      const { state, detail } = sourceEvent.parse(event);
      this.#takeSource(state, detail);
    }
  }

  /** @throws ZodError for an event that is not as the protocol says */
  takeTransmit(event: RawEvent): void {
    if (event.event === "programme") {
      this.#programme = programmeEvent.parse(event).state;
      return;
    }
    if (event.event !== "stats") return;
    const stats = figures(transmitStats.parse(event));
    this.#transmit = stats;
    const [programme] = stats.programmes;
    if (programme !== undefined) {
      this.#programme = programme.state;
      this.#faults.count(
        "mux-overflow",
        programme.late + programme.dropped,
        "error",
        "Units come too late and are left out: raise the multiplex bitrate, or lower the video's",
        LASTING,
      );
    }
    const errors = Object.values(stats.tr101290).reduce((sum, count) => sum + count, 0);
    this.#faults.count("stream-errors", errors, "error", "The transport stream has errors (TR 101 290)");
    for (const { id, errors: count, lastError } of stats.destinations) {
      this.#faults.count(`output-errors:${id}`, count, "error", `Output ${id} cannot send: ${lastError}`);
    }
  }

  /** @throws ZodError for an event that is not as the protocol says */
  takeOutput(id: string, event: RawEvent): void {
    if (event.event === "stats") {
      this.#outputs.set(id, figures(outputStats.parse(event)));
    } else if (event.event === "output") {
      const { state, detail } = outputEvent.parse(event);
      const stats = this.#outputs.get(id);
      if (stats !== undefined) this.#outputs.set(id, { ...stats, state, detail });
    }
  }

  /** Says how an output with a process of its own is, and raises or clears its fault. */
  judgeOutput(id: string, worker: WorkerView | undefined): Pick<OutputStatus, "state" | "detail"> {
    const stats = this.#outputs.get(id);
    const verdict = ((): Pick<OutputStatus, "state" | "detail"> => {
      if (worker === undefined) return { state: "off", detail: "" };
      if (worker.refusal !== undefined) return { state: "error", detail: worker.refusal.message };
      if (worker.state === "waiting" || worker.state === "failed") return { state: "error", detail: worker.lastExit };
      if (stats === undefined || stats.state === "waiting") return { state: "connecting", detail: stats?.detail ?? "" };
      return { state: stats.state === "failed" ? "error" : stats.state, detail: stats.detail };
    })();
    // A caller without its peer, not one that has just been started, is a fault; a listener without one is not.
    const without = verdict.state === "connecting" && stats?.state === "connecting" && stats.detail !== "";
    const wrong = verdict.state === "error" || without;
    this.#faults.set(`output-down:${id}`, wrong, "warning", `Output ${id} is not connected: ${verdict.detail}`);
    return verdict;
  }

  /** Forgets what is known of processes that are ended on purpose. */
  reset(): void {
    this.#encode = null;
    this.#transmit = null;
    this.#outputs.clear();
    this.#source = "none";
    this.#programme = "none";
    this.#settled = false;
    this.#faults.forget("");
  }

  forgetOutput(id: string): void {
    this.#outputs.delete(id);
    for (const kind of ["output-down", "output-errors"]) this.#faults.forget(`${kind}:${id}`);
  }

  #takeSource(state: Evidence["source"], detail: string): void {
    this.#source = state;
    const why = this.#input || detail;
    const because = why === "" ? "" : `: ${why}`;
    switch (state) {
      case "live":
        this.#faults.clear("source-lost");
        break;
      case "held":
        this.#faults.raise("source-lost", "warning", `The source has stopped, its last picture is shown${because}`);
        break;
      case "lost":
        this.#faults.raise("source-lost", "error", `There is no signal from the source${because}`);
        break;
      case "starting":
      case "none":
        return;
    }
    this.#settled = true;
  }

  #worker(id: "encoder" | "transmit", worker: WorkerView | undefined, name: string): void {
    if (worker === undefined) return;
    if (worker.state === "running") this.#faults.clear(`${id}-down`);
    else if (worker.lastExit !== "") {
      const often = worker.state === "failed" ? " again and again, it is tried again every 30 s" : "";
      this.#faults.raise(`${id}-down`, "error", `${name} has failed${often}: ${worker.lastExit}`);
      // What a process said does not hold for its successor.
      if (id === "transmit") {
        this.#transmit = null;
      } else {
        this.#encode = null;
        this.#source = "starting";
        this.#settled = true;
      }
    }
    const { refusal } = worker;
    if (id === "encoder" && refusal !== undefined) this.#settled = true;
    this.#faults.set(
      `${id}-refused`,
      refusal !== undefined,
      "error",
      `${name} refuses its settings and goes on with the old ones: ${refusal?.field} ${refusal?.message}`,
    );
  }
}

/** The figures of a stats event, without its name. */
function figures<Stats extends { event?: unknown }>({ event: _, ...stats }: Stats): Omit<Stats, "event"> {
  return stats;
}

/** An output's address as a player or a peer writes it. */
export function outputUrl(output: ChannelConfig["outputs"][number]): string {
  switch (output.type) {
    case "srt":
      return `srt://${output.address}:${output.port}?mode=${output.mode}`;
    case "udp":
    case "rtp": {
      const first = Number(output.address.split(".")[0]);
      return `${output.type}://${first >= 224 && first <= 239 ? "@" : ""}${output.address}:${output.port}`;
    }
  }
}
