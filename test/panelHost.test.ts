import assert from "node:assert/strict";
import test from "node:test";
import type { AccessService } from "../src/access/access.ts";
import type { Channels } from "../src/channels/channels.ts";
import { panelHost } from "../src/panelHost.ts";
import { SimulatedDisk } from "./config/support/disk.ts";
import { started } from "./config/support/service.ts";

async function make() {
  const config = await started("/data", new SimulatedDisk());
  const orders: string[] = [];
  const host = panelHost({
    ...{ config, version: "1.2.3", slot: () => "A", serial: "0001", url: () => undefined },
    channels: { list: () => [] } as unknown as Channels,
    power: {
      order: async (what, reason) => {
        orders.push(`${what}: ${reason}`);
        return { ok: false, why: "This box is a program" };
      },
      factoryReset: async () => ({ refused: "not now" }),
    },
    access: { users: { resetPassword: async () => ({ user: "admin", password: "abcd" }) } } as unknown as AccessService,
  });
  return { config, host, orders };
}

test("a preset of the panel is a change like any other, made by the front panel", async () => {
  const { config, host } = await make();
  const ids = host.presets().map(({ id }) => id);
  assert.ok(ids.includes("hd-iptv") && !ids.includes("4k-hevc"), ids.join());
  assert.equal(await host.applyPreset("ch1", "hd-iptv"), "done");
  const channel = config.channel("ch1");
  assert.deepEqual([channel?.video.width, channel?.video.height], [1920, 1080]);
  const [newest] = await config.versions();
  assert.deepEqual([newest?.author, newest?.comment], ["front panel", "preset HD IPTV"]);
  assert.deepEqual(await host.applyPreset("ch9", "hd-iptv"), [{ pointer: "", message: "is not there any more" }]);
  assert.deepEqual(await host.applyPreset("ch1", "none"), [{ pointer: "", message: "is not there any more" }]);
});

test("a change of the network at the panel needs nobody's confirmation", async () => {
  const { config, host } = await make();
  assert.equal(await host.change({ network: { hostname: "rack7" } }), "done");
  assert.equal(config.trial(), null);
  assert.equal(config.current.network.hostname, "rack7");
  const refused = await host.change({ panel: { dimAfter: -1 } });
  assert.equal(refused !== "done" && refused[0]?.pointer, "/panel/dimAfter");
});

test("what the box cannot do now is said in its words", async () => {
  const { host, orders } = await make();
  assert.deepEqual(await host.reboot(), [{ pointer: "", message: "This box is a program" }]);
  assert.deepEqual(orders, ["reboot: ordered at the front panel"]);
  assert.deepEqual(await host.factoryReset(), [{ pointer: "", message: "not now" }]);
});
