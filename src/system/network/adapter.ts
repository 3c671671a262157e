/** What carries the network's settings to the system, and tells how it is. */
import type { NetworkPlan } from "./plan.ts";

/** `taken`: another machine answers for the address. `unknown`: nobody could be asked. */
export type Probe =
  | { result: "free" }
  | { result: "taken"; mac: string }
  | {
      result: "unknown";
      /** In words. */
      why: string;
    };

export type Applied =
  /** `notes`: what could not be done, and is not worth going back for. */
  | { ok: true; notes: readonly string[] }
  /** Nothing has changed; `message` tells why, in words. */
  | { ok: false; message: string };

export interface AddressState {
  address: string;
  prefix: number;
  /** `unknown` where the system does not tell who gave it. */
  source: "dhcp" | "static" | "auto" | "link-local" | "foreign" | "unknown";
}

/** What the kernel tells of an interface at no cost. */
export interface LinkGlance {
  name: string;
  /** Null: it is not up, and knows nothing of the cable. */
  carrier: boolean | null;
  addresses: readonly { address: string; prefix: number }[];
}

export interface LinkCounters {
  receivedBytes: number;
  receivedPackets: number;
  receiveErrors: number;
  receiveDropped: number;
  sentBytes: number;
  sentPackets: number;
  sendErrors: number;
  sendDropped: number;
}

export interface LinkState {
  name: string;
  kind: "ethernet" | "bond" | "vlan" | "other";
  /** Hardware address, or "". */
  mac: string;
  up: boolean;
  carrier: boolean | null;
  /** bit/s; null where it is not known. */
  speed: number | null;
  duplex: "full" | "half" | null;
  mtu: number;
  addresses: AddressState[];
  gateways: string[];
  dns: string[];
  /** Address of the DHCP server that gave the lease; null: none. */
  dhcpServer: string | null;
  counters: LinkCounters;
}

export interface NetworkAdapter {
  /** `dry` only tells; nothing that it is asked to do is done. */
  readonly kind: "dry" | "networkd";
  /** All or nothing. Never throws. */
  apply(plan: NetworkPlan): Promise<Applied>;
  /** Every interface but the loopback. Never throws: what cannot be read is empty or null. */
  status(): Promise<LinkState[]>;
  /** Every interface but the loopback, without running any program. Never throws. */
  glance(): Promise<LinkGlance[]>;
  /** Asks by ARP whether another machine has an address (RFC 5227); takes some seconds. Never throws. */
  probe(interfaceName: string, address: string): Promise<Probe>;
  /** False: it could not be done. */
  addAddress(interfaceName: string, address: string, prefix: number): Promise<boolean>;
  removeAddress(interfaceName: string, address: string, prefix: number): Promise<boolean>;
}
