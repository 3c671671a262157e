import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BusError } from "../../../src/board/ports.ts";
import { adv7611, adv7612 } from "../../../src/board/receivers/adv7611.ts";
import { HOT_PLUG_PAUSE, WrongChip } from "../../../src/board/receivers/receiver.ts";
import type { FrameRate, Signal } from "../../../src/board/signal.ts";
import { Adv7611Model, Adv7612Model } from "../../../src/board/virtual/chips/adv7611.ts";
import { type Connector, type Programme, timing } from "../../../src/board/virtual/model.ts";
import type { Random } from "../../support/random.ts";
import { ADDRESS, edidAccess, edidOf, ready } from "./support/adv7611.ts";
import { Bench, chaos, programme, seeds } from "./support/analog.ts";

const HDMI_MAP = 0x34;

function truth({ plug, hotPlug }: Connector, maxClock: number): Signal {
  if (plug === undefined) return { state: "no-cable", cablePower: false };
  if (!hotPlug || plug.health === "no-clock") return { state: "no-clock", cablePower: true, clock: false };
  if (plug.health === "no-lock") return { state: "no-lock", cablePower: true, clock: true, lock: false };
  const { width, height, interlaced, rate, colourSpace, range, hdmi, hdcp, audio } = plug.programme;
  const tooFast = timing(plug.programme).pixelClock > maxClock;
  return {
    state: tooFast ? "out-of-range" : hdcp ? "protected" : "locked",
    ...{ cablePower: true, clock: true, lock: true, hdmi, hdcp },
    video: {
      width,
      height,
      interlaced,
      rate,
      ...(hdmi ? { colourSpace, range } : { colourSpace: "rgb", range: "full" }),
    },
    ...(hdmi && audio ? { audio } : {}),
  };
}

