/** The whole virtual box: what is done to its connectors, keys, supplies and fans, and what it says, shows and orders. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { Board } from "../../src/board/board.ts";
import { type KeyName, loadBoardFile } from "../../src/board/boardFile.ts";
import { renderGraphic } from "../../src/board/panel/display/renderGraphic.ts";
import { Bus } from "../../src/bus.ts";
import { defaultConfig } from "../../src/config/schema.ts";
import { Random } from "../support/random.ts";
import { VirtualClock } from "../support/virtualClock.ts";
import { boardPath } from "./support/virtualBox.ts";

async function start(t: TestContext, { resetRefusal = "" } = {}) {
  const clock = new VirtualClock();
  const file = await loadBoardFile(boardPath("virtual"));
  const current = { ...defaultConfig(), panel: { language: "en", pin: "", lockAfter: 60, dimAfter: 120 } as const };
  const orders: string[] = [];
  const board = new Board({
    ...{ file, config: { current }, bus: new Bus(), serial: "0001", clock },
    host: {
      configuration: () => current,
      change: async () => "done",
      channels: () => [
        { id: "ch1", name: "Channel 1", state: "live", input: "HDMI 1", bitrate: 4_000_000, faults: [] },
      ],
      network: () => ({ addresses: [], gui: "http://192.168.1.168" }),
      device: () => ({ version: "1.2.3", slot: "A", serial: "0001" }),
      reboot: async () => {
        orders.push("reboot");
        return "done";
      },
      presets: () => [],
      applyPreset: async () => "done",
      resetPassword: async () => ({ user: "admin", password: "abcd-efgh" }),
      factoryReset: async () => {
        orders.push("factory reset");
        return resetRefusal === "" ? "done" : [{ pointer: "", message: resetRefusal }];
      },
    },
    lights: () => ({ power: "live", status: "live", network: "off", channels: ["live", "failed"] }),
    thermal: {
      preview: (on) => orders.push(`preview ${on}`),
      shed: (count) => orders.push(`shed ${count}`),
    },
  });
  await board.start();
  await clock.advance(3000);
  t.after(async () => {
    const stopped = board.stop();
    await clock.advance(10_000);
    await stopped;
  });
  assert(board.virtual !== undefined);
  const bench = board.virtual;
  const press = async (key: KeyName) => {
    bench.press(key, true);
    await clock.advance(60);
    bench.press(key, false);
    await clock.advance(60);
  };
  const faults = () => board.faults().map(({ id, severity }) => `${id} ${severity}`);
  return { board, bench, clock, orders, press, faults };
}

test("a healthy box has no faults, and its display shows the menu", async (t) => {
  const { board, bench, faults } = await start(t);
  assert.deepEqual(faults(), []);
  assert.equal(board.panel.view().rows[0]?.text, "Channel 1: HDMI 1");
  assert.deepEqual(bench.display?.picture(), board.panel.picture);
});

test("keys move the menu, and the glass shows what the mirror shows", async (t) => {
  const { board, bench, clock, press } = await start(t);
  const before = board.panel.view();
  for (const key of ["ok", "down", "ok", "up", "down", "down", "right"] as const) {
    await press(key);
    await clock.advance(600);
    assert.deepEqual(bench.display?.picture(), board.panel.picture);
  }
  assert.notDeepEqual(board.panel.view(), before);
  for (let i = 0; i < 10; i++) await press("back");
  assert.deepEqual(board.panel.view(), before);
});

test("wherever the keys lead, the glass shows the view", async (t) => {
  const { board, bench, clock } = await start(t);
  const random = new Random(7);
  const keys = Object.keys(board.file.panel.keys) as KeyName[];
  const seen = new Set<string>();
  for (let i = 0; i < 400; i++) {
    board.panel.press(random.pick(keys));
    await clock.advance(120);
    const view = board.panel.view();
    seen.add(view.title);
    assert.deepEqual(bench.display?.picture(), renderGraphic(view), `key ${i}: ${JSON.stringify(view)}`);
  }
  assert.ok(seen.size >= 8, `only ${[...seen]}`);
});

test("a display whose bus hung shows the menu again", async (t) => {
  const { board, bench, clock, press, faults } = await start(t);
  bench.bus("front").hang(true);
  await press("down");
  await clock.advance(3000);
  assert.deepEqual(faults(), ["i2c:front error"]);
  bench.bus("front").hang(false);
  await clock.advance(10_000);
  assert.deepEqual(faults(), []);
  assert.deepEqual(bench.display?.picture(), board.panel.picture);
});

test("the reset hole: 9.9 s do nothing but tell, 10.0 s reset", async (t) => {
  const { board, bench, clock, orders } = await start(t);
  const said = () => board.panel.view().rows[0]?.text;
  // The press counts from when its contact is quiet, 20 ms later.
  bench.press("reset", true);
  await clock.advance(20 + 5000);
  assert.equal(said(), "Hold 5 s more:");
  await clock.advance(4900);
  bench.press("reset", false);
  await clock.advance(100);
  assert.equal(said(), "Cancelled.");
  await clock.advance(20_000);
  assert.deepEqual(orders, []);
  assert.equal(board.panel.view().rows[0]?.text, "Channel 1: HDMI 1");
  bench.press("reset", true);
  await clock.advance(20 + 10_000);
  assert.deepEqual(orders, ["factory reset"]);
  await clock.advance(5000);
  bench.press("reset", false);
  await clock.advance(5000);
  assert.deepEqual(orders, ["factory reset"]);
});

test("a reset that is refused is told, and the box goes on", async (t) => {
  const { board, bench, clock, orders } = await start(t, { resetRefusal: "Firmware is being written" });
  const { status } = board.file.leds;
  assert(status !== undefined && "red" in status && status.red);
  const rows = () => board.panel.view().rows.map(({ text }) => text);
  bench.press("reset", true);
  await clock.advance(20 + 10_000);
  bench.press("reset", false);
  await clock.advance(500);
  assert.deepEqual([orders, rows()], [["factory reset"], ["Not now:", "Firmware is being written"]]);
  await clock.advance(3000);
  assert.equal(rows()[0], "Channel 1: HDMI 1");
  assert.equal(bench.gpio.get(status.red), false);
});

test("after 10 s the lights blink red until the box is down", async (t) => {
  const { board, bench, clock } = await start(t);
  const { status } = board.file.leds;
  assert(status !== undefined && "red" in status && status.red);
  bench.press("reset", true);
  await clock.advance(20 + 10_000);
  const seen = new Set<boolean | undefined>();
  for (let i = 0; i < 20; i++) {
    await clock.advance(1000 + (i % 2) * 100);
    seen.add(bench.gpio.get(status.red));
  }
  assert.deepEqual([...seen].sort(), [false, true]);
  assert.equal(board.panel.view().rows[0]?.text, "Restoring");
});

test("each light says its own", async (t) => {
  const { board, bench } = await start(t);
  const [first, second] = board.file.leds.channels;
  assert(first !== undefined && "green" in first && second !== undefined && "red" in second);
  assert(first.green && first.red && second.red && second.green);
  assert.deepEqual([bench.gpio.get(first.green), bench.gpio.get(first.red)], [true, false]);
  assert.deepEqual([bench.gpio.get(second.green), bench.gpio.get(second.red)], [false, true]);
});

test("a supply that fails and a fan that stops are faults until they are well again", async (t) => {
  const { bench, clock, faults } = await start(t);
  bench.supply("b", "failed");
  await clock.advance(1000);
  assert.deepEqual(faults(), ["supply:b error"]);
  bench.supply("b", "absent");
  await clock.advance(1000);
  assert.deepEqual(faults(), ["supply:b warning"]);
  bench.supply("b", "good");
  bench.hwmon.stopFan(true);
  await clock.advance(30_000);
  assert.deepEqual(faults(), ["fan:fan1 error"]);
  bench.hwmon.stopFan(false);
  await clock.advance(30_000);
  assert.deepEqual(faults(), []);
});

test("a box that is too hot says so and lowers its load in order", async (t) => {
  const { bench, clock, orders, faults } = await start(t);
  bench.hwmon.heat("soc", 105);
  await clock.advance(90_000);
  assert.ok(faults().includes("temperature:soc error"), `${faults()}`);
  assert.deepEqual(orders, ["preview false", "shed 1"]);
  bench.hwmon.heat("soc", 40);
  await clock.advance(10_000);
  assert.ok(!faults().includes("temperature:soc error"));
});
