/** Model of the LM75 temperature sensor: pointer register, temperature of nine bits, configuration, two limits. */
import { BusError } from "../../ports.ts";
import type { I2cModel } from "../model.ts";

const SHUTDOWN = 0x01;
/** Bits of the configuration that the chip keeps. */
const CONFIGURATION_BITS = 0x1f;
/** Power-up values of T_HYST and T_OS, °C. */
const HYSTERESIS = 75;
const OVER = 80;

/** A temperature as the chip's registers have it: nine bits, high byte first. */
function encode(celsius: number): [number, number] {
  const halves = Math.round(Math.min(125, Math.max(-55, celsius)) * 2) & 0x1ff;
  return [halves >> 1, (halves & 1) << 7];
}

export class Lm75Model implements I2cModel {
  readonly addresses: readonly number[];
  readonly #temperature: () => number;
  #pointer = 0;
  #configuration = 0;
  #limits: [hysteresis: number[], over: number[]] = [encode(HYSTERESIS), encode(OVER)];
  /** The last conversion, which the chip shows while it is shut down. */
  #held = 0;

  /** @param temperature °C at the chip's place */
  constructor(address: number, temperature: () => number) {
    this.addresses = [address];
    this.#temperature = temperature;
  }

  transfer(_address: number, write: Uint8Array, length: number): Uint8Array {
    const [pointer, ...data] = write;
    if (pointer !== undefined) {
      if (pointer > 3) throw new BusError("nack", `LM75: there is no register ${pointer}`);
      this.#pointer = pointer;
    }
    if (data.length > 0) this.#write(data);
    const register = this.#register();
    // Further reads give the same register again.
    return Uint8Array.from({ length }, (_, i) => register[i % register.length] ?? 0);
  }

  reset(active: boolean): void {
    if (!active) return;
    this.#pointer = 0;
    this.#configuration = 0;
    this.#limits = [encode(HYSTERESIS), encode(OVER)];
  }

  #register(): number[] {
    switch (this.#pointer) {
      case 0:
        if ((this.#configuration & SHUTDOWN) === 0) this.#held = this.#temperature();
        return encode(this.#held);
      case 1:
        return [this.#configuration];
      case 2:
        return this.#limits[0];
      default:
        return this.#limits[1];
    }
  }

  #write([high = 0, low = 0]: number[]): void {
    if (this.#pointer === 1) {
      // The conversion that goes on is ended before the chip sleeps.
      if ((high & SHUTDOWN) !== 0) this.#held = this.#temperature();
      this.#configuration = high & CONFIGURATION_BITS;
    } else if (this.#pointer === 2) this.#limits[0] = [high, low & 0x80];
    else if (this.#pointer === 3) this.#limits[1] = [high, low & 0x80];
  }
}
