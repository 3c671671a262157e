/** ITE IT6616: HDMI 1.4 to MIPI. I2C address 0x48, its EDID at 0x54. */
import type { I2cChip } from "../i2c.ts";
import { exactRate, type FrameRate, type Signal, type VideoSignal } from "../signal.ts";
import { coloursOf } from "./aviInfoframe.ts";
import { audioRates, exactClock } from "./it6616Clock.ts";
import { edidBlocks, physicalAddressAt, ramContent, readRam, windowClosed, writeRam } from "./iteEdid.ts";
import { type EdidAccess, HOT_PLUG_PAUSE, type Receiver, type ReceiverContext, WrongChip } from "./receiver.ts";
import { Turns } from "./turns.ts";

/**
 * The IT6616. Experimental: what is known of it comes from a vendor's driver, and it was not tried on the chip. This
 * driver knows the HDMI side, its hot plug and its EDID; the MIPI output is left as the board's firmware sets it up.
 *
 * The chip measures the pixel clock to a few percent only. Where there is sound, the exact one follows from the way HDMI
 * regenerates the audio clock (N and CTS); without sound, 59.94 and 60 Hz look the same, and the whole number is given
 * (59.94 for 480 lines). The number of sound channels is not known.
 */
export function it6616(context: ReceiverContext): Receiver {
  return new It6616(context);
}

const ID = [0x54, 0x49, 0x16, 0x66];
const BANK = 0x0f;

/** 0x13: 5 V, HDMI (else DVI), TMDS clock stable. */
const STATUS = 0x13;
const POWER = 0x01;
const HDMI = 0x02;
const CLOCK = 0x10;
const VIDEO_STABLE = 0x19;
/** 0x98: scan, pixel clock counter (10 bits, held while bit 7 of 0x9A is off), then totals and active sizes. */
const VIDEO = 0x98;
const COUNTER = 0x9a;
const COUNTING = 0x80;
const HDCP_STATUS = 0xcf;
const HDCP_ON = 0x20;
/** Reference clock: counted while bit 7 of 0x58 is on. */
const REFERENCE = 0x58;
const REFERENCE_TIME = 100;
/** Bit 0: the N and CTS of the source's packets can be read. */
const AUDIO_CLOCK = 0x86;
const CHANNEL_STATUS = 0xb5;
/** Bank 2. */
const AVI_INFOFRAME = 0x14;
const N_CTS = 0xbe;
/** Bank 3, bits 7 and 6. After a reset they are neither. */
const HOT_PLUG = 0xab;
const SHOWN = 0xc0;
const HIDDEN = 0x40;

/** The window to the EDID's RAM. */
const EDID_WINDOW = 0x4b;
const EDID_CONTROL = 0xc5;
const EDID_OFF = 0x13;
const EDID_ON = 0x02;
/** Where the physical address is in the EDID, its two bytes, and the checksums of both blocks: the chip puts them in. */
const EDID_PATCH = 0xc6;

/** Pixel clock of the largest pictures, with what the measurement may be off, Hz. */
const MAX_CLOCK = 310_000_000;
const MAX_WIDTH = 4096;
const MAX_HEIGHT = 2160;

class It6616 implements Receiver {
  readonly edid: EdidAccess = {
    maxBlocks: edidBlocks,
    write: (edid) => this.#turns.run(() => this.#writeEdid(edid)),
    read: (length) => this.#turns.run(() => this.#readEdid(length)),
  };
  readonly #context: ReceiverContext;
  readonly #turns = new Turns();
  /** kHz. */
  #reference = 0;
  /** What the source shall see, kept for when the chip loses it. */
  #edid: Uint8Array | undefined;
  /** False after something went wrong in the middle. */
  #isSetUp = true;

  constructor(context: ReceiverContext) {
    this.#context = context;
  }

