import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BusError } from "../../../src/board/ports.ts";
import { lt6911c, lt6911uxc, lt6911uxe } from "../../../src/board/receivers/lt6911.ts";
import { WrongChip } from "../../../src/board/receivers/receiver.ts";
import { exactRate, type Signal } from "../../../src/board/signal.ts";
import { Lt6911cModel, Lt6911uxcModel, Lt6911uxeModel } from "../../../src/board/virtual/chips/lt6911.ts";
import type { Plug } from "../../../src/board/virtual/model.ts";
import { edid, failNext, plug, type RigOptions, resetChip, rig, storm, tryRead } from "./support/lontium.ts";

const base = { address: 0x2b, lines: ["cablePower", "hotPlug", "reset"] } as const;
const uxc: RigOptions<Lt6911uxcModel> = { ...base, model: Lt6911uxcModel, receiver: lt6911uxc };
const uxe: RigOptions<Lt6911uxeModel> = { ...base, model: Lt6911uxeModel, receiver: lt6911uxe };
const c: RigOptions<Lt6911cModel> = { ...base, model: Lt6911cModel, receiver: lt6911c };
type Chip = "uxc" | "uxe" | "c";
const chips = { uxc, uxe, c } as const;

const plugs: readonly Plug[] = [
  plug("1920x1080p60"),
  plug("1920x1080p59.94", { audio: { rate: 44100, channels: 2 } }),
  plug("1920x1080p30", { hdcp: true }),
  plug("1920x1080i30"),
  plug("1920x1080i29.97", { audio: { rate: 32000, channels: 2 } }),
  plug("1280x720p60", { hdmi: false, audio: undefined }),
  plug("1280x720p59.94", { audio: { rate: 96000, channels: 8 } }),
  plug("720x480i29.97"),
  plug("720x576i25", { audio: undefined }),
  plug("720x480p59.94"),
  plug("720x576p50"),
  plug("3840x2160p30", { colourSpace: "ycbcr-444" }),
  plug("1280x1024p60", { hdmi: false, audio: undefined }),
];
/** Where the LT6911C can only guess the rate, the others measure it. */
const measuredRates = [
  plug("1920x1080p50"),
  plug("1920x1080p25"),
  plug("1920x1080p23.98"),
  plug("1280x720p24"),
  plug("1920x1080i25"),
  plug("3840x2160p60", { audio: { rate: 192000, channels: 2 } }),
  plug("3840x2160p59.94"),
];

/** The truth, as far as the chip can tell it. */
function expected(chip: Chip, plugged: Plug | undefined): Signal {
  if (plugged === undefined) return { state: "no-cable", cablePower: false };
  const { health, programme } = plugged;
  if (chip === "uxe" && health !== "good") return { state: "no-clock", cablePower: true };
  if (health === "no-clock") return { state: "no-clock", cablePower: true, clock: false };
  if (health === "no-lock") return { state: "no-lock", cablePower: true, clock: true, lock: false };
  const { width, height, interlaced, rate, audio } = programme;
  return {
    state: "locked",
    cablePower: true,
    clock: true,
    lock: true,
    video: { width, height, interlaced, rate, colourSpace: "ycbcr-422", range: "limited" },
    ...(audio === undefined || chip === "c" ? {} : { audio: { rate: audio.rate, channels: 2 } }),
  };
}

