/** The virtual box with its sensors running, on a clock of its own. */
import { loadBoardFile } from "../../../../src/board/boardFile.ts";
import { I2cBus } from "../../../../src/board/i2c.ts";
import { BusError, type HwmonPort, type LineRef } from "../../../../src/board/ports.ts";
import type { BoardReadings, MachineReadings } from "../../../../src/board/sensors/readings.ts";
import { Sensors } from "../../../../src/board/sensors/sensors.ts";
import { Environment } from "../../../../src/board/virtual/environment.ts";
import { VirtualGpio } from "../../../../src/board/virtual/virtualGpio.ts";
import { VirtualI2c } from "../../../../src/board/virtual/virtualI2c.ts";
import { VirtualClock } from "../../../support/virtualClock.ts";

export const MINUTE = 60_000;

const machine: MachineReadings = {
  cpu: { total: 12.5, cores: [10, 15] },
  load: [0.5, 0.4, 0.3],
  memory: { total: 4e9, available: 3e9 },
  uptime: 100,
  storage: [],
  wear: [],
  network: [],
};

const file = await loadBoardFile(new URL("../../../../firmware/boards/virtual.json", import.meta.url).pathname);

export interface BoxOptions {
  channels?: number;
  /** Where the board's temperature is read: the kernel's driver, or the chip itself. */
  lm75?: boolean;
}

export class Box {
  readonly clock = new VirtualClock();
  readonly environment = new Environment(this.clock);
  readonly gpio = new VirtualGpio();
  readonly i2c = new VirtualI2c("front");
  readonly file: typeof file;
  readonly told: { level: string; message: string }[] = [];
  readonly orders: string[] = [];
  readonly snapshots: BoardReadings[] = [];
  readonly sensors: Sensors;
  /** Files of hwmon and zones that cannot be read, or never answer. */
  readonly broken = new Set<string>();
  readonly hanging = new Set<string>();
  #shed = 0;

  constructor({ channels = 4, lm75 = false }: BoxOptions = {}) {
    this.file = structuredClone(file);
    const [, board] = this.file.temperatures;
    if (lm75 && board !== undefined) board.sensor = { lm75: { bus: "front", address: 0x48 } };
    const bus = new I2cBus({ name: "front", port: this.i2c, clock: this.clock });
    for (const { present, good } of this.file.supplies) {
      if (present !== undefined) this.gpio.set(present, true);
      this.gpio.set(good, true);
    }
    this.sensors = new Sensors({
      hardware: { file: this.file, gpio: this.gpio, hwmon: this.#hwmon(), device: (_, address) => bus.device(address) },
      machine: { read: async () => machine },
      clock: this.clock,
      channels: () => channels,
      actions: {
        preview: (on) => this.orders.push(`preview ${on ? "on" : "off"}`),
        shed: (count) => {
          this.orders.push(`shed ${count}`);
          this.#shed = count;
          this.environment.load = 1 - this.#shed / channels;
        },
      },
      readings: (readings) => this.snapshots.push(readings),
      tell: (level, message) => this.told.push({ level, message }),
    });
  }

  get readings(): BoardReadings {
    return this.sensors.readings;
  }

  temperature(id: string) {
    const found = this.readings.temperatures.find((one) => one.id === id);
    if (found === undefined) throw new Error(`there is no temperature ${id}`);
    return found;
  }

  get fan() {
    const [fan] = this.readings.fans;
    if (fan === undefined) throw new Error("there is no fan");
    return fan;
  }

  supply(id: string) {
    const found = this.readings.supplies.find((one) => one.id === id);
    if (found === undefined) throw new Error(`there is no supply ${id}`);
    return found;
  }

  line(id: string, which: "present" | "good"): LineRef {
    const line = this.file.supplies.find((one) => one.id === id)?.[which];
    if (line === undefined) throw new Error(`${id} has no such line`);
    return line;
  }

  words(level: string): string[] {
    return this.told.filter((one) => one.level === level).map(({ message }) => message);
  }

  /** The environment, with what is made to fail. */
  #hwmon(): HwmonPort {
    const guard = async (name: string): Promise<void> => {
      if (this.hanging.has(name)) await new Promise(() => {});
      if (this.broken.has(name)) throw new BusError("unavailable", `${name} is broken`);
    };
    return {
      read: async (chip, name) => {
        await guard(`${chip}/${name}`);
        return this.environment.read(chip, name);
      },
      write: async (chip, name, value) => {
        await guard(`${chip}/${name}`);
        await this.environment.write(chip, name, value);
      },
      zone: async (type) => {
        await guard(type);
        return this.environment.zone(type);
      },
    };
  }
}
