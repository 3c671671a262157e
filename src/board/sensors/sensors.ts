/** The service that watches the box: reads all sensors, drives the fans, and protects the box from heat. */
import type { BoardFile } from "../boardFile.ts";
import type { Clock, GpioPort } from "../ports.ts";
import { Fan, fanDemand } from "./fan.ts";
import { History, SAMPLE_INTERVAL } from "./history.ts";
import { type Places, Temperature, Voltage } from "./measured.ts";
import type { BoardReadings, MachineReadings, ReadingState, Watched } from "./readings.ts";
import { Supply } from "./supply.ts";
import { type Tell, Thermal, type ThermalActions } from "./thermal.ts";

export type { BoardReadings } from "./readings.ts";
export type { ThermalActions } from "./thermal.ts";

/** Heat and fans are read and acted upon this often, ms; power, which tells changes by itself, more rarely. */
const HEAT_INTERVAL = 2000;
const POWER_INTERVAL = 10_000;
const MACHINE_INTERVAL = 10_000;
/** The readings are told at least this often, ms. */
const TELL_INTERVAL = 5000;
/** Changes within this time are told together, ms. */
const TELL_DELAY = 100;
/** What does not end within this time, ms, is left alone at the end. */
const STOP_TIME = 1000;

export interface SensorsOptions {
  /** What the box is made of, opened. */
  hardware: Places & { file: BoardFile; gpio: GpioPort };
  machine: { read(): Promise<MachineReadings> };
  clock: Clock;
  actions: ThermalActions;
  /** How many channels there are to be stopped when it is too hot. */
  channels: () => number;
  /** Told soon after a state has changed, and every 5 s. */
  readings: (readings: BoardReadings) => void;
  /** Told in words of each change of a state, and of each step against heat. */
  tell: Tell;
}

interface Item {
  readonly reading: Watched;
  poll(): Promise<void>;
}

export class Sensors {
  readonly history = new History();
  readonly #options: SensorsOptions;
  readonly #temperatures: Temperature[];
  readonly #voltages: Voltage[];
  readonly #fans: Fan[];
  readonly #supplies: Supply[];
  readonly #thermal: Thermal;
  readonly #timers = new Set<{ cancel: () => void }>();
  readonly #states = new Map<Item, ReadingState>();
  #machine: MachineReadings | null = null;
  #machineBusy = false;
  #running = false;
  #tellSoon: (() => void) | undefined;

