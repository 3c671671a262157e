/**
 * Analog Devices ADV7180 and ADV7280: decoders of composite video, S-Video and YPbPr of 525 and 625 lines. Registers are
 * in pages, of which all but page 0 are out of the way while nothing is set up. Inputs are the first pins of each kind.
 * Registers: ADV7180 data sheet, and reference manual UG-637 of the ADV7280, with the settings that ADI recommends.
 */
import type { I2cChip } from "../i2c.ts";
import type { AnalogueStandard, Signal } from "../signal.ts";
import { type AnalogueChoice, type AnalogueInput, decodedVideo } from "./analogue.ts";
import { type AnalogueAccess, type Receiver, type ReceiverContext, WrongChip } from "./receiver.ts";
import { ResetOnce } from "./resetOnce.ts";

type Setting = readonly [register: number, value: number];

interface Model {
  name: string;
  /** High nibble of register 0x11; the low one is the revision. */
  id: number;
  /** Least revision of silicon that was sold. */
  revision: number;
  /** Of page 0, for this input and this value of VID_SEL. They are looked at again to notice a reset. */
  settings(input: AnalogueInput, standard: number): readonly Setting[];
  /** What else an input needs. */
  prepare(chip: I2cChip, input: AnalogueInput): Promise<void>;
}

export function adv7180(context: ReceiverContext): Receiver {
  return new Adv7180(context, {
    name: "ADV7180",
    id: 0x1,
    revision: 0x8,
    settings: (input, standard) => [
      [0x00, (standard << 4) | { cvbs: 0x0, "s-video": 0x6, ypbpr: 0x9 }[input]],
      // Output as BT.656-4 wants it.
      [0x04, 0xc5],
      [0x07, ALL_STANDARDS],
      [0x0f, POWERED],
    ],
    prepare: async () => {},
  });
}

export function adv7280(context: ReceiverContext): Receiver {
  return new Adv7180(context, {
    name: "ADV7280",
    id: 0x4,
    revision: 0x0,
    settings: (input, standard) => [
      [0x00, { cvbs: 0x0, "s-video": 0x8, ypbpr: 0xc }[input]],
      [0x02, standard << 4],
      // Outputs on, BT.656.
      [0x03, 0x0c],
      [0x04, 0x17],
      [0x07, ALL_STANDARDS],
      [0x0f, POWERED],
    ],
    prepare: prepareAdv7280,
  });
}

const PAGE = 0x0e;
/** Register 0x07: every standard but SECAM of 525 lines, which nobody sends, is looked for. */
const ALL_STANDARDS = 0x7f;
/** Register 0x0F: on, whatever the power-down pin says. */
const POWERED = 0x04;

/** VID_SEL. The PAL N that is meant is the one of 3.58 MHz ("combination N"), as it is on the air. */
const selections: Record<AnalogueChoice, number> = {
  auto: 0x0,
  ntsc: 0x5,
  "pal-60": 0x6,
  "ntsc-443": 0x7,
  pal: 0x8,
  "pal-m": 0xa,
  "pal-n": 0xc,
  secam: 0xe,
};

/** AD_RESULT, register 0x10 bits 6:4. */
const detected: readonly AnalogueStandard[] = ["ntsc", "ntsc-443", "pal-m", "pal-60", "pal", "secam", "pal-n", "secam"];

/** Status 1, register 0x10. */
const IN_LOCK = 0x01;
const SUBCARRIER_LOCK = 0x04;
const COLOUR_KILL = 0x80;
/** Status 3, register 0x13. */
const HORIZONTAL_LOCK = 0x01;
const FIFTY_HZ = 0x04;

/** The line reset's pulse, and the time the chip needs after it, ms. */
const RESET_TIME = 5;

class Adv7180 implements Receiver {
  readonly analogue: AnalogueAccess = {
    inputs: ["cvbs", "s-video", "ypbpr"],
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
  readonly #model: Model;
  /** The last set-up was written to its end. */
  #whole = false;
  #input: AnalogueInput = "cvbs";
  #standard: AnalogueChoice = "auto";

  constructor(context: ReceiverContext, model: Model) {
    this.#context = context;
    this.#reset = new ResetOnce(context, RESET_TIME);
    this.#model = model;
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
      const registers = await this.#registers(chip);
      if (this.#whole && this.#stands(registers)) return this.#signal(registers);
      await this.#configure(chip);
      return this.#signal(await this.#registers(chip));
    });
  }

