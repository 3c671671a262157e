import assert from "node:assert/strict";
import test from "node:test";
import { Bitmap } from "../../../../src/board/panel/display/bitmap.ts";
import { Oled } from "../../../../src/board/panel/display/ssd1306.ts";
import type { View } from "../../../../src/board/panel/view.ts";
import { BusError } from "../../../../src/board/ports.ts";
import { Sh1106Model, Ssd1306Model } from "../../../../src/board/virtual/chips/ssd1306.ts";
import { Random } from "../../../support/random.ts";
import { DisplayBench } from "../support/bench.ts";
import { art, noise } from "../support/pictures.ts";

const ADDRESS = 0x3c;
const blank = new Bitmap(128, 64).picture();
const view: View = {
  title: "Channels",
  rows: [
    { text: "HDMI 1", value: "live" },
    { text: "HDMI 2", value: "off" },
  ],
  selected: 0,
};

for (const controller of ["ssd1306", "sh1106"] as const) {
  const Model = controller === "ssd1306" ? Ssd1306Model : Sh1106Model;
  const panel = () => {
    const bench = new DisplayBench((clock) => new Model(ADDRESS, clock));
    const display = new Oled(bench.bus.device(ADDRESS), { controller });
    const sees = (expected: ReturnType<Oled["render"]>, when: string) =>
      assert.equal(art(bench.model.picture()), art(expected), when);
    return { bench, display, sees, model: bench.model };
  };

  test(`${controller}: after the start it is lit and blank, whatever its memory held`, async () => {
    const { display, model, sees } = panel();
    assert.equal(model.isOn, false);
    await display.start();
    assert.equal(model.isOn, true);
    sees(blank, "after the start");
  });

  test(`${controller}: nothing of the old memory is seen on the way`, async () => {
    const { display, model, bench } = panel();
    const transfer = model.transfer.bind(model);
    model.transfer = (...transferred) => {
      const answer = transfer(...transferred);
      assert.equal(art(model.picture()), art(blank));
      return answer;
    };
    await display.start();
    assert.ok(bench.written > 1000);
  });

  test(`${controller}: it shows what was rendered, and transfers only what changed`, async () => {
    const { bench, display, sees } = panel();
    await display.start();
    const first = display.render(view);
    await display.show(first);
    sees(first, "first");
    bench.written = 0;
    const second = display.render({ ...view, rows: [{ text: "HDMI 1", value: "lost" }, ...view.rows.slice(1)] });
    assert.notEqual(art(second), art(first));
    await display.show(second);
    sees(second, "second");
    assert.ok(bench.written > 0 && bench.written < 100, `${bench.written} bytes`);
    bench.written = 0;
    await display.show(second);
    assert.equal(bench.written, 0);
    // Within what SMBus adapters take: a command byte and a block of 32.
    assert.ok(bench.longest <= 33, `${bench.longest} bytes in a transfer`);
  });

  test(`${controller}: after a reset behind its back it is set up again`, async () => {
    const { bench, display, sees } = panel();
    await display.start();
    await display.show(display.render(view));
    bench.powerCut();
    sees(blank, "reset");
    await display.show(display.render(view));
    sees(display.render(view), "shown again");
    bench.powerCut();
    await display.brightness("dim");
    sees(display.render(view), "dimmed");
  });

  test(`${controller}: unplugged it says so, plugged in again it shows the picture`, async () => {
    const { bench, display, sees } = panel();
    await display.start();
    bench.unplug();
    await assert.rejects(display.show(display.render(view)), BusError);
    await assert.rejects(display.brightness("dim"), BusError);
    bench.plug();
    await display.show(display.render(view));
    sees(display.render(view), "plugged in");
  });

  test(`${controller}: far apart changes are transferred without what is between them`, async () => {
    const { bench, display, sees } = panel();
    await display.start();
    bench.written = 0;
    const corners = new Bitmap(128, 64);
    for (const [x, y] of [
      [0, 0],
      [4, 0],
      [127, 0],
      [0, 63],
    ] as const)
      corners.set(x, y, true);
    await display.show(corners.picture());
    sees(corners.picture(), "corners");
    // Three jumps of four bytes; data of five, one and one, each with a byte before them.
    assert.equal(bench.written, 3 * 5 + 7);
  });

  test(`${controller}: back to the picture before a disturbance, nothing of the other one stays`, async () => {
    const { bench, display, sees } = panel();
    const before = display.render(view);
    await display.show(before);
    bench.failsAfter = 12;
    await assert.rejects(display.show(noise(new Random(1), 128, 64)), BusError);
    await display.show(before);
    sees(before, "before");
  });

  test(`${controller}: dim, off and normal`, async () => {
    const { bench, display, model, sees } = panel();
    await display.start();
    await display.show(display.render(view));
    const normal = model.contrast;
    await display.brightness("dim");
    assert.ok(model.contrast < normal / 4);
    sees(display.render(view), "dim");
    await display.brightness("off");
    sees(blank, "off");
    bench.powerCut();
    await display.show(display.render({ ...view, title: "Later" }));
    sees(blank, "still off");
    await display.brightness("normal");
    assert.equal(model.contrast, normal);
    sees(display.render({ ...view, title: "Later" }), "on");
  });

  test(`${controller}: any changes, resets and disturbances end in the last picture`, async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = new Random(seed);
      const { bench, display, sees } = panel();
      let last = display.render(view);
      for (let step = 0; step < 12; step++) {
        if (random.chance(0.2)) bench.powerCut();
        if (random.chance(0.3)) bench.failsAfter = random.below(30);
        if (random.chance(0.3)) await display.brightness(random.pick(["normal", "dim", "off"])).catch(() => {});
        last = random.chance(0.3)
          ? noise(random, 128, 64)
          : display.render({ ...view, selected: random.below(2), title: `Step ${step}` });
        await display.show(last).catch((error: unknown) => assert.ok(error instanceof BusError));
      }
      bench.failsAfter = Number.POSITIVE_INFINITY;
      await display.brightness("normal");
      await display.show(last);
      sees(last, `seed ${seed}`);
    }
  });
}

