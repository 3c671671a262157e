import assert from "node:assert/strict";
import test from "node:test";
import { CharacterDisplay } from "../../../../src/board/panel/display/hd44780.ts";
import type { Picture, View } from "../../../../src/board/panel/view.ts";
import { BusError } from "../../../../src/board/ports.ts";
import { Hd44780Model } from "../../../../src/board/virtual/chips/hd44780.ts";
import { Random } from "../../../support/random.ts";
import { DisplayBench } from "../support/bench.ts";
import { anyView } from "../support/pictures.ts";

const ADDRESS = 0x27;

function panel(columns = 16, rows = 2) {
  const bench = new DisplayBench((clock) => new Hd44780Model(ADDRESS, clock, { columns, rows }));
  const { clock, model } = bench;
  const display = new CharacterDisplay(bench.bus.device(ADDRESS), { columns, rows, clock });
  const sees = (picture: Picture, when?: string) => assert.deepEqual(model.picture(), picture, when);
  const blank: Picture = { kind: "text", lines: Array.from({ length: rows }, () => " ".repeat(columns)) };
  return { bench, clock, display, model, sees, blank };
}

const view: View = {
  title: "Channels",
  rows: [
    { text: "HDMI 1", value: "live" },
    { text: "HDMI 2", value: "off" },
  ],
  selected: 0,
};
const editing: View = { title: "Network", rows: [{ text: "Address", value: "10.0.0.1" }], selected: 0, cursor: 3 };

const sizes = [
  [8, 1],
  [16, 1],
  [16, 2],
  [40, 2],
  [16, 4],
  [20, 4],
] as const;
for (const [columns, rows] of sizes) {
  test(`${columns}×${rows}: what was rendered is seen, after the start and after changes`, async () => {
    const random = new Random(columns * rows);
    const { display, sees, blank } = panel(columns, rows);
    await display.start();
    sees(blank, "after the start");
    for (let step = 0; step < 40; step++) {
      const picture = display.render(anyView(random));
      await display.show(picture);
      sees(picture, `step ${step}`);
    }
  });
}

test("only what changed is transferred", async () => {
  const { bench, display, sees } = panel();
  await display.start();
  await display.show(display.render(view));
  bench.written = 0;
  await display.show(display.render(view));
  assert.equal(bench.written, 0);
  const next = display.render({ ...view, rows: [{ text: "HDMI 1", value: "lime" }, ...view.rows.slice(1)] });
  await display.show(next);
  sees(next);
  // Each byte of the controller is four of the expander: an address and a character.
  assert.equal(bench.written, 8);
  assert.ok(bench.longest <= 33, `${bench.longest} bytes in a transfer`);
});

test("letters that the ROM lacks are drawn, and drawn anew when others need their place", async () => {
  const { bench, display, sees } = panel();
  await display.start();
  for (const letters of ["ÄÖÜéèàçê", "áíóúÑ¿¡ë", "Äöüßñ°→←", "~\\ÄÖÜéèà"]) {
    const picture: Picture = { kind: "text", lines: [letters.padEnd(16), " ".repeat(16)] };
    await display.show(picture);
    sees(picture, letters);
  }
  bench.written = 0;
  await display.show({ kind: "text", lines: ["Ä".padEnd(16), "é".padEnd(16)] });
  assert.ok(bench.written < 8 * 4 * 4, "what is drawn already is not drawn again");
});

test("the character being edited blinks, and nothing else does on the way to the next", async () => {
  const { display, model, sees } = panel();
  await display.start();
  const first = display.render(editing);
  assert.deepEqual(first.kind === "text" ? first.cursor : undefined, { row: 1, column: 11 });
  await display.show(first);
  sees(first);
  const transfer = model.transfer.bind(model);
  const seen = new Set<string>();
  model.transfer = (...transferred) => {
    const answer = transfer(...transferred);
    const picture = model.picture();
    if (picture.kind === "text" && picture.cursor) seen.add(`${picture.cursor.row} ${picture.cursor.column}`);
    return answer;
  };
  const second = display.render({ ...editing, rows: [{ text: "Address", value: "10.2.0.1" }], cursor: 5 });
  await display.show(second);
  sees(second);
  assert.deepEqual([...seen].sort(), ["1 11", "1 13"]);
  const third = display.render(view);
  await display.show(third);
  sees(third);
});

test("the cursor stays where it is while letters are drawn", async () => {
  const { display, sees } = panel();
  await display.start();
  for (const letters of ["ÄÖÜéèàçê", "ÁÖÜéèàçê"]) {
    const picture: Picture = {
      kind: "text",
      lines: [letters.padEnd(16), " ".repeat(16)],
      cursor: { row: 0, column: 3 },
    };
    await display.show(picture);
    sees(picture, letters);
  }
});