for (const chip of ["uxc", "uxe", "c"] as const) {
  describe(`LT6911${chip.toUpperCase()}`, () => {
    const options = chips[chip] as RigOptions<Lt6911uxcModel | Lt6911uxeModel | Lt6911cModel>;

    test("tells every state and picture", async () => {
      const { connector, receiver, wait } = rig(options);
      await receiver.start();
      const seen = chip === "c" ? plugs : [...plugs, ...measuredRates];
      for (const good of seen) {
        for (const health of ["good", "no-clock", "no-lock", "good"] as const) {
          connector.plug = { ...good, health };
          await wait(2500);
          assert.deepEqual(await receiver.read(), expected(chip, connector.plug));
        }
        connector.plug = undefined;
        await wait(100);
        assert.deepEqual(await receiver.read(), { state: "no-cable", cablePower: false });
      }
    });

    test("tells a picture that is too large", async () => {
      const { connector, receiver } = rig(options);
      connector.plug = plug("5120x1440p30");
      await receiver.start();
      const { state, video } = await receiver.read();
      assert.deepEqual([state, video?.width, video?.height], ["out-of-range", 5120, 1440]);
    });

    test("sees a new picture that came without a gap", async () => {
      const { connector, receiver, wait } = rig(options);
      connector.plug = plug("1280x720p60");
      await receiver.start();
      await receiver.read();
      connector.plug = plug("1920x1080p59.94");
      await wait(2000);
      assert.deepEqual(await receiver.read(), expected(chip, connector.plug));
    });

    test("leaves the chip alone while nothing is plugged in, and hides hot plug", async () => {
      const { connector, receiver, port } = rig(options);
      connector.plug = plug("1920x1080p60");
      await receiver.start();
      await receiver.read();
      assert.equal(connector.hotPlug, true);
      connector.plug = undefined;
      const before = port.transfers;
      await receiver.read();
      await receiver.read();
      assert.equal(port.transfers, before);
      assert.equal(connector.hotPlug, false);
    });

    test("takes a cable to have power where the board has no line for it", async () => {
      const { connector, receiver, wait } = rig({ ...options, lines: ["hotPlug"] });
      await receiver.start();
      assert.equal((await receiver.read()).state, "no-clock");
      connector.plug = plug("1920x1080p60");
      await wait(500);
      const { cablePower: _, ...signal } = expected(chip, connector.plug);
      assert.deepEqual(await receiver.read(), signal);
    });

    test("gives access back after any fault", async () => {
      const { connector, receiver, port, model, wait } = rig(options);
      connector.plug = plug("1920x1080p60");
      const whole = async () => {
        const before = port.transfers;
        await receiver.start();
        await receiver.read();
        return port.transfers - before;
      };
      const transfers = await whole();
      for (const count of [1, 2]) {
        for (let at = 0; at < transfers; at++) {
          const from = port.transfers + at;
          port.fault = (transfer) => (transfer >= from && transfer < from + count ? "nack" : undefined);
          await receiver.start().then(
            () => tryRead(receiver),
            () => {},
          );
          assert.equal(model.held, false, `${count} faults at transfer ${at}`);
        }
      }
      port.fault = () => undefined;
      await wait(2500);
      assert.deepEqual(await receiver.read(), expected(chip, connector.plug));
    });

    test("gives access back when the bus works again, even if the cable has gone", async () => {
      const { connector, receiver, port, model, wait } = rig(options);
      connector.plug = plug("1920x1080p60");
      const from = port.transfers + 2;
      port.fault = (transfer) => (transfer >= from ? "timeout" : undefined);
      await assert.rejects(receiver.start(), BusError);
      assert.equal(model.held, true);
      port.fault = () => undefined;
      connector.plug = undefined;
      await wait(1500);
      await receiver.read();
      assert.equal(model.held, false);
    });

    test("finds the picture again after a reset of the chip", async () => {
      const { connector, receiver, model, wait } = rig(options);
      connector.plug = plug("1920x1080p60");
      await receiver.start();
      await receiver.read();
      resetChip(model);
      await wait(2500);
      assert.deepEqual(await receiver.read(), expected(chip, connector.plug));
    });

    test("ends in the truth after any storm", async () => {
      const pool = chip === "c" ? plugs : [...plugs, ...measuredRates];
      for (let seed = 1; seed <= 40; seed++) {
        const { model } = await storm(options, pool, (plugged) => expected(chip, plugged), seed, false);
        assert.equal(model.held, false, `seed ${seed}`);
      }
    });
  });
}

