/** A stand-in for transmit's tap: transport stream packets that are numbered, at a steady rate, to any reader. */
import { rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import type { TestContext } from "node:test";

export const packetSize = 188;
const pid = 0x100;

/**
 * Each packet has, after its header, its number (64 bit) and the time when it was made (ns of the monotonic clock).
 * Numbers and continuity counters run on while the tap is away, as those of a restarted transmit do.
 */
export class FakeTap {
  #server: Server | undefined;
  #readers = new Set<Socket>();
  #number = 0n;
  #started = performance.now();
  #timer: NodeJS.Timeout;

  private constructor(
    readonly path: string,
    readonly bitrate: number,
  ) {
    this.#timer = setInterval(() => this.#work(), 5);
  }

  static async serve(t: TestContext, path: string, bitrate = 4_000_000): Promise<FakeTap> {
    const tap = new FakeTap(path, bitrate);
    t.after(async () => {
      clearInterval(tap.#timer);
      await tap.goAway();
    });
    await tap.comeBack();
    return tap;
  }

  get readers(): number {
    return this.#readers.size;
  }

  async comeBack(): Promise<void> {
    await rm(this.path, { force: true });
    const server = createServer((socket) => {
      this.#readers.add(socket);
      socket.on("error", () => {}).on("close", () => this.#readers.delete(socket));
    });
    await new Promise<void>((done, failed) => server.once("error", failed).listen(this.path, done));
    this.#server = server;
  }

  async goAway(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const reader of this.#readers) reader.destroy();
    await new Promise<void>((done) => (server ? server.close(() => done()) : done()));
  }

  /** Sends bytes that are no transport stream to all readers. */
  disturb(): void {
    for (const reader of this.#readers) reader.write(Buffer.alloc(7 * packetSize, 0x55));
  }

  #work(): void {
    const due = (((performance.now() - this.#started) / 1000) * this.bitrate) / (8 * packetSize);
    while (this.#number + 7n <= due) {
      const datagram = Buffer.concat(Array.from({ length: 7 }, () => this.#packet()));
      for (const reader of this.#readers) reader.write(datagram);
    }
  }

  #packet(): Buffer {
    const packet = Buffer.alloc(packetSize, 0xff);
    packet.writeUInt8(0x47, 0);
    packet.writeUInt16BE(pid, 1);
    packet.writeUInt8(0x10 | Number(this.#number & 15n), 3);
    packet.writeBigUInt64BE(this.#number, 4);
    packet.writeBigUInt64BE(process.hrtime.bigint(), 12);
    this.#number += 1n;
    return packet;
  }
}

/** Reads what came of such a stream at the far end. */
export class TapChecker {
  packets = 0;
  /** Packets that do not begin with a sync byte, and steps of the continuity counter or the number other than 1. */
  syncErrors = 0;
  continuityErrors = 0;
  /** When the first packet was made, ns of the monotonic clock. */
  firstMade: bigint | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #last: bigint | undefined;

  push(data: Buffer): void {
    const bytes = Buffer.concat([this.#rest, data]);
    let at = 0;
    for (; bytes.length - at >= packetSize; at += packetSize) this.#take(bytes.subarray(at, at + packetSize));
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  #take(packet: Buffer): void {
    if (packet[0] !== 0x47) {
      this.syncErrors++;
      return;
    }
    const number = packet.readBigUInt64BE(4);
    if (this.#last === undefined) this.firstMade = packet.readBigUInt64BE(12);
    else if (number !== this.#last + 1n || BigInt(packet.readUInt8(3) & 15) !== (number & 15n)) this.continuityErrors++;
    this.#last = number;
    this.packets++;
  }
}
