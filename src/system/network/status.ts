/** How the network is: measured, with what the configuration means by it. */
import type { NetworkConfig } from "../../config/schema.ts";
import type { LinkState } from "./adapter.ts";
import type { FallbackState } from "./fallback.ts";
import { membersOf, settingsOf } from "./links.ts";

export interface InterfaceStatus extends LinkState {
  /** What it is used for; both false for what the box does not use. */
  management: boolean;
  streaming: boolean;
  /** Name of the bond that has it, or "". */
  bond: string;
  fallback: FallbackState;
  /** In words, for whoever looks after the box. */
  warnings: string[];
}

export interface NetworkStatus {
  /** `dry`: on a PC, whose network the box does not change. */
  adapter: "dry" | "networkd";
  hostname: string;
  /** Host name with .local, or "" without mDNS. */
  mdnsName: string;
  /** Where the web page is found. */
  urls: string[];
  interfaces: InterfaceStatus[];
  /** What is wrong with carrying the settings out, in words; "": nothing. */
  fault: string;
  /** What could not be done and does little harm, in words. */
  notes: string[];
}

/** What the web server listens on. */
export interface WebAddress {
  scheme: "http" | "https";
  port: number;
  /** Only programs on the machine itself reach it. */
  localOnly: boolean;
}

const DEFAULT_PORT = { http: 80, https: 443 };

export function interfaceStatus(network: NetworkConfig, link: LinkState, fallback: FallbackState): InterfaceStatus {
  const settings = settingsOf(network, link.name);
  const bond = membersOf(network).get(link.name)?.name ?? "";
  return {
    ...link,
    management: settings?.management ?? false,
    streaming: settings?.streaming ?? false,
    bond,
    fallback,
    warnings: warningsOf(link, settings?.mtu ?? 0, settings !== undefined || bond !== "", fallback),
  };
}

function warningsOf(link: LinkState, mtu: number, used: boolean, fallback: FallbackState): string[] {
  if (!used) return [];
  const warnings: string[] = [];
  if (!link.up) warnings.push("is switched off");
  else if (link.carrier === false) warnings.push("has no cable, or nothing at its other end");
  if (link.duplex === "half") warnings.push("runs in half duplex: its other end does not negotiate as it should");
  if (link.speed !== null && link.speed < 1e9) {
    warnings.push(`runs at ${link.speed / 1e6} Mbit/s only: look at the cable and the switch`);
  }
  const jumbo = Math.max(mtu, link.mtu);
  if (jumbo > 1500) {
    warnings.push(`has an MTU of ${jumbo}: every switch and receiver on the way must take jumbo frames`);
  }
  if (fallback.state === "in-use") {
    warnings.push(`has no lease by DHCP and falls back to ${fallback.address}`);
  } else if (fallback.state === "taken") {
    warnings.push(`has no lease by DHCP and cannot fall back to ${fallback.address}: ${fallback.by} has it`);
  }
  return warnings;
}

/** Where a browser finds the box, the name first. */
export function urlsOf(
  web: WebAddress | undefined,
  mdnsName: string,
  interfaces: readonly Pick<InterfaceStatus, "management" | "addresses">[],
): string[] {
  if (web === undefined) return [];
  const { scheme, port, localOnly } = web;
  const suffix = port === DEFAULT_PORT[scheme] ? "" : `:${port}`;
  if (localOnly) return [`${scheme}://localhost${suffix}/`];
  const addresses = interfaces
    .filter(({ management }) => management)
    .flatMap((one) => one.addresses.filter(({ source }) => source !== "link-local").map(({ address }) => address));
  const hosts = addresses.map((address) => (address.includes(":") ? `[${address}]` : address));
  return [...(mdnsName === "" ? [] : [mdnsName]), ...hosts].map((host) => `${scheme}://${host}${suffix}/`);
}
