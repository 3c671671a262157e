import assert from "node:assert/strict";
import { test } from "node:test";
import { BusError } from "../../../src/board/ports.ts";
import { it6616 } from "../../../src/board/receivers/it6616.ts";
import { WrongChip } from "../../../src/board/receivers/receiver.ts";
import { exactRate, type Signal } from "../../../src/board/signal.ts";
import { It6616Model } from "../../../src/board/virtual/chips/it6616.ts";
import { It6801Model } from "../../../src/board/virtual/chips/it6801.ts";
import type { Plug } from "../../../src/board/virtual/model.ts";
import { edid, failNext, plug, type Rig, type RigOptions, resetChip, rig, storm } from "./support/lontium.ts";

const options: RigOptions<It6616Model> = { address: 0x48, model: It6616Model, receiver: it6616, lines: [] };

const plugs: readonly Plug[] = [
  plug("1920x1080p60"),
  plug("1920x1080p59.94", { audio: { rate: 44100, channels: 2 } }),
  plug("1920x1080p50", { range: "full" }),
  plug("1920x1080p30", { hdcp: true, audio: { rate: 32000, channels: 2 } }),
  plug("1920x1080p29.97", { colourSpace: "ycbcr-444", range: "full" }),
  plug("1920x1080p25"),
  plug("1920x1080p23.98", { audio: { rate: 192000, channels: 8 } }),
  plug("1920x1080i30", { colourSpace: "ycbcr-422" }),
  plug("1920x1080i29.97"),
  plug("1920x1080i25", { audio: undefined }),
  plug("1280x720p59.94", { audio: { rate: 96000, channels: 2 } }),
  plug("1280x720p24", { hdmi: false, range: "full", audio: undefined }),
  plug("720x480i29.97"),
  plug("720x576i25", { audio: { rate: 88200, channels: 2 } }),
  plug("720x480p59.94", { audio: undefined }),
  plug("720x576p50", { audio: { rate: 176400, channels: 2 } }),
  plug("3840x2160p30"),
  plug("3840x2160p23.98"),
  plug("3840x2160p60", { colourSpace: "ycbcr-420" }),
  plug("1280x1024p60", { range: "full" }),
  plug("1024x768p60", { range: "limited" }),
];

function expected(plugged: Plug | undefined): Signal {
  if (plugged === undefined) return { state: "no-cable", cablePower: false };
  const { health, programme } = plugged;
  if (health === "no-clock") return { state: "no-clock", cablePower: true, clock: false };
  if (health === "no-lock") return { state: "no-lock", cablePower: true, clock: true, lock: false };
  const { width, height, interlaced, rate, colourSpace, range, hdmi, hdcp, audio } = programme;
  return {
    state: hdcp ? "protected" : "locked",
    cablePower: true,
    clock: true,
    lock: true,
    video: { width, height, interlaced, rate, colourSpace, range },
    hdmi,
    hdcp,
    ...(audio === undefined ? {} : { audio: { rate: audio.rate, channels: 2 } }),
  };
}

/** The source sends once it sees hot plug: that is after the first reading. */
async function settled({ receiver }: Pick<Rig<It6616Model>, "receiver">): Promise<Signal> {
  await receiver.read();
  return await receiver.read();
}

test("tells every state and picture", async () => {
  const { connector, receiver } = rig(options);
  await receiver.start();
  for (const good of plugs) {
    connector.plug = good;
    await receiver.read();
    for (const health of ["good", "no-clock", "no-lock", "good"] as const) {
      connector.plug = { ...good, health };
      assert.deepEqual(await receiver.read(), expected(connector.plug));
    }
    connector.plug = undefined;
    assert.deepEqual(await receiver.read(), { state: "no-cable", cablePower: false });
  }
});

test("tells what is more than HDMI 1.4 or larger than 4K", async () => {
  const { connector, receiver } = rig(options);
  await receiver.start();
  for (const name of ["3840x2160p60", "5120x1440p30"]) {
    connector.plug = plug(name);
    assert.equal((await settled({ receiver })).state, "out-of-range", name);
  }
});

test("does not believe a channel status that can't be", async () => {
  const { connector, receiver, model } = rig(options);
  model.wrongChannelStatus = true;
  connector.plug = plug("1920x1080p59.94");
  await receiver.start();
  assert.deepEqual(await settled({ receiver }), expected(connector.plug));
});

test("gives whole rates without sound", async () => {
  const { connector, receiver } = rig(options);
  await receiver.start();
  for (const [name, rate] of [
    ["1920x1080p59.94", 60],
    ["1920x1080p23.98", 24],
    ["1280x720p50", 50],
    ["720x480i29.97", 29.97],
    ["1024x768p75", 75],
  ] as const) {
    connector.plug = plug(name, { audio: undefined });
    assert.deepEqual((await settled({ receiver })).video?.rate, exactRate(rate), name);
  }
});

test("shows hot plug while the cable has power", async () => {
  const { connector, receiver } = rig(options);
  await receiver.start();
  await receiver.read();
  assert.equal(connector.hotPlug, false);
  connector.plug = plug("1920x1080p60");
  await receiver.read();
  assert.equal(connector.hotPlug, true);
  connector.plug = undefined;
  await receiver.read();
  assert.equal(connector.hotPlug, false);
});

