import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { Bus } from "../../../src/bus.ts";
import { type Config, config as schema } from "../../../src/config/schema.ts";
import { managementServices } from "../../../src/system/network/firewall.ts";
import { NetworkService } from "../../../src/system/network/service.ts";
import { VirtualClock } from "../../support/virtualClock.ts";
import { FakeAdapter, link } from "./support/fakeAdapter.ts";

const configOf = (document: Record<string, unknown>) => schema.parse({ version: 3, ...document });

async function setUp(t: TestContext, first: Config = configOf({})) {
  const adapter = new FakeAdapter();
  adapter.links = [link("eth0")];
  const bus = new Bus();
  const clock = new VirtualClock();
  const config = { current: first };
  const logged: string[] = [];
  bus.on("log", ({ level, message }) => logged.push(`${level}: ${message}`));
  const services = () => managementServices({ https: 443 });
  const service = new NetworkService({ config, bus, adapter, services, clock });
  t.after(() => service.stop());
  const change = async (next: Config) => {
    config.current = next;
    bus.emit("config", { revision: 2 });
    await service.settled();
  };
  return { adapter, bus, clock, logged, service, change };
}

const eth0 = (address: string) => ({
  links: [{ type: "ethernet", name: "eth0", ipv4: { method: "static", address } }],
});

test("the network follows the configuration, and only what concerns it", async (t) => {
  const { adapter, service, change } = await setUp(t);
  await service.start();
  assert.equal(adapter.plans.length, 1);
  await change(configOf({ box: { name: "Another name" } }));
  assert.equal(adapter.plans.length, 1);
  await change(configOf({ network: eth0("10.0.0.5") }));
  assert.match(adapter.plans[1]?.files[0]?.text ?? "", /^Address=10\.0\.0\.5\/24$/m);
  await change(
    configOf({
      network: eth0("10.0.0.5"),
      channels: [{ id: "a", name: "A", source: { type: "ip", port: 1234 } }],
    }),
  );
  assert.match(adapter.plans[2]?.firewall ?? "", /^ {4}udp dport 1234 accept comment "udp input of a"$/m);
  assert.match(adapter.plans[2]?.firewall ?? "", /^ {4}tcp dport 443 accept/m);
  assert.deepEqual(adapter.plans[2]?.files, adapter.plans[1]?.files);
});

test("what can't be applied is told, and tried again", async (t) => {
  const { adapter, clock, logged, service } = await setUp(t);
  adapter.refusal = "networkctl (exit code 1): it sulks";
  await service.start();
  const fault = "The settings of the network are not in force: networkctl (exit code 1): it sulks";
  assert.equal((await service.status()).fault, fault);
  assert.deepEqual(logged, [`error: ${fault}`]);
  adapter.refusal = undefined;
  await clock.advance(31_000);
  await service.settled();
  assert.equal((await service.status()).fault, "");
  assert.equal(adapter.plans.length, 2);
});

test("a change that was refused does not keep the way back from being gone", async (t) => {
  const first = configOf({});
  const { adapter, service, change } = await setUp(t, first);
  await service.start();
  adapter.refusal = "no";
  await change(configOf({ network: eth0("10.0.0.5") }));
  adapter.refusal = undefined;
  await change(first);
  assert.equal((await service.status()).fault, "");
});

test("what the configuration takes back when it stops is still carried out", async (t) => {
  const first = configOf({});
  const { adapter, bus, service, change } = await setUp(t, first);
  await service.start();
  await change(configOf({ network: eth0("10.0.0.5") }));
  const stopping = change(first);
  bus.emit("config", { revision: 3 });
  await service.stop();
  await stopping;
  assert.deepEqual(adapter.plans.at(-1), adapter.plans[0]);
  assert.equal(adapter.plans.length, 3);
});

test("new addresses are asked for before they are used; the box's own and unchanged ones are not", async (t) => {
  const now = configOf({ network: eth0("10.0.0.5") });
  const { adapter, service } = await setUp(t, now);
  adapter.links = [link("eth0", { addresses: [{ address: "10.0.0.5", prefix: 24, source: "static" }] }), link("eth1")];
  await service.start();
  adapter.others.set("10.0.0.5", "02:00:00:00:00:55").set("10.0.0.9", "02:00:00:00:00:99");
  assert.deepEqual(await service.check(now), []);
  const two = [...eth0("10.0.0.5").links, { ...eth0("10.0.0.8").links[0], name: "eth1" }];
  assert.deepEqual(await service.check(configOf({ network: { links: two } })), []);
  assert.deepEqual(adapter.takeOrders(), ["probe eth1 10.0.0.8"]);

  const message = "10.0.0.9 is used by another machine, with the hardware address 02:00:00:00:00:99";
  const error = { pointer: "/network/links/0/ipv4/address", message, value: "10.0.0.9" };
  assert.deepEqual(await service.check(configOf({ network: eth0("10.0.0.9") })), [error]);
  // A bond is asked for through one of its ports, while it is not there itself.
  const bond = { ...eth0("10.0.0.9").links[0], type: "bond", name: "bond0", members: ["eth0", "eth1"] };
  assert.deepEqual(await service.check(configOf({ network: { links: [bond] } })), [error]);
});

test("however many ask, the system is asked once a second", async (t) => {
  const { adapter, clock, service } = await setUp(t);
  await service.start();
  const before = adapter.statuses;
  await Promise.all(Array.from({ length: 50 }, () => service.status()));
  assert.equal(adapter.statuses, before + 1);
  await clock.advance(1000);
  await service.status();
  assert.equal(adapter.statuses, before + 2);
});

test("a PC falls back to no address, and its page is found on itself", async (t) => {
  const adapter = new FakeAdapter();
  adapter.kind = "dry";
  adapter.links = [link("eth0")];
  const clock = new VirtualClock();
  const web = () => ({ scheme: "http", port: 8080, localOnly: true }) as const;
  const config = { current: configOf({}) };
  const service = new NetworkService({ config, bus: new Bus(), adapter, services: () => [], clock, web });
  await service.start();
  t.after(() => service.stop());
  await clock.advance(120_000);
  assert.deepEqual(adapter.takeOrders(), []);
  const { urls, mdnsName } = await service.status();
  assert.deepEqual([urls, mdnsName], [["http://localhost:8080/"], ""]);
});
