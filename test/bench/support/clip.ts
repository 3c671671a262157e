/** One recorded channel in two wrappings: as a feed for transmit, and as a transport stream for ffmpeg. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const seconds = 10;
const frameRate = 25;
const videoBitrate = 4_500_000;
const audioBitrate = 128_000;

export interface Clip {
  feed: string;
  ts: string;
}

/** 10 s of 1280×720p25 H.264 at 4.5 Mbit/s with AAC at 128 kbit/s, made once per machine. */
export function clip(): Clip {
  const folder = join(tmpdir(), "steadycast-clips");
  const ts = join(folder, "bench-720p25-4500k.ts");
  const feed = join(folder, "bench-720p25-4500k.feed");
  if (existsSync(ts) && existsSync(feed)) return { feed, ts };
  mkdirSync(folder, { recursive: true });
  const [newTs, newFeed] = [`${ts}.${process.pid}.ts`, `${feed}.${process.pid}`];
  // Noise keeps the coder at its bitrate, as a live picture does.
  const picture = `testsrc2=size=1280x720:rate=${frameRate},noise=alls=12:allf=t`;
  const rate = `${videoBitrate}`;
  ffmpeg(
    ...["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", `${seconds}`],
    ...["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency", "-g", `${frameRate}`],
    ...["-b:v", rate, "-maxrate", rate, "-bufsize", `${0.3 * videoBitrate}`, "-x264-params", "scenecut=0"],
    ...["-c:a", "aac", "-ac", "2", "-b:a", `${audioBitrate}`, newTs],
  );
  writeFileSync(newFeed, record(newTs));
  renameSync(newFeed, feed);
  renameSync(newTs, ts);
  return { feed, ts };
}

function ffmpeg(...args: string[]): Buffer {
  return execFileSync("ffmpeg", ["-v", "error", "-y", ...args], { maxBuffer: 1 << 27 });
}

// ---- the feed's format: firmware/media/common/feed.h --------------------------------------------------------------------

const magic = 0x31464353;

function record(ts: string): Buffer {
  const copy = (stream: string, format: string) => ffmpeg("-i", ts, "-map", stream, "-c", "copy", "-f", format, "-");
  const table = Buffer.concat([entry(0, 1, [frameRate, 1], videoBitrate), entry(1, 16, [48_000, 1024], audioBitrate)]);
  const pictures = accessUnits(copy("0:v", "h264")).map((unit, i) => ({ stream: 0, time: i / frameRate, unit }));
  const sound = adtsFrames(copy("0:a", "adts")).map((unit, i) => ({ stream: 1, time: (i * 1024) / 48_000, unit }));
  const units = [...pictures, ...sound].sort((a, b) => a.time - b.time);
  const parts = units.flatMap(({ stream, time, unit }) => {
    const key = stream === 1 || unit.includes(Buffer.from([0, 0, 1, 0x65]));
    return [header(2, stream, key, unit.length, BigInt(Math.round(time * 1e9))), unit];
  });
  return Buffer.concat([header(1, 0, false, table.length, 0n), table, ...parts]);
}

function header(kind: 1 | 2, stream: number, key: boolean, size: number, time: bigint): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt8(kind, 4);
  bytes.writeUInt8(stream, 5);
  bytes.writeUInt16LE(key ? 1 : 0, 6);
  bytes.writeUInt32LE(size, 8);
  bytes.writeBigInt64LE(time, 16);
  bytes.writeBigInt64LE(time, 24);
  return bytes;
}

function entry(stream: number, codec: number, rate: [number, number], bitrate: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt8(stream, 0);
  bytes.writeUInt8(codec, 1);
  bytes.writeUInt32LE(rate[0], 4);
  bytes.writeUInt32LE(rate[1], 8);
  bytes.writeUInt32LE(bitrate, 12);
  return bytes;
}

/** Every access unit of a transport stream's H.264 begins with a delimiter (13818-1 2.14.1). */
function accessUnits(stream: Buffer): Buffer[] {
  const delimiter = Buffer.from([0, 0, 0, 1, 9]);
  const begins: number[] = [];
  for (let at = stream.indexOf(delimiter); at >= 0; at = stream.indexOf(delimiter, at + 1)) begins.push(at);
  if (begins.length !== seconds * frameRate) throw new Error(`the clip has ${begins.length} access units`);
  return begins.map((begin, i) => stream.subarray(begin, begins[i + 1] ?? stream.length));
}

function adtsFrames(stream: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at + 7 <= stream.length; ) {
    const size = ((stream.readUIntBE(at + 3, 3) >> 5) & 0x1fff) >>> 0;
    frames.push(stream.subarray(at, at + size));
    at += size;
  }
  return frames;
}
