import { I2cBus } from "../../../../src/board/i2c.ts";
import { BusError, type GpioInput, type GpioOutput, type I2cPort } from "../../../../src/board/ports.ts";
import type { I2cModel } from "../../../../src/board/virtual/model.ts";
import { VirtualClock } from "../../../support/virtualClock.ts";

/** A byte with its acknowledgement at 400 kHz, ms. */
const BYTE_TIME = 9 / 400;

/** A display's model on a bus of its own, with a plug to pull and a count of what goes over the wire. */
export class DisplayBench<M extends I2cModel> {
  readonly clock = new VirtualClock();
  readonly model: M;
  readonly bus: I2cBus;
  isPlugged = true;
  /** Bytes written since it was last set to 0. */
  written = 0;
  longest = 0;
  /** Transfers until one fails and the display loses its power; none by default. */
  failsAfter = Number.POSITIVE_INFINITY;

  constructor(make: (clock: VirtualClock) => M) {
    this.model = make(this.clock);
    const port: I2cPort = {
      transfer: async (address, write, length) => {
        if (this.failsAfter-- <= 0) {
          this.failsAfter = Number.POSITIVE_INFINITY;
          throw new BusError("nack", "disturbed");
        }
        if (!this.isPlugged || !this.model.addresses.includes(address)) throw new BusError("nack", "nobody there");
        this.written += write.length;
        this.longest = Math.max(this.longest, write.length);
        const answer = this.model.transfer(address, write, length);
        await this.clock.sleep((1 + write.length + length) * BYTE_TIME);
        return answer;
      },
      recover: async () => {},
      close: async () => {},
    };
    this.bus = new I2cBus({ name: "front", port, clock: this.clock });
  }

  unplug(): void {
    this.isPlugged = false;
  }

  plug(): void {
    this.powerCut();
    this.isPlugged = true;
  }

  powerCut(): void {
    this.model.reset?.(true);
    this.model.reset?.(false);
  }
}

/** A contact to press. */
export class Contact implements GpioInput {
  #active: boolean;
  readonly #listeners = new Set<(active: boolean) => void>();

  constructor(active = false) {
    this.#active = active;
  }

  set(active: boolean): void {
    if (active === this.#active) return;
    this.#active = active;
    for (const listener of [...this.#listeners]) listener(active);
  }

  async read(): Promise<boolean> {
    return this.#active;
  }

  watch(listener: (active: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#listeners.clear();
  }
}

/** A lamp to look at. */
export class Bulb implements GpioOutput {
  lit: boolean | undefined;
  writes = 0;
  isBroken = false;

  async write(active: boolean): Promise<void> {
    this.writes++;
    if (this.isBroken) throw new BusError("unavailable", "no such line");
    this.lit = active;
  }

  close(): void {}
}
