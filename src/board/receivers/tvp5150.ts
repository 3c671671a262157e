/**
 * Texas Instruments TVP5150 and TVP5151: decoders of composite video (pin AIP1A) and S-Video of 525 and 625 lines. They
 * know no PAL 60. Registers are read one at a time. Registers: TVP5150AM1 data sheet SLES209.
 */
import type { I2cChip } from "../i2c.ts";
import type { AnalogueStandard, Signal } from "../signal.ts";
import { type AnalogueChoice, type AnalogueInput, decodedVideo } from "./analogue.ts";
import { type AnalogueAccess, type Receiver, type ReceiverContext, WrongChip } from "./receiver.ts";
import { ResetOnce } from "./resetOnce.ts";

export function tvp5150(context: ReceiverContext): Receiver {
  return new Tvp5150(context, "TVP5150", 0x5150);
}

export function tvp5151(context: ReceiverContext): Receiver {
  return new Tvp5150(context, "TVP5151", 0x5151);
}

/** Every standard looked for, BT.656 out, chrominance filters as TI proposes, and clock and picture on. */
const settings = [
  [0x04, 0x00],
  [0x0d, 0x47],
  [0x0f, 0x02],
  [0x1a, 0x0c],
  [0x1b, 0x54],
  [0x03, 0x09],
] as const;

/**
 * Register 0x28. PAL 60 has no place there: the chip goes on looking for others, so that what comes instead can be told.
 */
const selections: Record<AnalogueChoice, number> = {
  auto: 0x00,
  "pal-60": 0x00,
  ntsc: 0x02,
  pal: 0x04,
  "pal-m": 0x06,
  "pal-n": 0x08,
  "ntsc-443": 0x0a,
  secam: 0x0c,
};

/** Status 5, register 0x8C, low nibble. */
const detected = new Map<number, AnalogueStandard>([
  [0x1, "ntsc"],
  [0x3, "pal"],
  [0x5, "pal-m"],
  [0x7, "pal-n"],
  [0x9, "ntsc-443"],
  [0xb, "secam"],
]);

/** Status 1, register 0x88. */
const HORIZONTAL_LOCK = 0x02;
/** Horizontal, vertical and colour. */
const LOCKED = 0x0e;
const FIFTY_HZ = 0x20;

/** The reset line's pulse, and the time the chip needs after it, ms. */
const RESET_TIME = 5;

class Tvp5150 implements Receiver {
  readonly analogue: AnalogueAccess = {
    inputs: ["cvbs", "s-video"],
    select: (input) => {
      this.#input = input;
      return this.#apply();
    },
    force: (standard) => {
      this.#standard = standard;
      return this.#apply();
    },
  };
  readonly #context: ReceiverContext;
  readonly #reset: ResetOnce;
  readonly #name: string;
  readonly #id: number;
  #input: AnalogueInput = "cvbs";
  #standard: AnalogueChoice = "auto";

  constructor(context: ReceiverContext, name: string, id: number) {
    this.#context = context;
    this.#reset = new ResetOnce(context, RESET_TIME);
    this.#name = name;
    this.#id = id;
  }

  async start(): Promise<void> {
    await this.#reset.pulse();
    await this.#context.i2c.use(async (chip) => {
      await this.#identify(chip);
      await this.#configure(chip);
    });
  }

  read(): Promise<Signal> {
    return this.#context.i2c.use(async (chip) => {
      if (!(await this.#stands(chip))) await this.#configure(chip);
      return this.#look(chip);
    });
  }

  async #identify(chip: I2cChip): Promise<void> {
    const found = ((await register(chip, 0x80)) << 8) | (await register(chip, 0x81));
    if (found === this.#id) return;
    const expected = `expected a ${this.#name} (id 0x${this.#id.toString(16)})`;
    throw new WrongChip(`${expected}, but read id 0x${found.toString(16).padStart(4, "0")}`);
  }

  #apply(): Promise<void> {
    return this.#context.i2c.use((chip) => this.#configure(chip));
  }

  get #settings(): readonly (readonly [register: number, value: number])[] {
    return [[0x00, this.#input === "s-video" ? 0x01 : 0x00], [0x28, selections[this.#standard]], ...settings];
  }

  async #configure(chip: I2cChip): Promise<void> {
    for (const [at, value] of this.#settings) await chip.write(at, value);
  }

  /** False after a reset of the chip, or what else has undone the set-up. */
  async #stands(chip: I2cChip): Promise<boolean> {
    for (const [at, value] of this.#settings) {
      if ((await register(chip, at)) !== value) return false;
    }
    return true;
  }

  async #look(chip: I2cChip): Promise<Signal> {
    const status = await register(chip, 0x88);
    if ((status & HORIZONTAL_LOCK) === 0) return { state: "no-cable" };
    const found = detected.get((await register(chip, 0x8c)) & 0x0f);
    if ((status & LOCKED) !== LOCKED || found === undefined) return { state: "no-lock", lock: false };
    // With one standard to decode, the chip does not look for others.
    const standard = selections[this.#standard] === selections.auto ? found : (this.#standard as AnalogueStandard);
    return { state: "locked", lock: true, video: decodedVideo((status & FIFTY_HZ) !== 0), standard };
  }
}

async function register(chip: I2cChip, at: number): Promise<number> {
  const [value = 0] = await chip.read(at, 1);
  return value;
}
