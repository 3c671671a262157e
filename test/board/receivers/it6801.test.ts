import assert from "node:assert/strict";
import { test } from "node:test";
import { BusError } from "../../../src/board/ports.ts";
import { it6801 } from "../../../src/board/receivers/it6801.ts";
import { WrongChip } from "../../../src/board/receivers/receiver.ts";
import { exactRate, type Signal } from "../../../src/board/signal.ts";
import { It6801Model } from "../../../src/board/virtual/chips/it6801.ts";
import { Lt6911cModel } from "../../../src/board/virtual/chips/lt6911.ts";
import type { Plug } from "../../../src/board/virtual/model.ts";
import { edid, failNext, plug, type RigOptions, resetChip, rig, storm } from "./support/lontium.ts";

const options: RigOptions<It6801Model> = {
  ...{ address: 0x48, model: It6801Model, receiver: it6801, lines: ["hotPlug"] as const },
};
/** Hot plug is wired to the cable's 5 V. */
const wired: RigOptions<It6801Model> = { ...options, lines: [] };

/** The rates are those that the chip's numbers lead to. */
const plugs: readonly Plug[] = [
  plug("1920x1080p60"),
  plug("1920x1080p30", { hdcp: true }),
  plug("1920x1080i30", { colourSpace: "ycbcr-422" }),
  plug("1280x720p60", { hdmi: false, audio: undefined }),
  plug("720x480i29.97"),
  plug("720x576i25"),
  plug("720x480p59.94"),
  plug("720x576p50"),
  plug("640x480p59.94", { range: "full" }),
  plug("1280x1024p60"),
  plug("3840x2160p30"),
];

function expected(plugged: Plug | undefined): Signal {
  if (plugged === undefined) return { state: "no-cable", cablePower: false };
  const { health, programme } = plugged;
  if (health !== "good") return { state: "no-clock", cablePower: true };
  const { width, height, interlaced, rate, hdcp } = programme;
  return {
    state: hdcp ? "protected" : "locked",
    cablePower: true,
    clock: true,
    lock: true,
    video: { width, height, interlaced, rate, colourSpace: "rgb", range: "limited" },
    hdcp,
  };
}

for (const [name, board] of Object.entries({ "a hot plug line": options, "hot plug wired to 5 V": wired })) {
  test(`tells every state and picture, with ${name}`, async () => {
    const { connector, receiver } = rig(board);
    await receiver.start();
    for (const good of plugs) {
      connector.plug = good;
      // The source sends once it sees hot plug.
      await receiver.read();
      for (const health of ["good", "no-clock", "no-lock", "good"] as const) {
        connector.plug = { ...good, health };
        assert.deepEqual(await receiver.read(), expected(connector.plug));
      }
      connector.plug = undefined;
      assert.deepEqual(await receiver.read(), { state: "no-cable", cablePower: false });
    }
  });
}

test("tells what is more than HDMI 1.4 or larger than 4K", async () => {
  const { connector, receiver } = rig(wired);
  await receiver.start();
  for (const name of ["3840x2160p60", "5120x1440p30"]) {
    connector.plug = plug(name);
    assert.equal((await receiver.read()).state, "out-of-range", name);
  }
});

test("gives the usual rate where the chip does not tell it", async () => {
  const { connector, receiver } = rig(wired);
  await receiver.start();
  for (const [name, rate] of [
    ["1920x1080p59.94", 60],
    ["1920x1080p50", 60],
    ["1920x1080p23.98", 30],
    ["1920x1080i25", 30],
    ["1280x720p50", 60],
  ] as const) {
    connector.plug = plug(name);
    assert.deepEqual((await receiver.read()).video?.rate, exactRate(rate), name);
  }
});

test("another maker's chip is told apart", async () => {
  const { receiver } = rig({
    ...wired,
    model: class extends It6801Model {
      override transfer(address: number, write: Uint8Array, length: number): Uint8Array {
        const bytes = super.transfer(address, write, length);
        return write[0] === 0 && write.length === 1 ? bytes.fill(0x41) : bytes;
      }
    },
  });
  await assert.rejects(receiver.start(), (error: Error) => error instanceof WrongChip && /4141/.test(error.message));
  const other = rig({ ...wired, model: Lt6911cModel });
  await assert.rejects(other.receiver.start(), BusError);
});

test("a dead bus ends in a bus error", async () => {
  const { receiver, port } = rig(wired);
  await receiver.start();
  failNext(port, 10, "nack");
  await assert.rejects(receiver.read(), BusError);
});

test("an EDID is written, shown and read back", async () => {
  const { connector, receiver, model } = rig(options);
  connector.plug = plug("1920x1080p60");
  await receiver.start();
  for (const written of [edid(1, 1), edid(2, 2), edid(1, 3)]) {
    await receiver.edid?.write(written);
    assert.deepEqual(await receiver.edid?.read(written.length), written);
    assert.deepEqual(model.servedEdid?.slice(0, written.length), written);
    assert.deepEqual(await receiver.read(), expected(connector.plug));
  }
  await assert.rejects(receiver.edid?.write(new Uint8Array(64)) ?? Promise.resolve(), RangeError);
});

test("hot plug is off while an EDID is written, and on 143 ms later", async () => {
  const { connector, receiver, clock, port } = rig(options);
  connector.plug = plug("1920x1080p60");
  await receiver.start();
  await receiver.read();
  let shown = false;
  const from = clock.now();
  port.fault = () => {
    shown ||= connector.hotPlug && clock.now() < from + 143;
    return undefined;
  };
  await receiver.edid?.write(edid(2, 1));
  assert.equal(shown, false);
  assert.equal(connector.hotPlug, true);
  assert.ok(clock.now() - from >= 143);
});

test("a chip that was reset is set up again with its EDID", async () => {
  const { connector, receiver, model } = rig(options);
  connector.plug = plug("1920x1080p60");
  await receiver.start();
  const written = edid(2, 5);
  await receiver.edid?.write(written);
  resetChip(model);
  assert.equal(model.servedEdid, undefined);
  assert.deepEqual(await receiver.read(), expected(connector.plug));
  assert.deepEqual(model.servedEdid, written);
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
  assert.deepEqual(await receiver.read(), expected(connector.plug));
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
    await receiver.edid?.write(written).catch(() => {});
    await receiver.read();
    assert.deepEqual(await receiver.read(), expected(connector.plug));
    assert.deepEqual(model.servedEdid, written, `fault at transfer ${at}`);
  }
});

for (const board of [options, wired]) {
  test(`ends in the truth after any storm, with the lines ${board.lines}`, async () => {
    for (let seed = 1; seed <= 30; seed++) await storm(board, plugs, expected, seed, true);
  });
}
