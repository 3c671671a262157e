/**
 * A supervised media process. It is adopted where it is found running, else started; it is given its spec, watched by a
 * heartbeat, and replaced when it ends or hangs. What it shall do is declared once (`apply`) and kept up over restarts.
 */
import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { systemTimers, type Timers } from "../config/timers.ts";
import { type ConnectError, Connection, type RawEvent, RequestError } from "./connection.ts";
import { boundLog } from "./logFile.ts";
import { checkSocketPath } from "./paths.ts";
import { findProcesses, MediaProcess } from "./process.ts";
import { type Applied, applied, PROTOCOL, type Role } from "./protocol.ts";
import { delay, within } from "./timers.ts";

/** Milliseconds between two heartbeats, and how many in a row may stay without any sign of life. */
export const HEARTBEAT = { intervalMs: 500, misses: 3 } as const;
/** Milliseconds in which a started process must listen on its socket. */
export const START_TIMEOUT = 8000;
/** Milliseconds in which a process that has closed its connection must have ended. */
const EXIT_GRACE = 250;
/** Milliseconds in which a process must have taken its spec: it may have to build a pipeline first. */
export const APPLY_TIMEOUT = 5000;
/** Waits before the restarts after 1, 2, … failures in a row, in milliseconds. */
const RESTART_DELAYS = [0, 250, 1000, 3000, 10_000] as const;
/** From this many failures in a row on the worker is `failed`. */
export const FAILED_AFTER = RESTART_DELAYS.length + 1;
/** How often a failed worker is tried again, for ever. */
export const FAILED_DELAY = 30_000;
/** Each such time of health, in milliseconds, forgives one failure: a worker that ran well restarts at once. */
export const FORGIVE_MS = 1000;

/** What follows the `failures`th failure in a row. */
export function restartDelay(failures: number): { state: "waiting" | "failed"; ms: number } {
  const ms = RESTART_DELAYS[failures - 1];
  return ms === undefined ? { state: "failed", ms: FAILED_DELAY } : { state: "waiting", ms };
}

export interface WorkerOptions {
  role: Role;
  /** For the log. */
  title: string;
  /** The program and its first arguments. */
  command: readonly [string, ...string[]];
  socket: string;
  logFile: string;
  /** Seconds after which it ends when no supervisor is connected; 0: never. */
  orphanSeconds: number;
  timers?: Timers;
}

export interface WorkerHooks {
  /** An event of the process, not yet checked but for its name. */
  event(event: RawEvent): void;
  /** State, refusal or process changed. */
  changed(): void;
  log(level: "debug" | "info" | "warning" | "error", message: string): void;
}

export type WorkerState = "starting" | "running" | "waiting" | "failed";

/** What became of a spec. Later: there is no process now; the next one gets it. */
export type ApplyResult =
  | ({ outcome: "applied" } & Applied)
  | { outcome: "refused"; message: string; field: string }
  | { outcome: "later" };

/** What a channel needs of a worker. */
export interface Supervised<Spec> {
  readonly state: WorkerState;
  readonly pid: number | null;
  readonly starts: number;
  readonly adopted: boolean;
  readonly lastExit: string;
  readonly refusal: { message: string; field: string } | undefined;
  /** Since its process gave a sign of life, or something was done about that process, ms. */
  readonly quietMs: number;
  start(spec: Spec): void;
  apply(spec: Spec): Promise<ApplyResult>;
  request(method: string, params?: unknown): Promise<unknown>;
  stop(leave?: Leave): Promise<void>;
  detach(): Promise<void>;
}

/** How a process is told to end: for good, or (`transmit`) so that its successor goes on with the same stream. */
export type Leave = "quit" | "handover";

export class Worker<Spec> implements Supervised<Spec> {
  readonly options: WorkerOptions;
  readonly #hooks: WorkerHooks;
  readonly #timers: Timers;
  #spec: Spec | undefined;
  #state: WorkerState = "starting";
  #process: MediaProcess | undefined;
  #connection: Connection | undefined;
  /** One after another, so that the last spec wins. */
  #applying: Promise<unknown> = Promise.resolve();
  #refusal: { message: string; field: string } | undefined;
  #starts = 0;
  #failures = 0;
  #lastExit = "";
  #hung = false;
  #ending: Leave | "detach" | undefined;
  /** When the last sign of life came, or the state changed. */
  #lastSign: number;
  #wake: () => void = () => {};
  /** Fulfilled by the next `#wake()`. */
  #asked: Promise<undefined> = Promise.resolve(undefined);
  #running: Promise<void> | undefined;

  constructor(options: WorkerOptions, hooks: WorkerHooks) {
    this.options = options;
    this.#hooks = hooks;
    this.#timers = options.timers ?? systemTimers;
    this.#lastSign = this.#timers.now();
  }

  get state(): WorkerState {
    return this.#state;
  }
  get pid(): number | null {
    return this.#process?.running ? this.#process.pid : null;
  }
  get starts(): number {
    return this.#starts;
  }
  get adopted(): boolean {
    return this.#process?.adopted ?? false;
  }
  get lastExit(): string {
    return this.#lastExit;
  }
  /** The process's own reason why it does not do what it was told last. */
  get refusal(): { message: string; field: string } | undefined {
    return this.#refusal;
  }

