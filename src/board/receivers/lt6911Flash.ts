/**
 * The flash of the LT6911UXC and LT6911C, in which their EDID lies: reached through the port at 0x8058–0x805F, with I2C
 * access on. Flash can only be erased by the sector, and wears: this is for setting a box up, not for every day.
 */
import type { Clock } from "../ports.ts";
import type { Registers } from "./lontium.ts";

/** How the flash port of a chip differs from the others'. */
export interface FlashFormat {
  /** Bytes that the port moves at once. */
  page: number;
  /** What the control register holds at rest. */
  idle: number;
  /** The same while a command or a page is handed over. */
  idleOnWrite: number;
  /** Set in the mode register with a length of 0 to start a transfer to the flash; bit 7 is off to read. */
  mode: number;
  /** What the port register holds while the page buffer is meant. */
  buffer: number;
  /** The mode with which the port is configured, and what the port register holds from then until the first page. */
  configureMode: number;
  configured: number;
  /** The register that resets the page buffer, what it holds, and the same with the buffer in reset. */
  reset: { register: number; off: number; on: number };
}

const PORT = 0x8058;
const DATA_IN = 0x8059;
const CONTROL = 0x805a;
const ADDRESS = 0x805b;
const MODE = 0x805e;
const DATA_OUT = 0x805f;

/** Bits of the control register; each acts when it rises. */
const ERASE = 0x01;
const WRITE_ENABLE = 0x04;
const WRITE_DISABLE = 0x08;
const START = 0x10;
const OPEN_BUFFER = 0x20;

/** Bit 7 of the mode: towards the flash. */
const TO_FLASH = 0x80;
/** What the port is configured with before it may change the flash. */
const CONFIGURE = 0x51;

/** Where the EDID is, 256 bytes, and what lies right behind it in the same sector and must survive. */
const EDID_ADDRESS = 0x018000;
const EDID_LENGTH = 256;
const BEHIND_LENGTH = 32;
/** How long the flash is given, ms. */
const ERASE_TIME = 500;
const PAGE_TIME = 5;

/** The flash did not do as it should. */
export class FlashFault extends Error {
  override readonly name = "FlashFault";
}

export class Lt6911Flash {
  readonly #registers: Registers;
  readonly #clock: Clock;
  readonly #format: FlashFormat;
  #behind: Uint8Array | undefined;

  constructor(registers: Registers, clock: Clock, format: FlashFormat) {
    this.#registers = registers;
    this.#clock = clock;
    this.#format = format;
  }

  /** The 256 bytes of the EDID. Needs I2C access. @throws BusError */
  async read(): Promise<Uint8Array> {
    const bytes = await this.#readPages(EDID_ADDRESS, EDID_LENGTH + BEHIND_LENGTH);
    // Kept from the first time: after an erasure that went wrong, the flash no longer has it.
    this.#behind ??= bytes.slice(EDID_LENGTH);
    return bytes.slice(0, EDID_LENGTH);
  }

  /**
   * Erases the sector (500 ms) and writes the EDID, 256 bytes at most; the rest is left erased. The chip takes it over
   * after a reset. Needs I2C access. @throws BusError, FlashFault
   */
  async write(edid: Uint8Array): Promise<void> {
    if (this.#behind === undefined) await this.read();
    const content = new Uint8Array(EDID_LENGTH + BEHIND_LENGTH).fill(0xff);
    content.set(edid);
    content.set(this.#behind ?? [], EDID_LENGTH);
    await this.#configure();
    await this.#erase();
    await this.#resetBuffer();
    const { page } = this.#format;
    for (let at = 0; at < content.length; at += page) {
      await this.#writePage(EDID_ADDRESS + at, content.subarray(at, at + page));
    }
    await this.#pulse(WRITE_DISABLE);
    await this.#resetBuffer();
  }

  async #configure(): Promise<void> {
    const { idleOnWrite, configureMode, configured } = this.#format;
    await this.#registers.write(CONTROL, idleOnWrite);
    await this.#registers.write(MODE, configureMode);
    await this.#registers.write(PORT, 0);
    await this.#registers.write(DATA_IN, CONFIGURE);
    await this.#pulse(START, idleOnWrite);
    await this.#registers.write(PORT, configured);
  }

  async #erase(): Promise<void> {
    await this.#pulse(WRITE_ENABLE);
    await this.#address(EDID_ADDRESS);
    await this.#pulse(ERASE);
    await this.#clock.sleep(ERASE_TIME);
  }

  async #writePage(address: number, bytes: Uint8Array): Promise<void> {
    const { mode, buffer, idleOnWrite } = this.#format;
    await this.#pulse(WRITE_ENABLE);
    await this.#registers.write(MODE, mode | (bytes.length - 1));
    await this.#pulse(OPEN_BUFFER, idleOnWrite);
    await this.#registers.write(PORT, buffer);
    await this.#registers.write(DATA_IN, bytes);
    await this.#address(address);
    await this.#registers.write(MODE, mode);
    await this.#pulse(START);
    await this.#clock.sleep(PAGE_TIME);
  }

  async #readPages(start: number, length: number): Promise<Uint8Array> {
    const { page, mode, buffer } = this.#format;
    const bytes = new Uint8Array(length);
    await this.#pulse(WRITE_ENABLE);
    for (let at = 0; at < length; at += page) {
      await this.#registers.write(MODE, (mode & ~TO_FLASH) | (page - 1));
      await this.#pulse(OPEN_BUFFER);
      await this.#address(start + at);
      await this.#pulse(START);
      await this.#registers.write(PORT, buffer);
      bytes.set(await this.#registers.read(DATA_OUT, page), at);
    }
    await this.#pulse(WRITE_DISABLE);
    return bytes;
  }

  async #address(address: number): Promise<void> {
    await this.#registers.write(ADDRESS, address >> 16);
    await this.#registers.write(ADDRESS + 1, (address >> 8) & 0xff);
    await this.#registers.write(ADDRESS + 2, address & 0xff);
  }

  async #pulse(bit: number, idle: number = this.#format.idle): Promise<void> {
    await this.#registers.write(CONTROL, idle | bit);
    await this.#registers.write(CONTROL, idle);
  }

  /** Empties the page buffer. @throws FlashFault when its reset is not as this kind of chip has it */
  async #resetBuffer(): Promise<void> {
    const { register, off, on } = this.#format.reset;
    const [found] = await this.#registers.read(register, 1);
    // It may still be in the reset that a bus error interrupted.
    if (found !== off && found !== on)
      throw new FlashFault(`register 0x${register.toString(16)} of the flash port is ${found}`);
    await this.#registers.write(register, on);
    await this.#registers.write(register, off);
  }
}
