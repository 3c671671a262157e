/** A connection to the control socket of a media process; see protocol.ts for what is said on it. */
import net from "node:net";
import { systemTimers, type Timers } from "../config/timers.ts";
import { answer, type Hello, hello } from "./protocol.ts";

/** Milliseconds after which a request is given up. */
export const REQUEST_TIMEOUT = 3000;
/** Milliseconds that an answer may still take when its time is up. */
const LAST_LOOK = 50;
/** Milliseconds within which a process must say hello. */
export const HELLO_TIMEOUT = 1500;
/** Milliseconds that a hello may still take then: as long as a supervisor that has just started may be held up. */
const LAST_HELLO = 500;
/** The longest line that is taken, in characters. */
const LINE_MAX = 4 * 1024 * 1024;

/** A connection that could not be made: nobody listens, it says nothing, or not what it should. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
  readonly reason: "absent" | "silent" | "garbled";

  constructor(reason: "absent" | "silent" | "garbled", message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * A request without a result. `code` is the worker's (`invalid`, `unsupported`, `busy`, `failed`, `unknown-method`),
 * or `timeout` when it did not answer in time, or `gone` when it ended first.
 */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: string;
  /** JSON pointer into the params, or "". */
  readonly field: string;

  constructor(code: string, message: string, field = "") {
    super(message);
    this.code = code;
    this.field = field;
  }
}

/** An event as it came, not yet checked but for its name. */
export type RawEvent = { event: string } & Record<string, unknown>;

type Pending = { method: string; cancel: () => void; resolve(result: unknown): void; reject(error: Error): void };

export class Connection {
  /** How the process introduced itself. */
  readonly hello: Hello;
  /** Fulfilled with the reason when the connection has ended, by whomever. */
  readonly closed: Promise<string>;

  readonly #socket: net.Socket;
  readonly #timers: Timers;
  readonly #pending = new Map<number, Pending>();
  readonly #ended: (reason: string) => void;
  #nextId = 1;
  #isClosed = false;
  /** Undefined until somebody listens; events that come before are kept. */
  #onEvent: ((event: RawEvent) => void) | undefined;
  readonly #early: RawEvent[] = [];

  private constructor(socket: net.Socket, greeting: Hello, timers: Timers) {
    this.#socket = socket;
    this.#timers = timers;
    this.hello = greeting;
    let ended: (reason: string) => void = () => {};
    this.closed = new Promise((resolve) => {
      ended = resolve;
    });
    this.#ended = ended;
  }

  /**
   * Connects and waits for the hello.
   * @throws ConnectError
   */
  static open(path: string, timers: Timers = systemTimers): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ path });
      let connection: Connection | undefined;
      let reason = "closed by the process";
      const fail = (why: "absent" | "silent" | "garbled", message: string) => {
        cancel();
        socket.destroy();
        reject(new ConnectError(why, message));
      };
      // After a stall of the supervisor itself the hello may be there, only not yet read: a process that sends would be
      // replaced for nothing.
      let cancel = timers.after(HELLO_TIMEOUT, () => {
        cancel = timers.after(LAST_HELLO, () => fail("silent", `no hello on ${path} in ${HELLO_TIMEOUT} ms`));
      });
      const lines = new Lines();
      socket.setEncoding("utf8");
      socket.on("data", (text: string) => {
        try {
          lines.push(text, (line) => {
            if (connection !== undefined) {
              connection.#take(line);
              return;
            }
            connection = new Connection(socket, hello.parse(JSON.parse(line)), timers);
            cancel();
            resolve(connection);
          });
        } catch (error) {
          reason = `not understood: ${(error as Error).message}`;
          if (connection === undefined) fail("garbled", `what ${path} says is no hello`);
          socket.destroy();
        }
      });
      socket.on("error", (error) => {
        reason = error.message;
      });
      socket.on("close", () => {
        if (connection === undefined) fail("absent", reason);
        else connection.#end(reason);
      });
    });
  }

  /** Takes the events from here on, those that came since the hello first. */
  listen(onEvent: (event: RawEvent) => void): void {
    this.#onEvent = onEvent;
    for (const event of this.#early.splice(0)) onEvent(event);
  }

  /**
   * Asks the process; gives the result.
   * @throws RequestError when it refuses, does not answer within `timeoutMs`, or ends.
   */
  request(method: string, params?: unknown, timeoutMs = REQUEST_TIMEOUT): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new RequestError("gone", `${method}: the process has ended`));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const expire = () => {
        this.#pending.delete(id);
        reject(new RequestError("timeout", `${method}: no answer within ${timeoutMs} ms`));
      };
      // After a stall of the supervisor itself the answer may be there, only not yet read.
      const lookAgain = () => {
        pending.cancel = this.#timers.after(LAST_LOOK, expire);
      };
      const pending: Pending = { method, cancel: this.#timers.after(timeoutMs, lookAgain), resolve, reject };
      this.#pending.set(id, pending);
      this.#socket.write(`${JSON.stringify(params === undefined ? { id, method } : { id, method, params })}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
    this.#end("closed by the supervisor");
  }

  #take(line: string): void {
    const message: unknown = JSON.parse(line);
    if (isEvent(message)) {
      if (this.#onEvent === undefined) this.#early.push(message);
      else this.#onEvent(message);
      return;
    }
    const reply = answer.parse(message);
    const pending = this.#pending.get(reply.id);
    if (pending === undefined) return; // given up before
    this.#pending.delete(reply.id);
    pending.cancel();
    if ("error" in reply) {
      pending.reject(new RequestError(reply.error.code, reply.error.message, reply.error.field));
    } else {
      pending.resolve(reply.result);
    }
  }

  #end(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const pending of this.#pending.values()) {
      pending.cancel();
      pending.reject(new RequestError("gone", `${pending.method}: the process has ended (${reason})`));
    }
    this.#pending.clear();
    this.#ended(reason);
  }
}

function isEvent(message: unknown): message is RawEvent {
  return typeof message === "object" && message !== null && "event" in message && typeof message.event === "string";
}

/** Cuts a text that comes in pieces into lines. */
class Lines {
  #rest = "";

  /** @throws when a line is longer than LINE_MAX, and what `take` throws. */
  push(text: string, take: (line: string) => void): void {
    this.#rest += text;
    for (let end = this.#rest.indexOf("\n"); end >= 0; end = this.#rest.indexOf("\n")) {
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 1);
      take(line);
    }
    if (this.#rest.length > LINE_MAX) throw new Error(`line longer than ${LINE_MAX} characters`);
  }
}
