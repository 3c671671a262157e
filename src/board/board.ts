/** The box as the services above see it: its inputs, its panel and its sensors, on real or virtual hardware. */

import type { Bus } from "../bus.ts";
import type { Config } from "../config/schema.ts";
import { RealBoard } from "./adapters/real.ts";
import type { BoardFile } from "./boardFile.ts";
import { type BoardPorts, Hardware } from "./hardware.ts";
import { Inputs } from "./inputs/inputs.ts";
import type { LightStates } from "./panel/leds.ts";
import type { MenuHost } from "./panel/menu/host.ts";
import { Panel } from "./panel/panel.ts";
import { type Clock, systemClock } from "./ports.ts";
import { Machine } from "./sensors/machine.ts";
import { type BoardReadings, Sensors, type ThermalActions } from "./sensors/sensors.ts";
import { VirtualBoard } from "./virtual/virtualBoard.ts";

export interface BoardOptions {
  file: BoardFile;
  config: { readonly current: Pick<Config, "box" | "inputs" | "channels"> };
  bus: Bus;
  serial: string;
  /** What the menu shows and orders beyond the board. */
  host: Omit<MenuHost, "findMe" | "inputs" | "alarms">;
  lights: () => LightStates;
  /** What the services above do against heat. */
  thermal: ThermalActions;
  clock?: Clock;
}

/** Something that is wrong with the box now. */
export interface BoardFault {
  /** Stable name, such as `i2c:front`, `missing:fan1`. */
  id: string;
  severity: "warning" | "error";
  message: string;
  /** ISO 8601. */
  since: string;
}

export class Board {
  readonly inputs: Inputs;
  readonly panel: Panel;
  readonly sensors: Sensors;
  /** Models and players, for the bench; undefined on a real box. */
  readonly virtual: VirtualBoard | undefined;
  readonly #options: BoardOptions;
  readonly #hardware: Hardware;
  readonly #faults = new Map<string, BoardFault>();
  readonly #busy = new Map<string, boolean>();
  readonly #listening: (() => void)[] = [];
  #panelStarted: Promise<void> = Promise.resolve();

  constructor(options: BoardOptions) {
    const { file, config, bus, serial } = options;
    const clock = options.clock ?? systemClock;
    this.#options = options;
    this.virtual = file.virtual ? new VirtualBoard(file, clock) : undefined;
    const ports: BoardPorts = this.virtual ?? new RealBoard(clock);
    const hardware = new Hardware({
      ...{ file, ports },
      clock,
      bus: (id, state) =>
        this.#fault(`i2c:${id}`, state === "hung" ? `I2C bus ${id} hangs: the chips on it cannot be reached` : ""),
      missing: (what, why) => this.#fault(`missing:${what}`, `${what} cannot be used: ${why}`),
    });
    this.#hardware = hardware;
    this.inputs = new Inputs({ connectors: file.connectors, hardware, config, bus, serial, clock });
    this.sensors = new Sensors({
      hardware,
      machine: new Machine({ clock }),
      clock,
      actions: options.thermal,
      channels: () => config.current.channels.length,
      readings: (readings) => {
        this.#judge(readings);
        bus.emit("readings", readings);
      },
      tell: (level, message) => this.#log(level, message),
    });
    this.panel = new Panel({
      file,
      gpio: hardware.gpio,
      device: (id, address) => hardware.device(id, address),
      clock,
      host: {
        ...options.host,
        inputs: () => this.#inputFacts(),
        alarms: () => this.faults().map((one) => one.message),
      },
      lights: options.lights,
      tell: (level, message) => this.#log(level, message),
    });
  }

  get file(): BoardFile {
    return this.#options.file;
  }

  async start(): Promise<void> {
    const { bus } = this.#options;
    this.#listening.push(
      bus.on("input", ({ connector, fault }) => this.#fault(`input:${connector}`, fault)),
      bus.on("channel", ({ id, state }) => this.#followLoad(id, state !== "stopped")),
      bus.on("channelRemoved", ({ id }) => this.#followLoad(id, false)),
    );
    await this.#hardware.start();
    this.inputs.start();
    this.sensors.start();
    // Nobody waits for the display.
    this.#panelStarted = this.panel.start();
  }

  async stop(): Promise<void> {
    for (const unlisten of this.#listening.splice(0)) unlisten();
    await this.#panelStarted;
    this.panel.stop();
    await this.sensors.stop();
    await this.inputs.stop();
    await this.#hardware.stop();
  }

  /** A network interface beside the loopback one is up. */
  get isLinked(): boolean {
    const network = this.readings().machine?.network ?? [];
    return network.some(({ name, state }) => name !== "lo" && state === "up");
  }

  readings(): BoardReadings {
    return this.sensors.readings;
  }

  /** What is wrong with the box: buses, parts, inputs, sensors. */
  faults(): BoardFault[] {
    return [...this.#faults.values()];
  }

  #inputFacts() {
    return this.inputs.list().map(({ connector, label, text }) => ({ id: connector, label, signal: text }));
  }

  /** What a sensor finds wrong stands until it finds it right. */
  #judge({ temperatures, voltages, fans, supplies }: BoardReadings): void {
    const lists = { temperature: temperatures, voltage: voltages, fan: fans, supply: supplies };
    for (const [kind, list] of Object.entries(lists)) {
      for (const { id, state, message } of list) {
        this.#fault(`${kind}:${id}`, state === "ok" ? "" : message, state === "critical" ? "error" : "warning");
      }
    }
  }

  /** On the virtual box, channels make heat. */
  #followLoad(id: string, busy: boolean): void {
    this.#busy.set(id, busy);
    if (this.virtual === undefined) return;
    const running = [...this.#busy.values()].filter(Boolean).length;
    this.virtual.hwmon.load = running / Math.max(4, this.#busy.size);
  }

  /** Raises a fault, or clears it where there is nothing to say. */
  #fault(id: string, message: string, severity: BoardFault["severity"] = "error"): void {
    if (message === "") {
      if (this.#faults.delete(id)) this.#log("info", `${id}: in order again`);
      return;
    }
    if (this.#faults.get(id)?.message === message) return;
    this.#faults.set(id, { id, severity, message, since: new Date().toISOString() });
    this.#log(severity, message);
  }

  #log(level: "info" | "warning" | "error", message: string): void {
    this.#options.bus.emit("log", { level, source: "board", message });
  }
}
