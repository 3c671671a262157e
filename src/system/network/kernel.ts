/** What the kernel tells of its interfaces, read-only and without running a program. */
import { readdir, readFile, stat } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import type { AddressState, LinkCounters, LinkGlance, LinkState } from "./adapter.ts";

export interface KernelOptions {
  /** Where the kernel's file systems are. */
  proc?: string;
  sys?: string;
  addresses?: typeof networkInterfaces;
}

/** More interfaces than any box has. */
const MOST_INTERFACES = 64;

export class Kernel {
  readonly #proc: string;
  readonly #net: string;
  readonly #addresses: typeof networkInterfaces;

  constructor({ proc = "/proc", sys = "/sys", addresses = networkInterfaces }: KernelOptions = {}) {
    this.#proc = proc;
    this.#net = join(sys, "class/net");
    this.#addresses = addresses;
  }

  async glance(): Promise<LinkGlance[]> {
    const all = this.#all();
    return await Promise.all(
      (await this.#names()).map(async (name) => ({
        name,
        carrier: await this.#carrier(name),
        addresses: (all.get(name) ?? []).map(({ address, prefix }) => ({ address, prefix })),
      })),
    );
  }

  async links(): Promise<LinkState[]> {
    const all = this.#all();
    const gateways = gatewaysOf(await contents(join(this.#proc, "net/route")));
    return await Promise.all((await this.#names()).map((name) => this.#link(name, all, gateways)));
  }

  async #link(name: string, all: Map<string, AddressState[]>, gateways: Map<string, string[]>): Promise<LinkState> {
    const file = async (path: string) => (await contents(join(this.#net, name, path))).trim();
    const [mac, carrier, mtu, speed, duplex, flags] = await Promise.all([
      file("address"),
      this.#carrier(name),
      file("mtu"),
      file("speed"),
      file("duplex"),
      file("flags"),
    ]);
    return {
      name,
      kind: await this.#kind(name),
      mac: /^0*(:0*)*$/.test(mac) ? "" : mac,
      up: (Number(flags) & 1) === 1,
      carrier,
      // The kernel gives Mbit/s, -1 where the driver does not know, and nothing without a cable.
      speed: carrier === true && Number(speed) > 0 ? Number(speed) * 1e6 : null,
      duplex: duplex === "full" || duplex === "half" ? duplex : null,
      mtu: Number(mtu) || 0,
      addresses: all.get(name) ?? [],
      gateways: gateways.get(name) ?? [],
      dns: [],
      dhcpServer: null,
      counters: await this.#counters(name),
    };
  }

  async #names(): Promise<string[]> {
    const names = await readdir(this.#net).catch(() => []);
    // bonding_masters is a file among them.
    const folders = await Promise.all(names.map((name) => stat(join(this.#net, name)).catch(() => undefined)));
    return names
      .filter((name, i) => name !== "lo" && folders[i]?.isDirectory())
      .sort()
      .slice(0, MOST_INTERFACES);
  }

  /** Reading it fails while the interface is down. */
  async #carrier(name: string): Promise<boolean | null> {
    const text = (await contents(join(this.#net, name, "carrier"))).trim();
    return text === "1" ? true : text === "0" ? false : null;
  }

  async #kind(name: string): Promise<LinkState["kind"]> {
    if (await exists(join(this.#net, name, "bonding"))) return "bond";
    const text = await contents(join(this.#net, name, "uevent"));
    if (/^DEVTYPE=vlan$/m.test(text)) return "vlan";
    // ARPHRD_ETHER. Without a DEVTYPE it is a plain port.
    const type = (await contents(join(this.#net, name, "type"))).trim();
    return type === "1" && !/^DEVTYPE=/m.test(text) ? "ethernet" : "other";
  }

  async #counters(name: string): Promise<LinkCounters> {
    const count = async (file: string) => Number(await contents(join(this.#net, name, "statistics", file))) || 0;
    return {
      receivedBytes: await count("rx_bytes"),
      receivedPackets: await count("rx_packets"),
      receiveErrors: await count("rx_errors"),
      receiveDropped: await count("rx_dropped"),
      sentBytes: await count("tx_bytes"),
      sentPackets: await count("tx_packets"),
      sendErrors: await count("tx_errors"),
      sendDropped: await count("tx_dropped"),
    };
  }

  #all(): Map<string, AddressState[]> {
    const found = new Map<string, AddressState[]>();
    for (const [name, list = []] of Object.entries(this.#addresses())) {
      const states = list.map(
        ({ address, cidr }): AddressState => ({
          address,
          prefix: Number(cidr?.split("/")[1] ?? 0),
          source: /^fe[89ab]/i.test(address) ? "link-local" : "unknown",
        }),
      );
      found.set(name, states);
    }
    return found;
  }
}

/** Default routes of proc_net(5): destination and gateway in hexadecimal, least significant byte first. */
function gatewaysOf(table: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of table.split("\n").slice(1)) {
    const [name, destination, gateway = "", , , , , mask] = line.trim().split(/\s+/);
    if (name === undefined || destination !== "00000000" || mask !== "00000000") continue;
    const bytes = gateway.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
    if (bytes.length === 4 && bytes.some((byte) => byte > 0)) {
      found.set(name, [...(found.get(name) ?? []), bytes.reverse().join(".")]);
    }
  }
  return found;
}

async function contents(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => "");
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
