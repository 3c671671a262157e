/** ITE IT6801 at register level, as far as it is known. Hot plug is the board's. */
import type { Clock } from "../../ports.ts";
import type { Connector, I2cModel, Programme } from "../model.ts";
import { timing } from "../model.ts";
import { ItEdidRam } from "./iteEdid.ts";

const BANK = 0x0f;
/** Its oscillator is not trimmed: this one runs 4 % fast. kHz. */
const OSCILLATOR = 45_000;

export class It6801Model implements I2cModel {
  readonly #connector: Connector;
  readonly #address: number;
  readonly #ram = new ItEdidRam();
  /** By bank · 256 + register. */
  readonly #registers = new Map<number, number>();
  #bank = 0;
  #inReset = false;

  constructor(connector: Connector, address: number, _clock: Clock) {
    this.#connector = connector;
    this.#address = address;
    // Wired to the cable's 5 V; a board with a line of its own drives that.
    connector.hotPlug = true;
    this.#powerUp();
  }

  get addresses(): readonly number[] {
    return this.#inReset ? [] : [this.#address, ...this.#ram.addresses];
  }

  /** What a source reads, or undefined while hot plug is hidden, the EDID is off or its window is open. */
  get servedEdid(): Uint8Array | undefined {
    if (!this.#connector.hotPlug || this.#get(0xc0) & 0x01 || this.#ram.open) return undefined;
    const edid = this.#ram.bytes;
    edid[127] = this.#get(0xc4);
    edid[255] = this.#get(0xc5);
    return edid;
  }

  reset(active: boolean): void {
    this.#inReset = active;
    if (active) this.#powerUp();
  }

  transfer(address: number, write: Uint8Array, length: number): Uint8Array {
    if (address !== this.#address) return this.#ram.transfer(write, length);
    const [at = 0, ...values] = write;
    for (const [index, value] of values.entries()) this.#write((at + index) & 0xff, value);
    return Uint8Array.from({ length }, (_, index) => this.#read((at + index) & 0xff));
  }

  #powerUp(): void {
    this.#registers.clear();
    this.#ram.reset();
    this.#bank = 0;
    this.#write(0xc0, 0x03);
  }

  #write(register: number, value: number): void {
    if (register === BANK) {
      this.#bank = value & 0x03;
      return;
    }
    const key = this.#bank * 256 + register;
    this.#registers.set(key, value);
    if (key === 0x87) this.#ram.window = value;
    else if (key === 0xc0) this.#ram.writable = (value & 0x01) === 1;
  }

  #read(register: number): number {
    if (register === BANK) return this.#bank;
    if (this.#bank !== 0) return this.#registers.get(this.#bank * 256 + register) ?? 0;
    return this.#status(register) ?? this.#get(register);
  }

  /** Registers that are measured. */
  #status(register: number): number | undefined {
    const { plug, hotPlug } = this.#connector;
    const programme = hotPlug && plug?.health === "good" ? plug.programme : undefined;
    const size = programme && fieldOf(programme);
    switch (register) {
      case 0x00:
        return 0x54;
      case 0x01:
        return 0x49;
      case 0x0a:
        return Number(plug !== undefined);
      case 0x93:
        return Number(programme?.hdcp ?? false);
      case 0x99:
        return programme ? 0x08 | (programme.interlaced ? 0x02 : 0) : 0;
      case 0x9a:
        return this.#counter(programme);
      case 0x9e:
        return (size?.width ?? 0) & 0xff;
      case 0x9f:
        return (size?.width ?? 0) >> 8;
      case 0xa4:
        return ((size?.height ?? 0) >> 4) & 0xf0;
      case 0xa5:
        return (size?.height ?? 0) & 0xff;
    }
    return undefined;
  }

  #counter(programme: Programme | undefined): number {
    if (programme === undefined) return 0;
    const reference = OSCILLATOR / (2 << (this.#get(0x54) & 0x03));
    return Math.min(255, Math.round((reference * 1000 * 255) / timing(programme).pixelClock));
  }

  /** Of bank 0. */
  #get(register: number): number {
    return this.#registers.get(register) ?? 0;
  }
}

/** What is in a field: 480i and 576i send each pixel twice. */
function fieldOf({ width, height, interlaced }: Programme): { width: number; height: number } {
  return interlaced ? { width: width <= 720 ? width * 2 : width, height: height / 2 } : { width, height };
}
