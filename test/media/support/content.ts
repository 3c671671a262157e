/** What a viewer sees and hears of a recording, decoded by ffmpeg, and when: lip sync is measured on it. */
import assert from "node:assert/strict";
import { run } from "./peer.ts";

/** Sound is read at this rate, mono. */
export const sampleRate = 48_000;
const [columns, rows] = [16, 9];

export interface Pictures {
  /** Presentation times, seconds. */
  times: number[];
  /** Luma of 16×9 places of each picture. */
  luma: Uint8Array[];
}

export interface Sound {
  /** Presentation time of the first sample, seconds. */
  start: number;
  samples: Int16Array;
}

/** Time stamps in seconds that a showinfo or ashowinfo filter printed. */
function stamps(log: string): number[] {
  const [, numerator, denominator] = /config in time_base: (\d+)\/(\d+)/.exec(log) ?? [];
  const base = numerator === undefined ? 1 / sampleRate : Number(numerator) / Number(denominator);
  return [...log.matchAll(/ n: *\d+ pts: *(-?\d+)/g)].map(([, pts]) => Number(pts) * base);
}

/** @param aspect width to height of the part of the picture that counts: that of the source, within black borders. */
export async function pictures(file: string, aspect = 16 / 9): Promise<Pictures> {
  const part = `scale=iw*sar:ih,setsar=1,crop=min(iw\\,ih*${aspect}):ih`;
  const places = `${part},scale=${columns}:${rows}:flags=area,format=gray,showinfo=checksum=0`;
  const { stdout, stderr } = await run("ffmpeg", [
    ...["-v", "info", "-nostats", "-copyts", "-i", file, "-map", "0:v:0", "-vf", places],
    ...["-fps_mode", "passthrough", "-f", "rawvideo", "-"],
  ]);
  const times = stamps(stderr);
  const size = columns * rows;
  assert.equal(stdout.length, times.length * size, stderr.slice(0, 2000));
  return { times, luma: times.map((_, i) => stdout.subarray(i * size, (i + 1) * size)) };
}

export async function sound(file: string): Promise<Sound> {
  const { stdout, stderr } = await run("ffmpeg", [
    ...["-v", "info", "-nostats", "-copyts", "-i", file, "-map", "0:a:0", "-ac", "1"],
    ...["-af", `aresample=${sampleRate},ashowinfo`, "-f", "s16le", "-"],
  ]);
  const start = stamps(stderr)[0] ?? assert.fail(stderr);
  return { start, samples: new Int16Array(stdout.buffer, stdout.byteOffset, stdout.length >> 1) };
}

function brightness(luma: Uint8Array): number {
  return luma.reduce((sum, value) => sum + value, 0) / luma.length;
}

/** How much a picture changes: the sum of the mean differences of luma (0…255) between pictures, per second. */
export function movement({ times, luma }: Pictures): number {
  let sum = 0;
  for (const [i, now] of luma.slice(1).entries()) {
    const before = luma[i] ?? now;
    sum += now.reduce((difference, value, k) => difference + Math.abs(value - (before[k] ?? 0)), 0) / now.length;
  }
  return sum / ((times.at(-1) ?? 0) - (times[0] ?? 0));
}

/** Level of the sound in windows of `window` samples, each `step` samples. */
function envelope({ samples }: Sound, window: number, step: number): Float64Array {
  const levels = new Float64Array(Math.max(0, Math.floor((samples.length - window) / step) + 1));
  for (let i = 0; i < levels.length; i++) {
    let sum = 0;
    for (let k = i * step; k < i * step + window; k++) sum += (samples[k] ?? 0) ** 2;
    levels[i] = Math.sqrt(sum / window);
  }
  return levels;
}

/** When pictures turn white after dark ones. */
export function flashes(seen: Pictures): number[] {
  const levels = seen.luma.map(brightness);
  const bright = (i: number) => (levels[i] ?? 0) > 150;
  return seen.times.filter((_, i) => i > 0 && bright(i) && !bright(i - 1));
}

/** When tones begin after silence: the moment when half the level is reached. */
export function beeps(heard: Sound): number[] {
  const [window, step] = [96, 24]; // 2 ms, in which a tone of 1 kHz has a steady level; 0.5 ms
  const levels = envelope(heard, window, step);
  const half = levels.reduce((most, level) => Math.max(most, level), 0) / 2;
  const found: number[] = [];
  let quiet = 0;
  for (let i = 1; i < levels.length; i++) {
    const [before, now] = [levels[i - 1] ?? 0, levels[i] ?? 0];
    if (now > half && before <= half && quiet >= 100) {
      const exact = i - 1 + (half - before) / (now - before);
      found.push(heard.start + (exact * step + window / 2) / sampleRate);
    }
    quiet = now > half ? 0 : quiet + 1;
  }
  return found;
}

/** How much later than its flash each beep comes, seconds; flashes without a beep within half of `period` are left out. */
export function lipErrors(seen: Pictures, heard: Sound, period = 1): { at: number; error: number }[] {
  const tones = beeps(heard);
  return flashes(seen).flatMap((at) => {
    const nearest = tones.reduce((best, tone) => (Math.abs(tone - at) < Math.abs(best - at) ? tone : best), -Infinity);
    return Math.abs(nearest - at) < period / 2 ? [{ at, error: nearest - at }] : [];
  });
}

// ---- where a piece of one recording is in another ------------------------------------------------------------------

