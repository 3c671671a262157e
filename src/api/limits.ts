/** How much clients may ask for, so that none of them takes the box from the others. Whatever is kept here has a bound. */
import { BlockList, isIPv6, type Socket } from "node:net";
import { clientOf, plainAddress } from "../access/addresses.ts";
import type { Clock } from "../board/ports.ts";

/** A bucket that starts with `burst` tokens and gets `perSecond` more, up to `burst`. */
export interface Rate {
  perSecond: number;
  burst: number;
}

export interface Limits {
  /** Of each principal at an address. */
  reading: Rate;
  changing: Rate;
  /** Of all that an address asks of the API without being known. */
  unknown: Rate;
  /** Of each address, for the files of the page. */
  page: Rate;
  connections: { all: number; perAddress: number; keptForLoopback: number };
  /** Event streams. */
  streams: { all: number; perPrincipal: number };
  /** Bytes of bodies that are being received, of all requests together. */
  bodies: number;
}

export const LIMITS: Limits = {
  reading: { perSecond: 100, burst: 200 },
  changing: { perSecond: 20, burst: 60 },
  unknown: { perSecond: 20, burst: 60 },
  page: { perSecond: 100, burst: 300 },
  connections: { all: 512, perAddress: 64, keptForLoopback: 64 },
  streams: { all: 128, perPrincipal: 8 },
  bodies: 64 * 1024 * 1024,
};

/** Those who are forgotten for more than these have full buckets again. */
const MAX_BUCKETS = 4096;

export class Buckets {
  readonly #rate: Rate;
  readonly #clock: Pick<Clock, "now">;
  /** The one that was used longest ago is first. */
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(rate: Rate, clock: Pick<Clock, "now">) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Takes a token. Returns 0, or in how many whole seconds there will be one. */
  take(key: string): number {
    const { perSecond, burst } = this.#rate;
    const now = this.#clock.now();
    const old = this.#buckets.get(key);
    const tokens = old === undefined ? burst : Math.min(burst, old.tokens + ((now - old.at) / 1000) * perSecond);
    const enough = tokens >= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: enough ? tokens - 1 : tokens, at: now });
    if (this.#buckets.size > MAX_BUCKETS) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return enough ? 0 : Math.ceil((1 - tokens) / perSecond);
  }

  get size(): number {
    return this.#buckets.size;
  }
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

export function isLoopback(address: string): boolean {
  return loopback.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

/** Counts connections over the network, and cuts what is beyond the bounds before a byte of it is read. */
export class Connections {
  readonly #limits: Limits["connections"];
  readonly #isLoopback: (address: string) => boolean;
  readonly #byAddress = new Map<string, number>();
  #all = 0;

  constructor(limits: Limits["connections"], isLoopbackAddress: (address: string) => boolean) {
    this.#limits = limits;
    this.#isLoopback = isLoopbackAddress;
  }

  admit(socket: Socket): void {
    const { all, perAddress, keptForLoopback } = this.#limits;
    const address = plainAddress(socket.remoteAddress);
    const own = this.#isLoopback(address);
    const key = own ? "loopback" : clientOf(address);
    const count = this.#byAddress.get(key) ?? 0;
    const room = own ? all : all - keptForLoopback;
    if (address === "" || this.#all >= room || (!own && count >= perAddress)) {
      socket.destroy();
      return;
    }
    this.#all++;
    this.#byAddress.set(key, count + 1);
    socket.once("close", () => {
      this.#all--;
      const left = (this.#byAddress.get(key) ?? 1) - 1;
      if (left > 0) this.#byAddress.set(key, left);
      else this.#byAddress.delete(key);
    });
  }

  get size(): number {
    return this.#all;
  }
}
