/** The frame rate of a picture where a chip does not count the blanking around it. */
import { exactRate, type FrameRate } from "../signal.ts";

/** Pictures per second with the pixels and lines of a whole picture, blanking included (CEA-861), most usual first. */
type Mode = readonly [hz: number, totalWidth: number, totalHeight: number];

const modes: Record<string, readonly Mode[]> = {
  "640x480p": [[60 / 1.001, 800, 525]],
  "720x480p": [[60 / 1.001, 858, 525]],
  "720x480i": [[30 / 1.001, 858, 525]],
  "720x576p": [[50, 864, 625]],
  "720x576i": [[25, 864, 625]],
  "1280x720p": [
    [60, 1650, 750],
    [50, 1980, 750],
    [30, 3300, 750],
    [25, 3960, 750],
    [24, 4125, 750],
  ],
  "1920x1080p": [
    [60, 2200, 1125],
    [50, 2640, 1125],
    [30, 2200, 1125],
    [25, 2640, 1125],
    [24, 2750, 1125],
  ],
  "1920x1080i": [
    [30, 2200, 1125],
    [25, 2640, 1125],
  ],
  "3840x2160p": [
    [30, 4400, 2250],
    [25, 5280, 2250],
    [24, 5500, 2250],
  ],
  "4096x2160p": [
    [30, 4400, 2250],
    [25, 5280, 2250],
    [24, 5500, 2250],
  ],
};

/** From here on, clocks tell 1/1.001 apart. */
const FINE = 0.0005;

/**
 * The most usual rate of a picture. Where the pixel clock is known (Hz, right within the fraction `accuracy`), of the
 * rates that fit it, with 1/1.001 where it is exact enough for that. It can't tell rates apart that television gives the
 * same pixel clock, as 50 and 60: then it is 60. Computers' pictures are taken to be 60.
 */
export function usualRate(
  picture: { width: number; height: number; interlaced: boolean },
  pixelClock?: { hz: number; accuracy: number },
): FrameRate {
  const { width, height, interlaced } = picture;
  const known = modes[`${width}x${height}${interlaced ? "i" : "p"}`] ?? [];
  const usual = known[0]?.[0] ?? (interlaced ? 30 : 60);
  if (pixelClock === undefined) return exactRate(usual);
  const { hz, accuracy } = pixelClock;
  for (const [rate, totalWidth, totalHeight] of known) {
    const ratio = hz / (rate * totalWidth * totalHeight);
    // A clock of 1/1.001 is 0.1 % off the whole number's.
    if (Math.abs(ratio - 1) <= accuracy + 0.0015) return exactRate(accuracy <= FINE ? rate * ratio : rate);
  }
  return exactRate(usual);
}