  constructor(options: SensorsOptions) {
    this.#options = options;
    const { hardware, clock, actions, channels, tell } = options;
    const { file, gpio, hwmon } = hardware;
    this.#temperatures = file.temperatures.map((one) => new Temperature(one, hardware));
    this.#voltages = file.voltages.map((one) => new Voltage(one, hardware));
    this.#fans = file.fans.map((one) => new Fan(one, hwmon, clock));
    this.#supplies = file.supplies.map((one) => {
      const supply: Supply = new Supply(one, gpio, clock, () => this.#poll(supply));
      return supply;
    });
    this.#thermal = new Thermal({
      ...{ clock, actions, channels },
      tell: (level, message) => {
        tell(level, message);
        this.#changed();
      },
    });
  }

  /** All that is known now. */
  get readings(): BoardReadings {
    const read = <T>(list: readonly { reading: T }[]): T[] => list.map(({ reading }) => reading);
    return {
      temperatures: read(this.#temperatures),
      voltages: read(this.#voltages),
      fans: read(this.#fans),
      supplies: read(this.#supplies),
      thermal: this.#thermal.status,
      machine: this.#machine,
    };
  }

  start(): void {
    this.#running = true;
    const heat = [...this.#temperatures, ...this.#fans];
    const power = [...this.#voltages, ...this.#supplies];
    for (const item of [...heat, ...power]) this.#poll(item);
    this.#readMachine();
    this.#stagger(heat, HEAT_INTERVAL);
    this.#stagger(power, POWER_INTERVAL);
    this.#every(HEAT_INTERVAL, HEAT_INTERVAL, () => this.#control());
    this.#every(MACHINE_INTERVAL, MACHINE_INTERVAL, () => this.#readMachine());
    this.#every(TELL_INTERVAL, TELL_INTERVAL, () => this.#tellNow());
    this.#every(SAMPLE_INTERVAL * 1000, SAMPLE_INTERVAL * 1000, () => this.history.add(valuesOf(this.readings)));
  }

  /** Ends all work. Fans are left at full speed, because nobody watches any more. */
  async stop(): Promise<void> {
    this.#running = false;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#tellSoon?.();
    this.#tellSoon = undefined;
    let cancel = () => {};
    const late = new Promise<void>((done) => {
      cancel = this.#options.clock.after(STOP_TIME, done);
    });
    const ends = [...this.#fans.map((fan) => fan.release()), ...this.#supplies.map((supply) => supply.close())];
    await Promise.race([Promise.all(ends), late]);
    cancel();
  }

  #control(): void {
    const { temperatures, fans } = this.readings;
    this.#thermal.update(temperatures);
    // The others must do for a fan that does not turn; perhaps a push makes it turn again.
    const failed = fans.some(({ state }) => state === "critical" || state === "missing");
    const demand = failed || this.#thermal.status.fanFull ? 1 : fanDemand(temperatures);
    for (const fan of this.#fans) this.#do(fan.drive(demand));
  }

  #poll(item: Item): void {
    this.#do(
      item.poll().then(() => {
        if (!this.#running) return;
        const { state, message, label } = item.reading;
        const before = this.#states.get(item);
        this.#states.set(item, state);
        if (state === before) return;
        this.#changed();
        // What is well from the start is no news.
        if (message !== "") this.#options.tell(state === "critical" ? "error" : "warning", message);
        else if (before !== undefined) this.#options.tell("info", `${label} is well again`);
      }),
    );
  }

  #readMachine(): void {
    if (this.#machineBusy) return;
    this.#machineBusy = true;
    this.#do(
      this.#options.machine
        .read()
        .then((machine) => {
          this.#machine = machine;
        })
        .finally(() => {
          this.#machineBusy = false;
        }),
    );
  }

  /** Work that goes on by itself, and whose failure must not end the product. */
  #do(work: Promise<void>): void {
    work.catch((error: unknown) => this.#options.tell("error", `A sensor could not be read: ${error}`));
  }

  #changed(): void {
    if (!this.#running) return;
    this.#tellSoon ??= this.#options.clock.after(TELL_DELAY, () => this.#tellNow());
  }

  #tellNow(): void {
    this.#tellSoon?.();
    this.#tellSoon = undefined;
    this.#options.readings(this.readings);
  }

  /** Reads all within the interval, evenly: neither the buses nor the processor shall have all to do at once. */
  #stagger(items: readonly Item[], interval: number): void {
    for (const [i, item] of items.entries()) {
      this.#every(interval, Math.round((interval * (i + 1)) / (items.length + 1)), () => this.#poll(item));
    }
  }

  #every(interval: number, first: number, call: () => void): void {
    const timer = { cancel: () => {} };
    const run = () => {
      timer.cancel = this.#options.clock.after(interval, run);
      call();
    };
    timer.cancel = this.#options.clock.after(first, run);
    this.#timers.add(timer);
  }
}

/** What the history keeps, by name: `temperature/soc`, `fan/fan1`, `cpu`, `memory`, `network/eth0/receive` … */
function valuesOf({ temperatures, voltages, fans, machine }: BoardReadings): Map<string, number | null> {
  const values = new Map<string, number | null>();
  for (const { id, value } of temperatures) values.set(`temperature/${id}`, value);
  for (const { id, value } of voltages) values.set(`voltage/${id}`, value);
  for (const { id, value } of fans) values.set(`fan/${id}`, value);
  if (machine === null) return values;
  const { cpu, memory, network } = machine;
  values.set("cpu", cpu?.total ?? null);
  values.set("memory", memory && (100 * (memory.total - memory.available)) / memory.total);
  for (const { name, receiveRate, sendRate } of network) {
    values.set(`network/${name}/receive`, receiveRate);
    values.set(`network/${name}/send`, sendRate);
  }
  return values;
}
