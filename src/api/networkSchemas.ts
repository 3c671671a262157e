/** The shapes of the network, for the OpenAPI document and the tests. */
import { z } from "zod";
import type { AddressCheck } from "../system/network/service.ts";
import type { NetworkStatus } from "../system/network/status.ts";
import type { Same } from "./schemas.ts";

const address = z.object({
  address: z.string(),
  prefix: z.int(),
  /** Who gave it; `foreign`: somebody else than the configuration, such as the fallback. */
  source: z.enum(["dhcp", "static", "auto", "link-local", "foreign", "unknown"]),
});

const counters = z.object({
  receivedBytes: z.number(),
  receivedPackets: z.number(),
  receiveErrors: z.number(),
  receiveDropped: z.number(),
  sentBytes: z.number(),
  sentPackets: z.number(),
  sendErrors: z.number(),
  sendDropped: z.number(),
});

const fallback = z.discriminatedUnion("state", [
  z.object({ state: z.literal("off") }),
  z.object({ state: z.literal("waiting") }),
  z.object({ state: z.literal("in-use"), address: z.string() }),
  z.object({ state: z.literal("taken"), address: z.string(), by: z.string() }),
]);

const interfaceStatus = z.object({
  name: z.string(),
  kind: z.enum(["ethernet", "bond", "vlan", "other"]),
  mac: z.string(),
  up: z.boolean(),
  carrier: z.boolean().nullable(),
  /** bit/s. */
  speed: z.number().nullable(),
  duplex: z.enum(["full", "half"]).nullable(),
  mtu: z.int(),
  addresses: z.array(address),
  gateways: z.array(z.string()),
  dns: z.array(z.string()),
  dhcpServer: z.string().nullable(),
  counters,
  management: z.boolean(),
  streaming: z.boolean(),
  bond: z.string(),
  fallback,
  warnings: z.array(z.string()),
});

export const networkStatus = z.object({
  adapter: z.enum(["dry", "networkd"]),
  hostname: z.string(),
  mdnsName: z.string(),
  urls: z.array(z.string()),
  interfaces: z.array(interfaceStatus),
  fault: z.string(),
  notes: z.array(z.string()),
});

/** An address that somebody thinks of giving to an interface. */
export const addressQuestion = z.strictObject({
  interface: z.string().regex(/^[a-zA-Z0-9_.-]{1,15}$/, "must be the name of a network interface, such as eth0"),
  address: z.ipv4(),
});

const asked = { address: z.string(), interface: z.string(), message: z.string() };

export const addressCheck = z.union([
  z.object({ ...asked, result: z.enum(["free", "unknown"]) }),
  z.object({ ...asked, result: z.literal("taken"), mac: z.string() }),
]);

export const NETWORK_ANSWERS: readonly [z.ZodType, string][] = [
  [networkStatus, "NetworkStatus"],
  [addressCheck, "AddressCheck"],
];

export const NETWORK_REQUESTS: readonly [z.ZodType, string][] = [[addressQuestion, "AddressQuestion"]];

true satisfies Same<z.infer<typeof networkStatus>, NetworkStatus>;
true satisfies Same<z.infer<typeof addressCheck>, AddressCheck>;
