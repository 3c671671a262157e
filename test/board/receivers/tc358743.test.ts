import assert from "node:assert/strict";
import test from "node:test";
import { BusError } from "../../../src/board/ports.ts";
import { WrongChip } from "../../../src/board/receivers/receiver.ts";
import { tc358743 } from "../../../src/board/receivers/tc358743.ts";
import type { FrameRate, Signal } from "../../../src/board/signal.ts";
import { Tc358743Model } from "../../../src/board/virtual/chips/tc358743.ts";
import { type Plug, type Programme, timing } from "../../../src/board/virtual/model.ts";
import { bench, edid, storm } from "./support/toshiba.ts";

const open = (lines = {}) => bench(tc358743, Tc358743Model, 0x0f, lines);

/** A driver that shows an EDID, with a player. */
async function ready(change: Partial<Programme> = {}) {
  const all = open();
  all.player.send(change);
  await all.receiver.start();
  await all.receiver.edid?.write(edid(1));
  return all;
}

const locked: Signal = {
  state: "locked",
  ...{ cablePower: true, clock: true, lock: true },
  video: { width: 1920, height: 1080, interlaced: false, rate: [50, 1], colourSpace: "rgb", range: "full" },
  ...{ hdmi: true, hdcp: false },
  audio: { rate: 48000, channels: 2 },
};

test("each state of the signal", async () => {
  const { player, receiver } = await ready();
  assert.deepEqual(await receiver.read(), locked);
  player.send({}, "no-clock");
  assert.deepEqual(await receiver.read(), { state: "no-clock", cablePower: true, clock: false });
  player.send({}, "no-lock");
  assert.deepEqual(await receiver.read(), { state: "no-lock", cablePower: true, clock: true, lock: false });
  player.send({ hdcp: true });
  assert.deepEqual(await receiver.read(), { ...locked, state: "protected", hdcp: true });
  player.send({ width: 3840, height: 2160, rate: [30, 1] });
  const tooMuch = await receiver.read();
  assert.equal(tooMuch.state, "out-of-range");
  assert.equal(tooMuch.video?.width, 3840);
  player.plug = undefined;
  assert.deepEqual(await receiver.read(), { state: "no-cable", cablePower: false });
  player.send();
  assert.deepEqual(await receiver.read(), locked);
});

test("the widest picture that it takes is in range", async () => {
  const { receiver } = await ready({ width: 1920, height: 1200, rate: [60, 1] });
  assert.equal((await receiver.read()).state, "locked");
});

test("sizes, scans and rates, as far as 0.1 ms tell them apart", async () => {
  const { player, receiver } = await ready();
  const cases: [width: number, height: number, interlaced: boolean, sent: FrameRate, told: FrameRate][] = [
    [1920, 1080, false, [24, 1], [24, 1]],
    [1920, 1080, false, [25, 1], [25, 1]],
    [1920, 1080, false, [30, 1], [30, 1]],
    [1920, 1080, false, [60, 1], [60, 1]],
    [1280, 720, false, [50, 1], [50, 1]],
    [1280, 720, false, [100, 1], [100, 1]],
    [1280, 720, false, [120, 1], [120, 1]],
    [1920, 1080, true, [25, 1], [25, 1]],
    [1920, 1080, true, [30, 1], [30, 1]],
    [720, 576, true, [25, 1], [25, 1]],
    [720, 576, false, [50, 1], [50, 1]],
    [720, 480, true, [30000, 1001], [30000, 1001]],
    [720, 480, false, [60000, 1001], [60000, 1001]],
    [1024, 768, false, [75, 1], [75, 1]],
    // The chip can't tell: high definition is taken to have whole rates.
    [1920, 1080, false, [60000, 1001], [60, 1]],
    [1920, 1080, false, [24000, 1001], [24, 1]],
    [1920, 1080, true, [30000, 1001], [30, 1]],
  ];
  for (const [width, height, interlaced, rate, told] of cases) {
    player.send({ width, height, interlaced, rate });
    const { video } = await receiver.read();
    assert.deepEqual(video, { ...locked.video, width, height, interlaced, rate: told }, `${width}x${height} ${rate}`);
  }
});

test("a rate is the same one or the other whole count of 0.1 ms beside it", async () => {
  const { wire, receiver } = await ready();
  for (const [rate, counts] of [
    [60, [166, 167]],
    [50, [199, 200, 201]],
    [30, [333, 334]],
    [24, [416, 417]],
  ] as const) {
    for (const count of counts) {
      wire.answer = (write, read) =>
        write[0] === 0x85 && write[1] === 0xa1 ? Uint8Array.of(count & 0xff, count >> 8) : read;
      assert.deepEqual((await receiver.read()).video?.rate, [rate, 1], `${count}`);
    }
  }
});

