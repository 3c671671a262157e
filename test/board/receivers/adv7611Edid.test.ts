import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BusError } from "../../../src/board/ports.ts";
import { adv7611 } from "../../../src/board/receivers/adv7611.ts";
import { HOT_PLUG_PAUSE } from "../../../src/board/receivers/receiver.ts";
import { Adv7611Model } from "../../../src/board/virtual/chips/adv7611.ts";
import { ADDRESS, edidAccess, edidOf, ready } from "./support/adv7611.ts";
import { Bench, programme } from "./support/analog.ts";

describe("the EDID of an ADV7611", () => {
  it("is written and read back, up to four blocks", async () => {
    const { bench, receiver } = await ready();
    const access = edidAccess(receiver);
    assert.equal(access.maxBlocks, 4);
    for (const blocks of [1, 2, 3, 4, 1]) {
      const edid = edidOf(blocks, blocks);
      await access.write(edid);
      assert.deepEqual(await access.read(edid.length), edid);
      assert.deepEqual(bench.model.ddc?.slice(0, edid.length), edid);
      assert.equal(bench.connector.hotPlug, true);
      assert.equal((await receiver.read()).state, "locked");
    }
    for (const length of [0, 100, 5 * 128]) await assert.rejects(access.write(new Uint8Array(length)), RangeError);
  });

  it("is written while hot plug is off, which lasts long enough", async () => {
    const { bench, receiver } = await ready();
    let offAt = -1;
    bench.port.before = () => {
      if (!bench.connector.hotPlug && offAt < 0) offAt = bench.clock.now();
      if (bench.connector.hotPlug && bench.model.ddc === undefined) assert.fail("hot plug is on without an EDID");
    };
    await edidAccess(receiver).write(edidOf(2, 7));
    assert.ok(offAt >= 0 && bench.clock.now() - offAt >= HOT_PLUG_PAUSE);
    assert.equal(bench.connector.hotPlug, true);
  });

  it("is not shown by hot plug to nobody, but to whoever is plugged in later", async () => {
    const bench = new Bench(Adv7611Model, ADDRESS);
    const receiver = bench.driver(adv7611);
    await receiver.start();
    await edidAccess(receiver).write(edidOf(1));
    assert.equal(bench.connector.hotPlug, false);
    bench.plug(programme);
    await receiver.read();
    assert.equal(bench.connector.hotPlug, true);
    assert.equal((await receiver.read()).state, "locked");
  });

  it("is zeros while the chip shows none, and hot plug is off", async () => {
    const bench = new Bench(Adv7611Model, ADDRESS);
    const receiver = bench.driver(adv7611);
    bench.plug(programme);
    await receiver.start();
    assert.deepEqual(await edidAccess(receiver).read(256), new Uint8Array(256));
    assert.equal((await receiver.read()).state, "no-clock");
    assert.equal(bench.connector.hotPlug, false);
  });

  it("comes back after a reset of the chip, and the signal with it", async () => {
    const { bench, receiver } = await ready();
    bench.reset();
    assert.equal(bench.connector.hotPlug, false);
    await receiver.read();
    assert.equal(bench.connector.hotPlug, false, "for the usual pause");
    await bench.clock.advance(HOT_PLUG_PAUSE);
    await receiver.read();
    assert.deepEqual(bench.model.ddc?.slice(0, 256), edidOf(2));
    assert.equal((await receiver.read()).state, "locked");
  });

  it("is completed after an error of the bus, wherever that was", async () => {
    const edid = edidOf(3, 9);
    let failing = 0;
    for (let failed = true; failed; failing++) {
      const { bench, receiver } = await ready();
      let transfer = 0;
      bench.port.before = () => {
        if (transfer++ === failing) throw new BusError("nack", "once");
      };
      failed = await edidAccess(receiver)
        .write(edid)
        .then(() => false)
        .catch((error) => error instanceof BusError);
      bench.port.before = () => {};
      await receiver.read();
      await bench.clock.advance(HOT_PLUG_PAUSE);
      await receiver.read();
      assert.deepEqual(bench.model.ddc?.slice(0, edid.length), edid, `transfer ${failing}`);
      assert.equal((await receiver.read()).state, "locked", `transfer ${failing}`);
    }
    assert.ok(failing > edid.length / 32);
  });

  it("is an error when the chip does not show it", async () => {
    const { bench, receiver } = await ready();
    bench.port.patch = (address, [register], read) =>
      address === 0x32 && register === 0x76 ? new Uint8Array(1) : read;
    const failed = (error: unknown) => error instanceof BusError && error.code === "timeout";
    await assert.rejects(edidAccess(receiver).write(edidOf(2)), failed);
  });

  it("stays shown without a break when the box's program starts anew", async () => {
    const { bench } = await ready();
    bench.port.before = () => assert.equal(bench.connector.hotPlug, true);
    const next = bench.driver(adv7611);
    await next.start();
    assert.deepEqual(await edidAccess(next).read(256), edidOf(2));
    assert.equal((await next.read()).state, "locked");
  });

  it("is none that the program before wrote, but did not come to show", async () => {
    const { bench, receiver } = await ready();
    bench.port.before = (address, [register, value]) => {
      if (address === 0x32 && register === 0x74 && value === 0x01) throw new BusError("nack", "ended");
    };
    await assert.rejects(edidAccess(receiver).write(edidOf(2, 5)));
    bench.port.before = () => {};
    const next = bench.driver(adv7611);
    await next.start();
    assert.deepEqual(await edidAccess(next).read(256), new Uint8Array(256));
    assert.equal(bench.connector.hotPlug, false);
    await edidAccess(next).write(edidOf(2, 5));
    assert.equal((await next.read()).state, "locked");
  });

  it("is shown by hot plug also when the program before ended in between", async () => {
    const { bench, receiver } = await ready();
    bench.port.before = (address, [register, value]) => {
      if (address === ADDRESS && register === 0x20 && value === 0xf0) throw new BusError("nack", "ended");
    };
    await assert.rejects(edidAccess(receiver).write(edidOf(1)));
    bench.port.before = () => {};
    assert.equal(bench.connector.hotPlug, false);
    const next = bench.driver(adv7611);
    await next.start();
    await next.read();
    assert.equal((await next.read()).state, "locked");
  });
});
