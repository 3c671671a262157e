/** Video formats of CTA-861 that television sources send: what an EDID offers, and what it is shown as. */

export interface VideoFormat {
  /** Video identification code (CTA-861-H, table 3). */
  vic: number;
  /** Active pixels and lines of a whole picture (both fields). */
  width: number;
  height: number;
  interlaced: boolean;
  /** Pictures per second; each code stands for this rate and, where it is 24, 30 or 60, for 1000/1001 of it too. */
  rate: number;
  aspect: "4:3" | "16:9";
  /** Pixels before, in and after the horizontal sync pulse. */
  horizontal: readonly [front: number, sync: number, back: number];
  /** Lines before, in and after the vertical sync pulse, of a field where interlaced. */
  vertical: readonly [front: number, sync: number, back: number];
  /** kHz. */
  pixelClock: number;
  /** Polarity of both sync pulses. */
  positive: boolean;
}

type Blanking = readonly [front: number, sync: number, back: number];

const format = (
  vic: number,
  [width, height, scan, rate]: readonly [number, number, "i" | "p", number],
  pixelClock: number,
  horizontal: Blanking,
  vertical: Blanking,
  aspect: "4:3" | "16:9" = "16:9",
): VideoFormat => ({
  vic,
  ...{ width, height, interlaced: scan === "i", rate, aspect, horizontal, vertical, pixelClock },
  // Only the formats of standard definition have negative pulses.
  positive: height >= 720,
});

const formats: readonly VideoFormat[] = [
  format(1, [640, 480, "p", 60], 25200, [16, 96, 48], [10, 2, 33], "4:3"),
  format(2, [720, 480, "p", 60], 27027, [16, 62, 60], [9, 6, 30], "4:3"),
  format(3, [720, 480, "p", 60], 27027, [16, 62, 60], [9, 6, 30]),
  format(4, [1280, 720, "p", 60], 74250, [110, 40, 220], [5, 5, 20]),
  format(5, [1920, 1080, "i", 30], 74250, [88, 44, 148], [2, 5, 15]),
  format(6, [720, 480, "i", 30], 13513.5, [19, 62, 57], [4, 3, 15], "4:3"),
  format(7, [720, 480, "i", 30], 13513.5, [19, 62, 57], [4, 3, 15]),
  format(16, [1920, 1080, "p", 60], 148500, [88, 44, 148], [4, 5, 36]),
  format(17, [720, 576, "p", 50], 27000, [12, 64, 68], [5, 5, 39], "4:3"),
  format(18, [720, 576, "p", 50], 27000, [12, 64, 68], [5, 5, 39]),
  format(19, [1280, 720, "p", 50], 74250, [440, 40, 220], [5, 5, 20]),
  format(20, [1920, 1080, "i", 25], 74250, [528, 44, 148], [2, 5, 15]),
  format(21, [720, 576, "i", 25], 13500, [12, 63, 69], [2, 3, 19], "4:3"),
  format(22, [720, 576, "i", 25], 13500, [12, 63, 69], [2, 3, 19]),
  format(31, [1920, 1080, "p", 50], 148500, [528, 44, 148], [4, 5, 36]),
  format(32, [1920, 1080, "p", 24], 74250, [638, 44, 148], [4, 5, 36]),
  format(33, [1920, 1080, "p", 25], 74250, [528, 44, 148], [4, 5, 36]),
  format(34, [1920, 1080, "p", 30], 74250, [88, 44, 148], [4, 5, 36]),
  format(60, [1280, 720, "p", 24], 59400, [1760, 40, 220], [5, 5, 20]),
  format(61, [1280, 720, "p", 25], 74250, [2420, 40, 220], [5, 5, 20]),
  format(62, [1280, 720, "p", 30], 74250, [1760, 40, 220], [5, 5, 20]),
  format(93, [3840, 2160, "p", 24], 297000, [1276, 88, 296], [8, 10, 72]),
  format(94, [3840, 2160, "p", 25], 297000, [1056, 88, 296], [8, 10, 72]),
  format(95, [3840, 2160, "p", 30], 297000, [176, 88, 296], [8, 10, 72]),
  format(96, [3840, 2160, "p", 50], 594000, [1056, 88, 296], [8, 10, 72]),
  format(97, [3840, 2160, "p", 60], 594000, [176, 88, 296], [8, 10, 72]),
];

const byVic = new Map(formats.map((entry) => [entry.vic, entry]));

/** The format with this code, or undefined when it is none that a source of this box would send. */
export function formatOf(vic: number): VideoFormat | undefined {
  return byVic.get(vic);
}