test("a controller whose status cannot be believed is not set up each time", async () => {
  const bench = new DisplayBench((clock) => new Ssd1306Model(ADDRESS, clock));
  const transfer = bench.model.transfer.bind(bench.model);
  bench.model.transfer = (address, write, length) => transfer(address, write, length).fill(0xff);
  const display = new Oled(bench.bus.device(ADDRESS));
  await display.start();
  bench.written = 0;
  await display.show(blank);
  assert.equal(bench.written, 0);
  await display.show(display.render(view));
  await display.brightness("off");
  bench.powerCut();
  await display.brightness("normal");
  assert.equal(art(bench.model.picture()), art(display.render(view)));
});

test("a panel of 32 rows", async () => {
  const bench = new DisplayBench((clock) => new Ssd1306Model(ADDRESS, clock, { width: 128, height: 32 }));
  const display = new Oled(bench.bus.device(ADDRESS), { height: 32 });
  await display.start();
  const picture = display.render(view);
  await display.show(picture);
  assert.equal(art(bench.model.picture()), art(picture));
});

test("a picture of another size is refused", async () => {
  const bench = new DisplayBench((clock) => new Ssd1306Model(ADDRESS, clock));
  const display = new Oled(bench.bus.device(ADDRESS));
  await assert.rejects(display.show(new Bitmap(64, 32).picture()), TypeError);
  await assert.rejects(display.show({ kind: "text", lines: [] }), TypeError);
});

test("the SSD1306's horizontal addressing goes on in the next page of its window", () => {
  const bench = new DisplayBench((clock) => new Ssd1306Model(ADDRESS, clock));
  const command = (...bytes: number[]) => bench.model.transfer(ADDRESS, Uint8Array.from([0x00, ...bytes]), 0);
  command(0x8d, 0x14, 0x20, 0x00, 0xa1, 0xc8, 0xaf);
  for (let page = 0; page < 8; page++)
    bench.model.transfer(ADDRESS, new Uint8Array(129).fill(0, 1).fill(0x40, 0, 1), 0);
  command(0x21, 10, 11, 0x22, 2, 3);
  bench.model.transfer(ADDRESS, Uint8Array.from([0x40, 0x01, 0x02, 0x04, 0x08]), 0);
  const expected = new Bitmap(128, 64);
  for (const [x, y] of [
    [10, 16],
    [11, 17],
    [10, 26],
    [11, 27],
  ] as const)
    expected.set(x, y, true);
  assert.equal(art(bench.model.picture()), art(expected.picture()));
});
