/** What a receiver sees on its connector: one shape for HDMI, SDI and analogue, whatever the chip. */

/**
 * The first thing that is missing, in the order in which an installer looks for it. `no-cable`: no 5 V (HDMI), no
 * carrier (SDI). `no-clock`: no TMDS clock. `no-lock`: a signal that the chip can't follow. `out-of-range`: locked, but
 * nothing that the box takes. `protected`: encrypted by HDCP, which the box must not pass on. `locked`: picture.
 */
export type SignalState = "no-cable" | "no-clock" | "no-lock" | "out-of-range" | "protected" | "locked";

export type ColourSpace = "rgb" | "ycbcr-422" | "ycbcr-444" | "ycbcr-420";

/** Pictures per second (of an interlaced signal too), as a fraction: 30000/1001. */
export type FrameRate = readonly [numerator: number, denominator: number];

export interface VideoSignal {
  /** Active pixels and lines of a whole picture (both fields). */
  width: number;
  height: number;
  interlaced: boolean;
  rate: FrameRate;
  colourSpace: ColourSpace;
  range: "full" | "limited";
}

export interface AudioSignal {
  /** Hz: 32000, 44100, 48000, 88200, 96000, 176400 or 192000. */
  rate: number;
  /** Where the chip does not tell, 2. */
  channels: number;
}

/** Colour systems of analogue video. */
export type AnalogueStandard = "ntsc" | "ntsc-443" | "pal" | "pal-m" | "pal-n" | "pal-60" | "secam";

export interface Signal {
  state: SignalState;
  /** Known down to where the state stops; undefined also where the connector or the chip does not tell. */
  cablePower?: boolean;
  clock?: boolean;
  lock?: boolean;
  /** Also with `out-of-range` and `protected`, as far as it can be measured. */
  video?: VideoSignal;
  /** HDMI; DVI when false. */
  hdmi?: boolean;
  hdcp?: boolean;
  /** Undefined: no sound. */
  audio?: AudioSignal;
  /** Of an analogue signal, as detected. */
  standard?: AnalogueStandard;
}

/** The exact rates of television, by their nominal value in Hz. */
const exactRates: readonly FrameRate[] = [
  [24000, 1001],
  [24, 1],
  [25, 1],
  [30000, 1001],
  [30, 1],
  [48, 1],
  [50, 1],
  [60000, 1001],
  [60, 1],
  [100, 1],
  [120000, 1001],
  [120, 1],
];

/**
 * The television rate next to a measured one, in pictures per second. Further than 0.05 % away, as a graphics card may
 * be, it is given in mHz: [measured · 1000, 1000].
 */
export function exactRate(measured: number): FrameRate {
  let best: FrameRate | undefined;
  let least = measured * 0.0005;
  for (const rate of exactRates) {
    const distance = Math.abs(rate[0] / rate[1] - measured);
    if (distance <= least) {
      least = distance;
      best = rate;
    }
  }
  return best ?? [Math.round(measured * 1000), 1000];
}

/** The sampling rate of IEC 60958 next to a measured one, Hz, or undefined when none is within 3 %. */
export function standardAudioRate(measured: number): number | undefined {
  return [32000, 44100, 48000, 88200, 96000, 176400, 192000].find((rate) => Math.abs(rate - measured) <= rate * 0.03);
}

export function sameSignal(a: Signal, b: Signal): boolean {
  return JSON.stringify(normal(a)) === JSON.stringify(normal(b));
}

function normal(signal: Signal): unknown {
  const { state, cablePower, clock, lock, video, hdmi, hdcp, audio, standard } = signal;
  const picture = video && [video.width, video.height, video.interlaced, video.rate, video.colourSpace, video.range];
  return [state, cablePower, clock, lock, picture, hdmi, hdcp, audio && [audio.rate, audio.channels], standard];
}
