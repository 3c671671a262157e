import assert from "node:assert/strict";
import test from "node:test";
import { isStopped, temperatureState, voltageState } from "../../../src/board/sensors/limits.ts";
import type { ReadingState } from "../../../src/board/sensors/readings.ts";
import { Random } from "../../support/random.ts";

const limits = { warning: 60, critical: 75 };

/** The states of a row of values, each judged after the one before. */
function follow<Value>(values: Value[], judge: (value: Value, before: ReadingState) => ReadingState): ReadingState[] {
  let state: ReadingState = "missing";
  return values.map((value) => {
    state = judge(value, state);
    return state;
  });
}

test("temperatures: limits count as reached, and are left 3 °C lower", () => {
  const row: [number, ReadingState][] = [
    [59.9, "ok"],
    [60, "warning"],
    [57.1, "warning"],
    [56.9, "ok"],
    [59.9, "ok"],
    [75, "critical"],
    [72.1, "critical"],
    [71.9, "warning"],
    [74.9, "warning"],
    [80, "critical"],
    [56, "ok"],
  ];
  const states = follow(
    row.map(([value]) => value),
    (value, before) => temperatureState(value, limits, before),
  );
  assert.deepEqual(
    states,
    row.map(([, state]) => state),
  );
});

test("voltages: outside is critical, and well again only a twentieth of the range inside", () => {
  const row: [number, ReadingState][] = [
    [11.4, "ok"],
    [11.39, "critical"],
    [11.42, "critical"],
    [11.47, "ok"],
    [12.6, "ok"],
    [12.61, "critical"],
    [12.58, "critical"],
    [12.5, "ok"],
  ];
  const states = follow(
    row.map(([value]) => value),
    (value, before) => voltageState(value, { least: 11.4, most: 12.6 }, before),
  );
  assert.deepEqual(
    states,
    row.map(([, state]) => state),
  );
});

test("fans: a stopped one must turn a tenth faster to count as turning", () => {
  assert.equal(isStopped(499, { least: 500 }, "ok"), true);
  assert.equal(isStopped(500, { least: 500 }, "ok"), false);
  assert.equal(isStopped(549, { least: 500 }, "critical"), true);
  assert.equal(isStopped(550, { least: 500 }, "critical"), false);
});

test("noise of less than the hysteresis never changes a state twice", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Random(seed);
    const middle = 50 + 30 * random.next();
    const values = Array.from({ length: 50 }, () => middle + 2.9 * (random.next() - 0.5));
    const states = follow(values, (value, before) => temperatureState(value, limits, before));
    const changes = states.slice(1).filter((state, i) => state !== states[i]).length;
    assert.ok(changes <= 1, `seed ${seed}: ${changes} changes around ${middle} °C`);
  }
});
