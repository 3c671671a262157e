/** Receives a multicast transport stream and counts what a set-top box would stumble over. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { TestContext } from "node:test";

const packetSize = 188;

export class Receiver {
  datagrams = 0;
  bytes = 0;
  /** Steps of a continuity counter other than 1 (ISO/IEC 13818-1, 2.4.3.3). */
  continuityErrors = 0;
  /** Longest time between two datagrams since the last look, ms. */
  #longestGap = 0;
  #last: number | undefined;
  readonly #counters = new Map<number, number>();
  readonly #socket: Socket = createSocket({ type: "udp4", reuseAddr: true });

  static async join(t: TestContext, group: string, port: number): Promise<Receiver> {
    const receiver = new Receiver();
    const socket = receiver.#socket;
    socket.bind(port, group);
    await once(socket, "listening");
    socket.addMembership(group, "127.0.0.1");
    socket.setRecvBufferSize(4 * 1024 * 1024);
    socket.on("message", (datagram) => receiver.#take(datagram));
    t.after(() => receiver.#socket.close());
    return receiver;
  }

  /** Longest gap since the last call. */
  takeGap(): number {
    const gap = this.#longestGap;
    this.#longestGap = 0;
    return gap;
  }

  #take(datagram: Buffer): void {
    const now = performance.now();
    if (this.#last !== undefined) this.#longestGap = Math.max(this.#longestGap, now - this.#last);
    this.#last = now;
    this.datagrams++;
    this.bytes += datagram.length;
    for (let at = 0; at + packetSize <= datagram.length; at += packetSize) {
      const pid = datagram.readUInt16BE(at + 1) & 0x1fff;
      const control = datagram.readUInt8(at + 3);
      if (pid === 0x1fff || (control & 0x10) === 0) continue;
      const counter = control & 15;
      const before = this.#counters.get(pid);
      if (before !== undefined && counter !== ((before + 1) & 15)) this.continuityErrors++;
      this.#counters.set(pid, counter);
    }
  }
}
