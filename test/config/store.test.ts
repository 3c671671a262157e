import assert from "node:assert/strict";
import test from "node:test";
import { Bus } from "../../src/bus.ts";
import { StoreError } from "../../src/config/durableFile.ts";
import { type ChannelConfig, defaultConfig } from "../../src/config/schema.ts";
import { ManualTimers } from "../media-units/support/manualTimers.ts";
import { SimulatedDisk } from "./support/disk.ts";
import { make, named, started } from "./support/service.ts";

const second = {
  id: "ch2",
  name: "Channel 2",
  outputs: [{ type: "udp", id: "main", address: "239.255.5.2", port: 1234 }],
};

test("a change is in force, stored and told once; the same again is no change", async () => {
  const disk = new SimulatedDisk();
  const bus = new Bus();
  const told: number[] = [];
  bus.on("config", ({ revision }) => told.push(revision));
  const service = make("/data", bus, disk);
  await service.start();
  const { tag } = service;
  const differences = [{ pointer: "/box/name", before: "Steadycast", after: "a" }];
  assert.deepEqual(await service.replace(named("a")), { ok: true, revision: 2, changed: true, differences });
  const steps = disk.steps;
  assert.deepEqual(await service.replace(named("a")), {
    ...{ ok: true, revision: 2, changed: false, differences: [] },
  });
  assert.equal(disk.steps, steps, "nothing is written for no change");
  assert.deepEqual(told, [2]);
  assert.notEqual(service.tag, tag);
  const again = await started("/data", disk);
  assert.deepEqual([again.current, again.revision, again.tag], [named("a"), 2, service.tag]);
});

test("the configuration in force cannot be changed by who reads it", async () => {
  const service = await started("/data", new SimulatedDisk());
  const [channel] = service.current.channels as [ChannelConfig];
  assert.throws(() => Object.assign(channel.video, { bitrate: 1 }), TypeError);
  await service.replace(named("a"));
  assert.ok(Object.isFrozen(service.current.channels[0]?.outputs[0]));
});

test("channels are added, replaced, edited and removed", async () => {
  const service = await started("/data", new SimulatedDisk());
  assert.equal((await service.addChannel(second)).ok, true);
  assert.equal(service.channel("ch2")?.video.bitrate, 3000, "with its defaults");
  assert.equal((await service.replaceChannel("ch1", { name: "First" })).ok, true);
  assert.deepEqual(
    service.current.channels.map(({ id, name }) => [id, name]),
    [
      ["ch1", "First"],
      ["ch2", "Channel 2"],
    ],
    "in their places",
  );
  assert.equal((await service.editChannel("ch2", (channel) => ({ ...channel, enabled: false }))).ok, true);
  assert.equal(service.channel("ch2")?.enabled, false);
  assert.equal((await service.removeChannel("ch1")).ok, true);
  assert.deepEqual(
    service.current.channels.map(({ id }) => id),
    ["ch2"],
  );
  for (const change of [
    service.replaceChannel("no", {}),
    service.editChannel("no", (c) => c),
    service.removeChannel("no"),
  ]) {
    assert.deepEqual(await change, { ok: false, reason: "unknown-channel" });
  }
  assert.equal(service.revision, 5);
});

