/** The network of the box: ports, bonds and VLANs with their addresses, routes and names. */
import { z } from "zod";
import { ipv4, set } from "./setting.ts";

/** Linux and systemd have uses of their own for the names that are refused. */
const linkName = z
  .string()
  .regex(
    /^(?!(?:lo|all|default|\.{1,2}|\d+)$)[a-zA-Z0-9_.-]{1,15}$/,
    "must be the name of a network interface, such as eth0",
  );
/** A host name (RFC 1123) or an address. */
export const host = z
  .string()
  .max(253)
  .regex(
    /^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.?)+$|^[0-9a-fA-F:]{2,39}$/,
    "must be a host name or an address",
  );

/** An address of zeros means none. */
const NO_IPV4 = "0.0.0.0";
const NO_IPV6 = "::";
/** What a box answers to when nobody gives it an address. */
export const FALLBACK_ADDRESS = "192.168.1.168";

const ip = {
  ipv4: z
    .strictObject({
      method: z.enum(["dhcp", "static", "off"]).default("dhcp").meta(set("IPv4", "network")),
      address: ipv4
        .default(FALLBACK_ADDRESS)
        .meta(set("Address", "network", { help: "For static, and with DHCP the one that the port falls back to" })),
      prefix: z
        .int()
        .min(1)
        .max(32)
        .default(24)
        .meta(set("Prefix length", "network", { unit: "bits", help: "24 is the mask 255.255.255.0" })),
      gateway: ipv4.default(NO_IPV4).meta(set("Gateway", "network", { help: "For static; 0.0.0.0: none" })),
      fallback: z
        .boolean()
        .default(true)
        .meta(set("Fall back", "network", { help: "With DHCP: takes the address above while no server answers" })),
    })
    .prefault({}),
  ipv6: z
    .strictObject({
      method: z
        .enum(["auto", "static", "off"])
        .default("auto")
        .meta(set("IPv6", "network", { help: "auto: by router advertisements and DHCPv6" })),
      address: z
        .ipv6()
        .default(NO_IPV6)
        .meta(set("IPv6 address", "network", { help: "For static" })),
      prefix: z
        .int()
        .min(1)
        .max(128)
        .default(64)
        .meta(set("IPv6 prefix length", "network", { unit: "bits" })),
      gateway: z
        .ipv6()
        .default(NO_IPV6)
        .meta(set("IPv6 gateway", "network", { help: "For static; ::: none" })),
    })
    .prefault({}),
  mtu: z
    .int()
    .min(1280)
    .max(9216)
    .default(1500)
    .meta(set("MTU", "network", { unit: "bytes", help: "Above 1500 every switch on the way must take jumbo frames" })),
  management: z
    .boolean()
    .default(true)
    .meta(set("Management", "network", { help: "Web page, API and other services answer here" })),
  streaming: z
    .boolean()
    .default(true)
    .meta(set("Streaming", "network", { help: "Streams come in and go out here" })),
};

export const ethernetLink = z.strictObject({ type: z.literal("ethernet"), name: linkName, ...ip });
export const bondLink = z.strictObject({
  type: z.literal("bond"),
  name: linkName,
  mode: z
    .enum(["active-backup", "802.3ad", "balance-xor"])
    .default("active-backup")
    .meta(set("Mode", "network", { help: "802.3ad (LACP) and balance-xor want a switch that is set up for them" })),
  members: z.array(linkName).min(1).max(8).meta(set("Member ports", "network")),
  ...ip,
});
export const vlanLink = z.strictObject({
  type: z.literal("vlan"),
  name: linkName,
  parent: linkName.meta(set("On", "network", { help: "Port or bond that carries the VLAN" })),
  id: z.int().min(1).max(4094).meta(set("VLAN ID", "network")),
  ...ip,
});
export const link = z.discriminatedUnion("type", [ethernetLink, bondLink, vlanLink]);

export const route = z.strictObject({
  destination: z.cidrv4().meta(set("Destination", "network", { help: "Such as 10.20.0.0/16" })),
  gateway: ipv4.meta(set("Gateway", "network")),
  interface: linkName.meta(set("Interface", "network")),
  metric: z.int().min(0).max(65535).default(100).meta(set("Metric", "network")),
});

