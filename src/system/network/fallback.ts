/**
 * The address that a port falls back to while it should have one by DHCP and no server gives it any, so that the box is
 * found at an address that its documents tell.
 */
import type { Clock } from "../../board/ports.ts";
import type { NetworkConfig } from "../../config/schema.ts";
import type { LinkGlance, LinkState, NetworkAdapter } from "./adapter.ts";
import { membersOf, settingsOf } from "./links.ts";

/** How long a port with a cable waits for a lease, ms. */
export const LEASE_WAIT_MS = 30_000;
/** How often ports are looked at, ms. */
const LOOK_MS = 2000;
/** An address that another machine has is asked for again after this time, ms. */
const TAKEN_MS = 60_000;

export type FallbackState =
  /** The port has a lease, or wants none. */
  | { state: "off" }
  /** No lease yet. */
  | { state: "waiting" }
  | { state: "in-use"; address: string }
  /** It would be used, but another machine or port has it; `by` in words. */
  | { state: "taken"; address: string; by: string };

interface Port {
  /** Since when it has a cable and no lease. */
  since: number | undefined;
  /** Not asked again before. */
  notBefore: number;
  shown: FallbackState;
  /** The address that was added. */
  added: { address: string; prefix: number } | undefined;
}

export interface FallbackOptions {
  adapter: NetworkAdapter;
  clock: Clock;
  network(): NetworkConfig;
  log(level: "info" | "warning", message: string): void;
}

export class Fallback {
  readonly #options: FallbackOptions;
  readonly #ports = new Map<string, Port>();
  #cancel = () => {};
  #running = false;
  #look: Promise<void> = Promise.resolve();

  constructor(options: FallbackOptions) {
    this.#options = options;
  }

  /** @param links as they are now: an address that an earlier supervisor added is known again. */
  start(links: readonly LinkState[]): void {
    const network = this.#options.network();
    for (const { name, addresses } of links) {
      const own = settingsOf(network, name)?.ipv4;
      const found = addresses.find(({ address, source }) => source === "foreign" && address === own?.address);
      if (own === undefined || found === undefined) continue;
      const { address, prefix } = found;
      this.#ports.set(name, { ...fresh(), added: { address, prefix }, shown: { state: "in-use", address } });
    }
    this.#running = true;
    this.#next(0);
  }

  /** Addresses stay: the box is reached at them. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#cancel();
    await this.#look;
  }

  of(name: string): FallbackState {
    return this.#ports.get(name)?.shown ?? { state: "off" };
  }

  #next(ms: number): void {
    this.#cancel = this.#options.clock.after(ms, () => {
      this.#look = this.#lookAtAll()
        .catch((error: Error) => this.#options.log("warning", `fallback address: ${error.message}`))
        .finally(() => {
          if (this.#running) this.#next(LOOK_MS);
        });
    });
  }

  async #lookAtAll(): Promise<void> {
    const glances = await this.#options.adapter.glance();
    const there = new Set(glances.map(({ name }) => name));
    for (const name of this.#ports.keys()) if (!there.has(name)) this.#ports.delete(name);
    // One after another: two ports must not take the same address at once.
    for (const glance of glances) await this.#lookAt(glance);
  }

  async #lookAt(glance: LinkGlance): Promise<void> {
    const { adapter, clock } = this.#options;
    const { name, carrier, addresses } = glance;
    const network = this.#options.network();
    const ipv4 = membersOf(network).has(name) ? undefined : settingsOf(network, name)?.ipv4;
    const port = this.#ports.get(name) ?? fresh();
    if (ipv4?.method !== "dhcp" || !ipv4.fallback) {
      // A static address may be the very one that was added: then it is networkd's now.
      if (ipv4?.method !== "static" || ipv4.address !== port.added?.address) await this.#remove(name, port);
      this.#ports.delete(name);
      return;
    }
    this.#ports.set(name, port);
    const now = clock.now();
    const { address, prefix } = ipv4;
    if (port.added !== undefined && (port.added.address !== address || port.added.prefix !== prefix)) {
      await this.#remove(name, port);
    }
    const leased = addresses.some((one) => !one.address.includes(":") && one.address !== port.added?.address);
    if (leased) {
      port.since = undefined;
      await this.#remove(name, port);
      port.shown = { state: "off" };
      return;
    }
    if (carrier !== true) {
      port.since = undefined;
      if (port.added === undefined) port.shown = { state: "off" };
      return;
    }
    port.since ??= now;
    if (port.added !== undefined) {
      // networkd takes foreign addresses away when it sets up a port anew.
      const { address: own, prefix: length } = port.added;
      if (!addresses.some((one) => one.address === own)) await adapter.addAddress(name, own, length);
      port.shown = { state: "in-use", address: own };
      return;
    }
    if (port.shown.state === "off") port.shown = { state: "waiting" };
    if (now - port.since < LEASE_WAIT_MS || now < port.notBefore) return;
    await this.#take(name, port, { address, prefix });
  }

  async #take(name: string, port: Port, wanted: { address: string; prefix: number }): Promise<void> {
    const { adapter, clock, log } = this.#options;
    const { address, prefix } = wanted;
    const taken = (by: string) => {
      if (port.shown.state !== "taken") log("warning", `${name} cannot fall back to ${address}: ${by} has it`);
      port.shown = { state: "taken", address, by };
      port.notBefore = clock.now() + TAKEN_MS;
    };
    const [rival, other] = [...this.#ports].find(([, one]) => one !== port && one.added?.address === address) ?? [];
    if (rival !== undefined && other !== undefined) {
      const glance = (await adapter.glance()).find((one) => one.name === rival);
      if (glance?.carrier === true) {
        taken(`port ${rival}`);
        port.notBefore = 0;
        return;
      }
      await this.#remove(rival, other);
    }
    const probe = await adapter.probe(name, address);
    if (probe.result === "taken") {
      taken(probe.mac);
      return;
    }
    // A lease may have come while the others were asked; then the next look takes the address away again.
    if (!(await adapter.addAddress(name, address, prefix))) return;
    port.added = wanted;
    port.shown = { state: "in-use", address };
    log("warning", `${name} has no lease by DHCP and is reached at ${address}`);
  }

  async #remove(name: string, port: Port): Promise<void> {
    if (port.added === undefined) return;
    const { address, prefix } = port.added;
    // It may be gone already, with the port or by networkd's hand.
    await this.#options.adapter.removeAddress(name, address, prefix);
    port.added = undefined;
    port.shown = { state: "off" };
    this.#options.log("info", `${name} no longer has the address ${address} that it fell back to`);
  }
}

function fresh(): Port {
  return { since: undefined, notBefore: 0, shown: { state: "off" }, added: undefined };
}
