/**
 * Lontium LT6911UXC, LT6911UXE and LT6911C at register level: banked registers behind an access that holds the chip's
 * processor, which otherwise keeps them up to date. Hot plug and cable power are the board's, not the chip's.
 */
import { BusError, type Clock } from "../../ports.ts";
import { type Connector, type I2cModel, type Plug, timing } from "../model.ts";
import { Lt6911FlashModel } from "./lt6911Flash.ts";

const BANK = 0xff;

/** The signal as HDMI carries it: of an interlaced picture one field, of 480i and 576i each pixel twice. */
interface Link {
  width: number;
  height: number;
  totalWidth: number;
  totalHeight: number;
  pixelClock: number;
}

function linkOf({ programme }: Plug): Link {
  const { width, height, interlaced } = programme;
  const { totalWidth, totalHeight, pixelClock } = timing(programme);
  const repeat = interlaced && width <= 720 ? 2 : 1;
  return {
    width: width * repeat,
    height: interlaced ? height / 2 : height,
    totalWidth: totalWidth * repeat,
    totalHeight: interlaced ? Math.floor(totalHeight / 2) : totalHeight,
    pixelClock: pixelClock * repeat,
  };
}

/** What the models have in common; each knows its registers. */
abstract class Lt6911Model implements I2cModel {
  readonly addresses: readonly number[];
  protected readonly clock: Clock;
  protected readonly registers = new Map<number, number>();
  readonly #connector: Connector;
  readonly #enable: number;
  #bank = 0;
  #accessed = false;
  #inReset = false;
  /** What the processor has taken note of. */
  #seen = "";

  protected constructor(connector: Connector, address: number, clock: Clock, enable: number) {
    this.#connector = connector;
    this.addresses = [address];
    this.clock = clock;
    this.#enable = enable;
  }

  /** I2C access is on: the processor stands still. */
  get held(): boolean {
    return this.#accessed;
  }

  reset(active: boolean): void {
    this.#inReset = active;
    if (!active) return;
    this.#bank = 0;
    this.#accessed = false;
    this.#seen = "";
    this.registers.clear();
    this.powerUp();
  }

