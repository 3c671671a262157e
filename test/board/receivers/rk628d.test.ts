import assert from "node:assert/strict";
import test from "node:test";
import { BusError } from "../../../src/board/ports.ts";
import { WrongChip } from "../../../src/board/receivers/receiver.ts";
import { rk628d } from "../../../src/board/receivers/rk628d.ts";
import type { FrameRate, Signal } from "../../../src/board/signal.ts";
import { Rk628dModel } from "../../../src/board/virtual/chips/rk628d.ts";
import { type Plug, type Programme, timing } from "../../../src/board/virtual/model.ts";
import { bench, edid, storm } from "./support/toshiba.ts";

const open = (lines: { cablePower?: boolean; reset?: boolean } = { cablePower: true }) =>
  bench(rk628d, Rk628dModel, 0x50, lines);

/** A driver that shows an EDID, with a player. */
async function ready(change: Partial<Programme> = {}) {
  const all = open();
  all.player.send(change);
  await all.receiver.start();
  await all.receiver.edid?.write(edid(1));
  return all;
}

/** Changes what the chip answers for some registers. */
function answers(values: Record<number, (value: number) => number>) {
  return (write: Uint8Array, read: Uint8Array): Uint8Array => {
    const change = read.length === 4 ? values[new DataView(write.buffer).getUint32(0, true)] : undefined;
    if (change === undefined) return read;
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, change(new DataView(read.buffer).getUint32(0, true)), true);
    return bytes;
  };
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
  // 594 MHz is sent in a way that the chip does not know, 312 MHz is only too fast.
  player.send({ width: 3840, height: 2160, rate: [60, 1] });
  assert.deepEqual(await receiver.read(), { state: "out-of-range", cablePower: true, clock: true });
  player.send({ width: 2560, height: 1600, rate: [66, 1] });
  const tooFast = await receiver.read();
  assert.equal(tooFast.state, "out-of-range");
  assert.equal(tooFast.video?.width, 2560);
  player.plug = undefined;
  assert.deepEqual(await receiver.read(), { state: "no-cable", cablePower: false });
  player.send();
  assert.deepEqual(await receiver.read(), locked);
});

test("without a line for 5 V, a missing cable is a missing clock", async () => {
  const { receiver, player } = open({});
  player.send();
  await receiver.start();
  await receiver.edid?.write(edid(1));
  const { cablePower: _, ...withoutPower } = locked;
  assert.deepEqual(await receiver.read(), withoutPower);
  player.plug = undefined;
  assert.deepEqual(await receiver.read(), { state: "no-clock", clock: false });
});

const modes: [width: number, height: number, interlaced: boolean, rate: FrameRate][] = [
  [640, 480, false, [60000, 1001]],
  [640, 480, false, [60, 1]],
  [720, 480, false, [60000, 1001]],
  [720, 480, false, [60, 1]],
  [720, 480, true, [30000, 1001]],
  [720, 576, false, [50, 1]],
  [720, 576, true, [25, 1]],
  [1280, 720, false, [24000, 1001]],
  [1280, 720, false, [50, 1]],
  [1280, 720, false, [60000, 1001]],
  [1280, 720, false, [60, 1]],
  [1920, 1080, true, [25, 1]],
  [1920, 1080, true, [30000, 1001]],
  [1920, 1080, true, [30, 1]],
  [1920, 1080, false, [24000, 1001]],
  [1920, 1080, false, [24, 1]],
  [1920, 1080, false, [25, 1]],
  [1920, 1080, false, [30000, 1001]],
  [1920, 1080, false, [60000, 1001]],
  [1920, 1080, false, [60, 1]],
  [1920, 1200, false, [60, 1]],
  [3840, 2160, false, [24000, 1001]],
  [3840, 2160, false, [25, 1]],
  [3840, 2160, false, [30, 1]],
];