/** Series of equal steps that belong together, such as the luma at several places. */
interface Series {
  start: number;
  step: number;
  rows: Float64Array[];
}

function mean(values: Float64Array, from: number, count: number): number {
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += values[i] ?? 0;
  return sum / count;
}

/** Correlation of all rows of `piece` with `whole` from index `at` on, −1…1. */
function likeness(piece: Series, whole: Series, at: number): number {
  let [product, first, second] = [0, 0, 0];
  piece.rows.forEach((row, r) => {
    const other = whole.rows[r] ?? row;
    const [meanA, meanB] = [mean(row, 0, row.length), mean(other, at, row.length)];
    for (let i = 0; i < row.length; i++) {
      const a = (row[i] ?? 0) - meanA;
      const b = (other[at + i] ?? 0) - meanB;
      product += a * b;
      first += a * a;
      second += b * b;
    }
  });
  return first * second === 0 ? 0 : product / Math.sqrt(first * second);
}

export interface Match {
  /** The piece's time stamps less those of the same content in the whole, seconds. */
  delay: number;
  likeness: number;
}

/** Where in `whole` the piece is, among delays `from` … `to`. */
function locate(piece: Series, whole: Series, from = -Infinity, to = Infinity): Match {
  const length = piece.rows[0]?.length ?? 0;
  const room = (whole.rows[0]?.length ?? 0) - length;
  const delayAt = (at: number) => piece.start - (whole.start + at * whole.step);
  const first = Math.max(0, Math.ceil((piece.start - to - whole.start) / whole.step));
  const last = Math.min(room, Math.floor((piece.start - from - whole.start) / whole.step));
  assert(last >= first, `nothing to look at: ${first}…${last} of ${room}`);
  const scores: number[] = [];
  for (let at = first; at <= last; at++) scores.push(likeness(piece, whole, at));
  const best = scores.indexOf(scores.reduce((most, score) => Math.max(most, score), -1));
  const [left, top, right] = [scores[best - 1], scores[best] ?? 0, scores[best + 1]];
  // The top of the parabola through the best and its neighbours.
  const off = left === undefined || right === undefined ? 0 : (left - right) / (2 * (left - 2 * top + right));
  return { delay: delayAt(first + best + (Number.isFinite(off) ? off : 0)), likeness: top };
}

/** Changes of luma on a regular grid. */
function changes({ times, luma }: Pictures, step: number): Series {
  const start = times[0] ?? 0;
  const count = Math.max(0, Math.floor(((times.at(-1) ?? start) - start) / step) - 2);
  const series = Array.from({ length: columns * rows }, () => new Float64Array(count));
  const at = (time: number, from: number): [number, number[]] => {
    let i = from;
    while ((times[i + 1] ?? Infinity) <= time) i++;
    const [t0, t1] = [times[i] ?? 0, times[i + 1] ?? Infinity];
    const part = Number.isFinite(t1) ? Math.max(0, (time - t0) / (t1 - t0)) : 0;
    const [a, b] = [luma[i] ?? new Uint8Array(0), luma[i + 1] ?? luma[i] ?? new Uint8Array(0)];
    return [i, Array.from(a, (value, k) => value + part * ((b[k] ?? value) - value))];
  };
  let [low, high] = [0, 0];
  for (let n = 0; n < count; n++) {
    const [i, before] = at(start + n * step, low);
    const [j, after] = at(start + (n + 2) * step, high);
    [low, high] = [i, j];
    series.forEach((row, k) => {
      row[n] = (after[k] ?? 0) - (before[k] ?? 0);
    });
  }
  return { start: start + step, step, rows: series };
}

/** Loudness on a regular grid of `step` seconds. */
function loudness(heard: Sound, step: number): Series {
  const hop = Math.round(step * sampleRate);
  const levels = envelope(heard, 4 * hop, hop).map(Math.sqrt);
  return { start: heard.start + (2 * hop) / sampleRate, step, rows: [levels] };
}

/** What lies in `from` … `to` (seconds of its own time stamps). */
function cut(series: Series, from: number, to: number): Series {
  const first = Math.max(0, Math.ceil((from - series.start) / series.step));
  const end = Math.ceil((to - series.start) / series.step);
  return {
    ...series,
    start: series.start + first * series.step,
    rows: series.rows.map((row) => row.slice(first, end)),
  };
}

export interface Content {
  seen: Pictures;
  heard: Sound;
}

/**
 * Finds what `piece` shows and plays from `from` to `to` in `whole`, picture and sound each for themselves. Were both
 * in step in the whole, the sound is late in the piece by the difference of their delays.
 */
export function compare(piece: Content, whole: Content, from: number, to: number): { picture: Match; sound: Match } {
  // Where only one of them was recorded, the other cannot be found.
  const both = [(whole.seen.times[0] ?? 0) + 0.5, (whole.seen.times.at(-1) ?? 0) - 0.5] as const;
  const coarse = locate(cut(loudness(piece.heard, 0.01), from, to), cut(loudness(whole.heard, 0.01), ...both));
  const near = [coarse.delay - 0.03, coarse.delay + 0.03] as const;
  const fine = locate(cut(loudness(piece.heard, 0.001), from, to), loudness(whole.heard, 0.001), ...near);
  const around = [fine.delay - 0.3, fine.delay + 0.3] as const;
  const picture = locate(cut(changes(piece.seen, 0.01), from, to), changes(whole.seen, 0.01), ...around);
  return { picture, sound: fine };
}