  get quietMs(): number {
    return this.#timers.now() - this.#lastSign;
  }

  /** Adopts or starts the process and keeps it doing `spec` until `stop()` or `detach()`. */
  start(spec: Spec): void {
    if (this.#running !== undefined) throw new Error(`${this.options.title} is started already`);
    this.#spec = spec;
    this.#running = this.#supervise();
  }

  /** Changes what it shall do. A spec that is refused is not tried again; a failed worker is tried with the new one. */
  async apply(spec: Spec): Promise<ApplyResult> {
    this.#spec = spec;
    if (this.#state === "waiting" || this.#state === "failed") this.#wake();
    return await this.#bring();
  }

  /**
   * Asks the process something.
   * @throws RequestError, with code `gone` also when there is no process.
   */
  async request(method: string, params?: unknown): Promise<unknown> {
    if (this.#connection === undefined) throw new RequestError("gone", `${method}: there is no process`);
    return await this.#connection.request(method, params);
  }

  /** Ends the process in an orderly way, or by force when it does not; it stays ended. */
  stop(leave: Leave = "quit"): Promise<void> {
    return this.#finish(leave);
  }

  /** Leaves the process running for a later supervisor. */
  detach(): Promise<void> {
    return this.#finish("detach");
  }

  async #finish(how: Leave | "detach"): Promise<void> {
    this.#ending ??= how;
    this.#wake();
    await this.#running;
  }

  async #supervise(): Promise<void> {
    while (this.#ending === undefined) {
      this.#asked = new Promise((resolve) => {
        this.#wake = () => resolve(undefined);
      });
      const healthyFor = await this.#live();
      if (this.#ending !== undefined) break;
      this.#failures = Math.max(0, this.#failures - Math.floor(healthyFor / FORGIVE_MS)) + 1;
      const next = restartDelay(this.#failures);
      this.#hooks.log(
        next.state === "failed" ? "error" : "warning",
        `${this.options.title}: ${this.#lastExit}; restart in ${next.ms / 1000} s`,
      );
      this.#become(next.state);
      await this.#pause(next.ms);
    }
  }