  transfer(_address: number, write: Uint8Array, length: number): Uint8Array {
    if (this.#inReset) throw new BusError("nack", "the LT6911 is in reset");
    if (!this.#accessed) this.#run();
    const [at, ...values] = write;
    if (at === undefined) throw new BusError("nack", "the LT6911 is read without a register");
    for (const [index, value] of values.entries()) this.#write(at, index, value);
    return Uint8Array.from({ length }, (_, index) => this.#read(at, index));
  }

  /** Registers and state after power-up and reset. */
  protected abstract powerUp(): void;
  /** The processor takes note of a change: undefined where nothing arrives. */
  protected abstract changed(plug: Plug | undefined, link: Link | undefined): void;

  /** Whether a register answers without access. */
  protected open(_register: number): boolean {
    return false;
  }

  /** Whether a register is a port, which stays where it is in a burst. */
  protected isPort(_register: number): boolean {
    return false;
  }

  protected readRegister(register: number): number {
    return this.registers.get(register) ?? 0;
  }

  protected writeRegister(register: number, value: number): void {
    this.registers.set(register, value);
  }

  protected setWord(register: number, value: number): void {
    this.registers.set(register, value >> 8);
    this.registers.set(register + 1, value & 0xff);
  }

  protected get arriving(): Plug | undefined {
    const { plug, hotPlug } = this.#connector;
    return hotPlug ? plug : undefined;
  }

  #run(): void {
    const plug = this.arriving;
    const now = JSON.stringify(plug) ?? "nothing";
    if (now === this.#seen) return;
    this.#seen = now;
    this.changed(plug, plug && linkOf(plug));
  }

  #register(at: number, index: number): number {
    const first = (this.#bank << 8) | at;
    const register = this.isPort(first) ? first : (this.#bank << 8) | ((at + index) & 0xff);
    if (!this.#accessed && register !== this.#enable && !this.open(register)) {
      throw new BusError("nack", `I2C access to the LT6911 is off: register 0x${register.toString(16)}`);
    }
    return register;
  }

  #write(at: number, index: number, value: number): void {
    if (at === BANK) {
      this.#bank = value;
      return;
    }
    const register = this.#register(at, index);
    if (register === this.#enable) this.#accessed = (value & 1) === 1;
    else this.writeRegister(register, value);
  }

  #read(at: number, index: number): number {
    if (at === BANK) return this.#bank;
    const register = this.#register(at, index);
    return register === this.#enable ? Number(this.#accessed) : this.readRegister(register);
  }
}

/** A model with its EDID in flash, which the source sees as it was at the last reset. */
abstract class FlashedLt6911Model extends Lt6911Model {
  protected readonly flash: Lt6911FlashModel;
  readonly #connector: Connector;
  #shownEdid: Uint8Array;

  protected constructor(connector: Connector, address: number, clock: Clock, format: "uxc" | "c") {
    super(connector, address, clock, 0x80ee);
    this.#connector = connector;
    this.flash = new Lt6911FlashModel(clock, format);
    this.#shownEdid = this.flash.edid;
  }

  /** What a source reads, or undefined while hot plug is off. */
  get servedEdid(): Uint8Array | undefined {
    return this.#connector.hotPlug ? this.#shownEdid : undefined;
  }

  /** All that the flash holds in the sector of the EDID: 256 bytes of it, then what lies behind. */
  get sector(): Uint8Array {
    return this.flash.sector;
  }

  /** The flash lets go of writes, as one does that is worn out. */
  wearOut(): void {
    this.flash.worn = true;
  }

  protected powerUp(): void {
    this.flash.reset();
    this.#shownEdid = this.flash.edid;
  }

  protected override isPort(register: number): boolean {
    return this.flash.isPort(register);
  }

  protected override readRegister(register: number): number {
    return this.flash.has(register) ? this.flash.read(register) : super.readRegister(register);
  }

  protected override writeRegister(register: number, value: number): void {
    if (this.flash.has(register)) this.flash.write(register, value);
    else super.writeRegister(register, value);
  }
}

export class Lt6911uxcModel extends FlashedLt6911Model {
  constructor(connector: Connector, address: number, clock: Clock) {
    super(connector, address, clock, "uxc");
  }

  protected override readRegister(register: number): number {
    if (register === 0x8100) return 0x17;
    if (register === 0x8101) return 0x04;
    return super.readRegister(register);
  }

  protected changed(plug: Plug | undefined, link: Link | undefined): void {
    const clock = link !== undefined && plug?.health !== "no-clock";
    const stable = clock && plug?.health === "good";
    const kHz = clock ? Math.round(link.pixelClock / 1000) : 0;
    const quarter = kHz > 340_000;
    const tmds = quarter ? Math.round(kHz / 4) : kHz;
    this.registers.set(0xb0a2, Number(quarter));
    this.registers.set(0x8750, tmds >> 16);
    this.setWord(0x8751, tmds & 0xffff);
    const audio = stable && plug.programme.hdmi ? plug.programme.audio : undefined;
    this.registers.set(0x86a3, stable ? 0x55 : 0x88);
    this.registers.set(0x86a5, audio === undefined ? 0x88 : 0x55);
    this.registers.set(0x86a6, 0);
    this.registers.set(0xb081, audio === undefined ? 0 : 0x20);
    if (audio !== undefined) this.setWord(0xb0aa, Math.floor(audio.rate / 1000));
    // Of a signal that is gone, its measures stay.
    if (!stable) return;
    this.setWord(0x867a, link.totalHeight);
    this.setWord(0x867c, Math.floor(link.totalWidth / 2));
    this.setWord(0x867e, link.height);
    this.setWord(0x8680, Math.floor(link.width / 2));
  }
}

export class Lt6911uxeModel extends Lt6911Model {
  constructor(connector: Connector, address: number, clock: Clock) {
    super(connector, address, clock, 0xe0ee);
  }

  protected powerUp(): void {}

  /** Bank 0xE0 is the processor's: it serves it itself. */
  protected override open(register: number): boolean {
    return register >> 8 === 0xe0;
  }

  protected override readRegister(register: number): number {
    if (register === 0xe100) return 0x21;
    if (register === 0xe101) return 0x02;
    return super.readRegister(register);
  }

  protected changed(plug: Plug | undefined, link: Link | undefined): void {
    if (link === undefined || plug?.health !== "good") {
      // Of a signal that is gone, its measures stay.
      this.registers.set(0xe084, 0);
      return;
    }
    const audio = plug.programme.hdmi ? plug.programme.audio : undefined;
    this.registers.set(0xe084, audio === undefined ? 1 : 3);
    const half = Math.round(link.pixelClock / 2000);
    this.registers.set(0xe085, half >> 16);
    this.setWord(0xe086, half & 0xffff);
    this.setWord(0xe088, Math.floor(link.totalWidth / 2));
    this.setWord(0xe08a, link.totalHeight);
    this.setWord(0xe08c, Math.floor(link.width / 2));
    this.setWord(0xe08e, link.height);
    this.setWord(0xe090, audio === undefined ? 0 : Math.floor(audio.rate / 1000));
  }
}

/** The LT6911C follows HDMI 1.4. */
const C_MAX_CLOCK = 340_000_000;
/** Both measurements of the LT6911C are started by a write and take their time. */
const SIZE_TIME = 100;
const METER_TIME = 50;

export class Lt6911cModel extends FlashedLt6911Model {
  #sizeAt = Number.POSITIVE_INFINITY;
  #clockAt = Number.POSITIVE_INFINITY;

  constructor(connector: Connector, address: number, clock: Clock) {
    super(connector, address, clock, "c");
  }

  protected override powerUp(): void {
    super.powerUp();
    this.#sizeAt = Number.POSITIVE_INFINITY;
    this.#clockAt = Number.POSITIVE_INFINITY;
  }

  protected override writeRegister(register: number, value: number): void {
    if (register === 0xd283 && value === 0x11) this.#sizeAt = this.clock.now() + SIZE_TIME;
    else if (register === 0xa034 && value === 0x0b) this.#clockAt = this.clock.now() + METER_TIME;
    else super.writeRegister(register, value);
  }

  protected override readRegister(register: number): number {
    if (register === 0xa000) return 0x16;
    if (register === 0xa001) return 0x05;
    this.#measure();
    return super.readRegister(register);
  }

  /** It has no word for a change: it measures when it is told to. */
  protected changed(): void {}

  #measure(): void {
    const plug = this.arriving;
    const link = plug && linkOf(plug);
    const now = this.clock.now();
    if (now >= this.#sizeAt) {
      this.#sizeAt = Number.POSITIVE_INFINITY;
      const stable = plug?.health === "good" && (link?.pixelClock ?? 0) <= C_MAX_CLOCK;
      this.setWord(0xd28b, stable ? Math.floor((link?.width ?? 0) / 2) : 0);
      this.setWord(0xd296, stable ? (link?.height ?? 0) : 0);
    }
    if (now >= this.#clockAt) {
      this.#clockAt = Number.POSITIVE_INFINITY;
      const kHz = link === undefined || plug?.health === "no-clock" ? 0 : Math.round(link.pixelClock / 1000);
      this.registers.set(0xb8b1, (kHz >> 16) & 0x07);
      this.setWord(0xb8b2, kHz & 0xffff);
    }
  }
}
