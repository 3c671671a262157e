/** The links that the configuration means: those that it lists, and those that it only speaks of. */
import { ethernetLink, type LinkConfig, type NetworkConfig } from "../../config/schema.ts";

/** Names of ports that take the default settings when they are not listed, as globs: of the kernel, udev and switches. */
export const DEFAULT_PORTS = ["eth*", "en*", "lan*"] as const;

/** What a port has that is not listed. */
export const defaultLink: LinkConfig = ethernetLink.parse({ type: "ethernet", name: "eth0" });

/**
 * Listed links, then ports that carry a VLAN or a route without being listed, with the default settings. Ports of bonds
 * are none: they have no address.
 */
export function linksOf({ links, routes }: NetworkConfig): LinkConfig[] {
  const known = new Set([...links.map(({ name }) => name), ...membersOf({ links }).keys()]);
  const parents = links.flatMap((link) => (link.type === "vlan" ? [link.parent] : []));
  const spoken = new Set([...parents, ...routes.map((route) => route.interface)]);
  const implied = [...spoken].filter((name) => !known.has(name));
  // A port must let the largest frames of its VLANs pass.
  const mtu = (name: string) =>
    Math.max(defaultLink.mtu, ...links.map((link) => (link.type === "vlan" && link.parent === name ? link.mtu : 0)));
  return [...links, ...implied.map((name): LinkConfig => ({ ...defaultLink, name, mtu: mtu(name) }))];
}

/** The ports of bonds, each with its bond. */
export function membersOf({ links }: Pick<NetworkConfig, "links">): Map<string, LinkConfig> {
  return new Map(
    links.flatMap((link) => (link.type === "bond" ? link.members.map((member) => [member, link] as const) : [])),
  );
}

export function isDefaultPort(name: string): boolean {
  return DEFAULT_PORTS.some((glob) => name.startsWith(glob.slice(0, -1)));
}

/** The settings of a link by its name; undefined for what is not the box's business, and for ports of bonds. */
export function settingsOf(network: NetworkConfig, name: string): LinkConfig | undefined {
  const found = linksOf(network).find((link) => link.name === name);
  if (found !== undefined) return found;
  return isDefaultPort(name) && !membersOf(network).has(name) ? { ...defaultLink, name } : undefined;
}

/** :: in any of its notations, and 0.0.0.0. */
export function isNone(address: string): boolean {
  return /^[0:.]*$/.test(address);
}
