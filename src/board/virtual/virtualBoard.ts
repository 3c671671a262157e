/** The box on a PC: models of its chips behind the same ports, and players on its connectors. */
import { type DirectSource, testSource } from "../../config/schema.ts";
import type { BoardFile, ConnectorFile, KeyName } from "../boardFile.ts";
import type { BoardPorts } from "../hardware.ts";
import { rateName } from "../inputs/words.ts";
import { BusError, type Clock, type LineRef } from "../ports.ts";
import type { Signal } from "../signal.ts";
import { Lm75Model } from "./chips/lm75.ts";
import { chipModel, type DisplayModel, displayModel, sdiModel } from "./chips/registry.ts";
import { Environment } from "./environment.ts";
import type { SpiModel } from "./model.ts";
import { type Player, VirtualConnector } from "./players.ts";
import { VirtualGpio } from "./virtualGpio.ts";
import { VirtualI2c } from "./virtualI2c.ts";

export class VirtualBoard implements BoardPorts {
  readonly gpio = new VirtualGpio();
  readonly hwmon: Environment;
  /** The panel's display as it looks. */
  readonly display: DisplayModel | undefined;
  readonly #file: BoardFile;
  readonly #buses = new Map<string, VirtualI2c>();
  readonly #spi = new Map<string, SpiModel>();
  readonly #connectors = new Map<string, VirtualConnector>();

  constructor(file: BoardFile, clock: Clock) {
    this.#file = file;
    this.hwmon = new Environment(clock);
    for (const { id } of file.i2c) this.#buses.set(id, new VirtualI2c(id));
    for (const connector of file.connectors) this.#connect(connector, clock);
    const { display } = file.panel;
    if (display !== undefined) {
      this.display = displayModel(display, clock);
      this.bus(display.bus).attach(this.display);
    }
    for (const { sensor } of file.temperatures) {
      if ("lm75" in sensor) {
        this.bus(sensor.lm75.bus).attach(new Lm75Model(sensor.lm75.address, () => this.hwmon.temperature("board")));
      }
    }
    for (const { present, good } of file.supplies) {
      if (present !== undefined) this.gpio.set(present, true);
      this.gpio.set(good, true);
    }
  }

  // ---- ports ---------------------------------------------------------------------------------------------------------

  async i2c({ id }: BoardFile["i2c"][number]): Promise<VirtualI2c> {
    return this.bus(id);
  }

  async spi(device: string) {
    const chip = this.#spi.get(device);
    if (chip === undefined) throw new BusError("unavailable", `there is no ${device}`);
    return { transfer: async (write: Uint8Array) => chip.transfer(write), close: async () => {} };
  }

  capture(subdevice: string): never {
    throw new BusError("unavailable", `the virtual board has no ${subdevice}`);
  }

  readonly players = {
    feed: (id: string, signal: Signal): DirectSource | undefined => this.#feed(id, signal),
    watch: (id: string, listener: () => void): (() => void) => this.connector(id).watch(listener),
  };

  // ---- the bench -----------------------------------------------------------------------------------------------------

  /** @throws RangeError when the board has no such connector */
  connector(id: string): VirtualConnector {
    const connector = this.#connectors.get(id);
    if (connector === undefined) throw new RangeError(`there is no connector ${id}`);
    return connector;
  }

  /** @throws BusError `unavailable` when the board has no such bus */
  bus(id: string): VirtualI2c {
    const bus = this.#buses.get(id);
    if (bus === undefined) throw new BusError("unavailable", `there is no I2C bus ${id}`);
    return bus;
  }

  /** Presses or releases a key, or the button in the reset hole. */
  press(key: KeyName | "reset", pressed: boolean): void {
    const line = key === "reset" ? this.#file.panel.resetHole : this.#file.panel.keys[key];
    if (line !== undefined) this.gpio.set(line, pressed);
  }

  /** Plugs in or takes out a power supply, or makes it fail. */
  supply(id: string, state: "good" | "failed" | "absent"): void {
    const supply = this.#file.supplies.find((one) => one.id === id);
    if (supply === undefined) throw new RangeError(`there is no power supply ${id}`);
    if (supply.present !== undefined) this.gpio.set(supply.present, state !== "absent");
    this.gpio.set(supply.good, state === "good");
  }

  // ---- wiring --------------------------------------------------------------------------------------------------------

  #connect(file: ConnectorFile, clock: Clock): void {
    const connector = new VirtualConnector(file, clock);
    this.#connectors.set(file.id, connector);
    const { receiver, cablePower, hotPlug } = file;
    if (cablePower !== undefined) this.#followCable(connector, cablePower);
    if (hotPlug !== undefined) {
      this.gpio.watch(hotPlug, (shown) => {
        connector.hotPlug = shown;
      });
    }
    if (receiver === undefined || receiver.driver === "v4l2") return;
    if (receiver.driver === "gs2971") {
      const model = sdiModel(connector, clock);
      this.#spi.set(receiver.spi, model);
      this.#followReset(receiver.reset, model);
      return;
    }
    const model = chipModel(receiver.driver, connector, receiver.address, clock);
    this.bus(receiver.bus).attach(model);
    this.#followReset(receiver.reset, model);
  }

  /** The board's own line tells the 5 V of the cable. */
  #followCable(connector: VirtualConnector, line: LineRef): void {
    const follow = () => this.gpio.set(line, connector.player.plugged);
    connector.watch(follow);
    follow();
  }

  #followReset(line: LineRef | undefined, chip: { reset?(active: boolean): void }): void {
    if (line !== undefined) this.gpio.watch(line, (active) => chip.reset?.(active));
  }

  /** What a player sends, as the encoder's test source. */
  #feed(id: string, { video, audio }: Signal): DirectSource | undefined {
    if (video === undefined) return undefined;
    const { pattern, clockOffset }: Player = this.connector(id).player;
    const { width, height, interlaced, rate } = video;
    const source = testSource.safeParse({
      ...{ type: "test", pattern, width, height, interlaced, frameRate: rateName(rate), sound: audio !== undefined },
      clockOffset,
    });
    return source.success ? source.data : undefined;
  }
}
