/** A power supply of the box, as its lines tell it. */
import type { BoardFile } from "../boardFile.ts";
import type { Clock, GpioInput, GpioPort, LineRef } from "../ports.ts";
import type { ReadingState, SupplyReading } from "./readings.ts";

type SupplyFile = BoardFile["supplies"][number];

/** A line must be quiet for so long before it is read, ms: plugs bounce. */
const BOUNCE = 50;

/** A line that is opened when it is there, and read; null while it is not. */
class SupplyLine {
  readonly #gpio: GpioPort;
  readonly #line: LineRef;
  readonly #changed: () => void;
  #input: GpioInput | undefined;
  value: boolean | null = null;
  reason = "not read yet";

  constructor(gpio: GpioPort, line: LineRef, changed: () => void) {
    this.#gpio = gpio;
    this.#line = line;
    this.#changed = changed;
  }

  async read(): Promise<void> {
    try {
      if (this.#input === undefined) {
        this.#input = await this.#gpio.input(this.#line);
        this.#input.watch(this.#changed);
      }
      this.value = await this.#input.read();
      this.reason = "";
    } catch (error) {
      this.close();
      this.reason = error instanceof Error ? error.message : String(error);
    }
  }

  close(): void {
    this.#input?.close();
    this.#input = undefined;
    this.value = null;
  }
}

export class Supply {
  readonly #file: SupplyFile;
  readonly #clock: Clock;
  readonly #lines: { present?: SupplyLine; good: SupplyLine };
  #reading: Promise<void> | undefined;
  #cancel = () => {};

  /** @param changed called when a line has changed and is quiet again: time to poll */
  constructor(file: SupplyFile, gpio: GpioPort, clock: Clock, changed: () => void) {
    this.#file = file;
    this.#clock = clock;
    const edge = () => {
      this.#cancel();
      this.#cancel = this.#clock.after(BOUNCE, changed);
    };
    const { present } = file;
    this.#lines = {
      ...(present !== undefined && { present: new SupplyLine(gpio, present, edge) }),
      good: new SupplyLine(gpio, file.good, edge),
    };
  }

  get reading(): SupplyReading {
    const { id, label } = this.#file;
    const state = this.#state();
    const { present, good } = this.#lines;
    return { id, label, present: present?.value ?? null, good: good.value, state, message: this.#message(state) };
  }

  /** Reads its lines. Never throws. */
  poll(): Promise<void> {
    this.#reading ??= Promise.all(Object.values(this.#lines).map((line) => line.read()))
      .then(() => {})
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  async close(): Promise<void> {
    this.#cancel();
    await this.#reading;
    for (const line of Object.values(this.#lines)) line.close();
  }

  #state(): ReadingState {
    const { present, good } = this.#lines;
    if (present?.value === false) return "warning";
    if (good.value === null || present?.value === null) return "missing";
    return good.value ? "ok" : "critical";
  }

  #message(state: ReadingState): string {
    const { label } = this.#file;
    switch (state) {
      case "missing":
        return `The state of ${label} is not known: ${this.#lines.good.reason || this.#lines.present?.reason}`;
      case "warning":
        return `${label} is not plugged in: the box runs without a spare`;
      case "critical":
        return `${label} gives no power: check its mains cable, or replace it`;
      case "ok":
        return "";
    }
  }
}
