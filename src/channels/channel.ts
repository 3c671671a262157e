/**
 * One channel: keeps its workers doing what its configuration says, with the smallest change, and tells how it is.
 * Orders are carried out one after another.
 */
import { mkdir } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { ZodError, z } from "zod";
import type { Bus } from "../bus.ts";
import type { ChannelConfig, DirectSource, SrtOutputConfig } from "../config/schema.ts";
import { systemTimers, type Timers } from "../config/timers.ts";
import { type Platform, UnsupportedSetting } from "../media/codecs.ts";
import type { RawEvent } from "../media/connection.ts";
import { ChannelPaths } from "../media/paths.ts";
import {
  type EncodeSpec,
  levelsEvent,
  logEvent,
  type OutputSpec,
  type Role,
  type TransmitSpec,
} from "../media/protocol.ts";
import type { SlateClips } from "../media/slate.ts";
import { encodeSpec, outputSpec, transmitSpec } from "../media/specs.ts";
import { type Leave, type Supervised, Worker, type WorkerHooks, type WorkerOptions } from "../media/worker.ts";
import { LevelsWatch } from "./levelsWatch.ts";
import { Monitor, outputUrl } from "./monitor.ts";
import type { ChannelStatus, OutputStatus, WorkerStatus } from "./status.ts";

/** Milliseconds after which a slate clip that could not be made is tried again. */
const SLATE_RETRY = 30_000;

/** A failed worker is left alone for 30 s, and ending all workers of a channel by force takes less than 10 s; ms. */
const STUCK_MS = 90_000;

/** AF41, usual for video (RFC 4594, 4.4). */
const USUAL_DSCP = 34;

/** How the media processes are run. */
export interface MediaSetup {
  platform: Platform;
  /** The programs and their first arguments. */
  commands: Record<Role, readonly [string, ...string[]]>;
  runtimeFolder: string;
  /** Seconds that media runs on without a supervisor; 0: for ever. */
  orphanSeconds: number;
  /** See SpecOptions. */
  stamp: boolean;
  slates: Pick<SlateClips, "find" | "make" | "prune">;
  /** DSCP of outputs that have none of their own; AF41 (34) if left out. */
  dscp?: () => number;
  /** What is to be opened for an input of the box now, null for nothing, and what is known of it in words. */
  input?: (connector: string) => { source: DirectSource | null; text: string };
  timers?: Timers;
  /** For tests: what supervises a process. */
  supervise?: <Spec>(options: WorkerOptions, hooks: WorkerHooks) => Supervised<Spec>;
}

/** What a channel must do without, to spare a box that is too hot. */
export interface Relief {
  preview: boolean;
  stopped: boolean;
}

interface OutputWorker {
  spec: OutputSpec;
  worker: Supervised<OutputSpec>;
}

export class Channel {
  readonly #media: MediaSetup;
  readonly #bus: Bus;
  readonly #paths: ChannelPaths;
  readonly #timers: Timers;
  readonly #monitor = new Monitor();
  #config: ChannelConfig;
  #encode: { spec: EncodeSpec; worker: Supervised<EncodeSpec> } | undefined;
  #transmit: { spec: TransmitSpec; worker: Supervised<TransmitSpec> } | undefined;
  readonly #outputs = new Map<string, OutputWorker>();
  #orders: Promise<unknown> = Promise.resolve();
  /** When the order that is being carried out began. */
  #orderSince: number | undefined;
  #restarting = false;
  #relief: Relief = { preview: true, stopped: false };
  #cancelSlateRetry = () => {};
  readonly #levels: LevelsWatch;

  constructor(config: ChannelConfig, media: MediaSetup, bus: Bus) {
    this.#config = config;
    this.#media = media;
    this.#bus = bus;
    this.#paths = new ChannelPaths(media.runtimeFolder, config.id);
    this.#timers = media.timers ?? systemTimers;
    this.#levels = new LevelsWatch(bus, () => this.#encode?.worker);
  }

  get config(): ChannelConfig {
    return this.#config;
  }

  /** Brings the workers to the state that the configuration says. */
  start(): Promise<void> {
    this.#levels.start();
    return this.#order(() => this.#bring());
  }

  relieve(relief: Relief): Promise<void> {
    return this.#order(async () => {
      if (isDeepStrictEqual(relief, this.#relief)) return;
      this.#relief = relief;
      await this.#bring();
    });
  }

