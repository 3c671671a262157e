import assert from "node:assert/strict";
import test from "node:test";
import { Lock } from "../../../../src/board/panel/menu/lock.ts";
import { config } from "../../../../src/config/schema.ts";
import { VirtualClock } from "../../../support/virtualClock.ts";
import { FakeHost, Hands, twoChannels } from "./fakeHost.ts";

/** A panel with the PIN 1203. */
function locked(): Hands {
  const document = twoChannels();
  return new Hands(new FakeHost(config.parse({ ...document, panel: { pin: "1203", lockAfter: 60, dimAfter: 120 } })));
}

/** Writes 1203 into the PIN page, or with `wrong` something else. */
async function enter(hands: Hands, wrong = false): Promise<void> {
  await hands.press("up", "right", "up", 2, "right", "right", "up", wrong ? 4 : 3, "ok");
}

test("a box with a PIN starts locked, and shows its status", async () => {
  const hands = locked();
  assert.deepEqual(hands.lines, [
    "Rack 7 (locked)",
    "> News: HDMI 1 | on air 4.00 Mbit/s",
    "  Sports | stopped",
    "  Menu",
  ]);
  await hands.press("down");
  assert.equal(hands.view.selected, 1);
});

test("anything but looking asks for the PIN, and goes on where it was asked for", async () => {
  const hands = locked();
  await hands.press("down", "ok");
  assert.deepEqual(hands.view, {
    title: "PIN",
    rows: [{ text: "PIN", value: "0" }],
    secret: true,
    selected: 0,
    cursor: 0,
  });
  await hands.press("up", "right");
  assert.deepEqual(hands.view.rows, [{ text: "PIN", value: "●0" }]);
  await hands.press("left", "down", "back");
  assert.equal(hands.view.title, "Rack 7 (locked)");
  await hands.press("right");
  await enter(hands);
  assert.equal(hands.view.title, "Sports");
  await hands.press("back");
  assert.equal(hands.view.title, "Rack 7");
});

test("a wrong PIN is said and does not open", async () => {
  const hands = locked();
  await hands.press("ok");
  await enter(hands, true);
  assert.deepEqual(hands.view.rows, [{ text: "PIN", value: "0" }, { text: "Wrong PIN" }]);
  assert.ok(hands.menu.locked);
  // A part of the PIN is not the PIN.
  await hands.press("up", "right", "up", 2, "right", "ok");
  assert.ok(hands.menu.locked);
});

test("it locks after its time without a key, from any page", async () => {
  const hands = locked();
  await hands.press("ok");
  await enter(hands);
  await hands.home();
  await hands.go("Menu", "Settings", "Panel", "Lock after");
  await hands.clock.advance(59_000);
  await hands.press("up");
  assert.equal(hands.view.title, "Lock after");
  await hands.clock.advance(59_999);
  assert.equal(hands.view.title, "Lock after");
  await hands.clock.advance(1);
  assert.equal(hands.view.title, "Rack 7 (locked)");
  assert.ok(hands.menu.locked);
});

test("the first key after the time finds the panel locked, also when nobody looked", async () => {
  const hands = locked();
  await hands.press("ok");
  await enter(hands);
  await hands.home();
  await hands.go("Menu", "Reboot");
  await hands.clock.advance(60_000);
  await hands.press("down", "ok");
  assert.deepEqual(hands.host.orders, []);
  assert.equal(hands.view.title, "PIN");
});

test("after five wrong PINs the wait doubles from 30 s to 10 min", async () => {
  const hands = locked();
  await hands.press("ok");
  for (let i = 0; i < 4; i++) await enter(hands, true);
  assert.equal(hands.view.cursor, 0, "four are free");
  for (const seconds of [30, 60, 120, 240, 480, 600, 600]) {
    await enter(hands, true);
    assert.deepEqual(hands.view.rows, [{ text: "Wrong PIN" }, { text: `Try again in ${seconds} s` }]);
    await hands.clock.advance(seconds * 1000 - 1);
    // Not even the right one is looked at, and leaving does not help.
    await hands.press("back", "ok");
    await enter(hands);
    assert.ok(hands.menu.locked);
    assert.deepEqual(hands.view.rows, [{ text: "Try again in 1 s" }]);
    await hands.clock.advance(1);
  }
  await enter(hands);
  assert.equal(hands.menu.locked, false);
});

test("while it waits, not even the right PIN is looked at", () => {
  const clock = new VirtualClock();
  const lock = new Lock(clock, () => config.parse({ version: 3, panel: { pin: "1203" } }).panel);
  const answers = Array.from({ length: 5 }, () => lock.unlock("1204"));
  assert.deepEqual(answers, Array(5).fill("wrong"));
  assert.equal(lock.unlock("1203"), "waiting");
  assert.equal(lock.wait, 30_000);
});

test("the right PIN gives five free attempts again", async () => {
  const hands = locked();
  for (let round = 0; round < 2; round++) {
    await hands.press("ok");
    for (let i = 0; i < 4; i++) await enter(hands, true);
    await enter(hands);
    assert.equal(hands.menu.locked, false);
    await hands.clock.advance(60_000);
    assert.ok(hands.view.title.endsWith("(locked)"));
  }
});

test("without a PIN it never locks, and who sets one is not locked out at once", async () => {
  const hands = new Hands();
  await hands.go("Menu");
  await hands.clock.advance(3_600_000);
  assert.equal(hands.view.title, "Menu");
  await hands.press("up");
  hands.host.document = config.parse({ ...hands.host.document, panel: { pin: "4711" } });
  await hands.press("up");
  assert.equal(hands.menu.locked, false);
  await hands.clock.advance(60_000);
  assert.equal(hands.view.title, "Rack 7 (locked)");
  hands.host.document = twoChannels();
  assert.equal(hands.view.title, "Rack 7");
});

test("the panel dims after its time without a key, or never", async () => {
  const hands = locked();
  await hands.clock.advance(119_999);
  assert.equal(hands.menu.brightness, "normal");
  await hands.clock.advance(1);
  assert.equal(hands.menu.brightness, "dim");
  await hands.press("down");
  assert.equal(hands.menu.brightness, "normal");
  hands.host.document = config.parse({ ...hands.host.document, panel: { dimAfter: 0 } });
  await hands.clock.advance(86_400_000);
  assert.equal(hands.menu.brightness, "normal");
});
