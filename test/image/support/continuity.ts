/** What a set-top box would stumble over in a transport stream that the emulated box sends. */
import type { EmulatedBox, UdpDatagram } from "./emulatedBox.ts";

const PACKET = 188;

export class Continuity {
  datagrams = 0;
  /** Steps of a continuity counter other than 1 (ISO/IEC 13818-1, 2.4.3.3), and what is no packet. */
  errors: string[] = [];
  /** Longest time between two datagrams, ms. */
  gap = 0;
  readonly #counters = new Map<number, number>();
  #last: number | undefined;

  /** Watches one destination from now on. */
  static watch(box: EmulatedBox, destination = "239.10.0.1", port = 1234): Continuity {
    const watcher = new Continuity();
    box.onDatagram((datagram) => {
      if (datagram.destination === destination && datagram.port === port) watcher.#take(datagram);
    });
    return watcher;
  }

  /** What was since the last look, in words for the log of the test. */
  take(): { datagrams: number; errors: string[]; gap: number } {
    const { datagrams, errors, gap } = this;
    this.datagrams = 0;
    this.errors = [];
    this.gap = 0;
    return { datagrams, errors, gap };
  }

  #take({ payload }: UdpDatagram): void {
    const now = performance.now();
    if (this.#last !== undefined) this.gap = Math.max(this.gap, now - this.#last);
    this.#last = now;
    this.datagrams++;
    if (payload.length % PACKET !== 0) this.errors.push(`a datagram of ${payload.length} bytes`);
    for (let at = 0; at + PACKET <= payload.length; at += PACKET) {
      if (payload[at] !== 0x47) this.errors.push("no sync byte");
      const pid = payload.readUInt16BE(at + 1) & 0x1fff;
      const control = payload.readUInt8(at + 3);
      if (pid === 0x1fff || (control & 0x10) === 0) continue;
      const counter = control & 15;
      const before = this.#counters.get(pid);
      if (before !== undefined && counter !== ((before + 1) & 15)) {
        this.errors.push(`PID ${pid}: ${before} before ${counter}`);
      }
      this.#counters.set(pid, counter);
    }
  }
}
