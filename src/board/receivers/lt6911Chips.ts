/** What the chips of the LT6911 family have where: one table each, and how each is measured. */
import type { Clock } from "../ports.ts";
import { exactRate, standardAudioRate, type VideoSignal } from "../signal.ts";
import type { Registers } from "./lontium.ts";
import type { FlashFormat } from "./lt6911Flash.ts";
import { usualRate } from "./usualRate.ts";

/** One measurement. Widths and heights are as the chip counts: a field's lines where the signal is interlaced. */
export interface Measured {
  /** Undefined where the chip does not tell. */
  clock: boolean | undefined;
  stable: boolean;
  width: number;
  height: number;
  /** Of the link: twice the picture's where its pixels are sent twice (480i, 576i). Hz. */
  pixelClock: number;
  /** Pixels of a line and lines of a field with blanking; undefined where the chip does not count them. */
  total: { width: number; height: number } | undefined;
  /** Hz; undefined: no sound, or the chip does not tell. */
  audioRate: number | undefined;
}

type Picture = Pick<VideoSignal, "width" | "height" | "interlaced" | "rate">;

export interface Lt6911Chip {
  name: string;
  /** Turns I2C access on and off. */
  enable: number;
  watchdog?: number;
  identity: { register: number; id: readonly [number, number] };
  /** Whether a measurement needs access, which holds the chip's processor. */
  held: boolean;
  /**
   * The chip is looked at this often at most, ms, so as to hold its processor rarely: while video runs, and while it is
   * waited for, which is when the processor has the most to do.
   */
  interval: { running: number; waiting: number };
  /** Where the chip tells of changes: a word that is another one as soon as anything has changed. */
  status?: (registers: Registers) => Promise<string>;
  measure(registers: Registers, clock: Clock): Promise<Measured>;
  /** Highest pixel clock, Hz. */
  maxClock: number;
  flash?: FlashFormat;
}

/** What HDMI's interlaced pictures look like to a chip that counts a field, and the lines of both with blanking. */
const fieldModes: readonly { width: number; height: number; repeated: boolean; totalHeight: number }[] = [
  { width: 1920, height: 540, repeated: false, totalHeight: 1125 },
  { width: 1440, height: 240, repeated: true, totalHeight: 525 },
  { width: 1440, height: 288, repeated: true, totalHeight: 625 },
];

/**
 * The picture of a measurement, or undefined where the numbers make none, as in the middle of a change. Interlace is
 * inferred, as the chips do not tell it.
 */
export function pictureOf({ width, height, total, pixelClock }: Measured): Picture | undefined {
  if (width === 0 || height === 0) return undefined;
  const field = fieldModes.find((mode) => mode.width === width && mode.height === height);
  const picture = {
    width: field?.repeated ? width / 2 : width,
    height: field ? height * 2 : height,
    interlaced: field !== undefined,
  };
  if (total === undefined) {
    const hz = field?.repeated ? pixelClock / 2 : pixelClock;
    return { ...picture, rate: usualRate(picture, { hz, accuracy: METER_ACCURACY }) };
  }
  const pixels = total.width * (field?.totalHeight ?? total.height);
  return pixels === 0 || pixelClock === 0 ? undefined : { ...picture, rate: exactRate(pixelClock / pixels) };
}

/** The chips' frequency meters give whole kHz. */
const METER_ACCURACY = 0.0001;

/** Status of the UXC's processor: 0x86A3 video, 0x86A5 sound, 0x86A6 whether the box has taken note of both. */
const UXC_STATUS = 0x86a3;
const UXC_RESPOND = 0x86a6;
const UXC_STABLE = 0x55;
const UXC_NO_AUDIO = 0x88;