  async #identify(chip: I2cChip): Promise<void> {
    const { name, id, revision } = this.#model;
    await chip.write(PAGE, 0x00);
    const [found = 0] = await chip.read(0x11, 1);
    if (found >> 4 === id && (found & 0x0f) >= revision) return;
    const from = ((id << 4) | revision).toString(16);
    throw new WrongChip(`expected an ${name} (id 0x${from} to 0x${id.toString(16)}f), but read id 0x${hex(found)}`);
  }

  #apply(): Promise<void> {
    return this.#context.i2c.use((chip) => this.#configure(chip));
  }

  get #settings(): readonly Setting[] {
    return this.#model.settings(this.#input, selections[this.#standard]);
  }

  /** What a later look checks comes first, so that it sees a reset in between too. */
  async #configure(chip: I2cChip): Promise<void> {
    this.#whole = false;
    const input = this.#input;
    await chip.write(PAGE, 0x00);
    for (const [register, value] of this.#settings) await chip.write(register, value);
    await this.#model.prepare(chip, input);
    this.#whole = true;
  }

  /** Registers 0x00 to 0x13, of page 0 after a whole set-up. */
  #registers(chip: I2cChip): Promise<Uint8Array> {
    return chip.read(0x00, 0x14);
  }

  /** False after a reset of the chip, or what else has undone the set-up. */
  #stands(registers: Uint8Array): boolean {
    return this.#settings.every(([register, value]) => registers[register] === value);
  }

  #signal(registers: Uint8Array): Signal {
    const status = registers[0x10] ?? 0;
    const sync = registers[0x13] ?? 0;
    if ((sync & HORIZONTAL_LOCK) === 0) return { state: "no-cable" };
    const component = this.#input === "ypbpr";
    // SECAM has no subcarrier to lock to, only a colour that is or is not killed.
    const colour = (status & SUBCARRIER_LOCK) !== 0 || (status & COLOUR_KILL) === 0;
    if ((status & IN_LOCK) === 0 || !(component || colour)) return { state: "no-lock", lock: false };
    const video = decodedVideo((sync & FIFTY_HZ) !== 0);
    if (component) return { state: "locked", lock: true, video };
    const found = detected[(status >> 4) & 0b111] ?? "ntsc";
    // With one standard to decode, the chip does not look for others.
    return { state: "locked", lock: true, video, standard: this.#standard === "auto" ? found : this.#standard };
  }
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

/** ADI's bias currents (registers 0x52 to 0x54) by input. */
const biases: Record<AnalogueInput, readonly [number, number, number]> = {
  cvbs: [0xcd, 0x4e, 0x80],
  "s-video": [0x0b, 0xce, 0x80],
  ypbpr: [0x0b, 0x4e, 0xc0],
};

async function prepareAdv7280(chip: I2cChip, input: AnalogueInput): Promise<void> {
  for (const [register, value] of [
    // Better pictures.
    ...[[0x80, 0x51] as const, [0x81, 0x51] as const, [0x82, 0x68] as const],
    // Luminance filter: SH1 for composite video.
    [0x17, input === "cvbs" ? 0x41 : 0x01] as const,
    // Clock output on.
    [0x1d, 0x40] as const,
    ...biases[input].map((bias, i) => [0x52 + i, bias] as const),
    // Inputs against ground, not differential.
    ...[[0x5a, 0xd0] as const, [0x5f, 0xf0] as const, [0x60, 0x10] as const],
    // Page 0x80: the clamps start again, and the gain of inputs against ground.
    [PAGE, 0x80] as const,
    ...[[0x9c, 0x00] as const, [0x9c, 0xff] as const, [0xb6, 0x9c] as const, [0xc0, 0x00] as const],
    [PAGE, 0x00] as const,
  ]) {
    await chip.write(register, value);
  }
}