test("another chip of the family is told apart", async () => {
  const { receiver } = rig({ ...base, model: Lt6911cModel, receiver: lt6911uxc });
  await assert.rejects(receiver.start(), (error: Error) => error instanceof WrongChip && /17 04/.test(error.message));
  const other = rig({ ...base, model: Lt6911uxcModel, receiver: lt6911c });
  await assert.rejects(other.receiver.start(), WrongChip);
});

test("a chip that does not answer is a bus error", async () => {
  const { receiver } = rig({ ...base, model: Lt6911uxcModel, receiver: lt6911uxe });
  await assert.rejects(receiver.start(), (error: Error) => error instanceof BusError && error.code === "nack");
});

test("the LT6911UXC is measured only when it tells of a change, and looked at rarely while video runs", async () => {
  const { connector, receiver, port, wait } = rig(uxc);
  connector.plug = plug("1920x1080p60");
  await receiver.start();
  const cost = async () => {
    const before = port.transfers;
    await receiver.read();
    return port.transfers - before;
  };
  const measuring = await cost();
  assert.equal(await cost(), 0);
  await wait(600);
  const looking = await cost();
  assert.ok(looking > 0 && looking < measuring / 2, `${looking} of ${measuring}`);
  await wait(10_000);
  assert.equal(await cost(), measuring);
});

test("the processor of the LT6911C has most of the time while it looks for a picture", async () => {
  const { connector, receiver, clock, wait } = rig(c);
  connector.plug = plug("1920x1080p60", {}, "no-lock");
  await receiver.start();
  const begun = clock.now();
  let held = 0;
  for (let look = 0; look < 50; look++) {
    const from = clock.now();
    await receiver.read();
    held += clock.now() - from;
    await wait(40);
  }
  assert.ok(held > 0 && held < (clock.now() - begun) * 0.35, `${held} of ${clock.now() - begun} ms`);
});

test("the LT6911UXE is never held while video runs", async () => {
  const { connector, receiver, port, model } = rig(uxe);
  connector.plug = plug("1920x1080p60");
  await receiver.start();
  let held = false;
  port.fault = () => {
    held ||= model.held;
    return undefined;
  };
  await receiver.read();
  assert.equal(held, false);
});

test("the LT6911C gives the usual rate where the clock does not tell it", async () => {
  const { connector, receiver } = rig(c);
  await receiver.start();
  for (const [name, rate] of [
    ["1920x1080p50", 60],
    ["1920x1080p25", 30],
    ["1280x720p59.94", 59.94],
    ["1680x1050p59.94", 60],
  ] as const) {
    connector.plug = undefined;
    await receiver.read();
    connector.plug = plug(name);
    assert.deepEqual((await receiver.read()).video?.rate, exactRate(rate), name);
  }
});

test("the LT6911C does not lock to more than HDMI 1.4", async () => {
  const { connector, receiver } = rig(c);
  connector.plug = plug("3840x2160p60");
  await receiver.start();
  assert.equal((await receiver.read()).state, "no-lock");
});

test("the LT6911UXE has no EDID to write", () => {
  assert.equal(rig(uxe).receiver.edid, undefined);
});