test("sizes, scans and exact rates", async () => {
  const { player, receiver } = await ready();
  for (const [width, height, interlaced, rate] of modes) {
    player.send({ width, height, interlaced, rate });
    const { state, video } = await receiver.read();
    assert.equal(state, "locked");
    assert.deepEqual(video, { ...locked.video, width, height, interlaced, rate }, `${width}x${height} ${rate}`);
  }
});

test("a graphics card's rate is given in mHz", async () => {
  const { receiver } = await ready({ width: 1024, height: 768, rate: [75029, 1000] });
  const [measured = 0, unit] = (await receiver.read()).video?.rate ?? [];
  assert.ok(Math.abs(measured - 75029) < 10 && unit === 1000, `${measured}/${unit}`);
});

test("2160p60 in 4:2:0 is in range, and whole", async () => {
  for (const rate of [
    [60, 1],
    [60000, 1001],
    [50, 1],
  ] as const) {
    const { receiver } = await ready({ width: 3840, height: 2160, rate, colourSpace: "ycbcr-420", range: "limited" });
    const { state, video } = await receiver.read();
    assert.equal(state, "locked");
    assert.deepEqual(video, {
      ...{ width: 3840, height: 2160, interlaced: false, rate, colourSpace: "ycbcr-420", range: "limited" },
    });
  }
});

test("where lines can't be timed, the TMDS clock gives the rate as well as it can", async () => {
  const { player, wire, receiver } = await ready();
  wire.answer = answers({ 196936: () => 0xffff0000 });
  for (const [width, height, interlaced, rate, told] of [
    [1920, 1080, false, [60, 1], [60, 1]],
    [1920, 1080, false, [60000, 1001], [60, 1]],
    [720, 480, true, [30000, 1001], [30000, 1001]],
    [720, 576, true, [25, 1], [25, 1]],
  ] as const) {
    player.send({ width, height, interlaced, rate });
    assert.deepEqual((await receiver.read()).video?.rate, told);
  }
});

test("deep colour changes the clock, not the rate", async () => {
  const { wire, receiver } = await ready();
  for (const [depth, factor] of [
    [4, 1],
    [5, 1.25],
    [6, 1.5],
    [7, 2],
  ] as const) {
    wire.answer = answers({ 196764: (clock) => clock * factor, 197504: () => depth << 4 });
    assert.deepEqual((await receiver.read()).video?.rate, [50, 1], `${depth}`);
    // Also where the lines can't be timed.
    wire.answer = answers({ 196764: (clock) => clock * factor, 197504: () => depth << 4, 196936: () => 0 });
    assert.deepEqual((await receiver.read()).video?.rate, [50, 1], `${depth} by the TMDS clock`);
  }
});

test("a picture that is not measured yet is no lock", async () => {
  const { wire, receiver } = await ready();
  for (const register of [0x3014c, 0x30150, 0x30168, 0x30170]) {
    wire.answer = answers({ [register]: () => 0 });
    assert.deepEqual(await receiver.read(), { state: "no-lock", cablePower: true, clock: true, lock: false });
  }
});

test("colour spaces and ranges, by default and as said", async () => {
  const { player, receiver } = await ready();
  for (const colourSpace of ["rgb", "ycbcr-422", "ycbcr-444", "ycbcr-420"] as const) {
    for (const range of ["full", "limited"] as const) {
      for (const [width, height] of [
        [1920, 1080],
        [1024, 768],
        [640, 480],
      ] as const) {
        // Too slow a clock for HDMI.
        if (colourSpace === "ycbcr-420" && height === 480) continue;
        player.send({ colourSpace, range, width, height, rate: [60, 1] });
        const { video } = await receiver.read();
        assert.deepEqual([video?.colourSpace, video?.range], [colourSpace, range], `${colourSpace} ${range} ${width}`);
        assert.equal(video?.width, width);
      }
    }
  }
});

