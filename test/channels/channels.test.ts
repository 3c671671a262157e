import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Bus } from "../../src/bus.ts";
import { Channels } from "../../src/channels/channels.ts";
import { LockedError, RuntimeLock } from "../../src/channels/lock.ts";
import type { ChannelStatus } from "../../src/channels/status.ts";
import { type ChannelConfig, type Config, config as configSchema, defaultConfig } from "../../src/config/schema.ts";
import type { TransmitSpec } from "../../src/media/protocol.ts";
import { FakeMedia } from "./support/fakeMedia.ts";

function configOf(...channels: Record<string, unknown>[]): Config {
  const [base] = defaultConfig("lo").channels as [ChannelConfig];
  return configSchema.parse({ version: 3, channels: channels.map((patch) => ({ ...base, outputs: [], ...patch })) });
}

function setUp(t: TestContext, first: Config) {
  const folder = mkdtempSync(join(tmpdir(), "channels-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const media = new FakeMedia();
  const bus = new Bus();
  const config = { current: first };
  const channels = new Channels(config, media.setup(folder), bus);
  t.after(() => channels.stop());
  const change = async (next: Config) => {
    config.current = next;
    bus.emit("config", { revision: 2 });
    // Ended and begun after all that was to follow.
    await channels.settled();
  };
  return { folder, media, bus, channels, change };
}

test("every configured channel is started, and changes are followed", async (t) => {
  const { media, bus, channels, change } = setUp(t, configOf({ id: "a" }, { id: "b", enabled: false }));
  const removed: string[] = [];
  bus.on("channelRemoved", ({ id }) => removed.push(id));
  await channels.start();
  assert.deepEqual(media.takeOrders(), ["start a/transmit", "start a/encode"]);
  assert.deepEqual(
    channels.list().map(({ id }) => id),
    ["a", "b"],
  );

  await change(configOf({ id: "b", enabled: true }, { id: "c" }));
  assert.deepEqual(media.takeOrders().sort(), [
    "start b/encode",
    "start b/transmit",
    "start c/encode",
    "start c/transmit",
    "stop a/encode",
    "stop a/transmit",
  ]);
  assert.deepEqual(removed, ["a"]);
  assert.deepEqual(
    channels.list().map(({ id }) => id),
    ["b", "c"],
  );
  assert.equal(channels.status("a"), undefined);
  assert.deepEqual(media.pruned, ["a"]);
});

test("outputs without a DSCP of their own follow that of the network", async (t) => {
  const output = { type: "udp", address: "239.1.1.1", port: 1234 };
  const first = configOf(
    { id: "a", outputs: [{ ...output, id: "one" }] },
    { id: "b", outputs: [{ ...output, id: "two", port: 5678, dscp: 10 }] },
  );
  const { media, channels, change } = setUp(t, first);
  await channels.start();
  const marks = () =>
    ["a", "b"].map((id) => {
      const spec = media.workers.get(`${id}/transmit`)?.spec as TransmitSpec;
      return spec.destinations[0]?.dscp;
    });
  assert.deepEqual(marks(), [34, 10]);
  media.takeOrders();

  await change({ ...first, network: { ...first.network, dscp: 46 } });
  assert.deepEqual(marks(), [46, 10]);
  assert.deepEqual(media.takeOrders(), ["apply a/transmit"]);
});

test("orders for unknown channels are answered so", async (t) => {
  const { channels } = setUp(t, configOf({ id: "a" }));
  await channels.start();
  assert.equal(await channels.restart("x"), "unknown-channel");
  assert.equal(await channels.keyframe("x"), "unknown-channel");
  assert.equal(channels.previewFile("x"), undefined);
  assert.equal(await channels.restart("a"), "done");
});

test("stop ends the workers, detach leaves them", async (t) => {
  const one = setUp(t, configOf({ id: "a" }));
  await one.channels.start();
  one.media.takeOrders();
  await one.channels.stop();
  assert.deepEqual(one.media.takeOrders().sort(), ["stop a/encode", "stop a/transmit"]);
  const two = setUp(t, configOf({ id: "a" }));
  await two.channels.start();
  two.media.takeOrders();
  await two.channels.detach();
  assert.deepEqual(two.media.takeOrders().sort(), ["detach a/encode", "detach a/transmit"]);
});

test("every channel is reported once a second", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { bus, channels } = setUp(t, configOf({ id: "a" }, { id: "b", enabled: false }));
  await channels.start();
  const seen: ChannelStatus[] = [];
  bus.on("channel", (status) => seen.push(status));
  t.mock.timers.tick(2000);
  assert.deepEqual(
    seen.map(({ id }) => id),
    ["a", "b", "a", "b"],
  );
});

test("folders of channels that are gone are removed, those of others never", async (t) => {
  const { folder, channels } = setUp(t, configOf({ id: "a" }));
  const files = { gone: ["transmit.state", "encode.log", "preview.jpg"], mine: ["transmit.state", "letter.txt"] };
  for (const [name, list] of Object.entries(files)) {
    mkdirSync(join(folder, name));
    for (const file of list) writeFileSync(join(folder, name, file), "");
  }
  await channels.start();
  assert.deepEqual(readdirSync(folder).sort(), ["a", "mine"]);
  assert.deepEqual(readdirSync(join(folder, "mine")).sort(), ["letter.txt", "transmit.state"]);
});

test("a runtime folder has one supervisor, and the lock ends with its holder", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "lock-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const first = new RuntimeLock(folder);
  await first.start();
  await assert.rejects(
    new RuntimeLock(folder).start(),
    (error) => error instanceof LockedError && /--runtime/.test(error.message),
  );
  await assert.rejects(new RuntimeLock(`${folder}/../${folder.split("/").at(-1)}`).start(), LockedError);
  first.stop();
  const second = new RuntimeLock(folder);
  await second.start();
  second.stop();
});