  /** The signal on a connector of the box is another one. */
  follow(connector: string): Promise<void> {
    return this.#order(async () => {
      const { source } = this.#config;
      if (source.type === "input" && source.connector === connector) await this.#bring();
    });
  }

  /** Changes to another configuration of the same id. */
  apply(config: ChannelConfig): Promise<void> {
    return this.#order(async () => {
      this.#config = config;
      await this.#bring();
    });
  }

  /** Ends the workers and starts them anew, without a break on the wire; `busy` while that is going on already. */
  async restart(): Promise<"done" | "not-running" | "busy"> {
    if (!this.#wanted) return "not-running";
    if (this.#restarting) return "busy";
    this.#restarting = true;
    try {
      await this.#order(async () => {
        await this.#endWorkers("handover");
        await this.#bring();
      });
      return "done";
    } finally {
      this.#restarting = false;
    }
  }

  async keyframe(): Promise<"done" | "not-running"> {
    if (this.#encode?.worker.state !== "running") return "not-running";
    try {
      await this.#encode.worker.request("keyframe");
      return "done";
    } catch {
      return "not-running";
    }
  }

  /** Ends the workers. */
  stop(): Promise<void> {
    this.#levels.stop();
    return this.#order(() => this.#endWorkers());
  }

  /** Leaves the workers running for a later supervisor. */
  detach(): Promise<void> {
    this.#levels.stop();
    return this.#order(async () => {
      this.#cancelSlateRetry();
      await Promise.all(this.#workers().map((worker) => worker.detach()));
    });
  }

  /** Ends the workers and removes what the channel has on disk. */
  remove(): Promise<void> {
    this.#levels.stop();
    return this.#order(async () => {
      await this.#endWorkers();
      await this.#paths.remove();
      await this.#media.slates.prune(this.#config.id);
    });
  }

  /** Path of the newest preview picture, or undefined while the encoder makes none. */
  previewFile(): string | undefined {
    return this.#encode?.worker.state === "running" ? this.#paths.preview : undefined;
  }

  status(): ChannelStatus {
    const { id, name, enabled, outputs } = this.#config;
    const outputStatus = outputs.map((output): OutputStatus => {
      const shared = { id: output.id, type: output.type, url: outputUrl(output) };
      if (output.type === "srt") {
        const verdict = this.#monitor.judgeOutput(output.id, this.#outputs.get(output.id)?.worker);
        return { ...shared, ...verdict, srt: this.#monitor.output(output.id) };
      }
      return { ...shared, ...this.#datagramOutput(output.id, this.#wanted && output.enabled), srt: null };
    });
    return {
      id,
      name,
      enabled,
      state: this.#monitor.state,
      since: this.#monitor.since,
      faults: this.#monitor.faults(),
      workers: this.#workerStatus(),
      outputs: outputStatus,
      encode: this.#monitor.encode,
      transmit: this.#monitor.transmit,
    };
  }

  /**
   * What of its supervision stands still, in words: nothing has come from a worker, and nothing was done about it, for far
   * longer than any heartbeat, start or wait between restarts takes; or an order does not end.
   */
  stuck(): string[] {
    const quiet = this.#workers().some(({ quietMs }) => quietMs > STUCK_MS);
    const slow = this.#orderSince !== undefined && this.#timers.now() - this.#orderSince > STUCK_MS;
    const { id } = this.#config;
    return [
      ...(quiet ? [`a process of ${id} is not looked after`] : []),
      ...(slow ? [`an order to ${id} does not end`] : []),
    ];
  }

  get #dscp(): number {
    return this.#media.dscp?.() ?? USUAL_DSCP;
  }

  /** Shall be on air, and may. */
  get #wanted(): boolean {
    return this.#config.enabled && !this.#relief.stopped;
  }

  // ---- orders --------------------------------------------------------------------------------------------------------

  #order(task: () => Promise<void>): Promise<void> {
    const turn = this.#orders
      .then(() => {
        this.#orderSince = this.#timers.now();
        return task();
      })
      .finally(() => {
        this.#orderSince = undefined;
        this.#changed();
      });
    this.#orders = turn.catch(() => {});
    return turn;
  }

  /** Applies the configuration. What cannot be applied is a fault, and what is on air stays on air. */
  async #bring(): Promise<void> {
    if (!this.#wanted) {
      await this.#endWorkers();
      const why = "Stopped to spare the box, which is too hot: it comes back when the box has cooled";
      this.#monitor.fault("too-hot", this.#config.enabled, "error", why);
      return;
    }
    this.#monitor.fault("too-hot", false, "error", "");
    try {
      await this.#bringEnabled(this.#config);
      this.#monitor.fault("not-applied", false, "error", "");
    } catch (error) {
      const what = error instanceof UnsupportedSetting ? `${error.field} ${error.message}` : (error as Error).message;
      this.#monitor.fault("not-applied", true, "error", `The settings cannot be applied: ${what}`);
      this.#log("error", what);
    }
  }

  async #bringEnabled(config: ChannelConfig): Promise<void> {
    const { platform, stamp, slates } = this.#media;
    const { preview } = this.#relief;
    const { source } = config;
    const input = source.type === "input" ? this.#media.input?.(source.connector) : undefined;
    this.#monitor.inputSays(input?.text ?? "");
    const encode = encodeSpec(config, { platform, stamp, preview, paths: this.#paths, input: input?.source ?? null });
    await mkdir(this.#paths.folder, { recursive: true, mode: 0o700 });
    const slate = await slates.find(config.id, encode);
    const transmit = transmitSpec(config, this.#paths, slate.path, this.#dscp);
    await this.#bringProgramme(encode, transmit);
    await this.#bringOutputs(config);
    this.#cancelSlateRetry();
    if (slate.current) this.#monitor.fault("slate-missing", false, "warning", "");
    else this.#makeSlate(encode);
  }

  /** A multiplex that grows, grows before its content does; one that shrinks, shrinks after it. */
  async #bringProgramme(encode: EncodeSpec, transmit: TransmitSpec): Promise<void> {
    if (this.#transmit !== undefined && transmit.bitrate < this.#transmit.spec.bitrate) {
      await this.#bringEncode(encode);
      await this.#bringTransmit(transmit);
    } else {
      await this.#bringTransmit(transmit);
      await this.#bringEncode(encode);
    }
  }

  async #bringEncode(spec: EncodeSpec): Promise<void> {
    if (this.#encode === undefined) {
      const worker = this.#supervise<EncodeSpec>("encode", this.#paths.encode, (event) => this.#takeEncode(event));
      this.#encode = { spec, worker };
      worker.start(spec);
    } else if (!isDeepStrictEqual(spec, this.#encode.spec)) {
      this.#encode.spec = spec;
      await this.#encode.worker.apply(spec);
    }
  }

  async #bringTransmit(spec: TransmitSpec): Promise<void> {
    if (this.#transmit === undefined) {
      const worker = this.#supervise<TransmitSpec>("transmit", this.#paths.transmit, (event) => {
        this.#monitor.takeTransmit(event);
      });
      this.#transmit = { spec, worker };
      worker.start(spec);
    } else if (!isDeepStrictEqual(spec, this.#transmit.spec)) {
      this.#transmit.spec = spec;
      await this.#transmit.worker.apply(spec);
    }
  }

  async #bringOutputs(config: ChannelConfig): Promise<void> {
    const wanted = new Map(
      config.outputs
        .filter((output): output is SrtOutputConfig => output.type === "srt" && output.enabled)
        .map((output) => [output.id, outputSpec(config, output, this.#paths)]),
    );
    const ended = [...this.#outputs].filter(([id]) => !wanted.has(id));
    await Promise.all(
      ended.map(async ([id, { worker }]) => {
        this.#outputs.delete(id);
        await worker.stop();
        this.#monitor.forgetOutput(id);
      }),
    );
    await Promise.all([...wanted].map(([id, spec]) => this.#bringOutput(id, spec)));
    const destinations = new Set(config.outputs.filter((output) => output.enabled).map((output) => output.id));
    for (const { id } of this.#config.outputs) if (!destinations.has(id)) this.#monitor.forgetOutput(id);
  }

  async #bringOutput(id: string, spec: OutputSpec): Promise<void> {
    const running = this.#outputs.get(id);
    if (running === undefined) {
      const worker = this.#supervise<OutputSpec>("output", this.#paths.output(id), (event) => {
        this.#monitor.takeOutput(id, event);
      });
      this.#outputs.set(id, { spec, worker });
      worker.start(spec);
    } else if (!isDeepStrictEqual(spec, running.spec)) {
      running.spec = spec;
      await running.worker.apply(spec);
    }
  }

  async #endWorkers(transmit: Leave = "quit"): Promise<void> {
    this.#cancelSlateRetry();
    const leave = (worker: Supervised<never>) => worker.stop(worker === this.#transmit?.worker ? transmit : "quit");
    await Promise.all(this.#workers().map(leave));
    this.#encode = undefined;
    this.#transmit = undefined;
    this.#outputs.clear();
    this.#monitor.reset();
  }

  // ---- slate ---------------------------------------------------------------------------------------------------------

  /** The channel does not wait for its clip: it is made beside it, and then handed to `transmit`. */
  #makeSlate(spec: EncodeSpec): void {
    const { slates } = this.#media;
    const { id } = this.#config;
    slates
      .make(id, spec)
      .then(
        (path) =>
          this.#order(async () => {
            if (this.#encode?.spec !== spec || this.#transmit === undefined) return; // changed or ended meanwhile
            this.#monitor.fault("slate-missing", false, "warning", "");
            await this.#bringTransmit(transmitSpec(this.#config, this.#paths, path, this.#dscp));
            await slates.prune(id, path);
          }),
        (error: Error) => {
          if (this.#encode?.spec !== spec) return;
          this.#monitor.fault("slate-missing", true, "warning", `The slate cannot be made: ${error.message}`);
          this.#log("error", `slate: ${error.message}`);
          this.#changed();
          this.#cancelSlateRetry = this.#timers.after(SLATE_RETRY, () => {
            if (this.#encode?.spec === spec) this.#makeSlate(spec);
          });
        },
      )
      .catch((error: Error) => this.#log("error", `slate: ${error.message}`));
  }

  // ---- workers -------------------------------------------------------------------------------------------------------

  #supervise<Spec>(role: Role, socket: string, take: (event: RawEvent) => void): Supervised<Spec> {
    const title = `${this.#config.id}/${socket.slice(this.#paths.folder.length + 1, -".sock".length)}`;
    const options: WorkerOptions = {
      role,
      title,
      command: this.#media.commands[role],
      socket,
      logFile: this.#paths.log(socket),
      orphanSeconds: this.#media.orphanSeconds,
      timers: this.#timers,
    };
    const log: WorkerHooks["log"] = (level, message) => this.#bus.emit("log", { level, source: "media", message });
    const hooks: WorkerHooks = {
      log,
      changed: () => this.#changed(),
      event: (event) => {
        try {
          if (event.event === "log") {
            const { level, message } = logEvent.parse(event);
            log(level, `${title}: ${message}`);
            return;
          }
          take(event);
          if (event.event !== "levels") this.#changed();
        } catch (error) {
          const why =
            error instanceof ZodError ? z.prettifyError(error).replaceAll("\n", " ") : (error as Error).message;
          log("error", `${title}: ${event.event} event not understood: ${why.slice(0, 200)}`);
        }
      },
    };
    const { supervise } = this.#media;
    return supervise === undefined ? new Worker<Spec>(options, hooks) : supervise<Spec>(options, hooks);
  }

  #takeEncode(event: RawEvent): void {
    if (event.event === "levels") {
      const { peak, rms } = levelsEvent.parse(event);
      this.#bus.emit("levels", { channel: this.#config.id, peak, rms });
    } else {
      this.#monitor.takeEncode(event);
    }
  }

  /** Tells of a change of state or faults at once. */
  #changed(): void {
    this.#levels.look();
    for (const [id, { worker }] of this.#outputs) this.#monitor.judgeOutput(id, worker);
    const changed = this.#monitor.update(this.#wanted, this.#encode?.worker, this.#transmit?.worker);
    if (changed) this.#bus.emit("channel", this.status());
  }

  #log(level: "info" | "error", message: string): void {
    this.#bus.emit("log", { level, source: "channels", message: `${this.#config.id}: ${message}` });
  }

  #workers(): Supervised<never>[] {
    const workers = [...this.#outputs.values()].map(({ worker }) => worker as Supervised<never>);
    if (this.#encode !== undefined) workers.push(this.#encode.worker);
    if (this.#transmit !== undefined) workers.push(this.#transmit.worker);
    return workers;
  }

  #workerStatus(): WorkerStatus[] {
    const named: [Role, string, Supervised<never>][] = [];
    if (this.#encode !== undefined) named.push(["encode", "encode", this.#encode.worker]);
    if (this.#transmit !== undefined) named.push(["transmit", "transmit", this.#transmit.worker]);
    for (const [id, { worker }] of this.#outputs) named.push(["output", id, worker]);
    return named.map(([role, name, { state, pid, starts, adopted, lastExit }]) => ({
      ...{ role, name, state, pid, starts, adopted, lastExit },
    }));
  }

  #datagramOutput(id: string, enabled: boolean): Pick<OutputStatus, "state" | "detail"> {
    if (!enabled || this.#transmit === undefined) return { state: "off", detail: "" };
    const fault = this.#monitor.faults().find((one) => one.id === `output-errors:${id}`);
    if (fault !== undefined) return { state: "error", detail: fault.message };
    const sent = this.#monitor.transmit?.destinations.find((destination) => destination.id === id);
    return sent === undefined || sent.datagrams === 0
      ? { state: "connecting", detail: "" }
      : { state: "sending", detail: "" };
  }
}