test("audio rates and channels, at slow and fast clocks", async () => {
  const { player, receiver } = await ready();
  for (const [width, height] of [
    [720, 576],
    [1280, 720],
    [1920, 1080],
  ] as const) {
    for (const rate of [32000, 44100, 48000, 88200, 96000, 176400, 192000]) {
      for (const channels of [2, 6, 8]) {
        player.send({ width, height, audio: { rate, channels } });
        assert.deepEqual((await receiver.read()).audio, { rate, channels }, `${height} ${rate}`);
      }
    }
  }
  player.send({ audio: undefined });
  assert.equal((await receiver.read()).audio, undefined);
});

test("DVI has no sound, and no colours but RGB", async () => {
  const { player, receiver } = await ready({ hdmi: false });
  const { audio: _, ...silent } = locked;
  assert.deepEqual(await receiver.read(), { ...silent, hdmi: false });
  player.send();
  assert.deepEqual(await receiver.read(), locked);
});

test("another chip, as the RK628F or an EEPROM at the same address, is not taken for an RK628D", async () => {
  const { wire, receiver } = open();
  for (const version of [0x20230321, 0xffffffff]) {
    wire.answer = answers({ 512: () => version });
    await assert.rejects(receiver.start(), (error: Error) => {
      assert.ok(error instanceof WrongChip);
      assert.match(error.message, new RegExp(`RK628D.*0x${version.toString(16)}`));
      return true;
    });
  }
});

