/** Geometry of the bitrate chart. */

/** Measurements further apart than this are not joined, ms: there was nothing in between. */
const gapMs = 3000;

export interface Point {
  /** Ms of the page's monotonic clock. */
  at: number;
  x: number;
  y: number;
}

/** Top of a scale from 0 that holds all values: 1, 2 or 5 times a power of ten, or half-way between. */
export function chartTop(values: number[]): number {
  const highest = Math.max(1000, ...values);
  const power = 10 ** Math.floor(Math.log10(highest));
  const step = [1, 1.5, 2, 3, 5, 7.5, 10].find((factor) => factor * power >= highest * 1.05) ?? 15;
  return step * power;
}

/** SVG path through the points, broken where measurements are missing; with `floor`, the area down to that y. */
export function pathOf(points: Point[], floor?: number): string {
  const runs: Point[][] = [];
  for (const point of points) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run !== undefined && last !== undefined && point.at - last.at <= gapMs) run.push(point);
    else runs.push([point]);
  }
  const number = (n: number) => n.toFixed(1);
  return runs
    .map((run) => {
      const line = run.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${number(x)} ${number(y)}`).join("");
      const [first, last] = [run[0], run.at(-1)];
      if (floor === undefined || first === undefined || last === undefined) return line;
      return `${line}L${number(last.x)} ${number(floor)}L${number(first.x)} ${number(floor)}Z`;
    })
    .join("");
}
