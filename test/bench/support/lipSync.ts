/** Lip sync as a viewer has it: decoded pictures carry the time when they were drawn, and the sound beeps each second. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { readStamp } from "../../media/support/viewer.ts";
import { median } from "./bench.ts";

const pictureSize = 320 * 180;
const sampleRate = 48_000;

export interface LipSync {
  /** ms that the picture takes from its drawing to its presentation, up to a constant of the stream. */
  pictureDelay: number;
  /**
   * When the beeps were made by the clock of the drawing, ms within the second. It stays the same while source, picture
   * and sound run on; what it moves by is what the sound has moved against the picture.
   */
  beep: number;
}

async function decode(args: string[]): Promise<{ stdout: Buffer; stderr: string }> {
  const ffmpeg = spawn("ffmpeg", ["-hide_banner", "-nostdin", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const output: Buffer[] = [];
  let stderr = "";
  ffmpeg.stdout.on("data", (data: Buffer) => output.push(data));
  ffmpeg.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  await once(ffmpeg, "close");
  return { stdout: Buffer.concat(output), stderr };
}

/** Presentation times in ms that the filters showinfo and ashowinfo print. */
function times(text: string): number[] {
  return [...text.matchAll(/ pts_time:\s*([0-9.]+)/g)].map(([, seconds]) => 1000 * Number(seconds));
}

async function pictureDelay(file: string): Promise<number> {
  const filter = "showinfo=checksum=0,scale=320:180:flags=area,format=gray";
  const video = ["-map", "0:v:0", "-vf", filter, "-fps_mode", "passthrough", "-f", "rawvideo", "-"];
  const { stdout, stderr } = await decode(["-copyts", "-threads", "1", "-i", file, ...video]);
  const delays = times(stderr).flatMap((time, i) => {
    const picture = stdout.subarray(i * pictureSize, (i + 1) * pictureSize);
    const stamp = picture.length === pictureSize ? readStamp(picture) : undefined;
    return stamp === undefined ? [] : [time - Number(stamp.time / 1000n) / 1000];
  });
  if (delays.length === 0) throw new Error("no picture with a stamp");
  return median(delays);
}

/** Presentation times in ms at which the beeps begin. */
async function beeps(file: string): Promise<number[]> {
  const audio = ["-map", "0:a:0", "-af", "ashowinfo", "-ac", "1", "-ar", `${sampleRate}`, "-f", "f32le", "-"];
  const { stdout, stderr } = await decode(["-copyts", "-i", file, ...audio]);
  const [first] = times(stderr);
  if (first === undefined) throw new Error("no sound");
  const samples = new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + (stdout.length & ~3)));
  const loudest = samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  const found: number[] = [];
  let quiet = 0;
  samples.forEach((sample, i) => {
    const loud = Math.abs(sample) > 0.1 * loudest;
    if (loud && quiet > 0.3 * sampleRate) found.push(first + (1000 * i) / sampleRate);
    quiet = loud ? 0 : quiet + 1;
  });
  return found;
}

/**
 * Measures a piece of a stream of at least 3 s, through a file at `path`.
 * @throws Error when it shows no stamps or no beeps
 */
export async function lipSync(stream: Buffer, path: string): Promise<LipSync> {
  await writeFile(path, stream);
  const [delay, begins] = await Promise.all([pictureDelay(path), beeps(path)]);
  if (begins.length === 0) throw new Error("no beep");
  const [reference] = begins as [number];
  // Relative to the first one, so that beeps around a whole second are no trouble.
  const offset = median(begins.map((begin) => begin - reference - 1000 * Math.round((begin - reference) / 1000)));
  return { pictureDelay: delay, beep: (((reference + offset - delay) % 1000) + 1000) % 1000 };
}

/** ms from one moment within a second to another, −500 … 500. */
export function shift(from: number, to: number): number {
  const ms = to - from;
  return ms - 1000 * Math.round(ms / 1000);
}
