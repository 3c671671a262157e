import assert from "node:assert/strict";
import test from "node:test";
import { ResetHole, type ResetProgress } from "../../../src/board/panel/resetHole.ts";
import { VirtualClock } from "../../support/virtualClock.ts";
import { Contact } from "./support/bench.ts";

async function hole(active = false, clock = new VirtualClock()) {
  const line = new Contact(active);
  const told: ResetProgress[] = [];
  let resets = 0;
  const hole = new ResetHole({
    line,
    clock,
    progress: (progress) => told.push(progress),
    factoryReset: () => resets++,
  });
  await hole.start();
  const hold = async (ms: number) => {
    line.set(true);
    await clock.advance(ms);
    line.set(false);
    await clock.advance(1000);
  };
  return { clock, line, told, resets: () => resets, hold, hole };
}

const held = (to: number): ResetProgress[] => Array.from({ length: to }, (_, i) => ({ state: "held", seconds: i + 1 }));

test("less than a second does nothing and tells nothing", async () => {
  const { hold, told, resets } = await hole();
  await hold(900);
  await hold(999);
  assert.deepEqual(told, []);
  assert.equal(resets(), 0);
});

test("from a second on it tells how long it is held, and that it was released in time", async () => {
  const { hold, told, resets } = await hole();
  await hold(1000);
  assert.deepEqual(told, [...held(1), { state: "cancelled" }]);
  assert.equal(resets(), 0);
});

for (const ms of [9900, 9999]) {
  test(`${ms / 1000} s reset nothing`, async () => {
    const { hold, told, resets } = await hole();
    await hold(ms);
    assert.deepEqual(told, [...held(9), { state: "cancelled" }]);
    assert.equal(resets(), 0);
  });
}

test("10.0 s reset once", async () => {
  const { hold, told, resets } = await hole();
  await hold(10_000);
  assert.deepEqual(told, [...held(9), { state: "reset" }]);
  assert.equal(resets(), 1);
});

test("10.0 s reset once also when the timer is late", async () => {
  class Late extends VirtualClock {
    override after(ms: number, call: () => void): () => void {
      return super.after(ms > 500 ? ms + 1 : ms, call);
    }
  }
  const { hold, told, resets } = await hole(false, new Late());
  await hold(10_000);
  assert.deepEqual(told.at(-1), { state: "reset" });
  assert.equal(resets(), 1);
});

test("held on after the reset, nothing more happens until the next press", async () => {
  const { hold, told, resets } = await hole();
  await hold(35_000);
  assert.equal(resets(), 1);
  assert.deepEqual(told, [...held(9), { state: "reset" }]);
  await hold(10_000);
  assert.equal(resets(), 2);
});

test("two presses do not add up", async () => {
  const { hold, resets } = await hole();
  await hold(6000);
  await hold(6000);
  assert.equal(resets(), 0);
});

test("a bounce in the middle of a press does not end it", async () => {
  const { clock, line, told, resets } = await hole();
  line.set(true);
  await clock.advance(5000);
  line.set(false);
  await clock.advance(10);
  line.set(true);
  await clock.advance(5010);
  assert.deepEqual(told, [...held(9), { state: "reset" }]);
  assert.equal(resets(), 1);
});

test("a line that is stuck at the start resets nothing until it was released once", async () => {
  const { clock, line, hold, told, resets } = await hole(true);
  await clock.advance(30_000);
  // A spike is no release.
  line.set(false);
  await clock.advance(5);
  line.set(true);
  await clock.advance(30_000);
  assert.equal(resets(), 0);
  line.set(false);
  await clock.advance(1000);
  assert.deepEqual(told, []);
  await hold(10_000);
  assert.equal(resets(), 1);
});

test("a press that was not over at the stop resets nothing", async () => {
  const { clock, line, hole: service, resets } = await hole();
  line.set(true);
  await clock.advance(5000);
  service.stop();
  await clock.advance(20_000);
  assert.equal(resets(), 0);
});