test("a chip that does not answer is an error", async () => {
  const { model, player, receiver } = open();
  player.send();
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

test("an EDID of 1 and of 2 blocks is written, served and read back", async () => {
  for (const blocks of [1, 2]) {
    const { model, receiver } = await ready();
    const wanted = edid(blocks, 77);
    await receiver.edid?.write(wanted);
    assert.deepEqual(model.ddc()?.subarray(0, wanted.length), wanted);
    assert.deepEqual(await receiver.edid?.read(wanted.length), wanted);
    // Reading gives the RAM back to the source.
    assert.deepEqual(model.ddc()?.subarray(0, wanted.length), wanted);
  }
});

test("an EDID of other sizes is refused, and the old one stays", async () => {
  const { model, receiver } = await ready();
  for (const length of [0, 100, 129, 3 * 128]) {
    await assert.rejects(receiver.edid?.write(new Uint8Array(length)) ?? Promise.resolve(), RangeError);
  }
  assert.deepEqual(model.ddc()?.subarray(0, 128), edid(1));
});

test("hot plug is off for 143 ms while the EDID changes, where the cable has power", async () => {
  const { clock, player, receiver } = await ready();
  await clock.advance(1000);
  player.hotPlugs.length = 0;
  await receiver.edid?.write(edid(2));
  const [off, on] = player.hotPlugs;
  assert.deepEqual([off?.shown, on?.shown, player.hotPlugs.length], [false, true, 2]);
  assert.equal((on?.at ?? 0) - (off?.at ?? 0), 143);
  player.plug = undefined;
  const before = clock.now();
  await receiver.edid?.write(edid(1));
  assert.equal(clock.now(), before);
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
  const { context, model, player, receiver } = await ready();
  await receiver.edid?.write(edid(2, 5));
  player.hotPlugs.length = 0;
  const again = rk628d(context);
  await again.start();
  assert.deepEqual(await again.read(), locked);
  assert.deepEqual(player.hotPlugs, []);
  model.reset(true);
  model.reset(false);
  assert.deepEqual(await again.read(), locked);
  assert.deepEqual(model.ddc(), edid(2, 5));
});

test("a board's own hot plug line follows the chip's", async () => {
  const { context } = open();
  const line: boolean[] = [];
  const hotPlug = { write: async (shown: boolean) => void line.push(shown), close: () => {} };
  const receiver = rk628d({ ...context, hotPlug });
  await receiver.start();
  await receiver.edid?.write(edid(1));
  assert.deepEqual([line.at(0), line.at(-1)], [false, true]);
});

/** Writes a register of the model. */
function put(model: Rk628dModel, register: number, value: number): void {
  const write = new Uint8Array(8);
  new DataView(write.buffer).setUint32(0, register, true);
  new DataView(write.buffer).setUint32(4, value, true);
  model.transfer(0x50, write, 0);
}

test("an EDID in the RAM of a chip without hot plug is shown by the next driver", async () => {
  const { context, model, player, receiver } = await ready();
  await receiver.edid?.write(edid(2, 6));
  put(model, 0x30000, 0);
  assert.equal(player.hotPlug, false);
  const again = rk628d(context);
  await again.start();
  assert.deepEqual(await again.read(), locked);
  assert.deepEqual(model.ddc(), edid(2, 6));
});

test("an EDID RAM that was not given back, and parts that were switched off, are made good", async () => {
  const { model, receiver } = await ready();
  put(model, 0x00000, 1 << 21);
  assert.equal(model.ddc(), undefined);
  assert.deepEqual(await receiver.read(), locked);
  assert.deepEqual(model.ddc()?.subarray(0, 128), edid(1));
  put(model, 0x30ff4, 0);
  assert.deepEqual(await receiver.read(), locked);
});

test("an interrupted set-up, EDID or reading of it is done again", async () => {
  const prepare = async ({ receiver }: ReturnType<typeof open>) => {
    await receiver.start();
    await receiver.edid?.write(edid(1));
    await receiver.edid?.read(128);
  };
  const whole = open();
  whole.player.send();
  await prepare(whole);
  // Among the transfers, each of the settings and of the hot plug, and some of the many of the EDID RAM:
  for (let broken = 1; broken <= whole.wire.transfers; broken += broken < 60 ? 1 : 23) {
    const all = open();
    const { player, model, receiver, wire } = all;
    player.send();
    wire.fault = (transfer) => (transfer === broken ? new BusError("nack", "broken") : undefined);
    await assert.rejects(prepare(all), BusError, `transfer ${broken}`);
    await receiver.start();
    if (model.ddc()?.[1] !== 0xff) await receiver.edid?.write(edid(1));
    assert.deepEqual(await receiver.read(), locked, `transfer ${broken}`);
    assert.deepEqual(model.ddc()?.subarray(0, 128), edid(1), `transfer ${broken}`);
  }
});

/** What the driver should say of what is plugged in, with hot plug shown. */
function truth(plug: Plug | undefined): Signal {
  if (plug === undefined) return { state: "no-cable", cablePower: false };
  if (plug.health === "no-clock") return { state: "no-clock", cablePower: true, clock: false };
  const { width, height, interlaced, rate, colourSpace, range, hdmi, hdcp, audio } = plug.programme;
  const half = colourSpace === "ycbcr-420" ? 2 : 1;
  if (timing(plug.programme).pixelClock / half > 340e6) return { state: "out-of-range", cablePower: true, clock: true };
  if (plug.health === "no-lock") return { state: "no-lock", cablePower: true, clock: true, lock: false };
  const picture = hdmi ? { colourSpace, range } : ({ colourSpace: "rgb", range: "full" } as const);
  const protectedBy = hdmi && hdcp;
  return {
    state: protectedBy ? "protected" : "locked",
    ...{ cablePower: true, clock: true, lock: true },
    video: { width, height, interlaced, rate, ...picture },
    ...{ hdmi, hdcp: protectedBy },
    ...(hdmi && audio && { audio }),
  };
}

const programmes: Partial<Programme>[] = [
  ...modes.map(([width, height, interlaced, rate]) => ({ width, height, interlaced, rate })),
  { colourSpace: "ycbcr-422", range: "limited" },
  { audio: { rate: 44100, channels: 6 } },
  { audio: undefined },
  { hdcp: true },
  { hdmi: false },
  { width: 3840, height: 2160, rate: [60, 1] },
  { width: 3840, height: 2160, rate: [60, 1], colourSpace: "ycbcr-420" },
];

test("after any storm of plugs, programmes, resets and bus errors the signal is true", async () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const all = open({ cablePower: true, reset: seed % 2 === 0 });
    await storm(all, { seed, programmes, truth });
  }
});
