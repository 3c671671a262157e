/** GPIO lines of the virtual board: what the box reads is set from outside, what it writes is seen there. */
import type { GpioInput, GpioOutput, GpioPort, LineRef } from "../ports.ts";

/** One wire. Levels are physical; the ends that are active low turn them over. */
class Wire {
  #high: boolean;
  readonly #listeners = new Set<() => void>();

  constructor(high: boolean) {
    this.#high = high;
  }

  get high(): boolean {
    return this.#high;
  }

  drive(high: boolean): void {
    if (high === this.#high) return;
    this.#high = high;
    for (const listener of [...this.#listeners]) listener();
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export class VirtualGpio implements GpioPort {
  readonly #wires = new Map<string, Wire>();

  /** Puts a line to a logical level from outside: presses a key, fails a supply. */
  set(line: LineRef, active: boolean): void {
    this.#wire(line).drive(active !== line.activeLow);
  }

  /** The logical level of a line. */
  get(line: LineRef): boolean {
    return this.#wire(line).high !== line.activeLow;
  }

  /** Tells each change of a line. Returns the function that ends it. */
  watch(line: LineRef, listener: (active: boolean) => void): () => void {
    return this.#wire(line).watch(() => listener(this.get(line)));
  }

  async input(line: LineRef): Promise<GpioInput> {
    const endings = new Set<() => void>();
    return {
      read: async () => this.get(line),
      watch: (listener) => {
        const end = this.watch(line, listener);
        endings.add(end);
        return end;
      },
      close: () => {
        for (const end of endings) end();
      },
    };
  }

  async output(line: LineRef, active: boolean): Promise<GpioOutput> {
    this.set(line, active);
    return {
      write: async (value) => this.set(line, value),
      close: () => {},
    };
  }

  /** Lines that nobody has driven yet are inactive. */
  #wire(line: LineRef): Wire {
    const key = `${line.chip}:${line.offset}`;
    let wire = this.#wires.get(key);
    if (wire === undefined) {
      wire = new Wire(line.activeLow);
      this.#wires.set(key, wire);
    }
    return wire;
  }
}