test("a refused change names field, limit and value, and nothing has changed", async () => {
  const disk = new SimulatedDisk();
  const service = await started("/data", disk);
  await service.addChannel(second);
  const before = { current: service.current, tag: service.tag, stored: disk.contentOf("config.json") };
  const refusals: [change: Promise<unknown>, pointer: string, message: string][] = [
    [
      service.replace({ version: 3, channels: [{ ...second, video: { bitrate: 9 } }] }),
      "/channels/0/video/bitrate",
      "must be between 100 and 60000 kbit/s, is 9",
    ],
    [
      service.replaceChannel("ch2", { ...second, video: { gop: 0 } }),
      "/video/gop",
      "must be between 1 and 600 frames, is 0",
    ],
    [service.replaceChannel("ch2", { ...second, id: "ch3" }), "/id", 'must be "ch2", is "ch3": a channel keeps its id'],
    [service.replaceChannel("ch2", []), "", "must be an object, is a list"],
    [service.addChannel({ ...second, outputs: [] }), "/id", 'channel id "ch2" is used twice'],
    [
      // The one that is changed is at fault, although the other comes later in the document.
      service.editChannel("ch1", (channel) => ({ ...channel, outputs: second.outputs })),
      "/outputs/0/address",
      '239.255.5.2:1234 is used by channel "ch2" already',
    ],
    [service.replaceChannel("ch2", JSON.parse('{"__proto__":{"x":1}}')), "/__proto__", "is not a known setting"],
  ];
  for (const [change, pointer, message] of refusals) {
    const result = (await change) as { ok: boolean; reason: string; errors: { pointer: string; message: string }[] };
    assert.equal(result.reason, "invalid");
    const found = result.errors.map((error) => [error.pointer, error.message]);
    assert.ok(
      found.some(([p, m]) => p === pointer && m === message),
      JSON.stringify(found),
    );
  }
  assert.deepEqual({ current: service.current, tag: service.tag, stored: disk.contentOf("config.json") }, before);
});

test("changes run one after the other, each on the outcome of the one before", async () => {
  const service = await started("/data", new SimulatedDisk());
  const edits = Array.from({ length: 20 }, (_, n) =>
    service.editChannel("ch1", (channel) => ({ ...channel, name: `${channel.name}.${n}` })),
  );
  const revisions = (await Promise.all(edits)).map((result) => result.ok && result.revision);
  assert.deepEqual(
    revisions,
    Array.from({ length: 20 }, (_, n) => n + 2),
  );
  assert.equal(service.channel("ch1")?.name, `Channel 1${Array.from({ length: 20 }, (_, n) => `.${n}`).join("")}`);
});

test("of two changes made for the same tag, the second is stale", async () => {
  const service = await started("/data", new SimulatedDisk());
  const options = { ifTag: [service.tag] };
  const results = await Promise.all([service.replace(named("a"), options), service.replace(named("b"), options)]);
  assert.equal(results[0].ok, true);
  assert.deepEqual(results[1], { ok: false, reason: "stale", revision: 2 });
});

test("while a change is written, and after it failed, the old configuration is in force", async () => {
  const disk = new SimulatedDisk();
  const service = await started("/data", disk);
  disk.failAt(1, "ENOSPC");
  const failing = service.replace(named("a"));
  const following = service.replace(named("b"));
  await assert.rejects(failing, (error) => error instanceof StoreError && error.reason === "disk-full");
  assert.deepEqual(service.current, defaultConfig());
  assert.equal((await following).ok, true);
  assert.equal(service.revision, 2);
});

test("a listener that asks gets the new configuration, and one that throws hurts nobody", async () => {
  const bus = new Bus(() => undefined);
  const service = make("/data", bus, new SimulatedDisk());
  await service.start();
  const names: string[] = [];
  bus.on("config", () => {
    throw new Error("a bad listener");
  });
  bus.on("config", () => names.push(service.current.box.name));
  assert.equal((await service.replace(named("a"))).ok, true);
  assert.deepEqual(names, ["a"]);
});

test("stop waits for the changes in hand; later ones are errors", async () => {
  const disk = new SimulatedDisk();
  const service = await started("/data", disk);
  const change = service.replace(named("a"));
  await service.stop();
  assert.equal((await change).ok, true);
  assert.throws(() => service.current);
  await assert.rejects(service.replace(named("b")));
  assert.deepEqual((await started("/data", disk)).current, named("a"));
});

test("how long the work on the files takes is told while it does", async () => {
  const timers = new ManualTimers();
  const disk = new SimulatedDisk();
  const service = await started("/data", disk, timers);
  assert.equal(service.workingMs, 0);
  let end = () => {};
  const begun = new Promise<void>((tell) => {
    disk.create = () =>
      new Promise((_resolve, reject) => {
        end = () => reject(new Error("broken"));
        tell();
      });
  });
  const change = service.replace(named("a"));
  await begun;
  timers.advance(5000);
  assert.equal(service.workingMs, 5000);
  end();
  await assert.rejects(change, StoreError);
  assert.equal(service.workingMs, 0);
});