test("a picture that is not measured yet is no lock", async () => {
  const { wire, receiver } = await ready();
  for (const register of [0x82, 0xa1]) {
    wire.answer = (write, read) => (write[0] === 0x85 && write[1] === register ? read.fill(0) : read);
    assert.deepEqual(await receiver.read(), { state: "no-lock", cablePower: true, clock: true, lock: false });
  }
});

test("colour spaces and ranges", async () => {
  const { player, receiver } = await ready();
  for (const colourSpace of ["rgb", "ycbcr-422", "ycbcr-444"] as const) {
    for (const range of ["full", "limited"] as const) {
      for (const height of [576, 1080]) {
        player.send({ colourSpace, range, width: height === 576 ? 720 : 1920, height });
        const { video } = await receiver.read();
        assert.deepEqual([video?.colourSpace, video?.range], [colourSpace, range], `${colourSpace} ${range} ${height}`);
      }
    }
  }
});

test("audio rates and channels", async () => {
  const { player, receiver } = await ready();
  for (const rate of [32000, 44100, 48000, 88200, 96000, 176400, 192000]) {
    for (const channels of [2, 6, 8]) {
      player.send({ audio: { rate, channels } });
      assert.deepEqual((await receiver.read()).audio, { rate, channels });
    }
  }
  player.send({ audio: undefined });
  assert.equal((await receiver.read()).audio, undefined);
});

test("DVI has no sound, and sound comes back with HDMI", async () => {
  const { player, receiver } = await ready();
  player.send({ hdmi: false });
  const { audio: _, ...silent } = locked;
  assert.deepEqual(await receiver.read(), { ...silent, hdmi: false });
  player.send();
  assert.deepEqual(await receiver.read(), locked);
});

test("another chip is not taken for a TC358743", async () => {
  const { wire, receiver } = open();
  wire.answer = (write, read) => (write[0] === 0 && write[1] === 0 ? Uint8Array.of(0x01, 0x47) : read);
  await assert.rejects(receiver.start(), (error: Error) => {
    assert.ok(error instanceof WrongChip);
    assert.match(error.message, /TC358743.*0x47/);
    return true;
  });
});

test("a chip that does not answer is an error", async () => {
  const { model, receiver } = open();
  model.reset(true);
  await assert.rejects(receiver.start(), { code: "nack" });
  await assert.rejects(receiver.read(), { code: "nack" });
});

test("no hot plug without an EDID", async () => {
  const { player, receiver } = open();
  player.send();
  await receiver.start();
  assert.equal(player.hotPlug, false);
  assert.equal((await receiver.read()).state, "no-clock");
});

test("an EDID of 1, 2 and 8 blocks is written, served and read back", async () => {
  for (const blocks of [1, 2, 8]) {
    const { model, receiver } = await ready();
    const wanted = edid(blocks, 77);
    await receiver.edid?.write(wanted);
    assert.deepEqual(model.ddc(), wanted);
    assert.deepEqual(await receiver.edid?.read(wanted.length), wanted);
  }
});

test("an EDID of other sizes is refused, and the old one stays", async () => {
  const { model, receiver } = await ready();
  for (const length of [0, 100, 129, 9 * 128]) {
    await assert.rejects(receiver.edid?.write(new Uint8Array(length)) ?? Promise.resolve(), RangeError);
  }
  assert.deepEqual(model.ddc(), edid(1));
});

test("hot plug is off for 143 ms while the EDID changes", async () => {
  const { clock, player, receiver } = await ready();
  await clock.advance(1000);
  player.hotPlugs.length = 0;
  await receiver.edid?.write(edid(2));
  assert.deepEqual(
    player.hotPlugs.map(({ shown }) => shown),
    [false, true],
  );
  const [off, on] = player.hotPlugs;
  assert.equal((on?.at ?? 0) - (off?.at ?? 0), 143);
});

test("a chip that was reset behind the driver's back is set up again", async () => {
  const { model, player, receiver } = await ready();
  await receiver.edid?.write(edid(2, 9));
  model.reset(true);
  model.reset(false);
  assert.equal(model.ddc(), undefined);
  assert.equal(player.hotPlug, false);
  assert.deepEqual(await receiver.read(), locked);
  assert.deepEqual(model.ddc(), edid(2, 9));
});

test("a restarted driver leaves a chip in order as it is, and still knows its EDID", async () => {
  const { context, model, player } = await ready();
  await tc358743(context).edid?.write(edid(2, 5));
  player.hotPlugs.length = 0;
  const again = tc358743(context);
  await again.start();
  assert.deepEqual(await again.read(), locked);
  assert.deepEqual(player.hotPlugs, []);
  model.reset(true);
  model.reset(false);
  assert.deepEqual(await again.read(), locked);
  assert.deepEqual(model.ddc(), edid(2, 5));
});

test("the reset line is used where there is one", async () => {
  const { player, receiver, model } = open({ reset: true });
  player.send();
  await receiver.start();
  await receiver.edid?.write(edid(1));
  assert.deepEqual(await receiver.read(), locked);
  assert.deepEqual(model.ddc(), edid(1));
});

