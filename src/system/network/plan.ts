/** All that the system is told of the network, made from the configuration. */
import type { NetworkConfig } from "../../config/schema.ts";
import { type FirewallService, firewallRules } from "./firewall.ts";
import { type GeneratedFile, networkdFiles } from "./networkd.ts";

export interface NetworkPlan {
  /** For systemd-networkd's folder, sorted by name. */
  files: readonly GeneratedFile[];
  /** For `nft -f`. */
  firewall: string;
  /** Settings of the kernel: sysctl(8). */
  settings: readonly { key: string; value: string }[];
  hostname: string;
}

/** Throws where a value is not what the schema lets pass: it would change the meaning of what is generated. */
export function planOf(network: NetworkConfig, services: readonly FirewallService[]): NetworkPlan {
  return {
    files: networkdFiles(network),
    firewall: firewallRules(network, services),
    settings: settingsOf(network),
    hostname: network.hostname,
  };
}

function settingsOf({ igmpVersion }: NetworkConfig): NetworkPlan["settings"] {
  const version = igmpVersion === "auto" ? "0" : igmpVersion;
  return [
    // 0 follows the querier (RFC 3376, 7.2.1).
    { key: "net.ipv4.conf.all.force_igmp_version", value: version },
    // Each address answers ARP on its own port only: two ports may be on one wire.
    { key: "net.ipv4.conf.all.arp_ignore", value: "1" },
    { key: "net.ipv4.conf.all.arp_announce", value: "2" },
    // Streams come in from networks that the default route does not lead to: loose (RFC 3704, 2.4).
    { key: "net.ipv4.conf.all.rp_filter", value: "2" },
  ];
}
