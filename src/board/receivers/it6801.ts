/** ITE IT6801: HDMI to parallel video. I2C address 0x48, its EDID at 0x54. */
import type { I2cChip } from "../i2c.ts";
import type { Signal } from "../signal.ts";
import { edidBlocks, ramContent, readRam, windowClosed, writeRam } from "./iteEdid.ts";
import { type EdidAccess, HOT_PLUG_PAUSE, type Receiver, type ReceiverContext, WrongChip } from "./receiver.ts";
import { Turns } from "./turns.ts";
import { usualRate } from "./usualRate.ts";

/**
 * The IT6801. Experimental: little is public of it, and it was not tried on the chip. What is not known:
 *
 * * its own id: only the maker's is checked;
 * * a bit for the clock: without stable video it is `no-clock`, also where the chip just can't follow;
 * * blanking, and the pixel clock to better than some 15 %: the frame rate is the most usual one that fits (60 for 50,
 *   60 for 59.94);
 * * HDMI or DVI, colour space, range and sound: RGB of limited range is given, and no sound;
 * * a register for hot plug: it is a line of the board, or wired to the cable's 5 V. There, a source reads a new EDID
 *   only when it is plugged in again.
 */
export function it6801(context: ReceiverContext): Receiver {
  return new It6801(context);
}

const MAKER = [0x54, 0x49];
const BANK = 0x0f;
const STATUS = 0x0a;
const POWER = 0x01;
/** Bits 1:0: the oscillator is divided by 2 to the power of this and one. */
const REFERENCE = 0x54;
/** The oscillator's usual frequency; it is not trimmed. Hz. */
const OSCILLATOR = 43_300_000;
const HDCP_STATUS = 0x93;
const HDCP_ON = 0x01;
const VIDEO = 0x99;
const STABLE = 0x08;
const INTERLACED = 0x02;
/** 255 periods of the pixel clock, in periods of the reference. */
const COUNTER = 0x9a;
const CLOCK_ACCURACY = 0.15;
/** Active pixels: low byte, high byte. Active lines of a field: bits 11:8 in the upper half of a byte, low byte. */
const WIDTH = 0x9e;
const HEIGHT = 0xa4;

/** The window to the EDID's RAM. */
const EDID_WINDOW = 0x87;
const EDID_CONTROL = 0xc0;
const EDID_ON = 0x06;
const EDID_OFF = 0x03;
/** Checksum of the first block; that of the second is next to it. */
const CHECKSUMS = 0xc4;

/** Of HDMI 1.4, with what the measurement may be off, Hz. */
const MAX_CLOCK = 360_000_000;
const MAX_WIDTH = 4096;
const MAX_HEIGHT = 2160;

class It6801 implements Receiver {
  readonly edid: EdidAccess = {
    maxBlocks: edidBlocks,
    write: (edid) => this.#turns.run(() => this.#writeEdid(edid)),
    read: (length) => this.#turns.run(() => this.#readEdid(length)),
  };
  readonly #context: ReceiverContext;
  readonly #turns = new Turns();
  /** What the registers of the EDID were left at; others mean a reset of the chip, or a window left open. */
  #leftAt = "";
  /** What the source shall see, kept for when the chip loses it. */
  #edid: Uint8Array | undefined;
  #hotPlug: boolean | undefined;

  constructor(context: ReceiverContext) {
    this.#context = context;
  }

