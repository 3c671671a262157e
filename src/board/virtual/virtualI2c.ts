/** An I2C bus with models of chips on it, which can be made to hang. */
import { BusError, type I2cPort } from "../ports.ts";
import type { I2cModel } from "./model.ts";

export class VirtualI2c implements I2cPort {
  readonly #chips: I2cModel[] = [];
  #hangs = false;

  constructor(readonly name: string) {}

  attach(chip: I2cModel): void {
    this.#chips.push(chip);
  }

  /** While it hangs, no transfer ends; recovery does not help. */
  hang(hangs: boolean): void {
    this.#hangs = hangs;
  }

  get hangs(): boolean {
    return this.#hangs;
  }

  transfer(address: number, write: Uint8Array, length: number): Promise<Uint8Array> {
    if (this.#hangs) return new Promise(() => {});
    const chip = this.#chips.find(({ addresses }) => addresses.includes(address));
    try {
      if (chip !== undefined) return Promise.resolve(chip.transfer(address, write, length));
      throw new BusError("nack", `no chip at 0x${address.toString(16)} of I2C bus ${this.name}`);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async recover(): Promise<void> {}

  async close(): Promise<void> {}
}
