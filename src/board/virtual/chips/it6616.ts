/** ITE IT6616 at register level: its HDMI side and the EDID's RAM. */
import type { Clock } from "../../ports.ts";
import type { Connector, I2cModel, Programme } from "../model.ts";
import { timing } from "../model.ts";
import { ItEdidRam } from "./iteEdid.ts";

const BANK = 0x0f;
/** kHz, as this one happens to have it. */
const REFERENCE_CLOCK = 17_640;
/** The channel status' code of a sampling rate, and the N that HDMI recommends for it. */
const audio: Record<number, readonly [code: number, n: number]> = {
  32000: [0x03, 4096],
  44100: [0x00, 6272],
  48000: [0x02, 6144],
  88200: [0x08, 12544],
  96000: [0x0a, 12288],
  176400: [0x0c, 25088],
  192000: [0x0e, 24576],
};

export class It6616Model implements I2cModel {
  /** The source leaves its channel status at 44.1 kHz, whatever it sends, as some do. */
  wrongChannelStatus = false;
  readonly #connector: Connector;
  readonly #address: number;
  readonly #clock: Clock;
  readonly #ram = new ItEdidRam();
  /** By bank · 256 + register. */
  readonly #registers = new Map<number, number>();
  #bank = 0;
  #inReset = false;
  #countedFrom = 0;
  #count = 0;
  #ticks = 0;

  constructor(connector: Connector, address: number, clock: Clock) {
    this.#connector = connector;
    this.#address = address;
    this.#clock = clock;
    this.#powerUp();
  }

  get addresses(): readonly number[] {
    return this.#inReset ? [] : [this.#address, ...this.#ram.addresses];
  }

  /** What a source reads, or undefined while hot plug is hidden, the EDID is off or its window is open. */
  get servedEdid(): Uint8Array | undefined {
    if (!this.#connector.hotPlug || (this.#get(0xc5) & 0x3f) !== 0x02 || this.#ram.open) return undefined;
    const edid = this.#ram.bytes;
    const at = this.#get(0xc6);
    edid[at] = this.#get(0xc7);
    edid[at + 1] = this.#get(0xc8);
    edid[127] = this.#get(0xc9);
    edid[255] = this.#get(0xca);
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
    this.#ticks = 0;
    this.#set(0xc5, 0x13);
    this.#connector.hotPlug = false;
  }

  #write(register: number, value: number): void {
    if (register === BANK) {
      this.#bank = value & 0x07;
      return;
    }
    const key = this.#bank * 256 + register;
    const before = this.#registers.get(key) ?? 0;
    this.#registers.set(key, value);
    if (key === 0x3ab) this.#connector.hotPlug = (value & 0xc0) === 0xc0;
    else if (key === 0x4b) this.#ram.window = value;
    else if (key === 0xc5) this.#ram.writable = (value & 0x01) === 1;
    else if (key === 0x58) this.#countReference(before, value);
    else if (key === 0x9a && before & 0x80 && !(value & 0x80)) this.#ticks = this.#pixelTicks();
  }