test("the PHY is started anew while it finds no lock, but not all the time", async () => {
  const { clock, player, receiver, wire } = await ready();
  let restarts = 0;
  wire.answer = (write, read) => {
    if (write[0] === 0x85 && write[1] === 0x35 && write.length === 3 && write[2] === 0) restarts += 1;
    return read;
  };
  player.send({}, "no-lock");
  for (let i = 0; i < 50; i += 1) {
    await receiver.read();
    await clock.advance(100);
  }
  assert.equal(restarts, 3);
});

test("an EDID in the RAM of a chip without hot plug is shown by the next driver", async () => {
  const { context, model, player, receiver } = await ready();
  await receiver.edid?.write(edid(2, 6));
  model.transfer(0x0f, Uint8Array.of(0x85, 0x44, 0x00), 0);
  assert.equal(player.hotPlug, false);
  const again = tc358743(context);
  await again.start();
  assert.deepEqual(await again.read(), locked);
  assert.deepEqual(model.ddc(), edid(2, 6));
});

test("an EDID that could not be written is not shown later", async () => {
  const { model, receiver, wire } = await ready();
  wire.fault = () => new BusError("nack", "broken");
  await assert.rejects(receiver.edid?.write(edid(2, 7)) ?? Promise.resolve(), BusError);
  wire.fault = () => undefined;
  await receiver.read();
  model.reset(true);
  model.reset(false);
  await receiver.read();
  assert.deepEqual(model.ddc(), edid(1));
});

test("an interrupted restart of the PHY is made good", async () => {
  for (let broken = 1; broken <= 20; broken += 1) {
    const { player, receiver, wire } = await ready();
    player.send({}, "no-lock");
    const last = wire.transfers + broken;
    wire.fault = (transfer) => (transfer === last ? new BusError("nack", "broken") : undefined);
    await receiver.read().catch(() => {});
    wire.fault = () => undefined;
    player.send();
    assert.deepEqual(await receiver.read(), locked, `transfer ${broken}`);
  }
});

test("an interrupted set-up or EDID is done again", async () => {
  const count = open();
  count.player.send();
  await count.receiver.start();
  await count.receiver.edid?.write(edid(1));
  // Whichever transfer of the set-up and of the EDID fails:
  for (let broken = 1; broken <= count.wire.transfers; broken += 1) {
    const { player, model, receiver, wire } = open();
    player.send();
    let failed = false;
    wire.fault = (transfer) => (transfer === broken ? new BusError("nack", "broken") : undefined);
    const prepare = async () => {
      await receiver.start();
      await receiver.edid?.write(edid(1));
    };
    await prepare().catch(() => {
      failed = true;
    });
    assert.ok(failed, `transfer ${broken}`);
    await prepare();
    assert.deepEqual(await receiver.read(), locked, `transfer ${broken}`);
    assert.deepEqual(model.ddc(), edid(1), `transfer ${broken}`);
  }
});

/** What the driver should say of what is plugged in, with hot plug shown. */
function truth(plug: Plug | undefined): Signal {
  if (plug === undefined) return { state: "no-cable", cablePower: false };
  if (plug.health === "no-clock") return { state: "no-clock", cablePower: true, clock: false };
  if (plug.health === "no-lock") return { state: "no-lock", cablePower: true, clock: true, lock: false };
  const { width, height, interlaced, rate, colourSpace, range, hdmi, hdcp, audio } = plug.programme;
  const whole = height === 480 ? rate : ([Math.round(rate[0] / rate[1]), 1] as const);
  const picture = hdmi ? { colourSpace, range } : ({ colourSpace: "rgb", range: "full" } as const);
  const protectedBy = hdmi && hdcp;
  return {
    state: timing(plug.programme).pixelClock > 165e6 ? "out-of-range" : protectedBy ? "protected" : "locked",
    ...{ cablePower: true, clock: true, lock: true },
    video: { width, height, interlaced, rate: whole, ...picture },
    ...{ hdmi, hdcp: protectedBy },
    ...(hdmi && audio && { audio }),
  };
}

const programmes: Partial<Programme>[] = [
  {},
  { rate: [60000, 1001], colourSpace: "ycbcr-422", range: "limited" },
  { width: 1280, height: 720, audio: { rate: 44100, channels: 6 } },
  { interlaced: true, rate: [25, 1], colourSpace: "ycbcr-444", range: "limited" },
  { width: 720, height: 480, interlaced: true, rate: [30000, 1001], audio: undefined },
  { width: 1024, height: 768, rate: [60, 1], hdmi: false },
  { hdcp: true },
  { width: 3840, height: 2160, rate: [30, 1] },
];

test("after any storm of plugs, programmes, resets and bus errors the signal is true", async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const all = open({ reset: seed % 2 === 0 });
    await storm(all, { seed, programmes, truth });
  }
});
