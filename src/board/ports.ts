/**
 * What the board is reached through. Each port has two adapters: the real one (adapters/) and the virtual board
 * (virtual/), so that the drivers above are the same on a PC and in the box.
 */
import { systemTimers, type Timers } from "../config/timers.ts";

/** A bus or line did not do what it should. `code` says which way. */
export class BusError extends Error {
  override readonly name = "BusError";

  constructor(
    /** `nack`: the chip does not answer. `timeout`: the bus hangs. `unavailable`: no such bus or line. */
    readonly code: "nack" | "timeout" | "unavailable",
    message: string,
  ) {
    super(message);
  }
}

/** One I2C bus. Only its owner (i2c.ts) calls it, one transfer at a time. */
export interface I2cPort {
  /**
   * Writes bytes to a chip (7-bit address), then reads `length` bytes (0: none) in the same transaction where the bus
   * can (repeated start, SMBus block up to 32 bytes), else right after it.
   * @throws BusError
   */
  transfer(address: number, write: Uint8Array, length: number): Promise<Uint8Array>;
  /** Frees a bus that hangs: nine clocks and a stop, or what the kernel offers. */
  recover(): Promise<void>;
  close(): Promise<void>;
}

/** One chip on an SPI bus. Only its owner calls it. */
export interface SpiPort {
  /** Full duplex: as many bytes come back as are sent. @throws BusError */
  transfer(write: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** A GPIO line: the label of its chip and the offset in it, never a global number. */
export interface LineRef {
  chip: string;
  offset: number;
  activeLow: boolean;
}

/** Values are logical: true is active. */
export interface GpioInput {
  read(): Promise<boolean>;
  /** Tells each change, with the new value. Returns the function that ends it. */
  watch(listener: (active: boolean) => void): () => void;
  close(): void;
}

export interface GpioOutput {
  write(active: boolean): Promise<void>;
  close(): void;
}

export interface GpioPort {
  /** @throws BusError `unavailable` when there is no chip with this label or no such line. */
  input(line: LineRef): Promise<GpioInput>;
  output(line: LineRef, active: boolean): Promise<GpioOutput>;
}

/** Time, so that tests need not wait. Milliseconds. */
export interface Clock extends Timers {
  sleep(ms: number): Promise<void>;
}

export const systemClock: Clock = {
  ...systemTimers,
  sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
};

/** Sensors and controls of the kernel's hwmon and thermal classes, by the names that chips and zones have. */
export interface HwmonPort {
  /** The number in a chip's file (temp1_input, pwm1 …), in the kernel's units. @throws BusError `unavailable` */
  read(chip: string, file: string): Promise<number>;
  /** @throws BusError `unavailable` */
  write(chip: string, file: string, value: number): Promise<void>;
  /** °C of the thermal zone of this type. @throws BusError `unavailable` */
  zone(type: string): Promise<number>;
}