  #countReference(before: number, value: number): void {
    if (~before & value & 0x80) this.#countedFrom = this.#clock.now();
    if (before & ~value & 0x80) this.#count = Math.round((this.#clock.now() - this.#countedFrom) * REFERENCE_CLOCK);
  }

  #read(register: number): number {
    if (register === BANK) return this.#bank;
    if (this.#bank === 0) return this.#status(register) ?? this.#get(register);
    if (this.#bank === 2) return this.#packet(register);
    return this.#registers.get(this.#bank * 256 + register) ?? 0;
  }

  /** Registers of bank 0 that are measured. */
  #status(register: number): number | undefined {
    const id = [0x54, 0x49, 0x16, 0x66][register];
    if (id !== undefined) return id;
    const { plug } = this.#connector;
    const health = this.#connector.hotPlug ? plug?.health : undefined;
    const programme = this.#locked;
    switch (register) {
      case 0x13: {
        const clock = health === "good" || health === "no-lock";
        return Number(plug !== undefined) | (clock ? 0x10 : 0) | (programme?.hdmi ? 0x02 : 0);
      }
      case 0x19:
        return programme ? 0x80 : 0;
      case 0xcf:
        return programme?.hdcp ? 0x20 : 0;
      case 0xb5:
        return this.wrongChannelStatus ? 0 : (audio[programme?.audio?.rate ?? 0]?.[0] ?? 0);
      case 0x59:
      case 0x5a:
      case 0x5b:
        return (this.#count >> (8 * (register - 0x59))) & 0xff;
      case 0x98:
        return programme?.interlaced ? 0x42 : 0x40;
      case 0x99:
        return this.#get(0x9a) & 0x80 ? 0 : this.#ticks & 0xff;
      case 0x9a:
        return (this.#get(0x9a) & 0xfc) | (this.#get(0x9a) & 0x80 ? 0 : this.#ticks >> 8);
    }
    return register >= 0x9b && register <= 0xa5 ? this.#size(register) : undefined;
  }

  #size(register: number): number {
    const programme = this.#locked;
    if (programme === undefined) return 0;
    const { totalWidth, totalHeight } = timing(programme);
    const halved = programme.colourSpace === "ycbcr-420" ? 2 : 1;
    const fields = programme.interlaced ? 2 : 1;
    const sizes: Record<number, number> = {
      155: totalWidth / halved,
      157: programme.width / halved,
      162: Math.floor(totalHeight / fields),
      164: programme.height / fields,
    };
    const low = sizes[register];
    return low === undefined ? ((sizes[register - 1] ?? 0) >> 8) & 0x3f : low & 0xff;
  }

  /** Bank 2: packets as they came. */
  #packet(register: number): number {
    const programme = this.#locked;
    if (!programme?.hdmi) return 0;
    if (register >= 0x14 && register <= 0x19) return aviOf(programme)[register - 0x14] ?? 0;
    const [, n = 0] = (this.#get(0x86) & 0x01 && audio[programme.audio?.rate ?? 0]) || [];
    const cts = n && Math.round((tmdsClock(programme) * n) / (128 * (programme.audio?.rate ?? 1)));
    const bytes = [n >> 12, n >> 4, (n & 0x0f) | (cts << 4), cts >> 12, cts >> 4];
    return (bytes[register - 0xbe] ?? 0) & 0xff;
  }

  #pixelTicks(): number {
    const programme = this.#locked;
    if (programme === undefined) return 0;
    const pixelClock = timing(programme).pixelClock / (programme.colourSpace === "ycbcr-420" ? 2 : 1);
    return Math.min(1023, Math.floor((REFERENCE_CLOCK * 1000 * 512) / pixelClock));
  }

  get #locked(): Programme | undefined {
    const { plug, hotPlug } = this.#connector;
    return hotPlug && plug?.health === "good" ? plug.programme : undefined;
  }

  /** Of bank 0. */
  #get(register: number): number {
    return this.#registers.get(register) ?? 0;
  }

  #set(register: number, value: number): void {
    this.#registers.set(register, value);
  }
}

/** 480i and 576i send each pixel twice, 4:2:0 two with a clock. */
function tmdsClock(programme: Programme): number {
  const { pixelClock } = timing(programme);
  if (programme.interlaced && programme.width <= 720) return pixelClock * 2;
  return programme.colourSpace === "ycbcr-420" ? pixelClock / 2 : pixelClock;
}

/** Data bytes of the AVI infoframe, checksum (of no interest here) first. The range is said where it is not the usual. */
function aviOf({ width, height, colourSpace, range }: Programme): readonly number[] {
  const television = [480, 576, 720, 1080, 2160].includes(height) && width !== 640;
  const space = ["rgb", "ycbcr-422", "ycbcr-444", "ycbcr-420"].indexOf(colourSpace);
  const usual = television ? "limited" : "full";
  const said = range === usual ? 0 : range === "limited" ? 1 : 2;
  const rgb = colourSpace === "rgb";
  return [0, space << 5, 0, rgb ? said << 2 : 0, television ? 16 : 0, !rgb && range === "full" ? 0x40 : 0];
}
