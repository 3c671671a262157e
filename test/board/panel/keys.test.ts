import assert from "node:assert/strict";
import test from "node:test";
import type { KeyName } from "../../../src/board/boardFile.ts";
import { Keys } from "../../../src/board/panel/keys.ts";
import { Random } from "../../support/random.ts";
import { VirtualClock } from "../../support/virtualClock.ts";
import { Contact } from "./support/bench.ts";

async function panel(held: readonly KeyName[] = []) {
  const clock = new VirtualClock();
  const contacts = { up: new Contact(held.includes("up")), ok: new Contact(held.includes("ok")) };
  const told: string[] = [];
  const keys = new Keys(contacts, {
    clock,
    listener: ({ key, kind }) => told.push(`${clock.now()} ${key} ${kind}`),
  });
  await keys.start();
  return { clock, ...contacts, told, keys };
}

test("a press and its release are told once the contact has settled", async () => {
  const { clock, ok, told } = await panel();
  ok.set(true);
  await clock.advance(100);
  ok.set(false);
  await clock.advance(1000);
  assert.deepEqual(told, ["20 ok press", "120 ok release"]);
});

test("bouncing makes one press, and a spike none", async () => {
  const { clock, ok, told } = await panel();
  for (const active of [true, false, true, false, true]) {
    ok.set(active);
    await clock.advance(5);
  }
  await clock.advance(75);
  for (const active of [false, true, false]) {
    ok.set(active);
    await clock.advance(19);
  }
  await clock.advance(100);
  ok.set(true);
  await clock.advance(19);
  ok.set(false);
  await clock.advance(100);
  assert.deepEqual(told, ["40 ok press", "158 ok release"]);
});

test("a key that is held repeats, from 500 ms on and each 120 ms", async () => {
  const { clock, up, told } = await panel();
  up.set(true);
  await clock.advance(20 + 500 + 250);
  up.set(false);
  await clock.advance(1000);
  assert.deepEqual(told, ["20 up press", "520 up hold", "640 up hold", "760 up hold", "790 up release"]);
});

test("several keys at once are told each for itself", async () => {
  const { clock, up, ok, told } = await panel();
  up.set(true);
  await clock.advance(100);
  ok.set(true);
  await clock.advance(430);
  up.set(false);
  await clock.advance(100);
  ok.set(false);
  await clock.advance(1000);
  assert.deepEqual(told, [
    "20 up press",
    "120 ok press",
    "520 up hold",
    "550 up release",
    "620 ok hold",
    "650 ok release",
  ]);
});

test("a key that is stuck at the start is told only after it was released", async () => {
  const { clock, up, told } = await panel(["up"]);
  await clock.advance(1000);
  // A spike is no release.
  up.set(false);
  await clock.advance(10);
  up.set(true);
  await clock.advance(990);
  up.set(false);
  await clock.advance(100);
  up.set(true);
  await clock.advance(100);
  assert.deepEqual(told, ["2120 up press"]);
});

test("after the stop nothing is told", async () => {
  const { clock, up, ok, told, keys } = await panel();
  up.set(true);
  await clock.advance(100);
  ok.set(true);
  keys.stop();
  await clock.advance(2000);
  up.set(false);
  await clock.advance(100);
  assert.deepEqual(told, ["20 up press"]);
});

test("random pressing gives press and release in turn, and ends as the contact is", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed);
    const clock = new VirtualClock();
    const contact = new Contact();
    let pressed = false;
    const keys = new Keys(
      { down: contact },
      {
        clock,
        listener: ({ kind }) => {
          assert.equal(pressed, kind !== "press", `seed ${seed}: ${kind} while it is ${pressed ? "" : "not "}pressed`);
          pressed = kind !== "release";
        },
      },
    );
    await keys.start();
    let active = false;
    for (let step = 0; step < 40; step++) {
      active = random.chance(0.5);
      contact.set(active);
      await clock.advance(random.pick([1, 5, 19, 20, 21, 60, 700]));
    }
    await clock.advance(20);
    assert.equal(pressed, active, `seed ${seed}`);
    keys.stop();
  }
});
