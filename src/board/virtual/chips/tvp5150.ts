/** The TVP5150 and TVP5151 at register level. */
import { BusError, type Clock } from "../../ports.ts";
import type { AnalogueStandard } from "../../signal.ts";
import type { Connector, I2cModel } from "../model.ts";
import { analogueSource } from "./analogueSource.ts";
import { type RegisterValue, registerFile, word } from "./registerValues.ts";

/** Power-up values (TVP5150AM1 data sheet): outputs off, and looking for NTSC, PAL and SECAM only. */
const defaults: readonly RegisterValue[] = [
  [0x01, 0x15],
  [0x03, 0x01],
  [0x04, 0xdc],
  [0x0d, 0x47],
  [0x0f, 0x08],
  [0x1a, 0x0c],
  [0x1b, 0x14],
];

/** Number of each standard: register 0x28 twice of it, status 5 one less than that. */
const numbers: Partial<Record<AnalogueStandard, number>> = {
  ntsc: 1,
  pal: 2,
  "pal-m": 3,
  "pal-n": 4,
  "ntsc-443": 5,
  secam: 6,
};

/** Bits of register 0x04 that leave a standard out when looking. */
const leftOut: Partial<Record<AnalogueStandard, number>> = {
  secam: 0x20,
  "ntsc-443": 0x10,
  "pal-n": 0x08,
  "pal-m": 0x04,
};

abstract class Tvp515xModel implements I2cModel {
  readonly #id: number;
  readonly #connector: Connector;
  readonly #address: number;
  #registers = registerFile(defaults);
  #pointer = 0;
  #inReset = false;

  constructor(connector: Connector, address: number, id: number) {
    this.#id = id;
    this.#connector = connector;
    this.#address = address;
  }

  get addresses(): readonly number[] {
    return this.#inReset ? [] : [this.#address];
  }

  transfer(address: number, write: Uint8Array, length: number): Uint8Array {
    if (!this.addresses.includes(address)) throw new BusError("nack", `0x${address.toString(16)} does not answer`);
    const [pointer, ...data] = write;
    if (pointer !== undefined) this.#pointer = pointer;
    for (const value of data) this.#registers[this.#pointer++ & 0xff] = value;
    const live = this.#live;
    return Uint8Array.from({ length }, () => {
      const register = this.#pointer++ & 0xff;
      return live.get(register) ?? this.#registers[register] ?? 0;
    });
  }

  reset(active: boolean): void {
    this.#inReset = active;
    if (active) this.#registers = registerFile(defaults);
  }

  /** Identity and ROM version (0x80 to 0x82), status 1 (0x88) and status 5 (0x8C). */
  get #live(): ReadonlyMap<number, number> {
    const live = new Map([...word(0x80, this.#id), [0x82, 0x04]]);
    const source = analogueSource(this.#connector);
    if (source === undefined) return live;
    const sent = source.standard;
    const number = (sent && numbers[sent]) ?? 0;
    const forced = (this.#registers[0x28] ?? 0) >> 1;
    const looked = sent !== undefined && ((this.#registers[0x04] ?? 0) & (leftOut[sent] ?? 0)) === 0;
    const colour = source.steady && number !== 0 && (forced === 0 ? looked : forced === number);
    const operating = forced !== 0 ? forced : colour ? number : 0;
    // Sync of lines is followed before that of fields.
    live.set(0x88, 0x02 | (source.steady ? 0x04 : 0) | (colour ? 0x08 : 0) | (source.fiftyHz ? 0x20 : 0));
    live.set(0x8c, operating === 0 ? 0x00 : (forced === 0 ? 0x80 : 0) | (operating * 2 - 1));
    return live;
  }
}

export class Tvp5150Model extends Tvp515xModel {
  constructor(connector: Connector, address: number, _clock: Clock) {
    super(connector, address, 0x5150);
  }
}

export class Tvp5151Model extends Tvp515xModel {
  constructor(connector: Connector, address: number, _clock: Clock) {
    super(connector, address, 0x5151);
  }
}
