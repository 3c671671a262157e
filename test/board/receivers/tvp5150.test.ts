import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BusError } from "../../../src/board/ports.ts";
import { type Receiver, WrongChip } from "../../../src/board/receivers/receiver.ts";
import { tvp5150, tvp5151 } from "../../../src/board/receivers/tvp5150.ts";
import { Tvp5150Model, Tvp5151Model } from "../../../src/board/virtual/chips/tvp5150.ts";
import { analogueProgramme, analogueStandards, Bench, chaos, decoded, seeds } from "./support/analog.ts";

const ADDRESS = 0x5c;
const known = analogueStandards.filter((standard) => standard !== "pal-60");
const chips = [
  ["TVP5150", tvp5150, Tvp5150Model],
  ["TVP5151", tvp5151, Tvp5151Model],
] as const;

function analogueOf(receiver: Receiver) {
  assert.ok(receiver.analogue);
  return receiver.analogue;
}

for (const [name, factory, model] of chips) {
  const ready = async () => {
    const bench = new Bench(model, ADDRESS);
    const receiver = bench.driver(factory);
    await receiver.start();
    return { bench, receiver, analogue: analogueOf(receiver) };
  };

  describe(name, () => {
    it("refuses another chip, and says which", async () => {
      const [other, says] =
        name === "TVP5150" ? [Tvp5151Model, /TVP5150 .*5150.*5151/] : [Tvp5150Model, /TVP5151 .*5151.*5150/];
      const receiver = new Bench(other, ADDRESS).driver(factory);
      await assert.rejects(receiver.start(), (error) => error instanceof WrongChip && says.test(error.message));
    });

    it("tells no sync, no lock and every standard that it knows", async () => {
      const { bench, receiver } = await ready();
      assert.deepEqual(await receiver.read(), { state: "no-cable" });
      bench.plug(analogueProgramme("ntsc"), "no-clock");
      assert.deepEqual(await receiver.read(), { state: "no-cable" });
      bench.plug(analogueProgramme("ntsc"), "no-lock");
      assert.deepEqual(await receiver.read(), { state: "no-lock", lock: false });
      for (const standard of analogueStandards) {
        bench.plug(analogueProgramme(standard));
        assert.deepEqual(await receiver.read(), decoded(bench.connector, "auto", known), standard);
      }
      bench.plug(analogueProgramme("pal-60"));
      assert.equal((await receiver.read()).state, "no-lock");
      bench.plug(analogueProgramme("pal"));
      assert.deepEqual((await receiver.read()).video?.rate, [25, 1]);
    });

    it("decodes only the standard that it is set to", async () => {
      const { bench, receiver, analogue } = await ready();
      for (const forced of known) {
        await analogue.force(forced);
        for (const sent of analogueStandards) {
          bench.plug(analogueProgramme(sent));
          const { state, standard } = await receiver.read();
          assert.equal(state, sent === forced ? "locked" : "no-lock", `${forced}, ${sent}`);
          assert.equal(standard, sent === forced ? sent : undefined);
        }
      }
      await analogue.force("auto");
      bench.plug(analogueProgramme("pal-n"));
      assert.equal((await receiver.read()).standard, "pal-n");
    });

    it("tells what comes in place of PAL 60, which it cannot decode", async () => {
      const { bench, receiver, analogue } = await ready();
      await analogue.force("pal-60");
      bench.plug(analogueProgramme("ntsc"));
      assert.equal((await receiver.read()).standard, "ntsc");
      bench.plug(analogueProgramme("pal-60"));
      assert.deepEqual(await receiver.read(), { state: "no-lock", lock: false });
    });

    it("takes composite video and S-Video", async () => {
      const { bench, analogue } = await ready();
      assert.deepEqual(analogue.inputs, ["cvbs", "s-video"]);
      const inputs: number[] = [];
      for (const input of analogue.inputs) {
        await analogue.select(input);
        inputs.push((await bench.device.use((chip) => chip.read(0x00, 1)))[0] ?? -1);
      }
      assert.deepEqual(inputs, [0x00, 0x01]);
    });

    it("keeps its settings over a reset of the chip and a new start", async () => {
      const { bench, receiver, analogue } = await ready();
      // By itself, the chip does not look for this one.
      bench.plug(analogueProgramme("pal-m"));
      bench.reset();
      assert.equal((await receiver.read()).state, "locked");
      await analogue.force("ntsc");
      bench.reset();
      assert.equal((await receiver.read()).state, "no-lock");
      await receiver.start();
      assert.equal((await receiver.read()).state, "no-lock");
    });

    it("uses a reset line once, and tells a chip that does not answer", async () => {
      const { bench } = await ready();
      const receiver = bench.driver(factory, true);
      await receiver.start();
      await receiver.start();
      assert.deepEqual(bench.resets, [true, false]);
      bench.model.reset(true);
      await assert.rejects(receiver.read(), (error) => error instanceof BusError && error.code === "nack");
    });

    it("ends in the truth after any story", async () => {
      for (const seed of seeds) {
        const bench = new Bench(model, ADDRESS);
        const receiver = bench.driver(factory);
        const analogue = analogueOf(receiver);
        let forced: "auto" | (typeof known)[number] = "auto";
        const ended = await chaos({
          ...{ seed, bench, receiver, programme: (random) => analogueProgramme(random.pick(analogueStandards)) },
          ask: async (random) => {
            forced = random.chance(0.5) ? "auto" : random.pick(known);
            await analogue.force(forced);
            await analogue.select(random.pick(analogue.inputs));
          },
          truth: () => decoded(bench.connector, forced, known),
        });
        assert.deepEqual(ended.told, ended.truth, `seed ${seed}`);
      }
    });
  });
}