  start(): Promise<void> {
    return this.#turns.run(async () => {
      const found = await this.#context.i2c.use(async (chip) => {
        await bank(chip, 0);
        return await chip.read(0, ID.length);
      });
      if (`${found}` !== `${ID}`) {
        throw new WrongChip(`an IT6616 is expected, but the id is ${Buffer.from(found).toString("hex")}`);
      }
      await this.#measureReference();
      await this.#check();
    });
  }

  read(): Promise<Signal> {
    return this.#turns.run(async () => {
      await this.#check();
      return await this.#context.i2c.use((chip) => this.#look(chip));
    });
  }

  async #check(): Promise<void> {
    if (!this.#isSetUp || (await this.#context.i2c.use(wasReset))) await this.#setUp();
  }

  /** Of one piece: what is read belongs together. */
  async #look(chip: I2cChip): Promise<Signal> {
    await bank(chip, 0);
    const status = await byte(chip, STATUS);
    const cablePower = (status & POWER) !== 0;
    await showHotPlug(chip, cablePower);
    if (!cablePower) return { state: "no-cable", cablePower };
    if ((status & CLOCK) === 0) return { state: "no-clock", cablePower, clock: false };
    if (((await byte(chip, VIDEO_STABLE)) & 0x80) === 0) {
      return { state: "no-lock", cablePower, clock: true, lock: false };
    }
    const hdmi = (status & HDMI) !== 0;
    const hdcp = ((await byte(chip, HDCP_STATUS)) & HDCP_ON) !== 0;
    const sound = hdmi ? await soundOf(chip) : undefined;
    const colours = coloursOf(hdmi ? await banked(chip, 2, AVI_INFOFRAME, 6) : undefined);
    const counted = await this.#count(chip);
    if (counted === undefined) return { state: "no-lock", cablePower, clock: true, lock: false };
    const { width, height, interlaced, pixels, pixelClock } = counted;
    const exact = sound && exactClock(pixelClock, sound);
    const rate = exact ? exactRate(exact.hz / pixels) : wholeRate(pixelClock / pixels, height);
    const audioRate = exact?.audioRate ?? sound?.said;
    // Of 4:2:0, two pixels come with each clock.
    const video: VideoSignal = { width, height, interlaced, rate, ...colours };
    if (video.colourSpace === "ycbcr-420") video.width *= 2;
    const fits = video.width <= MAX_WIDTH && height <= MAX_HEIGHT && pixelClock <= MAX_CLOCK;
    return {
      state: !fits ? "out-of-range" : hdcp ? "protected" : "locked",
      cablePower,
      clock: true,
      lock: true,
      video,
      hdmi,
      hdcp,
      ...(audioRate === undefined ? {} : { audio: { rate: audioRate, channels: 2 } }),
    };
  }

  /** Sizes and, to a few percent, the clock; undefined in the middle of a change. */
  async #count(chip: I2cChip) {
    const control = await byte(chip, COUNTER);
    let bytes: Uint8Array;
    await chip.write(COUNTER, control & ~COUNTING);
    try {
      bytes = await chip.read(VIDEO, 14);
    } finally {
      await chip.write(COUNTER, control | COUNTING);
    }
    const at = (offset: number) => (((bytes[offset + 1] ?? 0) & 0x3f) << 8) | (bytes[offset] ?? 0);
    const interlaced = ((bytes[0] ?? 0) & 0x02) !== 0;
    const ticks = at(1) & 0x3ff;
    const [totalWidth, width, totalField, field] = [at(3), at(5), at(10), at(12)];
    const pixels = totalWidth * (interlaced ? frameLines(totalField) : totalField);
    if (ticks === 0 || pixels === 0 || width === 0 || field === 0) return undefined;
    // 256 periods of two pixels each, in whole periods of the reference clock.
    const pixelClock = (this.#reference * 1000 * 512) / (ticks + 0.5);
    return { width, height: interlaced ? field * 2 : field, interlaced, pixels, pixelClock };
  }

  /** Also starts the counters. */
  async #measureReference(): Promise<void> {
    const { i2c, clock } = this.#context;
    const control = await i2c.use(async (chip) => {
      await bank(chip, 0);
      const value = (await byte(chip, REFERENCE)) & 0x7f;
      await chip.write(REFERENCE, value);
      await chip.write(REFERENCE, value | 0x80);
      // The other counter may have been left held by a bus error.
      await chip.write(COUNTER, (await byte(chip, COUNTER)) | COUNTING);
      return value;
    });
    const from = clock.now();
    await clock.sleep(REFERENCE_TIME);
    await i2c.use(async (chip) => {
      await bank(chip, 0);
      await chip.write(REFERENCE, control);
      const time = clock.now() - from;
      this.#reference = Buffer.from(await chip.read(REFERENCE + 1, 3)).readUIntLE(0, 3) / time;
    });
  }

  /** Ends with hot plug hidden for as long as a source needs to see it; the next look shows it where there is power. */
  async #setUp(): Promise<void> {
    const { i2c, clock } = this.#context;
    this.#isSetUp = false;
    await i2c.use(async (chip) => {
      await showHotPlug(chip, false);
      await chip.write(AUDIO_CLOCK, (await byte(chip, AUDIO_CLOCK)) | 0x01);
      await chip.write(COUNTER, (await byte(chip, COUNTER)) | COUNTING);
      if (this.#edid !== undefined) await loadEdid(chip, this.#edid);
      else {
        await chip.write(EDID_WINDOW, windowClosed);
        await chip.write(EDID_CONTROL, EDID_ON);
      }
    });
    await clock.sleep(HOT_PLUG_PAUSE);
    this.#isSetUp = true;
  }

  async #writeEdid(edid: Uint8Array): Promise<void> {
    this.#edid = ramContent(edid);
    await this.#setUp();
    await this.#context.i2c.use(async (chip) => {
      await bank(chip, 0);
      await showHotPlug(chip, ((await byte(chip, STATUS)) & POWER) !== 0);
    });
  }

  async #readEdid(length: number): Promise<Uint8Array> {
    const wasSetUp = this.#isSetUp;
    // A bus error may leave the window open, which hides the EDID from the source.
    this.#isSetUp = false;
    const edid = await this.#context.i2c.use(async (chip) => {
      await bank(chip, 0);
      return await readRam(chip, EDID_WINDOW, length);
    });
    this.#isSetUp = wasSetUp;
    return edid;
  }
}