describe("ADV7611 and ADV7612", () => {
  it("refuse another chip, and say which", async () => {
    const other = new Bench(Adv7612Model, ADDRESS).driver(adv7611);
    await assert.rejects(
      other.start(),
      (error) => error instanceof WrongChip && /ADV7611.*2051.*2041/.test(error.message),
    );
    const one = new Bench(Adv7611Model, ADDRESS).driver(adv7612);
    await assert.rejects(
      one.start(),
      (error) => error instanceof WrongChip && /ADV7612.*2041.*2051/.test(error.message),
    );
  });

  it("tell what is missing, in the installer's order", async () => {
    const { bench, receiver } = await ready();
    bench.connector.plug = undefined;
    assert.deepEqual(await receiver.read(), { state: "no-cable", cablePower: false });
    bench.plug(programme, "no-clock");
    assert.deepEqual(await receiver.read(), { state: "no-clock", cablePower: true, clock: false });
    bench.plug(programme, "no-lock");
    assert.deepEqual(await receiver.read(), { state: "no-lock", cablePower: true, clock: true, lock: false });
    bench.plug({ ...programme, hdcp: true });
    const hidden = await receiver.read();
    assert.equal(hidden.state, "protected");
    assert.equal(hidden.hdcp, true);
    assert.equal(hidden.video?.width, 1920);
    bench.plug(programme);
    assert.deepEqual(await receiver.read(), {
      ...{ state: "locked", cablePower: true, clock: true, lock: true, hdmi: true, hdcp: false },
      video: {
        width: 1920,
        height: 1080,
        interlaced: false,
        rate: [60, 1],
        colourSpace: "ycbcr-422",
        range: "limited",
      },
      audio: { rate: 48000, channels: 2 },
    });
  });

  it("count every mode exactly", async () => {
    const { bench, receiver } = await ready();
    const all: [number, number, boolean, FrameRate][] = [
      [640, 480, false, [60000, 1001]],
      [720, 480, true, [30000, 1001]],
      [720, 480, false, [60000, 1001]],
      [720, 576, true, [25, 1]],
      [720, 576, false, [50, 1]],
      [1024, 768, false, [60, 1]],
      [1280, 1024, false, [60, 1]],
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
      [1920, 1080, false, [50, 1]],
      [1920, 1080, false, [60000, 1001]],
      [1920, 1080, false, [60, 1]],
    ];
    for (const [width, height, interlaced, rate] of all) {
      bench.plug({ ...programme, width, height, interlaced, rate });
      const { state, video, audio } = await receiver.read();
      const name = `${width}×${height}${interlaced ? "i" : "p"} ${rate.join("/")}`;
      assert.equal(state, "locked", name);
      const colours = { colourSpace: "ycbcr-422", range: "limited" };
      assert.deepEqual(video, { width, height, interlaced, rate, ...colours }, name);
      assert.deepEqual(audio, { rate: 48000, channels: 2 }, name);
    }
  });

  it("take no more than their clock allows, and still tell what comes", async () => {
    const between = { ...programme, rate: [75000, 1000] as const };
    const above = { ...programme, width: 3840, height: 2160, rate: [30, 1] as const };
    for (const [factory, model, wanted] of [
      [adv7611, Adv7611Model, "out-of-range"],
      [adv7612, Adv7612Model, "locked"],
    ] as const) {
      const { bench, receiver } = await ready(factory, model);
      bench.plug(between);
      assert.equal((await receiver.read()).state, wanted);
      bench.plug({ ...above, hdcp: true });
      const signal = await receiver.read();
      assert.equal(signal.state, "out-of-range");
      assert.equal(signal.lock, true);
      assert.deepEqual([signal.video?.width, signal.video?.height, signal.video?.rate], [3840, 2160, [30, 1]]);
    }
  });

  it("see through deep colour", async () => {
    const { bench, receiver } = await ready(adv7612, Adv7612Model);
    // 12 bits: a TMDS clock half as high again.
    bench.port.patch = (address, [register], read) => {
      if (address !== HDMI_MAP) return read;
      const value = ((read[0] ?? 0) << 8) | (read[1] ?? 0);
      if (register === 0x51) return Uint8Array.of((value * 1.5) >> 8, (value * 1.5) & 0xff);
      return register === 0x07 ? read.with(4, (read[4] ?? 0) | 0x40) : read;
    };
    const { state, video } = await receiver.read();
    assert.equal(state, "locked");
    assert.deepEqual(video?.rate, [60, 1]);
  });

  it("tell colour space and range of each kind of source", async () => {
    const { bench, receiver } = await ready();
    for (const size of [{}, { width: 1024, height: 768 }, { width: 640, height: 480 }]) {
      for (const colourSpace of ["rgb", "ycbcr-422", "ycbcr-444", "ycbcr-420"] as const) {
        for (const range of ["full", "limited"] as const) {
          bench.plug({ ...programme, ...size, colourSpace, range });
          const { video } = await receiver.read();
          const name = `${colourSpace} ${range} ${video?.width}`;
          assert.deepEqual([video?.colourSpace, video?.range, video?.rate], [colourSpace, range, [60, 1]], name);
          assert.equal(video?.width, size.width ?? 1920, name);
        }
      }
    }
    bench.plug({ ...programme, hdmi: false, colourSpace: "rgb", range: "full" });
    const dvi = await receiver.read();
    assert.equal(dvi.hdmi, false);
    assert.deepEqual([dvi.video?.colourSpace, dvi.video?.range], ["rgb", "full"]);
    assert.deepEqual([dvi.video?.width, dvi.video?.rate], [1920, [60, 1]]);
    assert.equal("audio" in dvi, false);
  });

  it("tell sound and its rate", async () => {
    const { bench, receiver } = await ready();
    for (const mode of [programme, { ...programme, width: 720, height: 480, rate: [60000, 1001] as const }]) {
      for (const rate of [32000, 44100, 48000, 88200, 96000, 176400, 192000]) {
        for (const channels of [2, 8]) {
          bench.plug({ ...mode, audio: { rate, channels } });
          assert.deepEqual((await receiver.read()).audio, { rate, channels });
        }
      }
    }
    bench.plug({ ...programme, audio: undefined });
    assert.equal("audio" in (await receiver.read()), false);
  });

  it("do not tell what was counted while the signal went away", async () => {
    const { bench, receiver } = await ready();
    bench.port.before = (address, [register]) => {
      if (address === HDMI_MAP && register === 0x20) bench.connector.plug = undefined;
    };
    assert.equal((await receiver.read()).state, "no-lock");
    assert.equal((await receiver.read()).state, "no-cable");
  });
});

