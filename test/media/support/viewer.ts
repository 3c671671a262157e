/** A viewer: ffmpeg decodes the stream, and each picture's stamp tells when it was drawn. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import type { TestContext } from "node:test";
import { crc32 } from "node:zlib";
import { until } from "./worker.ts";

const width = 320;
const height = 180;
const rows = 8;
const columns = 16;

export interface Stamp {
  counter: number;
  /** Box clock (CLOCK_MONOTONIC) when the source drew it, ns. */
  time: bigint;
}

export interface Picture {
  /** Box clock when it was decoded, ns. */
  seen: bigint;
  /** None on a slate. */
  stamp: Stamp | undefined;
  /** Mean luma of the lower half, 0…255. */
  brightness: number;
}

/** Mean luma of a part of a picture. */
function mean(luma: Uint8Array, left: number, top: number, right: number, bottom: number): number {
  let sum = 0;
  let count = 0;
  for (let y = Math.floor(top); y < Math.ceil(bottom); y++) {
    for (let x = Math.floor(left); x < Math.ceil(right); x++) {
      sum += luma[y * width + x] ?? 0;
      count++;
    }
  }
  return sum / count;
}

/** Reads the strip that firmware/media/encode/stamp.h describes. */
export function readStamp(luma: Uint8Array): Stamp | undefined {
  const blockWidth = (width * 3) / 64;
  const blockHeight = height / 32;
  const levels: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const x = width / 8 + (column + 0.25) * blockWidth;
      const y = height / 16 + (row + 0.25) * blockHeight;
      levels.push(mean(luma, x, y, x + blockWidth / 2, y + blockHeight / 2));
    }
  }
  const threshold = (Math.min(...levels) + Math.max(...levels)) / 2;
  const bytes = Buffer.alloc(16);
  levels.forEach((level, i) => {
    if (level > threshold) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (0x80 >> (i & 7));
  });
  if (crc32(bytes.subarray(0, 12)) !== bytes.readUInt32BE(12)) return undefined;
  return { counter: bytes.readUInt32BE(0), time: bytes.readBigUInt64BE(4) };
}

export class Viewer {
  /** The newest pictures, oldest first. */
  readonly pictures: Picture[] = [];
  stderr = "";
  readonly #process: ChildProcess;

  private constructor(url: string) {
    this.#process = spawn(
      "ffmpeg",
      [
        ...["-v", "error", "-threads", "1", "-fflags", "nobuffer", "-flags", "low_delay", "-analyzeduration", "500000"],
        ...["-i", url, "-map", "0:v:0", "-vf", `scale=${width}:${height}:flags=area,format=gray`],
        ...["-fps_mode", "passthrough", "-f", "rawvideo", "-flush_packets", "1", "-"],
      ],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr = (this.stderr + text).slice(-20_000);
    });
    let rest = Buffer.alloc(0);
    this.#process.stdout?.on("data", (data: Buffer) => {
      rest = Buffer.concat([rest, data]);
      const size = width * height;
      for (; rest.length >= size; rest = rest.subarray(size)) this.#take(rest.subarray(0, size));
    });
  }

  /** Watches a multicast stream on `lo`; returns with the first picture. */
  static async watch(t: TestContext, address: string, port: number): Promise<Viewer> {
    const viewer = new Viewer(`udp://${address}:${port}?localaddr=127.0.0.1&fifo_size=50000&overrun_nonfatal=1`);
    t.after(() => viewer.#process.kill("SIGKILL"));
    await until("a picture", () => viewer.pictures.length > 0, 15_000).catch((error: unknown) => {
      throw new Error(`${error}\n${viewer.stderr}`);
    });
    return viewer;
  }

  #take(luma: Uint8Array): void {
    const stamp = readStamp(luma);
    const brightness = mean(luma, 0, height / 2, width, height);
    this.pictures.push({ seen: process.hrtime.bigint(), stamp, brightness });
    if (this.pictures.length > 5000) this.pictures.shift();
  }

  /** The first picture that the source drew after `time`: how long after it was it seen, in ms. */
  async liveAfter(time: bigint, timeoutMs = 10_000): Promise<number> {
    const live = ({ stamp }: Picture) => stamp !== undefined && stamp.time > time;
    const picture = await until(
      "a live picture",
      () => this.pictures.findLast(live) && this.pictures.find(live),
      timeoutMs,
    );
    return Number(picture.seen - time) / 1e6;
  }

  /** The longest time in ms from one live picture to the next, from the last one seen before `time` on. */
  longestPause(time: bigint): number {
    const live = this.pictures.filter(({ stamp }) => stamp !== undefined);
    const first = Math.max(
      0,
      live.findLastIndex(({ seen }) => seen <= time),
    );
    const pauses = live.slice(first + 1).map(({ seen }, i) => Number(seen - (live[first + i]?.seen ?? seen)) / 1e6);
    return Math.max(0, ...pauses);
  }

  /** Waits for a picture without a stamp, seen after `time`. */
  async slateAfter(time: bigint, timeoutMs = 10_000): Promise<Picture> {
    return until(
      "a slate",
      () => this.pictures.findLast(({ seen, stamp }) => seen > time && stamp === undefined),
      timeoutMs,
    );
  }
}

export function median(values: number[]): number {
  assert(values.length > 0);
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