  start(): Promise<void> {
    return this.#turns.run(async () => {
      const found = await this.#context.i2c.use(async (chip) => {
        await chip.write(BANK, 0);
        return await chip.read(0, MAKER.length);
      });
      if (`${found}` !== `${MAKER}`) {
        throw new WrongChip(
          `an IT6801 of ITE is expected, but the maker's id is ${Buffer.from(found).toString("hex")}`,
        );
      }
      this.#hotPlug = undefined;
      await this.#check();
    });
  }

  read(): Promise<Signal> {
    return this.#turns.run(async () => {
      await this.#check();
      const signal = await this.#context.i2c.use(look);
      await this.#showHotPlug(signal.cablePower === true);
      return signal;
    });
  }

  /** Sets the chip up where it is not as it was left. */
  async #check(): Promise<void> {
    const { i2c } = this.#context;
    if (this.#leftAt !== "" && (await i2c.use(edidState)) === this.#leftAt) return;
    if (this.#edid !== undefined) return await this.#show(this.#edid);
    this.#leftAt = await i2c.use(async (chip) => {
      await chip.write(BANK, 0);
      await chip.write(EDID_WINDOW, windowClosed);
      await chip.write(EDID_CONTROL, EDID_ON);
      return await edidState(chip);
    });
  }

  async #writeEdid(edid: Uint8Array): Promise<void> {
    this.#edid = ramContent(edid);
    await this.#show(this.#edid);
  }

  async #show(content: Uint8Array): Promise<void> {
    const { i2c, clock } = this.#context;
    // As long as it is not all there, the chip counts as not set up.
    this.#leftAt = "";
    await this.#showHotPlug(false);
    const leftAt = await i2c.use(async (chip) => {
      await chip.write(BANK, 0);
      await chip.write(EDID_CONTROL, EDID_OFF);
      await writeRam(chip, EDID_WINDOW, content);
      await chip.write(CHECKSUMS, content[127] ?? 0);
      await chip.write(CHECKSUMS + 1, content[255] ?? 0);
      await chip.write(EDID_CONTROL, EDID_ON);
      return await edidState(chip);
    });
    await clock.sleep(HOT_PLUG_PAUSE);
    await this.#showHotPlug((await i2c.use(look)).cablePower === true);
    this.#leftAt = leftAt;
  }

  async #showHotPlug(shown: boolean): Promise<void> {
    if (shown === this.#hotPlug) return;
    this.#hotPlug = undefined;
    await this.#context.hotPlug?.write(shown);
    this.#hotPlug = shown;
  }

  #readEdid(length: number): Promise<Uint8Array> {
    return this.#context.i2c.use(async (chip) => {
      await chip.write(BANK, 0);
      return await readRam(chip, EDID_WINDOW, length);
    });
  }
}

async function edidState(chip: I2cChip): Promise<string> {
  await chip.write(BANK, 0);
  return `${[await byte(chip, EDID_WINDOW), await byte(chip, EDID_CONTROL), ...(await chip.read(CHECKSUMS, 2))]}`;
}

async function look(chip: I2cChip): Promise<Signal> {
  await chip.write(BANK, 0);
  const cablePower = ((await byte(chip, STATUS)) & POWER) !== 0;
  if (!cablePower) return { state: "no-cable", cablePower };
  const video = await byte(chip, VIDEO);
  const sizes = [...(await chip.read(WIDTH, 2)), ...(await chip.read(HEIGHT, 2))] as const;
  const [widthLow = 0, widthHigh = 0, heightHigh = 0, heightLow = 0] = sizes;
  const clocks = ((widthHigh & 0x3f) << 8) | widthLow;
  const lines = ((heightHigh & 0xf0) << 4) | heightLow;
  if ((video & STABLE) === 0 || clocks === 0 || lines === 0) return { state: "no-clock", cablePower };
  const interlaced = (video & INTERLACED) !== 0;
  // 480i and 576i send each pixel twice.
  const width = interlaced && clocks === 1440 ? 720 : clocks;
  const height = interlaced ? lines * 2 : lines;
  const count = await byte(chip, COUNTER);
  const reference = OSCILLATOR / (2 << ((await byte(chip, REFERENCE)) & 0x03));
  const pixelClock = count === 0 ? undefined : { hz: (reference * 255) / count, accuracy: CLOCK_ACCURACY };
  const hdcp = ((await byte(chip, HDCP_STATUS)) & HDCP_ON) !== 0;
  const fits = width <= MAX_WIDTH && height <= MAX_HEIGHT && (pixelClock?.hz ?? 0) <= MAX_CLOCK;
  return {
    state: !fits ? "out-of-range" : hdcp ? "protected" : "locked",
    cablePower,
    clock: true,
    lock: true,
    video: {
      width,
      height,
      interlaced,
      rate: usualRate({ width, height, interlaced }, pixelClock),
      colourSpace: "rgb",
      range: "limited",
    },
    hdcp,
  };
}

async function byte(chip: I2cChip, register: number): Promise<number> {
  return (await chip.read(register, 1))[0] ?? 0;
}