test("does not hide hot plug when a chip that works is started again", async () => {
  const { connector, receiver, port } = rig(options);
  connector.plug = plug("1920x1080p60");
  await receiver.start();
  await receiver.read();
  let hidden = false;
  port.fault = () => {
    hidden ||= !connector.hotPlug;
    return undefined;
  };
  await receiver.start();
  assert.equal(hidden, false);
  assert.deepEqual(await receiver.read(), expected(connector.plug));
});

test("another chip is told apart", async () => {
  const { receiver } = rig({ ...options, model: It6801Model });
  await assert.rejects(receiver.start(), (error: Error) => error instanceof WrongChip && /5449/.test(error.message));
});

test("a dead bus ends in a bus error", async () => {
  const { receiver, port } = rig(options);
  await receiver.start();
  failNext(port, 10, "nack");
  await assert.rejects(receiver.read(), BusError);
});

/** A CEA extension whose HDMI block has the physical address 2.0.0.0. */
function withPhysicalAddress(bytes: Uint8Array): Uint8Array {
  const made = bytes.slice();
  made.set([0x02, 0x03, 0x0d, 0x00, 0x42, 0x10, 0x04, 0x65, 0x03, 0x0c, 0x00, 0x20, 0x00], 128);
  made[255] = -made.subarray(128, 255).reduce((sum, byte) => sum + byte, 0) & 0xff;
  return made;
}

test("an EDID is written, shown and read back", async () => {
  const { connector, receiver, model } = rig(options);
  connector.plug = plug("1920x1080p60");
  await receiver.start();
  for (const written of [edid(1, 1), edid(2, 2), withPhysicalAddress(edid(2, 3)), edid(1, 4)]) {
    await receiver.edid?.write(written);
    assert.deepEqual(await receiver.edid?.read(written.length), written);
    assert.deepEqual(model.servedEdid?.slice(0, written.length), written);
    assert.deepEqual(await receiver.read(), expected(connector.plug));
  }
  await assert.rejects(receiver.edid?.write(new Uint8Array(384)) ?? Promise.resolve(), RangeError);
});

test("the chip is told where the physical address is", async () => {
  const { receiver, model } = rig(options);
  await receiver.start();
  await receiver.edid?.write(withPhysicalAddress(edid(2, 3)));
  assert.deepEqual(model.transfer(0x48, Uint8Array.of(0xc6), 3), Uint8Array.of(139, 0x20, 0x00));
});

test("a window left open by a bus error is closed again", async () => {
  const { connector, receiver, model, port } = rig(options);
  connector.plug = plug("1920x1080p60");
  await receiver.start();
  const written = edid(2, 7);
  await receiver.edid?.write(written);
  const from = port.transfers + 4;
  port.fault = (transfer) => (transfer >= from ? "nack" : undefined);
  await assert.rejects(receiver.edid?.read(256) ?? Promise.resolve(), BusError);
  assert.equal(model.servedEdid, undefined);
  port.fault = () => undefined;
  assert.deepEqual(await settled({ receiver }), expected(connector.plug));
  assert.deepEqual(model.servedEdid, written);
});

test("hot plug is off while an EDID is written, and for 143 ms", async () => {
  const { connector, receiver, model, clock, port } = rig(options);
  connector.plug = plug("1920x1080p60");
  await receiver.start();
  await receiver.read();
  const before = model.servedEdid;
  const changes: [boolean, number][] = [];
  port.fault = () => {
    if (changes.at(-1)?.[0] !== connector.hotPlug) changes.push([connector.hotPlug, clock.now()]);
    if (connector.hotPlug && changes.length === 1) assert.deepEqual(model.servedEdid, before);
    return undefined;
  };
  await receiver.edid?.write(edid(2, 1));
  await receiver.read();
  const [, off, on] = changes;
  assert.deepEqual([off?.[0], on?.[0]], [false, true]);
  assert.ok((on?.[1] ?? 0) - (off?.[1] ?? 0) >= 143);
});

test("a chip that was reset is set up again with its EDID", async () => {
  const { connector, receiver, model } = rig(options);
  connector.plug = plug("1920x1080p59.94");
  await receiver.start();
  const written = edid(2, 5);
  await receiver.edid?.write(written);
  resetChip(model);
  assert.deepEqual(await settled({ receiver }), expected(connector.plug));
  assert.deepEqual(model.servedEdid, written);
});

test("an EDID survives a bus error at any time", async () => {
  const { connector, receiver, model, port } = rig(options);
  connector.plug = plug("1920x1080p60");
  await receiver.start();
  const from = port.transfers;
  await receiver.edid?.write(edid(2, 0));
  const transfers = port.transfers - from;
  for (let at = 0; at < transfers; at++) {
    const written = edid(2, at);
    const start = port.transfers + at;
    port.fault = (transfer) => (transfer === start ? "nack" : undefined);
    await assert.rejects(receiver.edid?.write(written) ?? Promise.resolve(), BusError);
    assert.deepEqual(await settled({ receiver }), expected(connector.plug));
    assert.deepEqual(model.servedEdid, written, `fault at transfer ${at}`);
  }
});

test("ends in the truth after any storm", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { connector, receiver, model } = await storm(options, plugs, expected, seed, true);
    if (connector.plug === undefined) continue;
    const held = await receiver.edid?.read(256);
    assert.deepEqual(model.servedEdid, held, `seed ${seed}`);
  }
});