for (const chip of ["uxc", "c"] as const) {
  describe(`EDID of the LT6911${chip.toUpperCase()}`, () => {
    const options = chips[chip] as RigOptions<Lt6911uxcModel | Lt6911cModel>;
    const ready = async (lines: RigOptions<Lt6911cModel>["lines"] = base.lines) => {
      const made = rig({ ...options, lines });
      made.connector.plug = plug("1920x1080p60");
      await made.receiver.start();
      const { edid: access } = made.receiver;
      assert.ok(access);
      return { ...made, access };
    };

    test("is written, shown and read back", async () => {
      const { access, model, receiver, connector, wait } = await ready();
      assert.deepEqual((await access.read(8)).slice(0, 3), Uint8Array.of(0x00, 0xff, 0xff));
      for (const blocks of [1, 2, 1]) {
        const written = edid(blocks, blocks);
        await access.write(written);
        assert.deepEqual(await access.read(written.length), written);
        assert.deepEqual(model.servedEdid?.slice(0, written.length), written);
        assert.equal(model.held, false);
      }
      assert.equal(new TextDecoder().decode(model.sector.slice(256, 265)), "BOARD 1.0");
      await wait(2500);
      assert.deepEqual(await receiver.read(), expected(chip, connector.plug));
    });

    test("hides hot plug while it is written, and shows it 143 ms later", async () => {
      const { access, connector, clock, port } = await ready();
      let shown = false;
      let last = 0;
      port.fault = () => {
        shown ||= connector.hotPlug;
        last = clock.now();
        return undefined;
      };
      await access.write(edid(2, 1));
      assert.equal(shown, false);
      assert.equal(connector.hotPlug, true);
      assert.ok(clock.now() - last >= 143);
    });

    test("leaves hot plug off without a cable", async () => {
      const { access, connector } = await ready();
      connector.plug = undefined;
      await access.write(edid(2, 1));
      assert.equal(connector.hotPlug, false);
    });

    test("survives a reset, and is read from the flash once only", async () => {
      const { access, model, port } = await ready();
      const written = edid(2, 3);
      await access.write(written);
      resetChip(model);
      assert.deepEqual(model.servedEdid, written);
      const before = port.transfers;
      assert.deepEqual(await access.read(256), written);
      assert.equal(port.transfers, before);
    });

    test("waits for power where the board has no reset line", async () => {
      const { access, model } = await ready(["cablePower", "hotPlug"]);
      const written = edid(2, 3);
      await access.write(written);
      assert.deepEqual(await access.read(256), written);
      assert.notDeepEqual(model.servedEdid, written);
      resetChip(model);
      assert.deepEqual(model.servedEdid, written);
    });

    test("is refused when it is no whole EDID", async () => {
      const { access } = await ready();
      for (const length of [0, 100, 384]) await assert.rejects(access.write(new Uint8Array(length)), RangeError);
    });

    test("survives a bus error at any time, in a second try", async () => {
      const { access, port, model, connector, clock } = await ready();
      const from = port.transfers;
      const begun = clock.now();
      let erased: number | undefined;
      port.fault = (transfer) => {
        if (clock.now() - begun >= 500) erased ??= transfer - from;
        return undefined;
      };
      await access.write(edid(2, 1));
      const transfers = port.transfers - from;
      const afterErasure = Array.from({ length: 8 }, (_, index) => (erased ?? 0) + index);
      for (const at of [...afterErasure, ...Array.from({ length: transfers / 37 }, (_, index) => index * 37)]) {
        const written = edid(2, at);
        const start = port.transfers + at;
        port.fault = (transfer) => (transfer === start ? "nack" : undefined);
        await access.write(written).catch(async () => {
          await access.read(256);
          await access.write(written);
        });
        assert.deepEqual(await access.read(256), written, `fault at transfer ${at}`);
        assert.equal(new TextDecoder().decode(model.sector.slice(256, 265)), "BOARD 1.0");
        assert.equal(connector.hotPlug, true);
        assert.equal(model.held, false);
      }
    });

    test("spares a flash that fails", async () => {
      const { access, model, port } = await ready();
      model.wearOut();
      for (let time = 0; time < 5; time++) {
        await assert.rejects(access.write(edid(2, 9)), (error: Error) => error instanceof BusError);
      }
      const before = port.transfers;
      await assert.rejects(access.write(edid(2, 9)), /spared/);
      assert.equal(port.transfers, before);
    });

    test("a dead bus ends in a bus error", async () => {
      const { access, port } = await ready();
      failNext(port, 10, "nack");
      await assert.rejects(access.read(256), BusError);
    });
  });
}
