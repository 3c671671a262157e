/**
 * The flash of the LT6911UXC and LT6911C with its port at 0x8058–0x805F. Strict where the chip is blind: what is not
 * done in the right order has no effect.
 */
import type { Clock } from "../../ports.ts";

const formats = {
  uxc: {
    page: 32,
    mode: 0xc0,
    buffer: 0x21,
    configureMode: 0xdf,
    resetRegister: 0x9008,
    resetOff: 0xee,
    resetBit: 0x40,
  },
  c: { page: 16, mode: 0xe0, buffer: 0x01, configureMode: 0xc0, resetRegister: 0x9002, resetOff: 0xff, resetBit: 0x20 },
};

const PORT = 0x8058;
const DATA_IN = 0x8059;
const CONTROL = 0x805a;
const ADDRESS = 0x805b;
const MODE = 0x805e;
const DATA_OUT = 0x805f;

const SECTOR = 0x018000;
const SECTOR_LENGTH = 4096;
/** The flash is busy erasing for so long, ms. */
const ERASE_TIME = 450;

export class Lt6911FlashModel {
  worn = false;
  readonly #clock: Clock;
  readonly #format: (typeof formats)["uxc"];
  readonly #sector = new Uint8Array(SECTOR_LENGTH).fill(0xff);
  readonly #registers = new Map<number, number>();
  #configuration: number[] = [];
  #configured = false;
  #writeEnabled = false;
  #bufferOpen = false;
  #bufferJammed = false;
  #buffer: number[] = [];
  #busyUntil = 0;

  constructor(clock: Clock, format: "uxc" | "c") {
    this.#clock = clock;
    this.#format = formats[format];
    this.#sector.set(factoryEdid());
    // What the maker keeps behind it.
    this.#sector.set(new TextEncoder().encode("BOARD 1.0"), 256);
    this.reset();
  }

  get edid(): Uint8Array {
    return this.#sector.slice(0, 256);
  }

  get sector(): Uint8Array {
    return this.#sector.slice();
  }

  /** Forgets what the port was told; the flash keeps what it holds. */
  reset(): void {
    this.#registers.clear();
    this.#registers.set(this.#format.resetRegister, this.#format.resetOff);
    this.#configuration = [];
    this.#configured = false;
    this.#writeEnabled = false;
    this.#bufferOpen = false;
    this.#bufferJammed = false;
    this.#buffer = [];
    this.#busyUntil = 0;
  }

  has(register: number): boolean {
    return (register >= PORT && register <= DATA_OUT) || register === this.#format.resetRegister;
  }

  isPort(register: number): boolean {
    return register === DATA_IN || register === DATA_OUT;
  }

  read(register: number): number {
    if (register === DATA_OUT) return this.#get(PORT) === this.#format.buffer ? (this.#buffer.shift() ?? 0) : 0;
    return this.#get(register);
  }

  write(register: number, value: number): void {
    if (register === DATA_IN) this.#take(value);
    else if (register === CONTROL) this.#control(value & ~this.#get(CONTROL));
    else if (register === this.#format.resetRegister && (value & this.#format.resetBit) === 0) {
      this.#buffer = [];
      this.#bufferJammed = false;
    }
    this.#registers.set(register, value);
  }

  #take(value: number): void {
    if (this.#get(PORT) === 0) this.#configuration.push(value);
    else if (this.#bufferOpen && !this.#bufferJammed && this.#buffer.length < this.#format.page)
      this.#buffer.push(value);
  }

  /** Acts on the bits that have risen. */
  #control(risen: number): void {
    if (this.#clock.now() < this.#busyUntil) return;
    if (risen & 0x04) this.#writeEnabled = true;
    if (risen & 0x08) this.#writeEnabled = false;
    if (risen & 0x20) this.#bufferOpen = true;
    if (risen & 0x10) this.#start();
    if (risen & 0x01) this.#erase();
  }

  #start(): void {
    const { page, mode, configureMode } = this.#format;
    const at = this.#get(MODE);
    if (this.#get(PORT) === 0 && at === configureMode) this.#configured = this.#configuration.at(-1) === 0x51;
    else if (at === mode) this.#program();
    else if (at === ((mode & ~0x80) | (page - 1)) && this.#bufferOpen) {
      const offset = this.#offset();
      this.#buffer = Array.from({ length: page }, (_, index) => this.#sector[offset + index] ?? 0xff);
      this.#bufferOpen = false;
    }
  }

  #program(): void {
    if (!(this.#configured && this.#writeEnabled && this.#bufferOpen)) return;
    const offset = this.#offset();
    // Flash can only turn ones to zeros.
    for (const [index, value] of this.#buffer.entries()) {
      if (!this.worn) this.#sector[offset + index] = (this.#sector[offset + index] ?? 0) & value;
    }
    this.#buffer = [];
    this.#bufferOpen = false;
    this.#writeEnabled = false;
  }

  #erase(): void {
    if (!(this.#configured && this.#writeEnabled && this.#offset() === 0)) return;
    if (!this.worn) this.#sector.fill(0xff);
    this.#writeEnabled = false;
    this.#bufferJammed = true;
    this.#busyUntil = this.#clock.now() + ERASE_TIME;
  }

  #offset(): number {
    return this.#get(ADDRESS) * 65536 + this.#get(ADDRESS + 1) * 256 + this.#get(ADDRESS + 2) - SECTOR;
  }

  #get(register: number): number {
    return this.#registers.get(register) ?? 0;
  }
}

/** What the maker of the chip puts in: a bare EDID without an extension. */
function factoryEdid(): Uint8Array {
  const edid = new Uint8Array(256).fill(0xff);
  edid.set([0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x32, 0x8d]);
  edid.fill(0, 10, 127);
  edid[127] = -edid.subarray(0, 127).reduce((sum, byte) => sum + byte, 0) & 0xff;
  return edid;
}
