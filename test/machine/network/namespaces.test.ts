/** The network of a box, in namespaces of its own, with neighbours in others. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { FieldError } from "../../../src/config/explain.ts";
import type { NetworkStatus } from "../../../src/system/network/status.ts";
import { Box, cannotMake, eventually, Machine } from "./support/machine.ts";

const options = { skip: cannotMake };
const FALLBACK = "192.168.1.168/24";

async function setUp(t: TestContext, ...ports: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-network-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [machine, neighbour] = await Promise.all([Machine.make(t), Machine.make(t)]);
  for (const port of ports) machine.cable(port, neighbour, port);
  const boot = (config: unknown) => Box.boot(machine, folder, config);
  /** Gives the neighbour an address. */
  const at = (port: string, address: string) => {
    neighbour.run("ip", "address", "add", address, "dev", port);
    neighbour.run("ip", "link", "set", port, "up");
  };
  const status = async (box: Box, port: string) => {
    const { interfaces } = await box.ask<NetworkStatus>({ do: "status" });
    const found = interfaces.find(({ name }) => name === port);
    assert(found !== undefined);
    return found;
  };
  return { machine, neighbour, boot, at, status };
}

const still = (name: string, address: string, more: Record<string, unknown> = {}) => ({
  ...{ type: "ethernet", name, ipv4: { method: "static", address, prefix: 24 }, ipv6: { method: "off" } },
  ...more,
});

function serveDhcp(neighbour: Machine, port: string): void {
  const general = ["--no-daemon", "--conf-file=/dev/null", "--user=root", "--port=0", "--no-ping", "--leasefile-ro"];
  const range = ["--dhcp-range=10.9.0.50,10.9.0.60,2m", "--dhcp-option=6,10.9.0.53", "--dhcp-authoritative"];
  neighbour.serve("dnsmasq", ...general, ...range, `--interface=${port}`, "--bind-interfaces");
}

test("a port takes what a DHCP server gives", options, async (t) => {
  const { neighbour, boot, at, status } = await setUp(t, "eth0");
  at("eth0", "10.9.0.1/24");
  serveDhcp(neighbour, "eth0");
  const box = await boot({});
  const [address = ""] = await eventually("a lease", () => {
    const found = box.addresses("eth0");
    return found.some((one) => one.startsWith("10.9.0.")) && found;
  });
  assert.match(address, /^10\.9\.0\.(5\d|60)\/24$/);
  const found = await eventually("the status", async () => {
    const now = await status(box, "eth0");
    return now.dhcpServer !== null && now;
  });
  assert.deepEqual([found.dhcpServer, found.gateways, found.dns], ["10.9.0.1", ["10.9.0.1"], ["10.9.0.53"]]);
  assert.deepEqual([found.carrier, found.mtu, found.fallback], [true, 1500, { state: "off" }]);
  assert.ok(found.addresses.some(({ address, source }) => address.startsWith("10.9.0.") && source === "dhcp"));
});

test("without a server the box falls back to its known address, until one gives a lease", options, async (t) => {
  const { neighbour, boot, at, status } = await setUp(t, "eth0");
  at("eth0", "192.168.1.7/24");
  const box = await boot({});
  await eventually("the fallback address", () => box.addresses("eth0").includes(FALLBACK));
  // It answers there, past the firewall.
  assert.ok(neighbour.reaches("192.168.1.168", 443));
  const { fallback } = await status(box, "eth0");
  assert.deepEqual(fallback, { state: "in-use", address: "192.168.1.168" });

  at("eth0", "10.9.0.1/24");
  serveDhcp(neighbour, "eth0");
  await eventually("the lease in its place", () => {
    const found = box.addresses("eth0");
    return found.length === 1 && found[0]?.startsWith("10.9.0.");
  });
  assert.deepEqual((await status(box, "eth0")).fallback, { state: "off" });
});