/** Ports that are not listed take an address by DHCP, with fallback, and have both roles. */
export const network = z
  .strictObject({
    hostname: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "must be lower-case letters, digits and hyphens (RFC 1123)")
      .default("steadycast")
      .meta(set("Host name", "network")),
    mdns: z
      .boolean()
      .default(true)
      .meta(set("mDNS", "network", { help: "Answers to the host name with .local (RFC 6762)" })),
    links: z.array(link).max(16).default([]).meta(set("Ports", "network")),
    routes: z.array(route).max(32).default([]).meta(set("Routes", "network")),
    dnsServers: z
      .array(z.union([z.ipv4(), z.ipv6()]))
      .max(4)
      .default([])
      .meta(set("DNS servers", "network", { help: "Beside those that DHCP tells" })),
    searchDomains: z.array(host).max(6).default([]).meta(set("Search domains", "network")),
    igmpVersion: z
      .enum(["auto", "2", "3"])
      .default("auto")
      .meta(set("IGMP version", "network", { help: "auto follows the querier of the network" })),
    dscp: z
      .int()
      .min(0)
      .max(63)
      .default(34)
      .meta(set("DSCP of streams", "transmit", { help: "For outputs that have none of their own; 34 is AF41" })),
  })
  .check((ctx) => {
    const { links, routes } = ctx.value;
    const issue = (path: (string | number)[], message: string, input: unknown) =>
      ctx.issues.push({ code: "custom", path, message, input });
    const names = new Map(links.map((one, i) => [one.name, i]));
    const tags = new Set<string>();
    const owners = new Map<string, string>();
    links.forEach((one, i) => {
      if (names.get(one.name) !== i) issue(["links", i, "name"], `"${one.name}" is set twice`, one.name);
      checkIpv4(one, (field, message, input) => issue(["links", i, "ipv4", field], message, input));
      if (one.type === "vlan") {
        const parent = links.find(({ name }) => name === one.parent);
        if (parent?.type === "vlan" || one.parent === one.name) {
          issue(["links", i, "parent"], "must be a port or a bond, not a VLAN", one.parent);
        }
        if (parent !== undefined && one.mtu > parent.mtu) {
          issue(["links", i, "mtu"], `must not be above that of ${parent.name}, ${parent.mtu} bytes`, one.mtu);
        }
        const tag = `${one.parent}.${one.id}`;
        if (tags.has(tag)) issue(["links", i, "id"], `VLAN ${one.id} of ${one.parent} is set twice`, one.id);
        tags.add(tag);
      }
      if (one.type !== "bond") return;
      one.members.forEach((member, j) => {
        const other = owners.get(member);
        if (other !== undefined) issue(["links", i, "members", j], `${member} is in ${other} already`, member);
        if (links.some(({ name }) => name === member)) {
          issue(["links", i, "members", j], `${member} must not be listed by itself, too`, member);
        }
        owners.set(member, one.name);
      });
    });
    links.forEach((one, i) => {
      const owner = one.type === "vlan" ? owners.get(one.parent) : undefined;
      if (owner !== undefined) issue(["links", i, "parent"], `must be ${owner}, which has this port`, owner);
    });
    if (links.length > 0 && !links.some(isReachable)) {
      issue(["links"], "one port at least must have an address and the management role", links.length);
    }
    routes.forEach(({ interface: through }, i) => {
      if (names.size > 0 && !names.has(through)) issue(["routes", i, "interface"], "must be one of the ports", through);
    });
  });

export const timeSettings = z.strictObject({
  zone: z
    .string()
    .max(64)
    .refine(isZone, "must be a time zone such as Europe/Berlin or UTC")
    .default("UTC")
    .meta(set("Time zone", "none")),
  ntp: z
    .boolean()
    .default(true)
    .meta(set("Set by NTP", "none", { help: "Else the clock is set by hand" })),
  servers: z.array(host).max(4).default(["0.pool.ntp.org", "1.pool.ntp.org"]).meta(set("NTP servers", "none")),
});

export type NetworkConfig = z.infer<typeof network>;
export type LinkConfig = z.infer<typeof link>;
export type TimeConfig = z.infer<typeof timeSettings>;

function isReachable({ management, ipv4: v4, ipv6: v6 }: z.infer<typeof link>): boolean {
  return management && (v4.method !== "off" || v6.method !== "off");
}

type Report = (field: string, message: string, input: unknown) => void;

function checkIpv4({ ipv4: { method, address, prefix, gateway } }: z.infer<typeof link>, report: Report): void {
  if (method === "off") return;
  const [own, mask] = [toNumber(address), prefix === 32 ? 0xffffffff : ~(0xffffffff >>> prefix) >>> 0];
  const first = own >>> 24;
  const inNet = prefix < 31 ? (own & ~mask) >>> 0 : 1;
  if (first === 0 || first === 127 || first >= 224)
    report("address", "must be an address that a box can have", address);
  else if (inNet === 0 || (prefix < 31 && inNet === ~mask >>> 0)) {
    report("address", "must not be the first or the last address of its network", address);
  }
  if (method !== "static" || gateway === NO_IPV4) return;
  if (gateway === address) report("gateway", "must not be the box itself", gateway);
  else if (((toNumber(gateway) ^ own) & mask) !== 0) {
    report("gateway", `must be in the network of the box, ${address}/${prefix}`, gateway);
  }
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}