test("after a reset behind its back it is set up again", async () => {
  const { bench, display, sees, blank } = panel();
  await display.start();
  await display.show(display.render(editing));
  bench.powerCut();
  sees(blank, "reset");
  await display.show(display.render(editing));
  sees(display.render(editing), "shown again");
  bench.powerCut();
  await display.brightness("dim");
  sees(display.render(editing), "dimmed");
});

test("unplugged it says so, plugged in again it shows the picture", async () => {
  const { bench, display, sees } = panel();
  await display.start();
  bench.unplug();
  await assert.rejects(display.show(display.render(view)), BusError);
  await assert.rejects(display.brightness("dim"), BusError);
  bench.plug();
  await display.show(display.render(view));
  sees(display.render(view));
});

test("dim is without backlight, off without characters too", async () => {
  const { display, model, sees, blank } = panel();
  await display.start();
  await display.show(display.render(editing));
  assert.equal(model.isLit, true);
  await display.brightness("dim");
  assert.equal(model.isLit, false);
  sees(display.render(editing), "dim");
  await display.brightness("off");
  assert.equal(model.isLit, false);
  sees(blank, "off");
  await display.show(display.render(view));
  sees(blank, "still off");
  await display.brightness("normal");
  assert.equal(model.isLit, true);
  sees(display.render(view), "on");
});

test("a display whose set-up was interrupted between two nibbles comes up", async () => {
  for (let transfers = 0; transfers < 12; transfers++) {
    const { bench, model, display, sees } = panel();
    // Half a byte from whoever drove it before.
    if (transfers % 2) {
      await display.start();
      model.transfer(ADDRESS, Uint8Array.from([0x1c, 0x18]), 0);
    }
    bench.failsAfter = transfers;
    await display.start().catch(() => {});
    await display.show(display.render(view)).catch(() => {});
    await display.start();
    await display.show(display.render(view));
    sees(display.render(view), `after ${transfers} transfers`);
  }
});

test("any changes, resets and disturbances end in the last picture", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed);
    const { bench, display, sees } = panel(20, 4);
    let last = display.render(view);
    for (let step = 0; step < 15; step++) {
      if (random.chance(0.2)) bench.powerCut();
      if (random.chance(0.3)) bench.failsAfter = random.below(40);
      if (random.chance(0.3)) await display.brightness(random.pick(["normal", "dim", "off"])).catch(() => {});
      last = display.render(anyView(random));
      await display.show(last).catch((error: unknown) => assert.ok(error instanceof BusError));
    }
    bench.failsAfter = Number.POSITIVE_INFINITY;
    await display.brightness("normal");
    await display.show(last);
    sees(last, `seed ${seed}`);
  }
});

test("pictures and displays that do not fit are refused", async () => {
  const { bench, display } = panel();
  await assert.rejects(display.show({ kind: "text", lines: ["short"] }), TypeError);
  assert.throws(() => new CharacterDisplay(bench.bus.device(ADDRESS), { columns: 40, rows: 4 }), RangeError);
});

test("the controller loses what comes too early", async () => {
  const { clock, model } = panel();
  const send = (rs: number, byte: number) =>
    model.transfer(ADDRESS, Uint8Array.from([byte & 0xf0, byte << 4].flatMap((n) => [n | rs | 4, n | rs])), 0);
  const half = (nibble: number) => model.transfer(ADDRESS, Uint8Array.from([(nibble << 4) | 4, nibble << 4]), 0);
  await clock.advance(50);
  for (const nibble of [3, 3, 3, 2]) {
    half(nibble);
    await clock.advance(5);
  }
  send(0, 0x28);
  send(0, 0x0c);
  send(0, 0x01);
  send(1, 0x41);
  await clock.advance(2);
  send(1, 0x42);
  const picture = model.picture();
  assert.equal(picture.kind === "text" && picture.lines[0], `B${" ".repeat(15)}`);
});

test("its address counter and memory can be read", async () => {
  const { bench, model, display } = panel();
  await display.start();
  await display.show({ kind: "text", lines: ["Hello".padEnd(16), " ".repeat(16)] });
  const read = (rs: number) =>
    [0, 1].reduce((byte) => {
      const pins = 0xf0 | 0x02 | rs;
      model.transfer(ADDRESS, Uint8Array.from([pins, pins | 4]), 0);
      const [nibble = 0] = model.transfer(ADDRESS, new Uint8Array(0), 1);
      model.transfer(ADDRESS, Uint8Array.from([pins]), 0);
      return (byte << 4) | (nibble >> 4);
    }, 0);
  await bench.clock.advance(1);
  assert.equal(read(0), 5);
  model.transfer(ADDRESS, Uint8Array.from([0x84, 0x80, 0x14, 0x10]), 0);
  await bench.clock.advance(1);
  assert.equal(String.fromCharCode(read(1), read(1)), "el");
});
