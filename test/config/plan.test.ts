import assert from "node:assert/strict";
import test from "node:test";
import { Bus } from "../../src/bus.ts";
import { diff } from "../../src/config/diff.ts";
import type { ChannelImpact } from "../../src/config/plan.ts";
import { type Config, config, defaultConfig, SECRET_MARK } from "../../src/config/schema.ts";
import { ConfigService } from "../../src/config/store.ts";
import { effectAt } from "../../src/config/walk.ts";
import { SimulatedDisk } from "./support/disk.ts";
import { started } from "./support/service.ts";

const srt = { type: "srt", id: "srt", address: "peer", port: 9000, passphrase: "a long passphrase" };

/** Two channels, the second on an input and with an SRT output; a port with a fixed address; an input. */
function document(): Config {
  return config.parse({
    ...defaultConfig(),
    inputs: [{ connector: "hdmi1" }, { connector: "sdi1" }],
    network: { links: [{ type: "ethernet", name: "eth0" }] },
    channels: [
      ...defaultConfig().channels,
      { id: "ch2", name: "Second", source: { type: "input", connector: "sdi1" }, outputs: [srt] },
    ],
  });
}

async function prepared(): Promise<ConfigService> {
  const service = await started("/data", new SimulatedDisk());
  await service.replace(document(), { local: true });
  return service;
}

type Edit = (document: Config) => void;

const edited = (edit: Edit): Config => {
  const copy = document();
  edit(copy);
  return copy;
};

const pointers = (edit: Edit) => diff(document(), edited(edit)).map(({ pointer }) => pointer);
const second = ({ channels }: Config) => channels[1] as Config["channels"][number];
const first = ({ channels }: Config) => channels[0] as Config["channels"][number];

test("differences go as far down as they can, and things of a list are known by name", () => {
  assert.deepEqual(
    pointers((c) => Object.assign(second(c).video, { gop: 50 })),
    ["/channels/1/video/gop"],
  );
  assert.deepEqual(
    diff(
      document(),
      edited((c) => void c.channels.shift()),
    ).map(({ pointer, before, after }) => [pointer, (before as { id: string }).id, after]),
    [["/channels/0", "ch1", undefined]],
    "the second is where the first was, and has not changed",
  );
  const moved = diff(
    document(),
    edited((c) => c.channels.reverse()),
  );
  assert.deepEqual(moved, [{ pointer: "/channels", before: ["ch1", "ch2"], after: ["ch2", "ch1"] }]);
  const both = edited((c) => {
    c.channels.reverse();
    Object.assign(first(c), { name: "New" });
  });
  assert.deepEqual(
    diff(document(), both).map(({ pointer }) => pointer),
    ["/channels/0/name", "/channels"],
  );
});

test("things without a name are compared by place, plain lists as a whole, and another kind of thing is one difference", () => {
  const [track] = first(document()).audio;
  assert.deepEqual(
    pointers((c) => Object.assign(first(c), { audio: [{ ...track, language: "deu" }, track] })),
    ["/channels/0/audio/0/language", "/channels/0/audio/1"],
  );
  assert.deepEqual(
    diff(
      document(),
      edited((c) => c.time.servers.pop()),
    ),
    [{ pointer: "/time/servers", before: ["0.pool.ntp.org", "1.pool.ntp.org"], after: ["0.pool.ntp.org"] }],
  );
  assert.deepEqual(
    pointers((c) => Object.assign(first(c), { source: { type: "input", connector: "hdmi1" } })),
    ["/channels/0/source"],
  );
  assert.deepEqual(diff(document(), document()), []);
});

test("a secret that is another one is a difference, and is not told", () => {
  const other = edited((c) => Object.assign(second(c).outputs[0] ?? {}, { passphrase: "another passphrase" }));
  assert.deepEqual(diff(document(), other), [
    { pointer: "/channels/1/outputs/0/passphrase", before: SECRET_MARK, after: SECRET_MARK },
  ]);
  const [gone] = diff(
    document(),
    edited((c) => second(c).outputs.pop()),
  );
  assert.equal((gone as { before: typeof srt }).before.passphrase, SECRET_MARK);
});

test("what a change does comes from the schema: of a whole thing, its heaviest setting", () => {
  const effects: [path: (string | number)[], effect: string][] = [
    [["channels", 0, "video", "bitrate"], "live"],
    [["channels", 0, "video", "gop"], "encoder"],
    [["channels", 0, "audio", 0], "encoder"],
    [["channels", 0, "source", "type"], "live"],
    [["channels", 0, "source"], "live"],
    [["channels", 0, "outputs", 0], "transmit"],
    [["channels", 0, "outputs", 0, "id"], "transmit"],
    [["channels", 1, "outputs", 0], "live"],
    [["channels", 0, "name"], "none"],
    [["network", "links", 0], "network"],
    [["network", "links", 0, "ipv4", "method"], "network"],
    [["network", "links", 0, "type"], "network"],
    [["network", "dscp"], "transmit"],
    [["time", "zone"], "none"],
    [["version"], "network"],
    [["nothing"], "network"],
  ];
  for (const [path, effect] of effects) assert.equal(effectAt(config, document(), path), effect, path.join("/"));
});

