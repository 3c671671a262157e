/** A receiver of datagrams that looks at single packets of the transport stream. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type Scope, until } from "../../media/support/worker.ts";

const PACKET = 188;

/** A transport packet (13818-1 2.4.3.2). */
export interface Packet {
  pid: number;
  unitStart: boolean;
  payload: Buffer;
}

/** Without the header of RTP (RFC 3550), which no sync byte can be taken for. */
function withoutRtp(datagram: Buffer): Buffer {
  return datagram[0] === 0x47 ? datagram : datagram.subarray(12);
}

function packets(datagram: Buffer): Packet[] {
  const found: Packet[] = [];
  for (let at = 0; at + PACKET <= datagram.length; at += PACKET) {
    const packet = datagram.subarray(at, at + PACKET);
    const adaptation = (packet.readUInt8(3) & 0x20) === 0 ? 0 : 1 + packet.readUInt8(4);
    const hasPayload = (packet.readUInt8(3) & 0x10) !== 0;
    const header = packet.readUInt16BE(1);
    found.push({
      pid: header & 0x1fff,
      unitStart: (header & 0x4000) !== 0,
      payload: packet.subarray(hasPayload ? 4 + adaptation : PACKET),
    });
  }
  return found;
}

/**
 * Joins a multicast group on `lo`; `take` gets the packets of each datagram, as they are and in parts, and the box clock
 * (ns) when it was read.
 */
export async function receive(
  t: Scope,
  { address, port }: { address: string; port: number },
  take: (packets: Packet[], time: bigint, bytes: Buffer) => void,
): Promise<void> {
  const socket = createSocket({ type: "udp4", reuseAddr: true, recvBufferSize: 1 << 20 });
  socket.on("message", (datagram) => {
    const bytes = withoutRtp(datagram);
    take(packets(bytes), process.hrtime.bigint(), bytes);
  });
  socket.bind(port, address);
  await once(socket, "listening");
  socket.addMembership(address, "127.0.0.1");
  t.after(() => socket.close());
}

/** PTS of a PES packet that begins with `payload` (13818-1 2.4.3.7), in 90 kHz; undefined when it has none. */
export function presentationTime(payload: Buffer): number | undefined {
  if (payload.length < 14 || payload.readUIntBE(0, 3) !== 1 || (payload.readUInt8(7) & 0x80) === 0) return undefined;
  const [high, middle, low] = [payload.readUInt8(9), payload.readUInt16BE(10), payload.readUInt16BE(12)];
  return ((high >> 1) & 7) * 2 ** 30 + (middle >> 1) * 2 ** 15 + (low >> 1);
}

/**
 * The settings that x264 writes into the first picture of a stream, from where `start` sends to: proof that two coders
 * are set alike.
 */
export async function x264Settings(
  t: Scope,
  from: { address: string; port: number },
  start: () => unknown,
): Promise<string> {
  const streams = new Map<number, Buffer[]>();
  await receive(t, from, (packets) => {
    for (const { pid, payload } of packets) streams.set(pid, [...(streams.get(pid) ?? []), payload]);
  });
  await start();
  return until(`settings of x264 from ${from.address}`, () => {
    for (const pieces of streams.values()) {
      const stream = Buffer.concat(pieces);
      const begin = stream.indexOf("options: ");
      const end = begin < 0 ? -1 : stream.indexOf(0, begin);
      if (end >= 0) return stream.subarray(begin + "options: ".length, end).toString("latin1");
    }
    return undefined;
  });
}
