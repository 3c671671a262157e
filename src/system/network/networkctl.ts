/** What networkctl(1) tells of the links as JSON (systemd 252 and later). */
import { z } from "zod";
import type { AddressState, LinkState } from "./adapter.ts";
import { isNone } from "./links.ts";

const bytes = z.array(z.int().min(0).max(255));

/** Only what is used; all else, and all that other versions add, is left aside. */
const described = z.looseObject({
  Interfaces: z.array(
    z.looseObject({
      Name: z.string(),
      DNS: z.array(z.looseObject({ Address: bytes })).optional(),
      Addresses: z
        .array(
          z.looseObject({
            Address: bytes,
            PrefixLength: z.int(),
            ConfigSource: z.string(),
            ConfigProvider: bytes.optional(),
          }),
        )
        .optional(),
      Routes: z
        .array(
          z.looseObject({
            DestinationPrefixLength: z.int(),
            Gateway: bytes.optional(),
            Table: z.int().optional(),
            Type: z.int().optional(),
          }),
        )
        .optional(),
    }),
  ),
});

/** RT_TABLE_MAIN. */
const MAIN_TABLE = 254;

export type Described = Pick<LinkState, "addresses" | "gateways" | "dns" | "dhcpServer">;

/** By the link's name; empty when the text is not what is expected. */
export function parseNetworkctl(text: string): Map<string, Described> {
  const found = new Map<string, Described>();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return found;
  }
  const parsed = described.safeParse(json);
  if (!parsed.success) return found;
  for (const { Name, DNS = [], Addresses = [], Routes = [] } of parsed.data.Interfaces) {
    const leased = Addresses.find(({ ConfigSource }) => ConfigSource === "DHCPv4");
    const gateways = Routes.filter(
      ({ DestinationPrefixLength, Table = MAIN_TABLE }) => DestinationPrefixLength === 0 && Table === MAIN_TABLE,
    ).flatMap(({ Gateway }) => (Gateway === undefined ? [] : [addressOf(Gateway)]));
    found.set(Name, {
      addresses: Addresses.map((one): AddressState => {
        const address = addressOf(one.Address);
        return { address, prefix: one.PrefixLength, source: sourceOf(one.ConfigSource, address) };
      }),
      gateways: [...new Set(gateways.filter((gateway) => !isNone(gateway)))],
      dns: DNS.map(({ Address }) => addressOf(Address)),
      dhcpServer: leased?.ConfigProvider === undefined ? null : addressOf(leased.ConfigProvider),
    });
  }
  return found;
}

function sourceOf(source: string, address: string): AddressState["source"] {
  if (/^fe[89ab]/i.test(address)) return "link-local";
  switch (source) {
    case "static":
      return "static";
    case "DHCPv4":
    case "DHCPv6":
    case "DHCP-PD":
      return "dhcp";
    case "NDisc":
      return "auto";
    case "IPv4LL":
      return "link-local";
    default:
      return "foreign";
  }
}

/** Four bytes or sixteen; IPv6 as RFC 5952 writes it. */
export function addressOf(address: readonly number[]): string {
  if (address.length !== 16) return address.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => (address[2 * i] ?? 0) * 256 + (address[2 * i + 1] ?? 0));
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]`).hostname.slice(1, -1);
}
