/**
 * Semtech GS2971: SD, HD and 3G SDI with embedded sound, over GSPI (16-bit words, the highest bit first). It finds the
 * standard itself, so there is hardly anything to set; SDI has neither hot plug nor EDID nor HDCP.
 */
import type { SpiPort } from "../ports.ts";
import { exactRate, type Signal, type VideoSignal } from "../signal.ts";
import { type Receiver, type ReceiverContext, WrongChip } from "./receiver.ts";

/** Faults of transmission, by the bits of ERROR_STAT_1: timing references, line numbers, CRCs, ancillary checksums. */
export const sdiErrors = ["eav", "sav", "line-number", "y-crc", "c-crc", "y-ancillary", "c-ancillary"] as const;
export type SdiError = (typeof sdiErrors)[number];

export interface SdiReceiver extends Receiver {
  /**
   * What was wrong since it was asked last, but in the present field of the picture at most: the chip forgets it with
   * the next one. @throws BusError
   */
  errors(): Promise<SdiError[]>;
}

const READ = 0x8000;
const AUTO_INCREMENT = 0x1000;

const ERROR_STAT_1 = 0x02;
/** Bits 13:8: VD_STD, the code of the standard. */
const DATA_FORMAT = 0x06;
/** Which ancillary data is collected, first kind: data identifier and secondary one. */
const ANC_TYPE_1 = 0x0f;
/** Words in an active line; then words in a line, lines in a picture, the standard, and HVLOCK. */
const RASTER = 0x1f;
/** In their low bytes, a bit for each of eight channels. */
const HD_AUDIO_STATUS = 0x206;
const SD_AUDIO_STATUS = 0x406;

/** The standard, register 0x22: rate, M = 1.001, lock, interlaced. */
const STANDARD = { rateShift: 14, slow: 0x2000, locked: 0x1000, interlaced: 0x0800 } as const;

/** SMPTE ST 352 payload identifiers. As the power-up default is 0, it shows too whether the chip was reset. */
const ANCILLARY = 0x4101;

/** How long the reset line is active, and then until the chip answers, ms. */
const RESET_TIME = 10;

/** VD_STD of 3G formats, in nominal pictures per second: 1080p in 4:2:2. All others are more than the box takes. */
const threeG = new Map([
  [0x2b, 60],
  [0x2d, 50],
]);

/** Lines and width of SD and HD pictures by lines in all. The chip may count one less. */
const pictures = [
  { lines: 525, width: 720, height: 480 },
  { lines: 625, width: 720, height: 576 },
  { lines: 750, width: 1280, height: 720 },
  { lines: 1125, width: 1920, height: 1080 },
] as const;

interface Registers {
  format: number;
  /** Registers 0x1F to 0x22. */
  activeWords: number;
  words: number;
  lines: number;
  standard: number;
}

export function gs2971(context: ReceiverContext): SdiReceiver {
  return new Gs2971(context);
}

