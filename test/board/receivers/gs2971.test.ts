import assert from "node:assert/strict";
import test from "node:test";
import { BusError, type SpiPort } from "../../../src/board/ports.ts";
import { gs2971, sdiErrors } from "../../../src/board/receivers/gs2971.ts";
import { type ReceiverContext, WrongChip } from "../../../src/board/receivers/receiver.ts";
import type { FrameRate, Signal } from "../../../src/board/signal.ts";
import { Gs2971Model } from "../../../src/board/virtual/chips/gs2971.ts";
import type { Connector, Plug, Programme } from "../../../src/board/virtual/model.ts";
import { Random } from "../../support/random.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

type Format = readonly [width: number, height: number, scan: "i" | "p", rate: FrameRate];

const formats: Format[] = [
  [720, 480, "i", [30000, 1001]],
  [720, 576, "i", [25, 1]],
  [1280, 720, "p", [24000, 1001]],
  [1280, 720, "p", [24, 1]],
  [1280, 720, "p", [25, 1]],
  [1280, 720, "p", [30000, 1001]],
  [1280, 720, "p", [30, 1]],
  [1280, 720, "p", [50, 1]],
  [1280, 720, "p", [60000, 1001]],
  [1280, 720, "p", [60, 1]],
  [1920, 1080, "i", [25, 1]],
  [1920, 1080, "i", [30000, 1001]],
  [1920, 1080, "i", [30, 1]],
  [1920, 1080, "p", [24000, 1001]],
  [1920, 1080, "p", [24, 1]],
  [1920, 1080, "p", [25, 1]],
  [1920, 1080, "p", [30000, 1001]],
  [1920, 1080, "p", [30, 1]],
  [1920, 1080, "p", [50, 1]],
  [1920, 1080, "p", [60000, 1001]],
  [1920, 1080, "p", [60, 1]],
];
const beyond: Format[] = [
  [2048, 1080, "p", [24, 1]],
  [2048, 1080, "p", [60, 1]],
];

const name = ([width, height, scan, [numerator, denominator]]: Format) =>
  `${width}x${height}${scan}${(numerator / denominator).toFixed(2)}`;

function programme([width, height, scan, rate]: Format, sound = true): Programme {
  return {
    ...{ width, height, interlaced: scan === "i", rate, colourSpace: "ycbcr-422", range: "limited" },
    ...{ hdmi: false, hdcp: false, audio: sound ? { rate: 48000, channels: 2 } : undefined, standard: undefined },
  };
}

function plugged(format: Format, sound = true): Plug {
  return { health: "good", programme: programme(format, sound) };
}

/** What must be seen of a plug, from what is sent alone. */
function truth(plug: Plug | undefined): Signal {
  if (plug === undefined || plug.health === "no-clock") return { state: "no-cable" };
  if (plug.health === "no-lock") return { state: "no-lock", lock: false };
  const { width, height, interlaced, rate, audio } = plug.programme;
  const known = width !== 2048;
  // Of an unknown 3G format, nothing can be told.
  const measured = known || rate[0] / rate[1] <= 30;
  return {
    state: known ? "locked" : "out-of-range",
    lock: true,
    ...(measured && { video: { width, height, interlaced, rate, colourSpace: "ycbcr-422", range: "limited" } }),
    ...(audio && { audio: { rate: 48000, channels: 2 } }),
  };
}

class Jack implements Connector {
  plug: Plug | undefined;
  hotPlug = false;
}

