/** The inputs of the box: what comes in on each connector, and what a channel that uses it shall open. */
import type { Bus } from "../../bus.ts";
import { type Config, type DirectSource, type InputConfig, input as inputSchema } from "../../config/schema.ts";
import type { ConnectorFile } from "../boardFile.ts";
import { buildEdid } from "../edid/build.ts";
import { decodeEdid } from "../edid/check.ts";
import { type Clock, systemClock } from "../ports.ts";
import type { Receiver } from "../receivers/receiver.ts";
import type { Signal } from "../signal.ts";
import { Input } from "./input.ts";
import { mismatchWords, signalWords } from "./words.ts";

/** What an input tells of itself: the shape behind `/api/v1/inputs`. */
export interface InputStatus {
  connector: string;
  /** As printed on the box. */
  label: string;
  kind: ConnectorFile["kind"];
  /** What is connected, as the configuration calls it. */
  name: string;
  /** Null until it is known, and where the connector has no receiver that tells. */
  signal: Signal | null;
  /** The signal in plain words. */
  text: string;
  /** Why the signal is not used though it is there, or "". */
  mismatch: string;
  /** What keeps the box from knowing or serving the input, or "". */
  fault: string;
  /** Since when so, ISO 8601. */
  since: string;
}

/** What the inputs stand on: real or virtual. */
export interface InputHardware {
  /** Undefined for connectors without a receiver, such as ASI, whose stream tells by itself. */
  receiver(connector: ConnectorFile): Receiver | undefined;
  /** What the encoder opens for a good signal; undefined where there is nothing to open. */
  feed(connector: ConnectorFile, signal: Signal): DirectSource | undefined;
  /** Calls back when something may have happened at a connector. Returns the function that ends it. */
  watch(connector: ConnectorFile, listener: () => void): () => void;
}

export interface InputsOptions {
  connectors: readonly ConnectorFile[];
  hardware: InputHardware;
  config: { readonly current: Pick<Config, "box" | "inputs" | "channels"> };
  bus: Bus;
  /** Of the box, for the sources to see. */
  serial: string;
  clock?: Clock;
}

interface Entry {
  file: ConnectorFile;
  input: Input | undefined;
  since: string;
  unwatch: () => void;
  /** What was last to be opened, as JSON. */
  fed: string;
}

export class Inputs {
  readonly #options: InputsOptions;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  #unlisten = () => {};

  constructor(options: InputsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  start(): void {
    const { connectors, hardware, bus } = this.#options;
    for (const file of connectors) {
      const receiver = hardware.receiver(file);
      const input =
        receiver &&
        new Input({
          label: file.label,
          receiver,
          clock: this.#clock,
          config: this.#configOf(file.id),
          edid: (config, maxBlocks) => this.#edid(file, config, maxBlocks),
          inUse: () => this.#inUse(file.id),
          changed: () => this.#tell(file.id),
        });
      const unwatch = hardware.watch(file, () => {
        input?.nudge();
        this.#lookAtFeed(file.id);
      });
      this.#entries.set(file.id, { file, input, since: new Date().toISOString(), unwatch, fed: "" });
    }
    for (const { input } of this.#entries.values()) input?.start();
    this.#unlisten = bus.on("config", () => this.#follow());
  }

  async stop(): Promise<void> {
    this.#unlisten();
    const entries = [...this.#entries.values()];
    for (const { unwatch } of entries) unwatch();
    await Promise.all(entries.map(({ input }) => input?.stop()));
    this.#entries.clear();
  }

  list(): InputStatus[] {
    return [...this.#entries.keys()].map((id) => this.status(id)).filter((status) => status !== undefined);
  }

  status(connector: string): InputStatus | undefined {
    const entry = this.#entries.get(connector);
    if (entry === undefined) return undefined;
    const { file, input, since } = entry;
    const signal = input?.signal;
    const config = this.#configOf(connector);
    return {
      connector,
      label: file.label,
      kind: file.kind,
      name: config.name,
      signal: signal ?? null,
      text: signal === undefined ? unknownWords(file) : signalWords(signal, file.kind),
      mismatch: (signal && mismatchWords(signal, config.standard)) ?? "",
      fault: input?.fault ?? "",
      since,
    };
  }

  /**
   * Fulfilled when the signals of these connectors are known, or are not to be had within `ms`: what runs on them must
   * not be cut off by a supervisor that has only just started.
   */
  async known(connectors: readonly string[], ms: number): Promise<void> {
    const unknown = new Set(connectors.filter((id) => this.#entries.get(id)?.input?.isUnknown));
    if (unknown.size === 0) return;
    await new Promise<void>((done) => {
      const end = () => {
        cancel();
        unlisten();
        done();
      };
      const cancel = this.#clock.after(ms, end);
      const unlisten = this.#options.bus.on("input", ({ connector }) => {
        if (unknown.delete(connector) && unknown.size === 0) end();
      });
    });
  }

  /** What a channel opens now for this connector; null while there is nothing to show. */
  source(connector: string): DirectSource | null {
    const entry = this.#entries.get(connector);
    const signal = entry?.input?.signal;
    if (entry === undefined || signal === undefined || signal.state !== "locked") return null;
    if (mismatchWords(signal, this.#configOf(connector).standard) !== undefined) return null;
    return this.#options.hardware.feed(entry.file, signal) ?? null;
  }

  #inUse(connector: string): boolean {
    const { channels } = this.#options.config.current;
    return channels.some(({ enabled, source }) => enabled && source.type === "input" && source.connector === connector);
  }

  #configOf(connector: string): InputConfig {
    const { inputs } = this.#options.config.current;
    return inputs.find((one) => one.connector === connector) ?? inputSchema.parse({ connector });
  }

  #edid(file: ConnectorFile, config: InputConfig, maxBlocks: number): Uint8Array {
    if (config.edid !== "custom") {
      const boxName = this.#options.config.current.box.name;
      const { serial } = this.#options;
      return buildEdid({ preset: config.edid, audio: config.edidAudio, boxName, connectorLabel: file.label, serial });
    }
    const checked = decodeEdid(config.customEdid, maxBlocks);
    if (!checked.ok) throw new Error(checked.what);
    return checked.bytes;
  }

  #follow(): void {
    for (const [id, { input }] of this.#entries) {
      const config = this.#configOf(id);
      if (input !== undefined && JSON.stringify(config) !== JSON.stringify(input.config)) {
        input.apply(config);
        this.#tell(id);
      }
    }
  }

  /** A virtual player can send something else within the same signal. */
  #lookAtFeed(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined && JSON.stringify(this.source(id)) !== entry.fed) this.#tell(id);
  }

  #tell(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    entry.fed = JSON.stringify(this.source(id));
    entry.since = new Date().toISOString();
    const status = this.status(id);
    if (status !== undefined) this.#options.bus.emit("input", status);
  }
}

function unknownWords({ receiver }: ConnectorFile): string {
  return receiver === undefined ? "No receiver chip tells what comes in here" : "Not known yet";
}
