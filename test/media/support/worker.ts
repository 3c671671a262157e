/** Native media processes under test: starts them and speaks the control protocol with them, as the supervisor does. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection, type Socket } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { z } from "zod";
import { type Applied, answer, applied, hello, type Role } from "../../../src/media/protocol.ts";

const repository = fileURLToPath(new URL("../../../", import.meta.url));

/** Where the native programs were built: STEADYCAST_MEDIA_DIR, or the product's own build. */
export const mediaDir = resolve(repository, process.env.STEADYCAST_MEDIA_DIR ?? "build/media");

/** What undoes things at its end: a test, or a bench. */
export interface Scope {
  after(undo: () => unknown): void;
}

/**
 * A folder of the test's own, removed at its end. Short, since UNIX socket paths are limited to 107 bytes, and in memory
 * as a box's runtime folder is.
 */
export async function temporaryFolder(t: Scope): Promise<string> {
  const folder = await mkdtemp("/dev/shm/steadycast-");
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Waits until `condition` gives something other than false or undefined, and returns that. */
export async function until<T>(
  what: string,
  condition: () => T | false | undefined,
  timeoutMs = 10_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = condition();
    if (value !== false && value !== undefined && value !== null) return value as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(10);
  }
}

/** What a worker answered instead of a result. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly field: string | undefined,
  ) {
    super(message);
  }
}

/** One connection to a control socket. */
export class ControlClient {
  /** Every line that is not an answer, oldest first, the hello included. */
  readonly events: unknown[] = [];
  #socket: Socket | undefined;
  #rest = "";
  #nextId = 1;
  #pending = new Map<number, (line: unknown) => void>();
  #seen = 0;

  constructor(readonly path: string) {}

  /** Connects, trying again for as long as the socket is not served, and waits for the hello. */
  async connect(timeoutMs = 5000, stillWorthIt: () => boolean = () => true): Promise<z.infer<typeof hello>> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const socket = createConnection(this.path);
      const error = await new Promise<Error | undefined>((done) => {
        socket.once("connect", () => done(undefined)).once("error", done);
      });
      if (error === undefined) {
        this.#serve(socket);
        break;
      }
      if (performance.now() > deadline || !stillWorthIt()) throw error;
      await sleep(10);
    }
    return this.waitFor(hello, () => true, timeoutMs);
  }

  disconnect(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #serve(socket: Socket): void {
    this.#socket = socket;
    this.#rest = "";
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.#take(JSON.parse(line));
    });
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => {
      for (const [id, settle] of this.#pending)
        settle({ id, error: { code: "closed", message: "the worker closed the connection" } });
    });
  }

  #take(line: unknown): void {
    const id = (line as { id?: number }).id;
    const settle = id === undefined ? undefined : this.#pending.get(id);
    if (settle) settle(line);
    else this.events.push(line);
  }

  /** Sends bytes as they are, for requests that are none. */
  send(text: string): void {
    assert(this.#socket, "not connected");
    this.#socket.write(text);
  }

  /** The result of a request. Throws `Refused` with code, message and field when that is the answer. */
  async request(method: string, params?: unknown, timeoutMs = 5000): Promise<unknown> {
    const id = this.#nextId++;
    const line = await new Promise<unknown>((done, failed) => {
      const timer = setTimeout(() => failed(new Error(`no answer to ${method} within ${timeoutMs} ms`)), timeoutMs);
      this.#pending.set(id, (received) => {
        clearTimeout(timer);
        done(received);
      });
      this.send(`${JSON.stringify({ id, method, params })}\n`);
    }).finally(() => this.#pending.delete(id));
    const message = answer.parse(line);
    if ("error" in message) throw new Refused(message.error.code, message.error.message, message.error.field);
    return message.result;
  }

  async apply(spec: object): Promise<Applied> {
    return applied.parse(await this.request("apply", { spec }));
  }

  /**
   * The next event of a kind for which `predicate` holds: the first one after that of the last waitFor(), so that
   * a test reads like the course of events. What came before skip() is not looked at.
   */
  async waitFor<T>(kind: z.ZodType<T>, predicate: (event: T) => boolean = () => true, timeoutMs = 10_000): Promise<T> {
    const next = () => {
      while (this.#seen < this.events.length) {
        const event = kind.safeParse(this.events[this.#seen++]);
        if (event.success && predicate(event.data)) return event.data;
      }
      return undefined;
    };
    try {
      return await until("an event", next, timeoutMs);
    } catch {
      const last = this.events.slice(-5).map((event) => JSON.stringify(event));
      throw new Error(`the awaited event did not come within ${timeoutMs} ms; the last were\n${last.join("\n")}`);
    }
  }

  /** Forgets the events that have come so far. */
  skip(): void {
    this.#seen = this.events.length;
  }
}

/** A native worker, its control connection, and its end with the test. */
export class NativeWorker extends ControlClient {
  stderr = "";
  /** Exit code and signal, once it has ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #process: ChildProcess;
  #killed = new Set<NodeJS.Signals>();
  #ended: { code: number | null; signal: NodeJS.Signals | null } | undefined;

  private constructor(role: Role, socket: string, args: string[]) {
    super(socket);
    this.#process = spawn(join(mediaDir, role, role), ["--socket", socket, ...args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr = (this.stderr + text).slice(-100_000);
    });
    this.exited = new Promise((done, failed) => {
      this.#process.once("error", failed).once("close", (code, signal) => {
        this.#ended = { code, signal };
        done(this.#ended);
      });
    });
    this.exited.catch(() => {});
  }

  /**
   * Starts a worker that serves `<folder>/<name>.sock` and connects to it. At the end of the test it is asked to end;
   * a crash, or a complaint of a sanitizer at exit, fails the test.
   */
  static async spawn(
    t: Scope,
    role: Role,
    options: { folder?: string; name?: string; args?: string[] } = {},
  ): Promise<NativeWorker> {
    const folder = options.folder ?? (await temporaryFolder(t));
    const worker = new NativeWorker(role, join(folder, `${options.name ?? role}.sock`), options.args ?? []);
    t.after(() => worker.#end());
    await worker
      .connect(5000, () => worker.#ended === undefined)
      .catch((error: unknown) => {
        throw new Error(`${role} does not serve its socket: ${error}\n${worker.stderr}`);
      });
    return worker;
  }

  get pid(): number {
    assert(this.#process.pid !== undefined, "not started");
    return this.#process.pid;
  }

  /** Sends a signal; with SIGKILL and SIGTERM returns when the process is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    this.#killed.add(signal);
    this.#process.kill(signal);
    if (signal === "SIGKILL" || signal === "SIGTERM") await this.exited;
  }

  async #end(): Promise<void> {
    this.disconnect();
    if (this.#ended === undefined) {
      this.#process.kill("SIGCONT");
      this.#process.kill("SIGTERM");
      const timer = setTimeout(() => this.#process.kill("SIGKILL"), 5000);
      const { code, signal } = await this.exited.finally(() => clearTimeout(timer));
      assert.equal(code, 0, `ended with ${signal ?? code} after SIGTERM\n${this.stderr}`);
    } else if (this.#ended.signal !== null && !this.#killed.has(this.#ended.signal)) {
      assert.fail(`crashed with ${this.#ended.signal}\n${this.stderr}`);
    }
  }
}
