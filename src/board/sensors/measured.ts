/** Temperatures and voltages of the board: read, judged by their limits, and said in words. */
import type { BoardFile } from "../boardFile.ts";
import type { I2cDevice } from "../i2c.ts";
import type { HwmonPort } from "../ports.ts";
import { temperatureState, voltageState } from "./limits.ts";
import { readLm75 } from "./lm75.ts";
import { Probe } from "./probe.ts";
import type { ReadingState, TemperatureReading, VoltageReading } from "./readings.ts";

type TemperatureFile = BoardFile["temperatures"][number];
type VoltageFile = BoardFile["voltages"][number];

/** Units of hwmon: m°C and mV. */
const MILLI = 1000;
/** °C that no sensor of ours measures beyond: what an open or shorted one reads. */
const TEMPERATURES = [-55, 150] as const;
const VOLTAGES = [-100, 100] as const;

/** Where temperatures come from. */
export interface Places {
  hwmon: HwmonPort;
  /** @throws BusError `unavailable` where the bus is missing */
  device(bus: string, address: number): I2cDevice;
}

export class Temperature {
  readonly #file: TemperatureFile;
  readonly #probe: Probe;
  #state: ReadingState = "missing";

  constructor(file: TemperatureFile, places: Places) {
    this.#file = file;
    this.#probe = new Probe({ read: async () => readTemperature(file.sensor, places), range: TEMPERATURES });
  }

  get reading(): TemperatureReading {
    const { id, label, warning, critical } = this.#file;
    const value = this.#probe.value;
    return {
      ...{ id, label, unit: "°C", value, limits: { warning, critical } },
      state: this.#state,
      message: this.#message(),
    };
  }

  async poll(): Promise<void> {
    await this.#probe.poll();
    const { value } = this.#probe;
    this.#state = value === null ? "missing" : temperatureState(value, this.#file, this.#state);
  }

  #message(): string {
    const { label, warning, critical } = this.#file;
    const value = this.#probe.value?.toFixed(1);
    switch (this.#state) {
      case "missing":
        return `The temperature of ${label} is not known: ${this.#probe.reason}`;
      case "warning":
        return `${label} is too warm: ${value} °C, should be below ${warning} °C`;
      case "critical":
        return `${label} is much too hot: ${value} °C, must be below ${critical} °C`;
      case "ok":
        return "";
    }
  }
}

async function readTemperature(sensor: TemperatureFile["sensor"], { hwmon, device }: Places): Promise<number> {
  if ("zone" in sensor) return hwmon.zone(sensor.zone);
  if ("lm75" in sensor) return readLm75(device(sensor.lm75.bus, sensor.lm75.address));
  return (await hwmon.read(sensor.chip, sensor.input)) / MILLI;
}

export class Voltage {
  readonly #file: VoltageFile;
  readonly #probe: Probe;
  #state: ReadingState = "missing";

  constructor(file: VoltageFile, { hwmon }: Places) {
    this.#file = file;
    const { chip, input } = file.sensor;
    this.#probe = new Probe({ read: async () => (await hwmon.read(chip, input)) / MILLI, range: VOLTAGES });
  }

  get reading(): VoltageReading {
    const { id, label, least, most } = this.#file;
    const value = this.#probe.value;
    return { id, label, unit: "V", value, limits: { least, most }, state: this.#state, message: this.#message() };
  }

  async poll(): Promise<void> {
    await this.#probe.poll();
    const { value } = this.#probe;
    this.#state = value === null ? "missing" : voltageState(value, this.#file, this.#state);
  }

  #message(): string {
    const { label, least, most } = this.#file;
    if (this.#state === "missing") return `The voltage ${label} is not known: ${this.#probe.reason}`;
    if (this.#state === "ok") return "";
    return `The voltage ${label} is ${this.#probe.value?.toFixed(2)} V, should be ${least} to ${most} V`;
  }
}
