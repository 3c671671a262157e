/** Finds out before an address is used whether another machine has it. */
import type { FieldError } from "../../config/explain.ts";
import type { LinkConfig, NetworkConfig } from "../../config/schema.ts";
import type { LinkGlance, NetworkAdapter, Probe } from "./adapter.ts";

/** The static IPv4 addresses that are another machine's, as errors of the configuration (pointers from its root). */
export async function conflicts(network: NetworkConfig, adapter: NetworkAdapter): Promise<FieldError[]> {
  const glances = await adapter.glance();
  const found = await Promise.all(network.links.map((link, i) => conflict(link, i, glances, adapter)));
  return found.flat();
}

async function conflict(
  link: LinkConfig,
  index: number,
  glances: readonly LinkGlance[],
  adapter: NetworkAdapter,
): Promise<FieldError[]> {
  const { method, address } = link.ipv4;
  if (method !== "static") return [];
  const through = wireOf(link, glances);
  // What the port has already, networkd or the fallback have asked for.
  if (through === undefined || through.addresses.some((one) => one.address === address)) return [];
  const probe = await adapter.probe(through.name, address);
  if (probe.result !== "taken") return [];
  return [{ pointer: `/network/links/${index}/ipv4/address`, message: inWords(address, probe), value: address }];
}

/** What there is already to ask through: for a bond that is not made yet one of its ports, for a VLAN nothing. */
function wireOf(link: LinkConfig, glances: readonly LinkGlance[]): LinkGlance | undefined {
  const names = link.type === "bond" ? [link.name, ...link.members] : [link.name];
  const found = names.map((name) => glances.find((glance) => glance.name === name));
  return found.find((glance) => glance?.carrier === true);
}

/** What a probe of an address found. */
export function inWords(address: string, probe: Probe): string {
  switch (probe.result) {
    case "free":
      return `no other machine answers for ${address}`;
    case "taken":
      return `${address} is used by another machine, with the hardware address ${probe.mac}`;
    case "unknown":
      return `it cannot be found out whether ${address} is free: ${probe.why}`;
  }
}
