import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { networkRoutes } from "../../src/api/routes/network.ts";
import { Bus } from "../../src/bus.ts";
import { defaultConfig } from "../../src/config/schema.ts";
import { NetworkService } from "../../src/system/network/service.ts";
import type { NetworkStatus } from "../../src/system/network/status.ts";
import { FakeAdapter, link } from "../system/network/support/fakeAdapter.ts";
import { Box } from "./support/box.ts";

async function start(t: TestContext) {
  const adapter = new FakeAdapter();
  adapter.links = [
    link("eth0", {
      mtu: 9000,
      addresses: [
        { address: "10.0.0.5", prefix: 24, source: "dhcp" },
        { address: "fe80::1", prefix: 64, source: "link-local" },
      ],
      dhcpServer: "10.0.0.1",
    }),
    link("docker0", { kind: "other", addresses: [{ address: "172.17.0.1", prefix: 16, source: "foreign" }] }),
  ];
  const network = new NetworkService({
    config: { current: defaultConfig() },
    bus: new Bus(),
    adapter,
    services: () => [],
    web: () => ({ scheme: "https", port: 8443, localOnly: false }),
  });
  await network.start();
  t.after(() => network.stop());
  return { adapter, box: await Box.start(t, { routes: networkRoutes(network) }) };
}

test("the network is told with what it is used for and where the page is found", async (t) => {
  const { box } = await start(t);
  const { body } = await box.as("viewer").call("GET", "/network");
  const status = body as NetworkStatus;
  assert.deepEqual([status.adapter, status.hostname, status.mdnsName], ["networkd", "steadycast", "steadycast.local"]);
  assert.deepEqual(status.urls, ["https://steadycast.local:8443/", "https://10.0.0.5:8443/"]);
  assert.deepEqual(
    status.interfaces.map(({ name, management, streaming, warnings }) => [name, management, streaming, warnings]),
    [
      ["eth0", true, true, ["has an MTU of 9000: every switch and receiver on the way must take jumbo frames"]],
      ["docker0", false, false, []],
    ],
  );
});

test("an admin may ask whether an address is free", async (t) => {
  const { adapter, box } = await start(t);
  adapter.others.set("10.0.0.9", "02:00:00:00:00:99");
  const ask = (address: string) => box.call("POST", "/network/check", { interface: "eth0", address });
  assert.deepEqual((await ask("10.0.0.9")).body, {
    interface: "eth0",
    address: "10.0.0.9",
    result: "taken",
    mac: "02:00:00:00:00:99",
    message: "10.0.0.9 is used by another machine, with the hardware address 02:00:00:00:00:99",
  });
  assert.deepEqual((await ask("10.0.0.8")).body, {
    ...{ interface: "eth0", address: "10.0.0.8", result: "free", message: "no other machine answers for 10.0.0.8" },
  });
  const own = (await ask("10.0.0.5")).body as { message: string };
  assert.equal(own.message, "eth0 has 10.0.0.5 already");
  assert.deepEqual(adapter.takeOrders(), ["probe eth0 10.0.0.9", "probe eth0 10.0.0.8"]);

  const unknown = await box.refused("invalid", "POST", "/network/check", { interface: "eth7", address: "10.0.0.8" });
  assert.match(unknown.errors?.[0]?.detail ?? "", /^must be an interface that the box has/);
  await box.refused("invalid", "POST", "/network/check", { interface: "-Ieth0", address: "10.0.0.8;id" });
  await box.as("operator").refused("forbidden", "POST", "/network/check", { interface: "eth0", address: "10.0.0.8" });
});
