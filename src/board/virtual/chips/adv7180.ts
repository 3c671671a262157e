/** The ADV7180 and ADV7280 at register level: pages of registers, of which page 0 has the status. */
import { BusError, type Clock } from "../../ports.ts";
import type { AnalogueStandard } from "../../signal.ts";
import type { Connector, I2cModel } from "../model.ts";
import { analogueSource } from "./analogueSource.ts";
import { type RegisterValue, registerFile } from "./registerValues.ts";

const PAGE = 0x0e;

/** AD_RESULT and the bit of register 0x07 that lets the chip look for it. */
const results: Record<AnalogueStandard, readonly [result: number, enable: number]> = {
  ntsc: [0, 0x02],
  "ntsc-443": [1, 0x20],
  "pal-m": [2, 0x04],
  "pal-60": [3, 0x10],
  pal: [4, 0x01],
  secam: [5, 0x40],
  "pal-n": [6, 0x08],
};

/** VID_SEL from 4 on: one standard each; below, the chip finds it. */
const selections: readonly (AnalogueStandard | undefined)[] = [
  ...[undefined, undefined, undefined, undefined],
  ...(["ntsc", "ntsc", "pal-60", "ntsc-443", "pal", "pal", "pal-m", "pal-m", "pal-n", "pal-n"] as const),
  ...(["secam", "secam"] as const),
];

interface Chip {
  /** Register 0x11. */
  id: number;
  /** Power-up values of page 0. */
  defaults: readonly RegisterValue[];
  /** VID_SEL and the kind of input, by the registers of page 0. */
  selected(registers: Uint8Array): { standard: number; component: boolean };
}

abstract class Adv718xModel implements I2cModel {
  readonly #chip: Chip;
  readonly #connector: Connector;
  readonly #address: number;
  readonly #pages = new Map<number, Uint8Array>();
  #page = 0;
  #pointer = 0;
  #inReset = false;

  constructor(connector: Connector, address: number, chip: Chip) {
    this.#chip = chip;
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
    for (const value of data) this.#write(this.#pointer++ & 0xff, value);
    return Uint8Array.from({ length }, () => this.#read(this.#pointer++ & 0xff));
  }

  reset(active: boolean): void {
    this.#inReset = active;
    if (!active) return;
    this.#pages.clear();
    this.#page = 0;
    this.#pointer = 0;
  }

  #write(register: number, value: number): void {
    if (register === PAGE) this.#page = value;
    else if (register === 0x0f && this.#page === 0 && (value & 0x80) !== 0) {
      this.reset(true);
      this.reset(false);
    } else this.#registers(this.#page)[register] = value;
  }

  #read(register: number): number {
    if (register === PAGE) return this.#page;
    const stored = this.#registers(this.#page)[register] ?? 0;
    return this.#page === 0 ? (this.#status.get(register) ?? stored) : stored;
  }

  #registers(page: number): Uint8Array {
    let registers = this.#pages.get(page);
    if (registers === undefined) {
      registers = registerFile(page === 0 ? this.#chip.defaults : []);
      this.#pages.set(page, registers);
    }
    return registers;
  }

  /** Registers 0x10 (status 1), 0x11 (identity) and 0x13 (status 3). */
  get #status(): ReadonlyMap<number, number> {
    const registers = this.#registers(0);
    const source = (registers[0x0f] ?? 0) & 0x20 ? undefined : analogueSource(this.#connector);
    const identity: RegisterValue = [0x11, this.#chip.id];
    if (source === undefined) return new Map([[0x10, 0x80], identity, [0x13, 0x10]]);
    const { standard: selection, component } = this.#chip.selected(registers);
    const forced = selections[selection];
    const allowed = (standard: AnalogueStandard) => ((registers[0x07] ?? 0) & results[standard][1]) !== 0;
    const sent = source.standard;
    const colour =
      source.steady && !component && sent !== undefined && (forced === undefined ? allowed(sent) : forced === sent);
    // Of use only while the chip looks for a standard.
    const found = colour && sent ? sent : source.fiftyHz ? "pal" : "ntsc";
    const result = forced === undefined ? results[found][0] : 0;
    // SECAM has no subcarrier to lock to.
    const status = (source.steady ? 0x01 : 0x02) | (colour ? (sent === "secam" ? 0 : 0x04) : 0x80);
    return new Map([[0x10, status | (result << 4)], identity, [0x13, 0x41 | (source.fiftyHz ? 0x04 : 0)]]);
  }
}

export class Adv7180Model extends Adv718xModel {
  constructor(connector: Connector, address: number, _clock: Clock) {
    super(connector, address, {
      id: 0x1c,
      defaults: [
        [0x00, 0x0e],
        [0x04, 0x45],
        [0x07, 0x7f],
      ],
      selected: ([control = 0]) => ({ standard: control >> 4, component: [0x9, 0xa].includes(control & 0x0f) }),
    });
  }
}

/** Powered down until register 0x0F says otherwise. */
export class Adv7280Model extends Adv718xModel {
  constructor(connector: Connector, address: number, _clock: Clock) {
    super(connector, address, {
      id: 0x42,
      defaults: [
        [0x00, 0x0e],
        [0x02, 0x04],
        [0x03, 0x4c],
        [0x04, 0x37],
        [0x07, 0x7f],
        [0x0f, 0x20],
      ],
      selected: ([input = 0, , select = 0]) => ({
        standard: select >> 4,
        component: [0xc, 0xd].includes(input & 0x1f),
      }),
    });
  }
}
