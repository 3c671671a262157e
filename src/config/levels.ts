/** What a decoder of a level of H.264 must be able to take (ITU-T H.264, table A-1), of the levels that can be set. */
interface Level {
  name: string;
  /** Macroblocks a second and in a picture. */
  rate: number;
  size: number;
  /** kbit/s. */
  bitrate: number;
}

const levels: readonly Level[] = [
  { name: "3", rate: 40_500, size: 1620, bitrate: 10_000 },
  { name: "3.1", rate: 108_000, size: 3600, bitrate: 14_000 },
  { name: "4", rate: 245_760, size: 8192, bitrate: 20_000 },
  { name: "4.1", rate: 245_760, size: 8192, bitrate: 50_000 },
  { name: "4.2", rate: 522_240, size: 8704, bitrate: 50_000 },
  { name: "5", rate: 589_824, size: 22_080, bitrate: 135_000 },
  { name: "5.1", rate: 983_040, size: 36_864, bitrate: 240_000 },
  { name: "5.2", rate: 2_073_600, size: 36_864, bitrate: 240_000 },
];

/** The lowest level that holds such video, `frameRate` in Hz and `bitrate` in kbit/s; undefined when none does. */
export function lowestLevel(width: number, height: number, frameRate: number, bitrate: number): string | undefined {
  const [columns, rows] = [Math.ceil(width / 16), Math.ceil(height / 16)];
  const size = columns * rows;
  return levels.find(
    (level) =>
      size <= level.size &&
      // Neither side may be longer than that (A.3.1).
      Math.max(columns, rows) ** 2 <= 8 * level.size &&
      size * frameRate <= level.rate &&
      bitrate <= level.bitrate,
  )?.name;
}

/** Whether level `a` is below level `b`. */
export function isBelow(a: string, b: string): boolean {
  return Number(a) < Number(b);
}
