/** How ports are written on the page. */
import type { AddressState, LinkState } from "../src/system/network/adapter.ts";
import type { FallbackState } from "../src/system/network/fallback.ts";

const sources: Record<AddressState["source"], string> = {
  dhcp: "by DHCP",
  static: "static",
  auto: "by router",
  "link-local": "link-local",
  foreign: "not set by the box",
  unknown: "",
};

export const kindWords: Record<LinkState["kind"], string> = {
  ethernet: "Ethernet",
  bond: "Bond",
  vlan: "VLAN",
  other: "Other",
};

export function addressWords({ address, prefix, source }: AddressState): string {
  return `${address}/${prefix}${sources[source] === "" ? "" : ` ${sources[source]}`}`;
}

export function carrierWords({ up, carrier, speed, duplex }: LinkState): string {
  if (!up) return "Switched off";
  if (carrier === false) return "No cable";
  if (speed === null) return carrier === null ? "Not known" : "Connected";
  const rate = speed >= 1e9 ? `${speed / 1e9} Gbit/s` : `${speed / 1e6} Mbit/s`;
  return duplex === null ? rate : `${rate}, ${duplex} duplex`;
}

export function fallbackWords(fallback: FallbackState): string {
  switch (fallback.state) {
    case "off":
      return "not needed";
    case "waiting":
      return "waits for a lease";
    case "in-use":
      return `in use: ${fallback.address}`;
    case "taken":
      return `not possible: ${fallback.by} has ${fallback.address}`;
  }
}

export function roleWords({ management, streaming }: { management: boolean; streaming: boolean }): string {
  const roles = [...(management ? ["management"] : []), ...(streaming ? ["streaming"] : [])];
  return roles.length === 0 ? "not used" : roles.join(" and ");
}