export const uxc: Lt6911Chip = {
  name: "LT6911UXC",
  enable: 0x80ee,
  watchdog: 0x8010,
  identity: { register: 0x8100, id: [0x17, 0x04] },
  held: true,
  interval: { running: 500, waiting: 100 },
  maxClock: 600_000_000,
  flash: {
    page: 32,
    idle: 0x80,
    idleOnWrite: 0x00,
    mode: 0xc0,
    buffer: 0x21,
    configureMode: 0xdf,
    configured: 0x21,
    reset: { register: 0x9008, off: 0xee, on: 0xae },
  },
  // The processor clears 0x86A6 when something happens, so that a mode change between two looks is not missed.
  status: async (registers) => `${await registers.read(UXC_STATUS, 4)}`,
  measure: async (registers) => {
    const status = await registers.read(UXC_STATUS, 4);
    const [tmds, [version = 0]] = [await registers.read(0x8750, 3), await registers.read(0xb0a2, 1)];
    // 0x867A: V total, H total ÷ 2, V active, H active ÷ 2.
    const timing = await registers.read(0x867a, 8);
    const [presence = 0] = await registers.read(0xb081, 1);
    const audioRate = word(await registers.read(0xb0aa, 2), 0) * 1000;
    await registers.write(UXC_RESPOND, 1);
    const kHz = (((tmds[0] ?? 0) & 0x0f) << 16) | word(tmds, 1);
    return {
      clock: kHz > 0,
      stable: status[0] === UXC_STABLE,
      width: word(timing, 6) * 2,
      height: word(timing, 4),
      // Above 340 MHz the clock lane of HDMI 2.0 runs at a quarter.
      pixelClock: kHz * 1000 * (version & 0x01 ? 4 : 1),
      total: { width: word(timing, 2) * 2, height: word(timing, 0) },
      audioRate: status[2] !== UXC_NO_AUDIO && presence & 0x20 ? standardAudioRate(audioRate) : undefined,
    };
  },
};

/** Last event of the UXE: 0 video gone, 1 video there; 2 and 3 concern sound, and come while there is video. */
const UXE_VIDEO_GONE = 0;

export const uxe: Lt6911Chip = {
  name: "LT6911UXE",
  enable: 0xe0ee,
  identity: { register: 0xe100, id: [0x21, 0x02] },
  // Its processor keeps what it measures in bank 0xE0, where it may be read at any time, in one burst.
  held: false,
  interval: { running: 0, waiting: 0 },
  maxClock: 600_000_000,
  measure: async (registers) => {
    // 0xE084: event, pixel clock ÷ 2 in kHz (3 bytes), H total ÷ 2, V total, H active ÷ 2, V active, audio rate in kHz.
    const bytes = await registers.read(0xe084, 14);
    const stable = bytes[0] !== UXE_VIDEO_GONE;
    return {
      // Once the video is gone, the rest is what was last measured: nothing tells whether a clock is left.
      clock: stable || undefined,
      stable,
      width: word(bytes, 8) * 2,
      height: word(bytes, 10),
      pixelClock: ((bytes[1] ?? 0) * 65536 + word(bytes, 2)) * 2000,
      total: { width: word(bytes, 4) * 2, height: word(bytes, 6) },
      audioRate: standardAudioRate(word(bytes, 12) * 1000),
    };
  },
};

export const c: Lt6911Chip = {
  name: "LT6911C",
  enable: 0x80ee,
  identity: { register: 0xa000, id: [0x16, 0x05] },
  held: true,
  // It tells of no change: each look is a whole measurement, and holds the processor for 150 ms.
  interval: { running: 2000, waiting: 500 },
  maxClock: 340_000_000,
  flash: {
    page: 16,
    idle: 0x82,
    idleOnWrite: 0x82,
    mode: 0xe0,
    buffer: 0x01,
    configureMode: 0xc0,
    configured: 0x00,
    reset: { register: 0x9002, off: 0xff, on: 0xdf },
  },
  measure: async (registers, clock) => {
    await registers.write(0xd283, 0x11);
    await clock.sleep(100);
    const width = word(await registers.read(0xd28b, 2), 0) * 2;
    const height = word(await registers.read(0xd296, 2), 0);
    await registers.write(0xa034, 0x0b);
    await clock.sleep(50);
    const meter = await registers.read(0xb8b1, 3);
    const kHz = (((meter[0] ?? 0) & 0x07) << 16) | word(meter, 1);
    const stable = width > 0 && height > 0;
    return { clock: kHz > 0, stable, width, height, pixelClock: kHz * 1000, total: undefined, audioRate: undefined };
  },
};

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