  /** From start to end of one process; gives how long it was healthy, in milliseconds. */
  async #live(): Promise<number> {
    this.#become("starting");
    let healthySince: number | undefined;
    try {
      const connection = await this.#connect();
      const result = await Promise.race([this.#bring(), this.#asked]);
      if (result !== undefined) {
        if (result.outcome === "later") throw new Error("did not take its spec");
        healthySince = this.#timers.now();
        this.#become("running");
        const stopHeart = this.#beat(connection);
        this.#askStats(connection);
        this.#lastExit = (await Promise.race([this.#ended(connection), this.#asked])) ?? this.#lastExit;
        stopHeart();
      }
    } catch (error) {
      this.#lastExit = (error as Error).message;
    }
    await this.#part();
    return healthySince === undefined ? 0 : this.#timers.now() - healthySince;
  }

  /** Leaves the process: ends it, kills what is out of control, or lets it run on. */
  async #part(): Promise<void> {
    const [process, connection, ending] = [this.#process, this.#connection, this.#ending];
    if (process?.running && ending !== "detach") {
      const ask = ending !== undefined && connection !== undefined ? () => connection.request(ending) : undefined;
      const ended = await (ask === undefined ? process.kill() : process.end(ask));
      if (!ended) this.#hooks.log("error", `${this.options.title}: process ${process.pid} cannot be killed`);
    }
    connection?.close();
    this.#connection = undefined;
    this.#process = undefined;
    this.#hooks.changed();
  }

  /** The end of a process: its exit tells more than the loss of its connection, so that is waited for a moment. */
  async #ended(connection: Connection): Promise<string> {
    const exited = this.#process?.exited ?? Promise.resolve("ended");
    const first = await Promise.race([exited, connection.closed]);
    const how = (await within(this.#timers, EXIT_GRACE, exited)) ? await exited : first;
    return this.#hung ? `gave no sign of life for ${(HEARTBEAT.intervalMs * HEARTBEAT.misses) / 1000} s, ${how}` : how;
  }

  /** Connects to a process that is found, or to a new one. */
  async #connect(): Promise<Connection> {
    checkSocketPath(this.options.socket);
    const found = await this.#adopt();
    const connection = found ?? (await this.#spawn());
    connection.listen((event) => this.#take(event));
    this.#connection = connection;
    return connection;
  }

  async #adopt(): Promise<Connection | undefined> {
    const { socket, role, title } = this.options;
    const [entry] = findProcesses((path) => path === socket);
    if (entry === undefined) return undefined;
    const found = MediaProcess.adopt(entry, this.#timers);
    const connection = await this.#tryConnect(START_TIMEOUT, found);
    const hello = connection?.hello;
    if (connection !== undefined && hello?.role === role && hello.protocol === PROTOCOL && hello.pid === entry.pid) {
      this.#process = found;
      this.#hooks.log("info", `${title}: adopted process ${entry.pid}, version ${hello.version}`);
      return connection;
    }
    this.#hooks.log("warning", `${title}: process ${entry.pid} cannot be adopted, it is replaced`);
    await (connection === undefined ? found.kill() : found.end(() => connection.request("quit")));
    connection?.close();
    return undefined;
  }

  async #spawn(): Promise<Connection> {
    await boundLog(this.options.logFile);
    if (this.#ending !== undefined) throw new Error("not started any more");
    this.#process = await MediaProcess.spawn(this.options, this.#timers);
    this.#starts++;
    this.#hooks.changed();
    const connection = await this.#tryConnect(START_TIMEOUT, this.#process);
    if (connection === undefined) {
      const how = this.#process.running
        ? `did not serve its socket in ${START_TIMEOUT} ms`
        : await this.#process.exited;
      throw new Error(`${how} at the start, see ${this.options.logFile}`);
    }
    const { hello } = connection;
    if (hello.role !== this.options.role || hello.protocol !== PROTOCOL || hello.pid !== this.#process.pid) {
      connection.close();
      throw new Error(`is ${hello.role} with protocol ${hello.protocol}, not ${this.options.role} with ${PROTOCOL}`);
    }
    return connection;
  }

  /** Connects as soon as the process listens, while it runs; undefined when it does not. */
  async #tryConnect(timeoutMs: number, process: MediaProcess): Promise<Connection | undefined> {
    const deadline = this.#timers.now() + timeoutMs;
    while (process.running && this.#ending === undefined && this.#timers.now() < deadline) {
      if (existsSync(this.options.socket)) {
        try {
          return await Connection.open(this.options.socket, this.#timers);
        } catch (error) {
          // A frozen process takes connections and says nothing.
          if ((error as ConnectError).reason !== "absent") return undefined;
        }
      }
      await delay(this.#timers, 15);
    }
    return undefined;
  }

  /** Gives the process the spec of now. Only one that does not answer, or fails to do what it accepts, is replaced. */
  async #bring(): Promise<ApplyResult> {
    const turn = this.#applying.then(async (): Promise<ApplyResult> => {
      const [connection, spec] = [this.#connection, this.#spec];
      if (connection === undefined || spec === undefined) return { outcome: "later" };
      try {
        const done = applied.parse(await connection.request("apply", { spec }, APPLY_TIMEOUT));
        this.#refuse(undefined);
        return { outcome: "applied", ...done };
      } catch (error) {
        const { code, field, message } = asRequestError(error);
        if (code === "invalid" || code === "unsupported") {
          this.#refuse({ message, field });
          return { outcome: "refused", message, field };
        }
        this.#hooks.log("error", `${this.options.title}: ${message}`);
        connection.close();
        return { outcome: "later" };
      }
    });
    this.#applying = turn;
    return await turn;
  }

  #refuse(refusal: { message: string; field: string } | undefined): void {
    if (isDeepStrictEqual(this.#refusal, refusal)) return;
    this.#refusal = refusal;
    if (refusal !== undefined) {
      this.#hooks.log("error", `${this.options.title}: refuses its spec: ${refusal.field} ${refusal.message}`);
    }
    this.#hooks.changed();
  }

  /**
   * Pings; kills the process when it gives no sign of life for some beats. Beats are counted, not time: after a stall of
   * our own the timer comes once, and the answers are read before it comes again.
   */
  #beat(connection: Connection): () => void {
    let silent = 0;
    this.#hung = false;
    let cancel = () => {};
    const tick = () => {
      if (silent >= HEARTBEAT.misses) {
        this.#hooks.log("error", `${this.options.title}: hangs, it is killed`);
        this.#hung = true;
        this.#process?.signal("SIGKILL");
        return;
      }
      silent++;
      connection.request("ping").then(
        () => {
          silent = 0;
          this.#lastSign = this.#timers.now();
        },
        () => {},
      );
      cancel = this.#timers.after(HEARTBEAT.intervalMs, tick);
    };
    tick();
    return () => cancel();
  }

  /** What it is doing, without waiting for the next report: it may have been adopted. */
  #askStats(connection: Connection): void {
    connection.request("stats").then(
      (stats) => {
        // One that has just started has none yet.
        if (Object.keys(stats as object).length > 0) this.#take({ ...(stats as object), event: "stats" });
      },
      () => {}, // the heartbeat judges
    );
  }

  #take(event: RawEvent): void {
    if (event.event === "stats") boundLog(this.options.logFile).catch(() => {});
    this.#hooks.event(event);
  }

  #become(state: WorkerState): void {
    this.#state = state;
    this.#lastSign = this.#timers.now();
    this.#hooks.changed();
  }

  /** Waits, or until something is asked for. */
  async #pause(ms: number): Promise<void> {
    const rested = new Promise<undefined>((resolve) => {
      const cancel = this.#timers.after(ms, () => resolve(undefined));
      void this.#asked.then(cancel);
    });
    await Promise.race([rested, this.#asked]);
  }
}

function asRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  return new RequestError("garbled", `an answer that is not understood: ${(error as Error).message}`);
}