const impacts: [what: string, edit: Edit, impact: Partial<ChannelImpact>[], sections: string[]][] = [
  ["nothing", () => undefined, [], []],
  [
    "a live setting",
    (c) => Object.assign(first(c).loss, { holdMs: 5 }),
    [{ id: "ch1", change: "changed", effect: "live", interrupts: false }],
    ["channels"],
  ],
  [
    "a setting of the packets",
    (c) => Object.assign(first(c).transport, { serviceName: "x" }),
    [{ id: "ch1", change: "changed", effect: "transmit", interrupts: true }],
    ["channels"],
  ],
  [
    "the heaviest of several",
    (c) => {
      Object.assign(first(c).transport, { serviceName: "x" });
      Object.assign(first(c).video, { gop: 50, bitrate: 2000 });
    },
    [{ id: "ch1", change: "changed", effect: "encoder", interrupts: true }],
    ["channels"],
  ],
  [
    "a name",
    (c) => Object.assign(first(c), { name: "x" }),
    [{ id: "ch1", name: "x", change: "changed", effect: "none", interrupts: false }],
    ["channels"],
  ],
  [
    "stopping",
    (c) => Object.assign(first(c), { enabled: false }),
    [{ id: "ch1", change: "stopped", interrupts: true }],
    ["channels"],
  ],
  ["removing", (c) => void c.channels.shift(), [{ id: "ch1", change: "removed", interrupts: true }], ["channels"]],
  [
    "adding",
    (c) => c.channels.unshift({ ...first(c), id: "ch3", outputs: [] }),
    [{ id: "ch3", change: "added", interrupts: false }],
    ["channels"],
  ],
  ["the order of channels", (c) => c.channels.reverse(), [], ["channels"]],
  [
    "the input of a channel",
    (c) => Object.assign(c.inputs[1] ?? {}, { standard: "1080i50" }),
    [{ id: "ch2", change: "changed", effect: "live", interrupts: false }],
    ["inputs"],
  ],
  ["the input of no channel", (c) => Object.assign(c.inputs[0] ?? {}, { standard: "1080i50" }), [], ["inputs"]],
  [
    "how all streams are marked",
    (c) => Object.assign(c.network, { dscp: 0 }),
    [
      { id: "ch1", effect: "transmit", interrupts: true },
      { id: "ch2", effect: "transmit", interrupts: true },
    ],
    ["network"],
  ],
  ["the box", (c) => Object.assign(c.box, { name: "x" }), [], ["box"]],
];
for (const [what, edit, expected, sections] of impacts) {
  test(`a plan tells what it interrupts: ${what}`, async () => {
    const service = await prepared();
    const plan = await service.plan({ document: edited(edit) });
    assert.equal(plan.valid, true);
    assert.equal(plan.changed, sections.length > 0);
    assert.deepEqual(plan.sections, sections);
    assert.equal(plan.channels.length, expected.length, JSON.stringify(plan.channels));
    plan.channels.forEach((impact, i) => {
      assert.deepEqual({ ...impact, ...expected[i] }, impact);
    });
    assert.deepEqual([plan.canCutOff, plan.confirmSeconds], [false, 0]);
    assert.equal(service.revision, 2, "nothing is changed");
  });
}

test("a channel that is off is not interrupted", async () => {
  const service = await prepared();
  await service.editChannel("ch1", (channel) => ({ ...channel, enabled: false }));
  const change = (channel: object) => service.plan({ patch: { channels: [{ ...first(document()), ...channel }] } });
  const { channels } = await change({ enabled: false, video: { gop: 50 } });
  assert.deepEqual(
    channels.map(({ id, change, interrupts }) => [id, change, interrupts]),
    [
      ["ch2", "removed", true],
      ["ch1", "changed", false],
    ],
  );
  assert.equal((await change({})).channels[1]?.change, "started");
});

test("what can cut the admin off waits for its confirmation", async () => {
  const service = await prepared();
  const edits: Edit[] = [
    (c) => Object.assign(c.network, { hostname: "x" }),
    (c) => Object.assign(c.network.links[0]?.ipv4 ?? {}, { method: "static" }),
    (c) => void c.network.links.pop(),
    (c) => void c.network.links.push({ ...c.network.links[0], name: "eth1" } as Config["network"]["links"][number]),
  ];
  for (const edit of edits) {
    const { canCutOff, confirmSeconds } = await service.plan({ document: edited(edit) });
    assert.deepEqual([canCutOff, confirmSeconds], [true, 120]);
  }
});

test("a plan says what is wrong, field by field, and takes marks and patches", async () => {
  const service = await prepared();
  const wrong = await service.plan({ patch: { box: { name: 7 }, panel: { pin: SECRET_MARK, dimAfter: -1 } } });
  assert.equal(wrong.valid, false);
  assert.deepEqual(
    wrong.errors.map(({ pointer, message }) => `${pointer} ${message}`),
    [
      "/panel/pin must be given anew",
      "/box/name must be text, is 7",
      "/panel/dimAfter must be between 0 and 3600 s, is -1",
    ],
  );
  const same = await service.plan({ document: service.shown });
  assert.deepEqual([same.valid, same.changed, same.given], [true, false, []]);
  assert.deepEqual((await service.plan({ document: service.current })).given, ["channels"]);
  for (const nonsense of [null, 7, []]) {
    assert.equal((await service.plan({ document: nonsense })).valid, false);
    assert.equal((await service.plan({ patch: nonsense })).valid, false);
  }
});