/** A chip on its own, and what a test may do to it. */
function bench({ resetLine = false } = {}) {
  const jack = new Jack();
  const clock = new VirtualClock();
  const model = new Gs2971Model(jack, clock);
  const bus = {
    fail: false,
    /** The chip is not there: the line floats. */
    empty: false,
    busy: 0,
    transfers: 0,
    resets: 0,
  };
  const spi: SpiPort = {
    async transfer(write) {
      assert.equal(bus.busy, 0, "transfers overlap");
      bus.busy++;
      bus.transfers++;
      await new Promise(setImmediate);
      bus.busy--;
      if (bus.fail) throw new BusError("timeout", "SPI");
      return bus.empty ? new Uint8Array(write.length).fill(0xff) : model.transfer(write);
    },
    close: async () => {},
  };
  const reset = {
    write: async (active: boolean) => {
      if (active) bus.resets++;
      if (active) bus.empty = false;
      model.reset(active);
    },
    close: () => {},
  };
  const context = { spi, clock, cablePower: undefined, hotPlug: undefined, reset: resetLine ? reset : undefined };
  return { jack, clock, model, bus, receiver: gs2971(context as unknown as ReceiverContext) };
}

async function started(options = {}) {
  const made = bench(options);
  await made.receiver.start();
  return made;
}

for (const format of formats) {
  test(`${name(format)} is told, with and without sound`, async () => {
    const { jack, receiver } = await started();
    for (const sound of [true, false]) {
      jack.plug = plugged(format, sound);
      assert.deepEqual(await receiver.read(), truth(jack.plug));
    }
  });
}

for (const format of beyond) {
  test(`${name(format)} is out of range`, async () => {
    const { jack, receiver } = await started();
    jack.plug = plugged(format);
    assert.equal(truth(jack.plug).state, "out-of-range");
    assert.deepEqual(await receiver.read(), truth(jack.plug));
  });
}

test("no signal and half a signal are told, also after a good one, whose registers stay", async () => {
  const { jack, receiver } = await started();
  assert.deepEqual(await receiver.read(), { state: "no-cable" });
  const good = plugged([1920, 1080, "i", [25, 1]]);
  const states: [Plug | undefined, Signal["state"]][] = [
    [good, "locked"],
    [{ ...good, health: "no-lock" }, "no-lock"],
    [good, "locked"],
    [undefined, "no-cable"],
    [{ ...good, health: "no-lock" }, "no-lock"],
    [{ ...good, health: "no-clock" }, "no-cable"],
    [good, "locked"],
  ];
  for (const [plug, state] of states) {
    jack.plug = plug;
    assert.equal((await receiver.read()).state, state);
  }
});

test("what SDI can't carry is no signal", async () => {
  const { jack, receiver } = await started();
  for (const format of [
    [3840, 2160, "p", [30, 1]],
    [1024, 768, "p", [60, 1]],
    [720, 480, "p", [60000, 1001]],
    [1920, 1080, "p", [120, 1]],
  ] as Format[]) {
    jack.plug = plugged(format);
    assert.deepEqual(await receiver.read(), { state: "no-cable" }, name(format));
  }
});

test("counts that are one line short are those of the standard", async () => {
  const answers = new Map([
    [0x0f, [0x4101]],
    [0x1f, [1920, 2640, 1124, 0x1000 | 1080, 3]],
    [0x06, [0x0d66]],
  ]);
  const spi: SpiPort = {
    transfer: async (write) => {
      const register = (((write[0] ?? 0) << 8) | (write[1] ?? 0)) & 0xfff;
      const values = [0, ...(answers.get(register) ?? [0])];
      return Uint8Array.from(values.flatMap((word) => [word >> 8, word & 0xff]));
    },
    close: async () => {},
  };
  const receiver = gs2971({ spi, clock: new VirtualClock() } as unknown as ReceiverContext);
  const { state, video } = await receiver.read();
  assert.deepEqual([state, video?.height, video?.rate], ["locked", 1080, [25, 1]]);
});

test("a place without a chip is told", async () => {
  const { bus, receiver } = bench();
  bus.empty = true;
  await assert.rejects(receiver.start(), (error: Error) => {
    assert.ok(error instanceof WrongChip);
    assert.equal(error.message, "a GS2971 is expected: register 0F was set to 4101 and reads FFFF");
    return true;
  });
  bus.empty = false;
  await receiver.start();
  bus.empty = true;
  await assert.rejects(receiver.read(), WrongChip);
});

