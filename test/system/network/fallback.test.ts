import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { type NetworkConfig, network } from "../../../src/config/schema.ts";
import { Fallback } from "../../../src/system/network/fallback.ts";
import { VirtualClock } from "../../support/virtualClock.ts";
import { FakeAdapter, link } from "./support/fakeAdapter.ts";

const OWN = "192.168.1.168";
const lease = { address: "10.0.0.77", prefix: 24, source: "dhcp" } as const;

function setUp(t: TestContext, document: unknown = {}, ...names: string[]) {
  const adapter = new FakeAdapter();
  adapter.links = (names.length === 0 ? ["eth0"] : names).map((name) => link(name));
  const clock = new VirtualClock();
  const state = { network: network.parse(document) as NetworkConfig };
  const logged: string[] = [];
  const fallback = new Fallback({
    ...{ adapter, clock, network: () => state.network },
    log: (level, message) => logged.push(`${level}: ${message}`),
  });
  t.after(() => fallback.stop());
  return { adapter, clock, state, logged, fallback };
}

test("a port with a cable and no lease gets the address after 30 s, and loses it when a lease comes", async (t) => {
  const { adapter, clock, logged, fallback } = setUp(t);
  fallback.start(adapter.links);
  await clock.advance(28_000);
  assert.deepEqual(adapter.takeOrders(), []);
  assert.deepEqual(fallback.of("eth0"), { state: "waiting" });
  await clock.advance(4000);
  assert.deepEqual(adapter.takeOrders(), [`probe eth0 ${OWN}`, `add eth0 ${OWN}/24`]);
  assert.deepEqual(fallback.of("eth0"), { state: "in-use", address: OWN });
  await clock.advance(60_000);
  assert.deepEqual(adapter.takeOrders(), []);

  adapter.link("eth0").addresses.push(lease);
  await clock.advance(2000);
  assert.deepEqual(adapter.takeOrders(), [`remove eth0 ${OWN}`]);
  assert.deepEqual(fallback.of("eth0"), { state: "off" });
  assert.deepEqual(logged, [
    `warning: eth0 has no lease by DHCP and is reached at ${OWN}`,
    `info: eth0 no longer has the address ${OWN} that it fell back to`,
  ]);
});

test("the time begins when the cable is in, and a lease ends it", async (t) => {
  const { adapter, clock, fallback } = setUp(t);
  adapter.link("eth0").carrier = false;
  fallback.start(adapter.links);
  await clock.advance(60_000);
  adapter.link("eth0").carrier = true;
  await clock.advance(20_000);
  adapter.link("eth0").addresses = [lease];
  await clock.advance(60_000);
  assert.deepEqual(adapter.takeOrders(), []);
  // The lease ran out, and nobody renewed it.
  adapter.link("eth0").addresses = [];
  await clock.advance(34_000);
  assert.deepEqual(adapter.takeOrders(), [`probe eth0 ${OWN}`, `add eth0 ${OWN}/24`]);
});

test("an address that another machine has is not taken, and asked for again later", async (t) => {
  const { adapter, clock, logged, fallback } = setUp(t);
  adapter.others.set(OWN, "02:00:00:00:00:99");
  fallback.start(adapter.links);
  await clock.advance(34_000);
  assert.deepEqual(fallback.of("eth0"), { state: "taken", address: OWN, by: "02:00:00:00:00:99" });
  assert.deepEqual(adapter.takeOrders(), [`probe eth0 ${OWN}`]);
  await clock.advance(50_000);
  assert.deepEqual(adapter.takeOrders(), []);
  adapter.others.clear();
  await clock.advance(20_000);
  assert.deepEqual(adapter.takeOrders(), [`probe eth0 ${OWN}`, `add eth0 ${OWN}/24`]);
  assert.deepEqual(logged.slice(0, 1), [`warning: eth0 cannot fall back to ${OWN}: 02:00:00:00:00:99 has it`]);
});

test("of two ports one has the address, and leaves it to the other when its cable is pulled", async (t) => {
  const { adapter, clock, fallback } = setUp(t, {}, "eth0", "eth1");
  fallback.start(adapter.links);
  await clock.advance(34_000);
  assert.deepEqual(adapter.takeOrders(), [`probe eth0 ${OWN}`, `add eth0 ${OWN}/24`]);
  assert.deepEqual(fallback.of("eth1"), { state: "taken", address: OWN, by: "port eth0" });
  adapter.link("eth0").carrier = false;
  await clock.advance(4000);
  assert.deepEqual(adapter.takeOrders(), [`remove eth0 ${OWN}`, `probe eth1 ${OWN}`, `add eth1 ${OWN}/24`]);
});

test("the address comes back when the port is set up anew", async (t) => {
  const { adapter, clock, fallback } = setUp(t);
  fallback.start(adapter.links);
  await clock.advance(34_000);
  adapter.takeOrders();
  adapter.link("eth0").addresses = [];
  await clock.advance(2000);
  assert.deepEqual(adapter.takeOrders(), [`add eth0 ${OWN}/24`]);
});

test("an address of an earlier supervisor is known again; one that DHCP gave is none", async (t) => {
  const { adapter, clock, fallback } = setUp(t, {}, "eth0", "eth1");
  adapter.link("eth0").addresses = [{ address: OWN, prefix: 24, source: "foreign" }];
  adapter.link("eth1").addresses = [{ address: OWN, prefix: 24, source: "dhcp" }];
  fallback.start(adapter.links);
  assert.deepEqual([fallback.of("eth0").state, fallback.of("eth1").state], ["in-use", "off"]);
  adapter.link("eth0").addresses.push(lease);
  await clock.advance(4000);
  assert.deepEqual(adapter.takeOrders(), [`remove eth0 ${OWN}`]);
});

test("only ports that shall have it get it", async (t) => {
  const dhcp = { method: "dhcp" };
  const links = [
    { type: "ethernet", name: "eth0", ipv4: { method: "off" } },
    { type: "ethernet", name: "eth1", ipv4: { ...dhcp, fallback: false } },
    { type: "bond", name: "bond0", members: ["eth2"], ipv4: { ...dhcp, address: "172.16.0.9", prefix: 16 } },
  ];
  const { adapter, clock, state, fallback } = setUp(t, { links }, "bond0", "docker0", "eth0", "eth1", "eth2");
  fallback.start(adapter.links);
  await clock.advance(40_000);
  assert.deepEqual(adapter.takeOrders(), ["probe bond0 172.16.0.9", "add bond0 172.16.0.9/16"]);
  // Now it is set by hand: networkd has it, and nobody takes it away.
  state.network = network.parse({
    links: [{ ...links[2], ipv4: { method: "static", address: "172.16.0.9", prefix: 16 } }],
  });
  await clock.advance(1000);
  assert.deepEqual(adapter.takeOrders(), []);
});