test("a patch does not carry a secret along to another host", async () => {
  const service = await prepared();
  const target = { type: "sftp", host: "nas", user: "box", password: "hunter2!" };
  assert.equal((await service.apply({ patch: { backup: { target } } })).ok, true);
  const stolen = await service.apply({ patch: { backup: { target: { host: "thief" } } } });
  assert.ok(!stolen.ok && stolen.reason === "invalid");
  assert.equal(stolen.errors[0]?.pointer, "/backup/target/password");
  assert.equal((await service.apply({ patch: { backup: { target: { path: "elsewhere" } } } })).ok, true);
  assert.equal((service.current.backup.target as typeof target).password, "hunter2!");
});

test("every way to change takes the mark for the secret that is set", async () => {
  const service = await prepared();
  const shown = () => structuredClone(service.shown);
  assert.equal((await service.replace({ ...shown(), box: { name: "1" } })).ok, true);
  assert.equal((await service.apply({ document: { ...shown(), box: { name: "2" } } })).ok, true);
  assert.equal((await service.apply({ patch: { channels: shown().channels.reverse() } })).ok, true);
  assert.equal((await service.replaceChannel("ch2", { ...service.shownChannel("ch2"), name: "4" })).ok, true);
  const { outputs } = service.shownChannel("ch2") as Config["channels"][number];
  assert.equal((await service.editChannel("ch2", (old) => ({ ...old, outputs, name: "5" }))).ok, true);
  assert.equal((await service.removeChannel("ch1")).ok, true);
  assert.equal(service.revision, 8);
  const [kept] = service.channel("ch2")?.outputs ?? [];
  assert.equal(kept?.type === "srt" && kept.passphrase, srt.passphrase);
  const copy = await service.addChannel({ ...service.shownChannel("ch2"), id: "ch3" });
  assert.ok(!copy.ok && copy.reason === "invalid");
  assert.deepEqual(copy.errors, [{ pointer: "/outputs/0/passphrase", message: "must be given anew" }]);
});

test("a change is held to the parts that it may touch, and tells nothing of secrets elsewhere", async () => {
  const service = await prepared();
  await service.apply({ patch: { panel: { pin: "1234" } } });
  const sections = ["channels"] as const;
  const refused = await service.apply({ patch: { box: { name: "x" }, time: { ntp: false } } }, { sections });
  assert.deepEqual(refused, { ok: false, reason: "not-allowed", sections: ["box", "time"] });
  for (const pin of ["1234", "4321"]) {
    const guess = await service.apply({ patch: { panel: { pin } } }, { sections });
    assert.deepEqual(guess, { ok: false, reason: "not-allowed", sections: ["panel"] });
    assert.deepEqual((await service.plan({ patch: { panel: { pin } } })).given, ["panel"]);
  }
  assert.equal((await service.apply({ patch: { channels: [] } }, { sections })).ok, true);
});

test("the entity tag changes with a secret, but is not made from it", async () => {
  const tags: string[] = [];
  for (const pin of ["1234", "4321"]) {
    const now = () => new Date("2026-01-01T00:00:00Z");
    const options = { folder: "/data", bus: new Bus(), initial: defaultConfig, files: new SimulatedDisk(), now };
    const service = new ConfigService(options);
    await service.start();
    tags.push(service.tag);
    await service.apply({ patch: { panel: { pin } } });
    tags.push(service.tag);
  }
  assert.notEqual(tags[0], tags[1]);
  assert.equal(tags[1], tags[3], "or the PIN could be found by trying");
});

test("what the world has against a change is told by the plan, and refuses it", async () => {
  const objection = { pointer: "/network/links/0/ipv4/address", message: "another machine has it" };
  const asked: string[] = [];
  const service = new ConfigService({
    ...{ folder: "/data", bus: new Bus(), files: new SimulatedDisk(), initial: defaultConfig },
    admit: async ({ box }) => {
      asked.push(box.name);
      return box.name === "Taken" ? [objection] : [];
    },
  });
  await service.start();
  const [taken, free] = [{ patch: { box: { name: "Taken" } } }, { patch: { box: { name: "Free" } } }];
  const { valid, errors } = await service.plan(taken);
  assert.deepEqual([valid, errors], [false, [objection]]);
  assert.deepEqual(await service.apply(taken), { ok: false, reason: "invalid", errors: [objection] });
  assert.equal(service.current.box.name, "Steadycast");
  assert.equal((await service.apply(free)).ok, true);
  assert.equal((await service.apply(free)).ok, true);
  assert.deepEqual(asked, ["Taken", "Taken", "Free"], "what changes nothing is not asked about");
});
