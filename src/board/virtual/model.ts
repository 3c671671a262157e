/**
 * Models of chips at register level, and what is plugged into them. A model answers the same transfers as the chip; the
 * drivers do not know the difference.
 */
import type { AnalogueStandard, ColourSpace, FrameRate } from "../signal.ts";

/** What a virtual player sends: how a camera, a laptop, a set-top box or a tape machine would. */
export interface Programme {
  width: number;
  height: number;
  interlaced: boolean;
  rate: FrameRate;
  colourSpace: ColourSpace;
  range: "full" | "limited";
  /** False: DVI. */
  hdmi: boolean;
  hdcp: boolean;
  audio: { rate: number; channels: number } | undefined;
  /** Of an analogue signal. */
  standard: AnalogueStandard | undefined;
  /** What the player's clock is ahead of a true one, ppm; 0 when left out. */
  clockOffset?: number;
}

/** How far the signal gets: a healthy one all the way. */
export type Health = "good" | "no-clock" | "no-lock";

/** What is plugged in: undefined where there is no cable. */
export interface Plug {
  health: Health;
  programme: Programme;
}

/** The connector as a chip's model sees it. */
export interface Connector {
  readonly plug: Plug | undefined;
  /** The chip (or the board's line) shows hot plug to the source. Players send only while it is shown. */
  hotPlug: boolean;
}

/** A chip on a virtual bus. */
export interface I2cModel {
  /** 7-bit addresses that it answers to now (some chips' maps move). */
  readonly addresses: readonly number[];
  /**
   * One transfer.
   * @throws BusError `nack` when the chip would not acknowledge
   */
  transfer(address: number, write: Uint8Array, length: number): Uint8Array;
  /** The chip's reset line, active or not. */
  reset?(active: boolean): void;
}

export interface SpiModel {
  transfer(write: Uint8Array): Uint8Array;
  reset?(active: boolean): void;
}

/** Frame timings of CEA-861 and VESA DMT: what a source adds around the active picture. */
export interface Timing {
  totalWidth: number;
  /** Lines of a whole picture, both fields (1125 for 1080i). */
  totalHeight: number;
  /** Hz. */
  pixelClock: number;
}

const totals: Record<string, readonly [number, number]> = {
  "640x480": [800, 525],
  "720x480": [858, 525],
  "720x576": [864, 625],
  "800x600": [1056, 628],
  "1024x768": [1344, 806],
  "1280x720@24": [4125, 750],
  "1280x720@25": [3960, 750],
  "1280x720@30": [3300, 750],
  "1280x720@50": [1980, 750],
  "1280x720": [1650, 750],
  "1280x1024": [1688, 1066],
  "1920x1080@24": [2750, 1125],
  "1920x1080@25": [2640, 1125],
  "1920x1080@50": [2640, 1125],
  "1920x1080": [2200, 1125],
  "1920x1200": [2080, 1235],
  "3840x2160@24": [5500, 2250],
  "3840x2160@25": [5280, 2250],
  "3840x2160@50": [5280, 2250],
  "3840x2160": [4400, 2250],
  "4096x2160": [4400, 2250],
};

/** The blanking that a source of this picture uses; about 10 % of it where no standard has the picture. */
export function timing({
  width,
  height,
  rate,
  clockOffset = 0,
}: Pick<Programme, "width" | "height" | "rate" | "clockOffset">): Timing {
  const hz = rate[0] / rate[1];
  const nominal = Math.round(hz);
  const [totalWidth, totalHeight] = totals[`${width}x${height}@${nominal}`] ??
    totals[`${width}x${height}`] ?? [8 * Math.round((width * 1.1) / 8), Math.round(height * 1.05)];
  return { totalWidth, totalHeight, pixelClock: Math.round(totalWidth * totalHeight * hz * (1 + clockOffset / 1e6)) };
}