test("an address that a neighbour has is refused, and not fallen back to", options, async (t) => {
  const { neighbour, boot, at, status } = await setUp(t, "eth0", "eth1");
  at("eth0", "10.0.0.9/24");
  at("eth1", "192.168.1.168/24");
  const mac = (port: string) => neighbour.run("cat", `/sys/class/net/${port}/address`).trim();
  const box = await boot({ network: { links: [still("eth0", "10.0.0.5")] } });
  const check = (address: string) =>
    box.ask<FieldError[]>({ do: "check", network: { links: [still("eth0", address)] } });
  const message = `10.0.0.9 is used by another machine, with the hardware address ${mac("eth0")}`;
  assert.deepEqual(await check("10.0.0.9"), [{ pointer: "/network/links/0/ipv4/address", message, value: "10.0.0.9" }]);
  assert.deepEqual(await check("10.0.0.8"), []);
  assert.deepEqual(await box.ask({ do: "probe", interface: "eth0", address: "10.0.0.9" }), {
    ...{ address: "10.0.0.9", interface: "eth0", message, result: "taken", mac: mac("eth0") },
  });

  await eventually(
    "the fallback address to be taken",
    async () => (await status(box, "eth1")).fallback.state === "taken",
  );
  assert.deepEqual((await status(box, "eth1")).fallback, {
    ...{ state: "taken", address: "192.168.1.168", by: mac("eth1") },
  });
  assert.deepEqual(box.addresses("eth1"), []);
});

test("the firewall lets in what the roles of a port allow", options, async (t) => {
  const { machine, neighbour, boot, at } = await setUp(t, "eth0", "eth1");
  at("eth0", "10.0.0.9/24");
  at("eth1", "10.1.0.9/24");
  const source = { type: "ip", protocol: "udp", address: "0.0.0.0", port: 5004 };
  const links = [still("eth0", "10.0.0.5", { streaming: false }), still("eth1", "10.1.0.5", { management: false })];
  const box = await boot({ network: { links }, channels: [{ id: "a", name: "A", source }] });
  await eventually("the addresses", () => box.addresses("eth0").length + box.addresses("eth1").length === 2);
  neighbour.run("arping", "-c1", "-w9", "-I", "eth0", "10.0.0.5");
  neighbour.run("arping", "-c1", "-w9", "-I", "eth1", "10.1.0.5");

  // All of these are served by the box, so that only the firewall can keep a client out.
  const open = [80, 443, 8080].map((port) => [
    neighbour.reaches("10.0.0.5", port),
    neighbour.reaches("10.1.0.5", port),
  ]);
  assert.deepEqual(open, [
    [true, false],
    [true, false],
    [false, false],
  ]);
  for (const [name, address] of Object.entries({ eth0: "10.0.0.5", eth1: "10.1.0.5" })) {
    for (const port of [5004, 5006]) neighbour.send(address, port, `${name}-${port}`);
  }
  const received = () => box.told.filter((line) => line.startsWith("received"));
  await eventually("the stream", () => received().length > 0);
  // What came later on the same wires was sent before this question.
  assert.deepEqual(received(), ["received eth1-5004 on 5004"]);

  // A channel that goes on air opens its port.
  await box.ask({
    do: "apply",
    patch: { channels: [{ id: "a", name: "A", source: { ...source, port: 5006 } }] },
    confirmSeconds: 0,
  });
  for (const port of [5004, 5006]) neighbour.send("10.1.0.5", port, `again-${port}`);
  await eventually("the other stream", () => received().length > 1);
  assert.deepEqual(received().slice(1), ["received again-5006 on 5006"]);
  assert.match(machine.run("nft", "list", "table", "inet", "steadycast"), /udp dport 5006 accept/);
});

test("a change that cuts the admin off is taken back", options, async (t) => {
  const { neighbour, boot, at } = await setUp(t, "eth0");
  at("eth0", "10.0.0.9/24");
  const box = await boot({ network: { links: [still("eth0", "10.0.0.5")] } });
  await eventually("the page", () => neighbour.reaches("10.0.0.5", 443));

  // 10 s on the box's clock would be over before the client looks.
  const result = await box.ask<{ ok: boolean; trial?: unknown }>({
    do: "apply",
    patch: { network: { links: [still("eth0", "10.99.0.5")] } },
    confirmSeconds: 100,
  });
  assert.ok(result.ok && result.trial !== undefined);
  await eventually("the new address", () => box.addresses("eth0").join() === "10.99.0.5/24");
  assert.equal(neighbour.reaches("10.0.0.5", 443), false);
  assert.equal(neighbour.reaches("10.99.0.5", 443), false);

  await eventually("the page at the old address", () => neighbour.reaches("10.0.0.5", 443));
  assert.deepEqual(box.addresses("eth0"), ["10.0.0.5/24"]);
  assert.ok(box.told.some((line) => /was not confirmed; revision 1 is in force again$/.test(line)));
});