test("a chip that hangs is reset where the board has a line for it", async () => {
  const { bus, jack, receiver, clock } = bench({ resetLine: true });
  jack.plug = plugged([1280, 720, "p", [50, 1]]);
  bus.empty = true;
  await receiver.start();
  assert.deepEqual([bus.resets, clock.now()], [1, 20]);
  assert.deepEqual(await receiver.read(), truth(jack.plug));
  await receiver.start();
  assert.equal(bus.resets, 1, "a chip that works is left alone");
});

test("a reset behind its back is noticed, and the chip set up again", async () => {
  const { jack, model, receiver } = await started();
  jack.plug = plugged([1920, 1080, "p", [60, 1]]);
  const before = model.transfer(Uint8Array.of(0x90, 0x0f, 0, 0));
  model.reset(true);
  model.reset(false);
  assert.notDeepEqual(model.transfer(Uint8Array.of(0x90, 0x0f, 0, 0)), before);
  assert.deepEqual(await receiver.read(), truth(jack.plug));
  assert.deepEqual(model.transfer(Uint8Array.of(0x90, 0x0f, 0, 0)), before);
  // While it is held in reset, nothing is made up.
  model.reset(true);
  await assert.rejects(receiver.read(), WrongChip);
  model.reset(false);
  assert.deepEqual(await receiver.read(), truth(jack.plug));
});

test("errors are told once, and not after their field", async () => {
  const { jack, model, clock, receiver } = await started();
  jack.plug = plugged([1920, 1080, "i", [25, 1]]);
  assert.deepEqual(await receiver.errors(), []);
  model.disturb(0b0011000);
  assert.deepEqual(await receiver.errors(), ["y-crc", "c-crc"]);
  assert.deepEqual(await receiver.errors(), []);
  model.disturb(0x7f);
  assert.deepEqual((await receiver.read()).state, "locked");
  assert.deepEqual(await receiver.errors(), sdiErrors);
  model.disturb(1);
  await clock.advance(25);
  assert.deepEqual(await receiver.errors(), []);
  model.disturb(1);
  jack.plug = undefined;
  assert.deepEqual(await receiver.errors(), []);
});

test("everybody who asks at once is answered, one after the other", async () => {
  const { jack, bus, receiver } = await started();
  jack.plug = plugged([1280, 720, "p", [60, 1]]);
  const answers = await Promise.all([receiver.read(), receiver.errors(), receiver.start(), receiver.read()]);
  assert.deepEqual([answers[0], answers[3]], [truth(jack.plug), truth(jack.plug)]);
  // An error of one is none of the next.
  bus.fail = true;
  const failing = receiver.read();
  await assert.rejects(failing, BusError);
  bus.fail = false;
  assert.deepEqual(await receiver.read(), truth(jack.plug));
});

test("after any sequence of plugs, programmes, resets and bus errors the true state is read", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed);
    const { jack, model, bus, clock, receiver } = await started();
    const change = () => {
      jack.plug = random.chance(0.2)
        ? undefined
        : {
            health: random.pick(["good", "good", "good", "no-lock", "no-clock"] as const),
            programme: programme(random.pick([...formats, ...beyond]), random.chance(0.5)),
          };
    };
    for (let step = 0; step < 40; step++) {
      const choice = random.below(10);
      if (choice < 5) change();
      else if (choice === 5) model.reset(random.chance(0.5));
      else if (choice === 6) bus.fail = random.chance(0.5);
      else if (choice === 7) model.disturb(random.below(128));
      else if (choice === 8) await clock.advance(random.below(100));
      // A reading may be caught in the middle of all that, but must not lead to anything that stays.
      const reading = receiver.read().catch((error) => {
        assert.ok(error instanceof BusError || error instanceof WrongChip, `seed ${seed}, step ${step}: ${error}`);
      });
      if (random.chance(0.3)) change();
      if (random.chance(0.7)) await reading;
    }
    bus.fail = false;
    model.reset(false);
    assert.deepEqual(await receiver.read(), truth(jack.plug), `seed ${seed}: ${JSON.stringify(jack.plug)}`);
  }
});
