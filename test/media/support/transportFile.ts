/** Recorded transport streams as files: cut to whole access units, so that a decoder has nothing to complain of. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";

const packetSize = 188;

interface Packet {
  pid: number;
  /** A PES packet or a section begins here. */
  start: boolean;
  /** The adaptation field says that decoding can begin here. */
  randomAccess: boolean;
}

function packetAt(bytes: Buffer, at: number): Packet {
  assert.equal(bytes[at], 0x47, `no sync byte at ${at}`);
  const adaptation = (bytes.readUInt8(at + 3) & 0x20) !== 0 && bytes.readUInt8(at + 4) > 0;
  return {
    pid: bytes.readUInt16BE(at + 1) & 0x1fff,
    start: (bytes.readUInt8(at + 1) & 0x40) !== 0,
    randomAccess: adaptation && (bytes.readUInt8(at + 5) & 0x40) !== 0,
  };
}

/**
 * A receiver joins in the middle: it throws away pictures that need others from before it came, and a recording ends
 * within a unit. This keeps of a recording what is between the first random access point of the video and the last
 * unit's beginning of each stream; tables and null packets stay.
 * @param streams PIDs of the elementary streams, the video first.
 */
export function trim(bytes: Buffer, streams: readonly number[]): Buffer {
  const [video] = streams;
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  for (let at = 0; at + packetSize <= bytes.length; at += packetSize) {
    const { pid, start, randomAccess } = packetAt(bytes, at);
    if (!start || !streams.includes(pid)) continue;
    const joined = pid === video ? randomAccess : video !== undefined && first.has(video);
    if (joined && !first.has(pid)) first.set(pid, at);
    last.set(pid, at);
  }
  for (const pid of streams) assert(first.has(pid), `no unit of PID ${pid} after a random access point`);
  const kept: Buffer[] = [];
  for (let at = 0; at + packetSize <= bytes.length; at += packetSize) {
    const { pid } = packetAt(bytes, at);
    const from = first.get(pid) ?? 0;
    const to = last.get(pid) ?? bytes.length;
    if (at >= from && at < to) kept.push(bytes.subarray(at, at + packetSize));
  }
  return Buffer.concat(kept);
}

/** Cuts a recording to whole units (see trim) and gives the new file's name. */
export async function trimmed(file: string, streams: readonly number[]): Promise<string> {
  const whole = file.replace(/\.ts$/, "-whole.ts");
  await writeFile(whole, trim(await readFile(file), streams));
  return whole;
}