describe("the driver of the ADV7611", () => {
  it("uses a reset line once", async () => {
    const { bench } = await ready();
    const receiver = bench.driver(adv7611, true);
    await receiver.start();
    assert.deepEqual(bench.resets, [true, false]);
    assert.equal(bench.model.ddc, undefined);
    await edidAccess(receiver).write(edidOf(1));
    await receiver.start();
    assert.deepEqual(bench.resets, [true, false]);
    assert.equal((await receiver.read()).state, "locked");
  });

  it("tells a chip that does not answer", async () => {
    const { bench, receiver } = await ready();
    bench.model.reset(true);
    await assert.rejects(receiver.read(), (error) => error instanceof BusError && error.code === "nack");
    await assert.rejects(receiver.start(), BusError);
    bench.model.reset(false);
    await receiver.read();
    await bench.clock.advance(HOT_PLUG_PAUSE);
    await receiver.read();
    assert.equal((await receiver.read()).state, "locked");
  });

  it("makes up for a reset in the middle of its set-up, and for an error in the next one", async () => {
    // More transfers than set-up and EDID take.
    for (let resetAt = 0; resetAt < 60; resetAt++) {
      for (const failAt of [undefined, 5, 10]) {
        const { bench, receiver } = await ready();
        const readWhile = async (at: number | undefined, happens: () => void) => {
          let transfer = 0;
          bench.port.before = () => {
            if (transfer++ === at) happens();
          };
          await receiver.read().catch((error) => assert.ok(error instanceof BusError));
          bench.port.before = () => {};
        };
        bench.reset();
        await readWhile(resetAt, () => bench.reset());
        await readWhile(failAt, () => {
          throw new BusError("nack", "once");
        });
        for (let look = 0; look < 3; look++) {
          await receiver.read();
          await bench.clock.advance(HOT_PLUG_PAUSE);
        }
        assert.equal((await receiver.read()).state, "locked", `reset at ${resetAt}, error at ${failAt}`);
      }
    }
  });

  it("ends in the truth after any story", async () => {
    for (const seed of seeds) {
      const [factory, model, maxClock] =
        seed % 2 === 0 ? ([adv7611, Adv7611Model, 165e6] as const) : ([adv7612, Adv7612Model, 225e6] as const);
      const bench = new Bench(model, ADDRESS);
      const receiver = bench.driver(factory);
      let wanted: Uint8Array | undefined;
      const ended = await chaos({
        ...{ seed, bench, receiver, programme: anyProgramme },
        ask: (random) => {
          wanted = edidOf(1 + random.below(4), random.below(1000));
          return edidAccess(receiver).write(wanted);
        },
        truth: () => truth(bench.connector, maxClock),
      });
      assert.deepEqual(ended.told, ended.truth, `seed ${seed}`);
      assert.deepEqual(bench.model.ddc?.slice(0, wanted?.length), wanted, `seed ${seed}`);
      if (bench.connector.plug !== undefined) {
        assert.equal(bench.connector.hotPlug, wanted !== undefined, `seed ${seed}`);
      }
    }
  });
});

const modes: readonly [number, number, boolean, FrameRate][] = [
  [720, 480, true, [30000, 1001]],
  [720, 576, true, [25, 1]],
  [1280, 720, false, [50, 1]],
  [1920, 1080, false, [60000, 1001]],
  [1920, 1080, true, [25, 1]],
  [3840, 2160, false, [30, 1]],
];

function anyProgramme(random: Random): Programme {
  const hdmi = random.chance(0.8);
  // DVI knows no repeated pixels, which the first two need.
  const [width, height, interlaced, rate] = random.pick(hdmi ? modes : modes.slice(2));
  return {
    ...{ width, height, interlaced, rate, hdmi, hdcp: random.chance(0.3), standard: undefined },
    colourSpace: hdmi ? random.pick(["rgb", "ycbcr-422", "ycbcr-444"]) : "rgb",
    range: hdmi ? random.pick(["full", "limited"]) : "full",
    audio: random.chance(0.7) ? { rate: random.pick([32000, 44100, 48000, 96000]), channels: 2 } : undefined,
  };
}
