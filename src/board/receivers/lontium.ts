/** How Lontium's HDMI bridges are reached: banked registers, and the access that holds the chip's own processor. */
import type { I2cDevice } from "../i2c.ts";

/** Chooses the bank, the high byte of a register's number. */
const BANK = 0xff;
/** A release that fails is tried so often before it is left for the next time. */
const RELEASE_TRIES = 3;

/** Registers by their 16-bit numbers. Bank and address go in one piece of work, so nothing comes between them. */
export class Registers {
  readonly #device: I2cDevice;

  constructor(device: I2cDevice) {
    this.#device = device;
  }

  /** `length` bytes from a register on. @throws BusError */
  read(register: number, length: number): Promise<Uint8Array> {
    return this.#device.use(async (chip) => {
      await chip.write(BANK, register >> 8);
      return await chip.read(register & 0xff, length);
    });
  }

  /** @throws BusError */
  write(register: number, ...values: (number | Uint8Array)[]): Promise<void> {
    return this.#device.use(async (chip) => {
      await chip.write(BANK, register >> 8);
      await chip.write(register & 0xff, ...values);
    });
  }
}

/**
 * Access to the chip's inner registers. While it is on, the chip's processor stands still: what is read then belongs
 * together, but the chip follows neither its source nor its output. So it is taken for short moments only, and always
 * given back.
 */
export class Access {
  readonly #registers: Registers;
  readonly #enable: number;
  readonly #watchdog: number | undefined;
  #taken = false;

  /**
   * `enable`: the register that turns access on (1) and off (0). `watchdog`: where the chip has one that would restart
   * its processor while that is held.
   */
  constructor(registers: Registers, enable: number, watchdog: number | undefined) {
    this.#registers = registers;
    this.#enable = enable;
    this.#watchdog = watchdog;
  }

  /** Runs `work` with access on. @throws BusError what `work` throws */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#taken = true;
    try {
      await this.#registers.write(this.#enable, 1);
      if (this.#watchdog !== undefined) await this.#registers.write(this.#watchdog, 0);
      return await work();
    } finally {
      await this.release();
    }
  }

  /** Gives back what an earlier release could not, because the bus did not work. @throws BusError */
  async release(): Promise<void> {
    for (let tries = 1; this.#taken; tries++) {
      try {
        await this.#registers.write(this.#enable, 0);
        this.#taken = false;
      } catch (error) {
        if (tries === RELEASE_TRIES) throw error;
      }
    }
  }
}
