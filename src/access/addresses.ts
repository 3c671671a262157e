/** Addresses of clients: one way of writing them, which of them are near, and which belong to one client. */
import { BlockList, isIP, SocketAddress } from "node:net";

/** Without the zone, and IPv4 in IPv6 (`::ffff:…`) as IPv4; "" for none. */
export function plainAddress(address = ""): string {
  const bare = address.replace(/%.*$/, "").toLowerCase();
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/.exec(bare);
  return mapped?.[1] ?? bare;
}

/** What is throttled as one: an IPv4 address, or a /64 of IPv6, in which one client may take any address. */
export function clientOf(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  const [head = "", tail] = new SocketAddress({ address: plain, family: "ipv6" }).address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? 0 : tail.split(":").length;
  // A dotted IPv4 tail counts two groups, but only ever in the lower half.
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after);
  const all = [...groups, ...Array<string>(zeros).fill("0"), ...(tail?.split(":") ?? [])];
  return `${all.slice(0, 4).join(":")}::/64`;
}

/** Whether a client is the box itself, on a cable with it (link-local), or in one of these networks of the box. */
export function isNear(address: string, networks: readonly string[]): boolean {
  const plain = plainAddress(address);
  if (plain === "") return true;
  const version = isIP(plain);
  if (version === 0) return false;
  const near = new BlockList();
  near.addSubnet("127.0.0.0", 8, "ipv4");
  near.addSubnet("169.254.0.0", 16, "ipv4");
  near.addAddress("::1", "ipv6");
  near.addSubnet("fe80::", 10, "ipv6");
  for (const network of networks) {
    const [base = "", prefix = ""] = network.split("/");
    const family = isIP(base);
    const bits = Number(prefix);
    // A network of no bits would be the whole Internet.
    if (family === 0 || !/^\d{1,3}$/.test(prefix) || bits < 1 || bits > (family === 4 ? 32 : 128)) continue;
    near.addSubnet(base, bits, family === 4 ? "ipv4" : "ipv6");
  }
  return near.check(plain, version === 4 ? "ipv4" : "ipv6");
}
