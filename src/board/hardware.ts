/** What the box is made of, opened: the buses of its board file with their owners, its lines, and its receivers. */
import type { DirectSource } from "../config/schema.ts";
import type { BoardFile, ConnectorFile } from "./boardFile.ts";
import { type BusState, I2cBus, type I2cDevice } from "./i2c.ts";
import type { InputHardware } from "./inputs/inputs.ts";
import {
  BusError,
  type Clock,
  type GpioPort,
  type HwmonPort,
  type I2cPort,
  type LineRef,
  type SpiPort,
} from "./ports.ts";
import type { Receiver } from "./receivers/receiver.ts";
import { drivers } from "./receivers/registry.ts";
import type { Signal } from "./signal.ts";

/** Where the ports come from: the kernel's interfaces, or models. */
export interface BoardPorts {
  /** @throws BusError `unavailable` */
  i2c(bus: BoardFile["i2c"][number]): Promise<I2cPort>;
  /** @throws BusError `unavailable` */
  spi(device: string): Promise<SpiPort>;
  gpio: GpioPort;
  hwmon: HwmonPort;
  /** A receiver that the kernel drives. */
  capture(subdevice: string): Receiver;
  /** What plays in place of a capture device; only on the virtual board. */
  players?: {
    feed(connector: string, signal: Signal): DirectSource | undefined;
    watch(connector: string, listener: () => void): () => void;
  };
  /** Ends what the ports have running. */
  close?(): void;
}

export interface HardwareOptions {
  file: BoardFile;
  ports: BoardPorts;
  clock: Clock;
  /** Told when a bus hangs and when it works again. */
  bus: (id: string, state: BusState) => void;
  /** Told of a part of the box that is not there. */
  missing: (what: string, why: string) => void;
}

export class Hardware implements InputHardware {
  readonly #options: HardwareOptions;
  readonly #buses = new Map<string, I2cBus>();
  readonly #receivers = new Map<string, Receiver>();
  readonly #endings: (() => void | Promise<void>)[] = [];

  constructor(options: HardwareOptions) {
    this.#options = options;
  }

  get file(): BoardFile {
    return this.#options.file;
  }

  get gpio(): GpioPort {
    return this.#options.ports.gpio;
  }

  get hwmon(): HwmonPort {
    return this.#options.ports.hwmon;
  }

  /** Opens what there is. What is missing is told and left out: the rest of the box works on. */
  async start(): Promise<void> {
    const { file, ports, clock } = this.#options;
    for (const bus of file.i2c) {
      await this.#try(`I2C bus ${bus.id}`, async () => {
        const port = await ports.i2c(bus);
        const owner = new I2cBus({
          name: bus.id,
          port,
          clock,
          changed: (state) => this.#options.bus(bus.id, state),
        });
        this.#buses.set(bus.id, owner);
        this.#endings.push(() => owner.close());
      });
    }
    for (const connector of file.connectors) {
      await this.#try(`the receiver of ${connector.label}`, async () => {
        const receiver = await this.#open(connector);
        if (receiver !== undefined) this.#receivers.set(connector.id, receiver);
      });
    }
  }

  async stop(): Promise<void> {
    for (const end of this.#endings.splice(0).reverse()) await end();
    this.#buses.clear();
    this.#receivers.clear();
    this.#options.ports.close?.();
  }

  /** @throws BusError `unavailable` where the bus is missing */
  device(bus: string, address: number): I2cDevice {
    const owner = this.#buses.get(bus);
    if (owner === undefined) throw new BusError("unavailable", `there is no I2C bus ${bus}`);
    return owner.device(address);
  }

  receiver({ id }: ConnectorFile): Receiver | undefined {
    return this.#receivers.get(id);
  }

  feed({ id, videoDevice, audioDevice }: ConnectorFile, signal: Signal): DirectSource | undefined {
    const { players } = this.#options.ports;
    if (players !== undefined) return players.feed(id, signal);
    if (videoDevice === undefined) return undefined;
    return { type: "capture", videoDevice, audioDevice: signal.audio === undefined ? "" : (audioDevice ?? "") };
  }

  watch({ id }: ConnectorFile, listener: () => void): () => void {
    const endings = [this.#options.ports.players?.watch(id, listener), this.#receivers.get(id)?.watch?.(listener)];
    return () => {
      for (const end of endings) end?.();
    };
  }

  async #open(connector: ConnectorFile): Promise<Receiver | undefined> {
    const { ports, clock } = this.#options;
    const { receiver } = connector;
    if (receiver === undefined) return undefined;
    if (receiver.driver === "v4l2") return ports.capture(receiver.subdevice);
    return drivers[receiver.driver]({
      i2c: receiver.driver === "gs2971" ? noI2c : this.device(receiver.bus, receiver.address),
      spi: receiver.driver === "gs2971" ? await this.#spi(receiver.spi) : noSpi,
      clock,
      cablePower: await this.#input(connector.cablePower),
      hotPlug: await this.#output(connector.hotPlug, false),
      reset: await this.#output(receiver.reset, false),
    });
  }

  async #spi(device: string): Promise<SpiPort> {
    const port = await this.#options.ports.spi(device);
    this.#endings.push(() => port.close());
    return port;
  }

  async #input(line: LineRef | undefined) {
    if (line === undefined) return undefined;
    const input = await this.gpio.input(line);
    this.#endings.push(() => input.close());
    return input;
  }

  async #output(line: LineRef | undefined, active: boolean) {
    if (line === undefined) return undefined;
    const output = await this.gpio.output(line, active);
    this.#endings.push(() => output.close());
    return output;
  }

  async #try(what: string, open: () => Promise<void>): Promise<void> {
    try {
      await open();
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      this.#options.missing(what, error.message);
    }
  }
}

const noI2c: I2cDevice = {
  use: () => Promise.reject(new BusError("unavailable", "the chip has no I2C")),
};

const noSpi: SpiPort = {
  transfer: () => Promise.reject(new BusError("unavailable", "the chip has no SPI")),
  close: async () => {},
};
