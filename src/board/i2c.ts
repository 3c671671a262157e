/**
 * The owner of an I2C bus: lets one piece of work at a time use it, so that bank switches are never interleaved, ends
 * transfers that take too long, and frees the bus when it hangs.
 */
import { BusError, type Clock, type I2cPort, systemClock } from "./ports.ts";

/** A chip within a piece of work: nobody else uses the bus until that work is done. */
export interface I2cChip {
  /** @throws BusError */
  write(...bytes: (number | Uint8Array)[]): Promise<void>;
  /** Writes `bytes`, then reads. @throws BusError */
  read(bytes: number | readonly number[], length: number): Promise<Uint8Array>;
  /** Another address of the same chip or bus, within this piece of work. */
  at(address: number): I2cChip;
}

/** A chip as its driver holds it. */
export interface I2cDevice {
  /** Runs `work` alone on the bus. @throws BusError what `work` throws */
  use<T>(work: (chip: I2cChip) => Promise<T>): Promise<T>;
}

/** `hung`: transfers time out, also after the bus was freed. */
export type BusState = "working" | "hung";

export interface I2cBusOptions {
  name: string;
  port: I2cPort;
  clock?: Clock;
  /** Longest time for one transfer, ms. */
  transferTimeout?: number;
  /** Told when the bus hangs and when it works again. */
  changed?: (state: BusState) => void;
}

/** Longer than the kernel's own limit, of 1 s with the usual adapters: it frees the wires by then, and tells. */
const TRANSFER_TIMEOUT = 1500;
/** A timer that comes later than this, ms, tells of a process that was held up. */
const LATENESS = 50;
/** Longest time for freeing a bus, ms. */
const RECOVERY_TIMEOUT = 500;
/** While it hangs, the bus is tried and freed this often, ms; other work is refused at once meanwhile. */
const RETRY_INTERVAL = 1000;

export class I2cBus {
  readonly name: string;
  readonly #port: I2cPort;
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #changed: (state: BusState) => void;
  #queue: Promise<unknown> = Promise.resolve();
  #state: BusState = "working";
  #tryAt = 0;
  /** The transfer under way, and whether a timer runs that looks at it. */
  #current: { until: number; refuse: (error: Error) => void } | undefined;
  #watched = false;

  constructor({ name, port, clock, transferTimeout, changed }: I2cBusOptions) {
    this.name = name;
    this.#port = port;
    this.#clock = clock ?? systemClock;
    this.#timeout = transferTimeout ?? TRANSFER_TIMEOUT;
    this.#changed = changed ?? (() => {});
  }

  get state(): BusState {
    return this.#state;
  }

  device(address: number): I2cDevice {
    return { use: (work) => this.#alone(() => work(this.#chip(address))) };
  }

  async close(): Promise<void> {
    await this.#queue;
    await this.#port.close();
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }

  #chip(address: number): I2cChip {
    return {
      write: async (...parts) => {
        await this.#transfer(address, bytesOf(parts), 0);
      },
      read: (bytes, length) => this.#transfer(address, Uint8Array.from([bytes].flat()), length),
      at: (other) => this.#chip(other),
    };
  }

  async #transfer(address: number, write: Uint8Array, length: number): Promise<Uint8Array> {
    if (this.#state === "hung" && this.#clock.now() < this.#tryAt) throw this.#hangs();
    try {
      const result = await this.#bounded(() => this.#port.transfer(address, write, length));
      this.#set("working");
      return result;
    } catch (error) {
      if (error instanceof BusError && error.code === "timeout") await this.#free();
      // A chip that does not answer is a proof that the bus works.
      else if (error instanceof BusError && error.code === "nack") this.#set("working");
      throw error;
    }
  }

  /** Ends what takes too long; its own end then interests nobody any more. There are many transfers, and one timer. */
  #bounded<T>(transfer: () => Promise<T>): Promise<T> {
    return new Promise((done, refuse) => {
      const current = { until: this.#clock.now() + this.#timeout, refuse };
      this.#current = current;
      const end = () => {
        if (this.#current === current) this.#current = undefined;
      };
      transfer().then(
        (result) => {
          end();
          done(result);
        },
        (error: unknown) => {
          end();
          refuse(error);
        },
      );
      if (!this.#watched) this.#watch(this.#timeout);
    });
  }

  #watch(ms: number): void {
    this.#watched = true;
    this.#clock.after(ms, () => {
      this.#watched = false;
      const current = this.#current;
      if (current === undefined) return;
      const left = current.until - this.#clock.now();
      if (left > 0) {
        this.#watch(left);
        return;
      }
      // A process that was held up itself cannot judge: what it has not seen may well have happened.
      if (left < -LATENESS) {
        current.until = this.#clock.now() + this.#timeout;
        this.#watch(this.#timeout);
        return;
      }
      this.#current = undefined;
      current.refuse(this.#hangs());
    });
  }

  async #free(): Promise<void> {
    this.#tryAt = this.#clock.now() + RETRY_INTERVAL;
    this.#set("hung");
    let cancel = () => {};
    const late = new Promise<void>((done) => {
      cancel = this.#clock.after(RECOVERY_TIMEOUT, done);
    });
    await Promise.race([this.#port.recover().catch(() => {}), late]);
    cancel();
  }

  #hangs(): BusError {
    return new BusError("timeout", `I2C bus ${this.name} hangs`);
  }

  #set(state: BusState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#changed(state);
  }
}

function bytesOf(parts: readonly (number | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : [...part])));
}