class Gs2971 implements SdiReceiver {
  readonly #context: ReceiverContext;
  readonly #spi: SpiPort;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(context: ReceiverContext) {
    this.#context = context;
    this.#spi = context.spi;
  }

  start(): Promise<void> {
    return this.#alone(() => this.#setUp());
  }

  read(): Promise<Signal> {
    return this.#alone(async () => {
      const signal = await this.#look();
      // Asked last, so that all before it is known to come from a chip that was set up.
      if (await this.#isSetUp()) return signal;
      await this.#setUp();
      return await this.#look();
    });
  }

  errors(): Promise<SdiError[]> {
    return this.#alone(async () => {
      const [status = 0] = await this.#read(ERROR_STAT_1, 1);
      return sdiErrors.filter((_, bit) => (status & (1 << bit)) !== 0);
    });
  }

  /** The chip has no identity register: what is written into it must come back. */
  async #setUp(): Promise<void> {
    const { reset, clock } = this.#context;
    await reset?.write(false);
    await this.#write(ANC_TYPE_1, ANCILLARY);
    if (await this.#isSetUp()) return;
    if (reset !== undefined) {
      await reset.write(true);
      await clock.sleep(RESET_TIME);
      await reset.write(false);
      await clock.sleep(RESET_TIME);
      await this.#write(ANC_TYPE_1, ANCILLARY);
      if (await this.#isSetUp()) return;
    }
    const [found = 0] = await this.#read(ANC_TYPE_1, 1);
    throw new WrongChip(`a GS2971 is expected: register 0F was set to ${hex(ANCILLARY)} and reads ${hex(found)}`);
  }

  async #isSetUp(): Promise<boolean> {
    const [found] = await this.#read(ANC_TYPE_1, 1);
    return found === ANCILLARY;
  }

  async #look(): Promise<Signal> {
    const [activeWords = 0, words = 0, lines = 0, standard = 0, hvLock = 0] = await this.#read(RASTER, 5);
    // Standard and raster stay as they were when the signal goes: only HVLOCK tells that there is one.
    const flywheels = hvLock & 3;
    if (flywheels === 0) return { state: "no-cable" };
    if (flywheels !== 3 || (standard & STANDARD.locked) === 0) return { state: "no-lock", lock: false };
    const [format = 0] = await this.#read(DATA_FORMAT, 1);
    const { video, known } = pictureOf({ format, activeWords, words, lines, standard });
    const [channels = 0] = await this.#read(isSd(standard) ? SD_AUDIO_STATUS : HD_AUDIO_STATUS, 1);
    return {
      state: known ? "locked" : "out-of-range",
      lock: true,
      ...(video === undefined ? {} : { video }),
      // Embedded sound is at 48 kHz; its channels come in fours, whether they are used or not.
      ...((channels & 0xff) === 0 ? {} : { audio: { rate: 48000, channels: 2 } }),
    };
  }

  async #read(register: number, count: number): Promise<number[]> {
    const answer = await this.#spi.transfer(
      words(READ | AUTO_INCREMENT | register, ...new Array<number>(count).fill(0)),
    );
    const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
    // The first word comes back while the command goes out.
    return Array.from({ length: count }, (_, i) => view.getUint16(2 + 2 * i));
  }

  async #write(register: number, value: number): Promise<void> {
    await this.#spi.transfer(words(register, value));
  }

  /** One piece of work at a time: the chip has a single owner. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }
}

/** The picture as far as it can be told, and whether it is one that the box takes. */
function pictureOf(registers: Registers): { video: VideoSignal | undefined; known: boolean } {
  const { format, standard } = registers;
  const slow = (standard & STANDARD.slow) !== 0 ? 1.001 : 1;
  if (standard >> STANDARD.rateShift === 2) {
    // The raster does not tell here: 4:4:4 and two streams in one have the same one.
    const rate = threeG.get((format >> 8) & 0x3f);
    if (rate === undefined) return { video: undefined, known: false };
    return { video: videoOf(1920, 1080, false, rate / slow), known: true };
  }
  const sd = isSd(standard);
  const picture = pictures.find(({ lines }) => lines === registers.lines || lines === registers.lines + 1);
  if (picture === undefined || registers.words === 0) return { video: undefined, known: false };
  // In SD, luma and chroma share one stream of words, and M has no meaning.
  const width = sd ? registers.activeWords / 2 : registers.activeWords;
  const total = sd ? registers.words / 2 : registers.words;
  const pixelClock = sd ? 13.5e6 : 74.25e6 / slow;
  const interlaced = (standard & STANDARD.interlaced) !== 0;
  const video = videoOf(width, picture.height, interlaced, pixelClock / (total * picture.lines));
  return { video, known: width === picture.width && isTelevision(video) };
}

function videoOf(width: number, height: number, interlaced: boolean, rate: number): VideoSignal {
  // SMPTE ST 292-1 and ST 425-1 as used here, and BT.656: YCbCr 4:2:2 in limited range.
  return { width, height, interlaced, rate: exactRate(rate), colourSpace: "ycbcr-422", range: "limited" };
}

/** A rate of television, and interlaced only where the standards have it. */
function isTelevision({ height, interlaced, rate: [numerator, denominator] }: VideoSignal): boolean {
  const exact = denominator === 1 || denominator === 1001;
  const interlaces = height !== 720 && numerator / denominator <= 30;
  return exact && (interlaces || !interlaced) && (height >= 720 || interlaced);
}

/** RATE_SEL 1 and 3; 0 is HD, 2 is 3G. */
function isSd(standard: number): boolean {
  return ((standard >> STANDARD.rateShift) & 1) === 1;
}

function words(...list: number[]): Uint8Array {
  return Uint8Array.from(list.flatMap((word) => [word >> 8, word & 0xff]));
}

const hex = (word: number) => word.toString(16).toUpperCase().padStart(4, "0");
