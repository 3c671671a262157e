/** A live IP source whose clock is known: a transport stream sent by its own PCR, faster or slower by some ppm. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Scope } from "./worker.ts";

const packetSize = 188;
const datagramSize = 7 * packetSize;
const intervalMs = 4;

/** The PCR of a packet in seconds, where it has one. */
function pcrOf(packet: Buffer): number | undefined {
  assert.equal(packet[0], 0x47);
  const has = (packet.readUInt8(3) & 0x20) !== 0 && packet.readUInt8(4) >= 7 && (packet.readUInt8(5) & 0x10) !== 0;
  return has ? (packet.readUIntBE(6, 4) * 2 + (packet.readUInt8(10) >> 7)) / 90_000 : undefined;
}

/** When each datagram is due by the PCRs around it, seconds from the first PCR. */
function schedule(bytes: Buffer): number[] {
  const points: { at: number; time: number }[] = [];
  for (let at = 0; at + packetSize <= bytes.length; at += packetSize) {
    const time = pcrOf(bytes.subarray(at, at + packetSize));
    if (time !== undefined) points.push({ at, time });
  }
  assert(points.length > 1, "no PCRs");
  const start = points[0]?.time ?? 0;
  const times: number[] = [];
  for (let at = 0, next = 1; at < bytes.length; at += datagramSize) {
    while (next < points.length - 1 && (points[next]?.at ?? 0) < at) next++;
    const [a, b] = [points[next - 1] ?? assert.fail(), points[next] ?? assert.fail()];
    times.push(a.time + ((b.time - a.time) * (at - a.at)) / (b.at - a.at) - start);
  }
  return times;
}

/** Sends the file once; until its end or that of the test. */
export async function sendPaced(t: Scope, file: string, address: string, port: number, ppm = 0): Promise<void> {
  const bytes = await readFile(file);
  const times = schedule(bytes);
  const socket = createSocket("udp4").bind(0);
  await once(socket, "listening");
  socket.setMulticastInterface("127.0.0.1");
  socket.setMulticastTTL(0);
  const began = performance.now();
  let next = 0;
  const timer = setInterval(() => {
    const now = ((performance.now() - began) / 1000) * (1 + ppm / 1e6);
    for (; next < times.length && (times[next] ?? 0) <= now; next++) {
      socket.send(bytes.subarray(next * datagramSize, (next + 1) * datagramSize), port, address);
    }
    if (next === times.length) clearInterval(timer);
  }, intervalMs);
  t.after(() => {
    clearInterval(timer);
    socket.close();
  });
}
