import assert from "node:assert/strict";
import test from "node:test";
import { chartTop, pathOf } from "../../web/chart.ts";

test("the scale holds the highest value with little to spare", () => {
  assert.equal(chartTop([]), 1500);
  assert.equal(chartTop([4_000_000, 3_900_000]), 5_000_000);
  assert.equal(chartTop([9_900_000]), 15_000_000);
  for (const value of [1234, 5_000_000, 7_000_000, 99_000_000]) {
    const top = chartTop([value]);
    assert(top >= value * 1.05 && top <= value * 2, `${value}: ${top}`);
  }
});

test("a line is broken where measurements are missing", () => {
  const points = [0, 1000, 2000, 9000, 10_000].map((at) => ({ at, x: at / 1000, y: 5 }));
  assert.equal(pathOf(points), "M0.0 5.0L1.0 5.0L2.0 5.0M9.0 5.0L10.0 5.0");
  assert.equal(pathOf(points.slice(0, 2), 8), "M0.0 5.0L1.0 5.0L1.0 8.0L0.0 8.0Z");
  assert.equal(pathOf([]), "");
});
