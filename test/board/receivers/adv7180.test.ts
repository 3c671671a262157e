import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BusError } from "../../../src/board/ports.ts";
import { adv7180, adv7280 } from "../../../src/board/receivers/adv7180.ts";
import { type Receiver, WrongChip } from "../../../src/board/receivers/receiver.ts";
import { Adv7180Model, Adv7280Model } from "../../../src/board/virtual/chips/adv7180.ts";
import { Tvp5150Model } from "../../../src/board/virtual/chips/tvp5150.ts";
import { analogueProgramme, analogueStandards, Bench, chaos, decoded, seeds } from "./support/analog.ts";

const ADDRESS = 0x20;
/** The register that is the same in all pages, and selects one. */
const PAGE = 0x0e;
const chips = [
  ["ADV7180", adv7180, Adv7180Model],
  ["ADV7280", adv7280, Adv7280Model],
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
      const other = name === "ADV7180" ? Adv7280Model : Adv7180Model;
      const says = name === "ADV7180" ? /ADV7180 .*18.*read id 0x42/ : /ADV7280 .*40.*read id 0x1c/;
      for (const [wrong, words] of [
        [other, says],
        [Tvp5150Model, /read id 0x00/],
      ] as const) {
        const receiver = new Bench<Adv7180Model | Tvp5150Model>(wrong, ADDRESS).driver(factory);
        await assert.rejects(receiver.start(), (error) => error instanceof WrongChip && words.test(error.message));
      }
    });

    it("tells no sync, no lock and every standard", async () => {
      const { bench, receiver } = await ready();
      assert.deepEqual(await receiver.read(), { state: "no-cable" });
      bench.plug(analogueProgramme("pal"), "no-clock");
      assert.deepEqual(await receiver.read(), { state: "no-cable" });
      bench.plug(analogueProgramme("pal"), "no-lock");
      assert.deepEqual(await receiver.read(), { state: "no-lock", lock: false });
      for (const standard of analogueStandards) {
        bench.plug(analogueProgramme(standard));
        assert.deepEqual(await receiver.read(), decoded(bench.connector, "auto", analogueStandards), standard);
      }
      assert.equal((await receiver.read()).state, "locked");
    });

    it("decodes only the standard that it is set to", async () => {
      const { bench, receiver, analogue } = await ready();
      for (const forced of analogueStandards) {
        await analogue.force(forced);
        for (const sent of analogueStandards) {
          bench.plug(analogueProgramme(sent));
          const { state, standard, video } = await receiver.read();
          assert.equal(state, sent === forced ? "locked" : "no-lock", `${forced}, ${sent}`);
          assert.equal(standard, sent === forced ? sent : undefined);
          assert.equal(video?.height, sent === forced ? bench.connector.plug?.programme.height : undefined);
        }
      }
      await analogue.force("auto");
      assert.equal((await receiver.read()).standard, "secam");
    });

    it("takes composite video, S-Video and YPbPr from their own pins", async () => {
      const { bench, receiver, analogue } = await ready();
      assert.deepEqual(analogue.inputs, ["cvbs", "s-video", "ypbpr"]);
      bench.plug(analogueProgramme(undefined));
      assert.equal((await receiver.read()).state, "no-lock", "without a subcarrier");
      await analogue.select("ypbpr");
      const component = await receiver.read();
      assert.equal(component.state, "locked");
      assert.deepEqual([component.video?.height, component.video?.rate, component.standard], [576, [25, 1], undefined]);
      bench.plug(analogueProgramme(undefined), "no-lock");
      assert.deepEqual(await receiver.read(), { state: "no-lock", lock: false });
      const inputs: number[] = [];
      for (const input of analogue.inputs) {
        await analogue.select(input);
        inputs.push((await bench.device.use((chip) => chip.read(0x00, 1)))[0] ?? -1);
      }
      assert.deepEqual(inputs, name === "ADV7180" ? [0x00, 0x06, 0x09] : [0x00, 0x08, 0x0c]);
    });

    it("sees no sync in pictures that it cannot decode", async () => {
      const { bench, receiver } = await ready();
      bench.plug({ ...analogueProgramme(undefined), width: 1280, height: 720, interlaced: false, rate: [50, 1] });
      assert.deepEqual(await receiver.read(), { state: "no-cable" });
    });

    it("keeps input and standard over a reset of the chip and a new start", async () => {
      const { bench, receiver, analogue } = await ready();
      await analogue.force("ntsc");
      bench.plug(analogueProgramme("ntsc"));
      bench.reset();
      assert.equal((await receiver.read()).state, "locked");
      await receiver.start();
      bench.plug(analogueProgramme("pal"));
      assert.equal((await receiver.read()).state, "no-lock");
      await analogue.select("ypbpr");
      bench.plug(analogueProgramme(undefined));
      bench.reset();
      assert.equal((await receiver.read()).state, "locked");
    });

    it("sets up again what an error of the bus or a reset left undone, wherever that was", async () => {
      const events: ((bench: Bench<Adv7180Model>) => void)[] = [
        () => {
          throw new BusError("nack", "once");
        },
        (bench) => bench.reset(),
      ];
      for (const happens of events) {
        let at = 0;
        for (let happened = true; happened; at++) {
          const { bench, receiver, analogue } = await ready();
          bench.plug(analogueProgramme(undefined));
          let transfer = 0;
          bench.port.before = () => {
            if (transfer++ === at) happens(bench);
          };
          await analogue.select("ypbpr").catch((error) => assert.ok(error instanceof BusError));
          happened = transfer > at;
          bench.port.before = () => {};
          let [page] = await bench.device.use((chip) => chip.read(PAGE, 1));
          bench.port.before = (_address, [register = 0, value]) => {
            if (register === PAGE) page = value;
            else if (value !== undefined && register < PAGE) assert.equal(page, 0, `transfer ${at}`);
          };
          assert.equal((await receiver.read()).state, "locked", `transfer ${at}`);
          if (name === "ADV7180") continue;
          const bias = await bench.device.use((chip) => chip.read(0x52, 3));
          assert.deepEqual([...bias], [0x0b, 0x4e, 0xc0], `transfer ${at}`);
        }
        assert.ok(at > 4);
      }
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
        let forced: "auto" | (typeof analogueStandards)[number] = "auto";
        const ended = await chaos({
          ...{ seed, bench, receiver, programme: (random) => analogueProgramme(random.pick(analogueStandards)) },
          ask: async (random) => {
            forced = random.chance(0.5) ? "auto" : random.pick(analogueStandards);
            await analogue.force(forced);
            await analogue.select(random.pick(["cvbs", "s-video"]));
          },
          truth: () => decoded(bench.connector, forced, analogueStandards),
        });
        assert.deepEqual(ended.told, ended.truth, `seed ${seed}`);
      }
    });
  });
}
