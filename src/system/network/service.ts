/** The network of the box: follows the configuration, guards the fallback address, and tells how it is. */
import { isDeepStrictEqual } from "node:util";
import { type Clock, systemClock } from "../../board/ports.ts";
import type { Bus } from "../../bus.ts";
import type { FieldError } from "../../config/explain.ts";
import type { Config, NetworkConfig } from "../../config/schema.ts";
import type { NetworkAdapter, Probe } from "./adapter.ts";
import { conflicts, inWords } from "./conflict.ts";
import { Fallback } from "./fallback.ts";
import { channelServices, type FirewallService } from "./firewall.ts";
import { type NetworkPlan, planOf } from "./plan.ts";
import { interfaceStatus, type NetworkStatus, urlsOf, type WebAddress } from "./status.ts";

/** What could not be applied is tried again after this time, ms. */
const RETRY_MS = 30_000;
/** An answer about the network is as good for this long, ms: however many ask, the system is asked once. */
const FRESH_MS = 1000;

/** What the network is made from. */
type Settings = Pick<Config, "network" | "channels" | "ssh">;

export interface NetworkServiceOptions {
  config: { readonly current: Settings };
  bus: Bus;
  adapter: NetworkAdapter;
  /** What the box itself serves, by the configuration; the firewall also lets in what channels wait for. */
  services(config: Settings): readonly FirewallService[];
  /** Where the web server listens; undefined while it does not. */
  web?(): WebAddress | undefined;
  clock?: Clock;
}

/** Whether an address is free on an interface, also in words. */
export type AddressCheck = { address: string; interface: string; message: string } & (
  | { result: "free" | "unknown" }
  | { result: "taken"; mac: string }
);

export class NetworkService {
  readonly #options: NetworkServiceOptions;
  readonly #clock: Clock;
  readonly #fallback: Fallback;
  #unlisten = () => {};
  #cancelRetry = () => {};
  #running = false;
  #applied: NetworkPlan | undefined;
  #fault = "";
  #notes: readonly string[] = [];
  #applying: Promise<void> = Promise.resolve();
  #status: { at: number; status: Promise<NetworkStatus> } | undefined;

  constructor(options: NetworkServiceOptions) {
    const { config, adapter } = options;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#fallback = new Fallback({
      ...{ adapter, clock: this.#clock, network: () => config.current.network },
      log: (level, message) => this.#log(level, message),
    });
  }

  /** Brings the network to what is configured; what fails is told in the status and tried again. */
  async start(): Promise<void> {
    const { bus, adapter } = this.#options;
    this.#running = true;
    this.#unlisten = bus.on("config", () => this.#follow());
    this.#follow();
    await this.#applying;
    if (adapter.kind !== "dry") this.#fallback.start(await adapter.status());
  }

  /** Carries out what was ordered before; then the network stays as it is. To be called after the configuration's. */
  async stop(): Promise<void> {
    this.#unlisten();
    await this.#applying;
    this.#running = false;
    this.#cancelRetry();
    await this.#fallback.stop();
  }

  /** Fulfilled when every change of the configuration so far has been carried out. */
  settled(): Promise<void> {
    return this.#applying;
  }

  /** What the system was told last. */
  get plan(): NetworkPlan | undefined {
    return this.#applied;
  }

  /**
   * Whether the addresses of a configuration can be used: asks the network for those that are new, which takes up to 4 s.
   * To be called before a change takes effect. Gives what is wrong, with pointers from the root of the configuration.
   */
  check({ network }: { network: NetworkConfig }): Promise<FieldError[]> {
    const now = this.#options.config.current.network;
    if (isDeepStrictEqual(network.links, now.links)) return Promise.resolve([]);
    return conflicts(network, this.#options.adapter);
  }

  /** Asks the network whether another machine has an address, which takes up to 4 s; undefined: no such interface. */
  async probe(interfaceName: string, address: string): Promise<AddressCheck | undefined> {
    const { adapter } = this.#options;
    const glance = (await adapter.glance()).find(({ name }) => name === interfaceName);
    if (glance === undefined) return undefined;
    const own = glance.addresses.some((one) => one.address === address);
    const probe: Probe = own ? { result: "free" } : await adapter.probe(interfaceName, address);
    const message = own ? `${interfaceName} has ${address} already` : inWords(address, probe);
    const asked = { address, interface: interfaceName, message };
    return probe.result === "taken" ? { ...asked, ...probe } : { ...asked, result: probe.result };
  }

  /** As it was a second ago at most. */
  status(): Promise<NetworkStatus> {
    const now = this.#clock.now();
    if (this.#status === undefined || now - this.#status.at >= FRESH_MS) {
      this.#status = { at: now, status: this.#measure() };
    }
    return this.#status.status;
  }

  async #measure(): Promise<NetworkStatus> {
    const { config, adapter, web } = this.#options;
    const { network } = config.current;
    const links = await adapter.status();
    const interfaces = links.map((link) => interfaceStatus(network, link, this.#fallback.of(link.name)));
    const mdnsName = network.mdns && adapter.kind !== "dry" ? `${network.hostname}.local` : "";
    return {
      adapter: adapter.kind,
      hostname: network.hostname,
      mdnsName,
      urls: urlsOf(web?.(), mdnsName, interfaces),
      interfaces,
      fault: this.#fault,
      notes: [...this.#notes],
    };
  }

  #follow(): void {
    // Taken now: the configuration tells nothing any more once it has stopped, which may take a change back.
    const { current } = this.#options.config;
    this.#applying = this.#applying.then(() => this.#apply(current));
  }

  async #apply(current: Settings): Promise<void> {
    const { adapter, services } = this.#options;
    this.#cancelRetry();
    try {
      const plan = planOf(current.network, [...services(current), ...channelServices(current)]);
      if (this.#fault === "" && isDeepStrictEqual(plan, this.#applied)) return;
      const result = await adapter.apply(plan);
      if (!result.ok) throw new Error(result.message);
      this.#applied = plan;
      this.#fault = "";
      this.#notes = result.notes;
      for (const note of result.notes) this.#log("warning", note);
    } catch (error) {
      this.#fault = `The settings of the network are not in force: ${(error as Error).message}`;
      this.#log("error", this.#fault);
      if (this.#running) this.#cancelRetry = this.#clock.after(RETRY_MS, () => this.#follow());
    } finally {
      this.#status = undefined;
    }
  }

  #log(level: "info" | "warning" | "error", message: string): void {
    this.#options.bus.emit("log", { level, source: "network", message });
  }
}