/** Puts the EDID into the chip, off while it is written. Leaves bank 0. */
async function loadEdid(chip: I2cChip, content: Uint8Array): Promise<void> {
  await bank(chip, 0);
  await chip.write(EDID_CONTROL, EDID_OFF);
  await writeRam(chip, EDID_WINDOW, content);
  // An EDID without a physical address has its own bytes put in where they are.
  const at = physicalAddressAt(content) ?? 128;
  const patch = [at, content[at], content[at + 1], content[127], content[255]];
  for (const [index, value] of patch.entries()) await chip.write(EDID_PATCH + index, value ?? 0);
  await chip.write(EDID_CONTROL, EDID_ON);
}

async function soundOf(chip: I2cChip): Promise<{ n: number; cts: number; said: number | undefined } | undefined> {
  const said = audioRates.get((await byte(chip, CHANNEL_STATUS)) & 0x0f);
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0, b4 = 0] = await banked(chip, 2, N_CTS, 5);
  const n = (b0 << 12) | (b1 << 4) | (b2 & 0x0f);
  const cts = (b3 << 12) | (b4 << 4) | (b2 >> 4);
  return n === 0 || cts === 0 ? undefined : { n, cts, said };
}

/** Neither shown nor hidden is what the chip has after a reset. */
async function wasReset(chip: I2cChip): Promise<boolean> {
  const [value = 0] = await banked(chip, 3, HOT_PLUG, 1);
  return ![SHOWN, HIDDEN].includes(value & SHOWN);
}

/** Leaves bank 0. */
async function showHotPlug(chip: I2cChip, shown: boolean): Promise<void> {
  const [value = 0] = await banked(chip, 3, HOT_PLUG, 1);
  const wanted = (value & ~SHOWN) | (shown ? SHOWN : HIDDEN);
  if (value === wanted) return;
  await bank(chip, 3);
  await chip.write(HOT_PLUG, wanted);
  await bank(chip, 0);
}

/** Reads in another bank; leaves bank 0. */
async function banked(chip: I2cChip, number: number, register: number, length: number): Promise<Uint8Array> {
  await bank(chip, number);
  const bytes = await chip.read(register, length);
  await bank(chip, 0);
  return bytes;
}

async function bank(chip: I2cChip, number: number): Promise<void> {
  await chip.write(BANK, number);
}

async function byte(chip: I2cChip, register: number): Promise<number> {
  return (await chip.read(register, 1))[0] ?? 0;
}

/** Lines of both fields: the interlaced pictures of television have an odd number, of which a field shows the half. */
function frameLines(field: number): number {
  return [525, 625, 1125].find((lines) => Math.abs(lines - 2 * field) <= 1) ?? 2 * field;
}

/** The rate in use that is next to a rough one. */
function wholeRate(rough: number, height: number): FrameRate {
  const rates = [24, 25, 30, 48, 50, 60, 72, 75, 85, 100, 120];
  const off = (rate: number) => Math.abs(Math.log(rate / rough));
  const rate = rates.reduce((best, one) => (off(one) < off(best) ? one : best));
  return exactRate(height === 480 && rate % 30 === 0 ? rate / 1.001 : rate);
}
