/** A system whose network the test makes. */
import type { Applied, LinkGlance, LinkState, NetworkAdapter, Probe } from "../../../../src/system/network/adapter.ts";
import type { NetworkPlan } from "../../../../src/system/network/plan.ts";

export function link(name: string, more: Partial<LinkState> = {}): LinkState {
  return {
    name,
    kind: "ethernet",
    mac: "02:00:00:00:00:01",
    up: true,
    carrier: true,
    speed: 1e9,
    duplex: "full",
    mtu: 1500,
    addresses: [],
    gateways: [],
    dns: [],
    dhcpServer: null,
    counters: {
      receivedBytes: 0,
      receivedPackets: 0,
      receiveErrors: 0,
      receiveDropped: 0,
      sentBytes: 0,
      sentPackets: 0,
      sendErrors: 0,
      sendDropped: 0,
    },
    ...more,
  };
}

export class FakeAdapter implements NetworkAdapter {
  kind: "dry" | "networkd" = "networkd";
  links: LinkState[] = [];
  readonly plans: NetworkPlan[] = [];
  /** What was asked and changed, such as `probe eth0 192.168.1.168`. */
  readonly orders: string[] = [];
  /** Addresses of other machines, and their hardware addresses. */
  readonly others = new Map<string, string>();
  refusal: string | undefined;
  statuses = 0;

  async apply(plan: NetworkPlan): Promise<Applied> {
    this.plans.push(plan);
    return this.refusal === undefined ? { ok: true, notes: [] } : { ok: false, message: this.refusal };
  }

  async status(): Promise<LinkState[]> {
    this.statuses++;
    return this.links;
  }

  async glance(): Promise<LinkGlance[]> {
    return this.links.map(({ name, carrier, addresses }) => ({ name, carrier, addresses: [...addresses] }));
  }

  async probe(name: string, address: string): Promise<Probe> {
    this.orders.push(`probe ${name} ${address}`);
    const mac = this.others.get(address);
    return mac === undefined ? { result: "free" } : { result: "taken", mac };
  }

  async addAddress(name: string, address: string, prefix: number): Promise<boolean> {
    this.orders.push(`add ${name} ${address}/${prefix}`);
    this.link(name).addresses.push({ address, prefix, source: "foreign" });
    return true;
  }

  async removeAddress(name: string, address: string): Promise<boolean> {
    this.orders.push(`remove ${name} ${address}`);
    const found = this.link(name);
    found.addresses = found.addresses.filter((one) => one.address !== address);
    return true;
  }

  link(name: string): LinkState {
    const found = this.links.find((one) => one.name === name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  }

  /** What was ordered since the last call. */
  takeOrders(): string[] {
    return this.orders.splice(0);
  }
}
