/**
 * A live picture source for programs that read raw frames from a pipe: the given pictures over and over, each stamped
 * with counter and box clock as firmware/media/encode/stamp.h describes, in time with the box clock.
 *
 *   pictures.ts FRAMES.i420 WIDTH HEIGHT RATE PIPE
 */
import { openSync, readFileSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";

const [file = "", ...words] = process.argv.slice(2);
const [width = 0, height = 0, rate = 0] = words.map(Number);
const pipe = openSync(words[3] ?? "", "w");

const rows = 8;
const columns = 16;
const [black, white] = [16, 235];

function drawStamp(luma: Buffer, counter: number, time: bigint): void {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(counter, 0);
  bytes.writeBigUInt64BE(time, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 12)), 12);
  const x = (column: number) => Math.floor(width / 8) + Math.floor((width * 3 * column) / 64);
  const y = (row: number) => Math.floor(height / 16) + Math.floor((height * row) / 32);
  for (let row = 0; row < rows; row++) {
    const first = y(row) * width;
    for (let column = 0; column < columns; column++) {
      const bit = row * columns + column;
      const value = ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1 ? white : black;
      luma.fill(value, first + x(column), first + x(column + 1));
    }
    // The other lines of the row are the same.
    for (let line = y(row) + 1; line < y(row + 1); line++) {
      luma.copy(luma, line * width + x(0), first + x(0), first + x(columns));
    }
  }
}

function writeAll(bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(pipe, bytes, at);
}

const size = (width * height * 3) / 2;
const frames = readFileSync(file);
const count = Math.floor(frames.length / size);
const period = 1e9 / rate;
let tick = Math.ceil(Number(process.hrtime.bigint()) / period);
for (let counter = 0; ; counter++, tick++) {
  const wait = tick * period - Number(process.hrtime.bigint());
  // Timers of Node end on the millisecond; a late frame is no fault, as its stamp is drawn when it leaves.
  if (wait > 0) await sleep(wait / 1e6);
  const frame = frames.subarray((counter % count) * size, ((counter % count) + 1) * size);
  drawStamp(frame.subarray(0, width * height), counter, process.hrtime.bigint());
  writeAll(frame);
}
