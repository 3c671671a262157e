import assert from "node:assert/strict";
import test from "node:test";
import { History, MOST_SERIES } from "../../../src/board/sensors/history.ts";
import { Random } from "../../support/random.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

function filled(values: (number | null)[]): History {
  const history = new History();
  for (const value of values) history.add(new Map([["x", value]]));
  return history;
}

test("samples come oldest first, null where there was none", () => {
  const history = filled([1, null, 3]);
  const points = history.points("x", 50);
  assert.deepEqual(points?.mean, [null, null, 1, null, 3]);
  assert.equal(points?.interval, 10);
  assert.equal(history.points("y", 50), undefined);
});

test("averages of two minutes have mean, least and most of what was there", () => {
  const values = [5, 1, 9, null, 5, 5, 5, 5, 5, 5, 5, 5];
  const points = filled([...values, ...Array(12).fill(null), 7]).points("x", DAY);
  assert.equal(points?.interval, 120);
  assert.equal(points?.mean.length, 720);
  const last = (list: (number | null)[] | undefined) => list?.slice(-3);
  assert.deepEqual(last(points?.mean), [null, 5, null], "the two minutes that go on are not averaged yet");
  assert.deepEqual(last(points?.least), [null, 1, null]);
  assert.deepEqual(last(points?.most), [null, 9, null]);
});

test("property: as a plain list would have it, however long it runs", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = new Random(seed);
    const length = random.below(30_000);
    const values = Array.from({ length }, () => (random.chance(0.1) ? null : Math.fround(100 * random.next())));
    const history = filled(values);
    const seconds = 10 * (1 + random.below(360));
    const want = Array.from({ length: seconds / 10 }, (_, i) => values[length - seconds / 10 + i] ?? null);
    assert.deepEqual(history.points("x", seconds)?.mean ?? want, want, `seed ${seed}: samples`);

    const end = Math.floor(length / 12);
    const points = history.points("x", DAY);
    for (let i = 0; i < 720; i += 7) {
      const from = 12 * (end - 720 + i);
      const part = from < 0 ? [] : values.slice(from, from + 12).filter((value) => value !== null);
      const mean = part.length === 0 ? null : part.reduce((sum, value) => sum + value, 0) / part.length;
      const found = points?.mean[i] ?? null;
      const same = found === null || mean === null ? found === mean : Math.abs(found - mean) < 0.001;
      assert.ok(same, `seed ${seed}: average ${i} of ${length} is ${found}, not ${mean}`);
      assert.equal(points?.least[i] ?? null, part.length === 0 ? null : Math.min(...part), `seed ${seed}: least`);
      assert.equal(points?.most[i] ?? null, part.length === 0 ? null : Math.max(...part), `seed ${seed}: most`);
    }
  }
});

test("it is bounded: in time, in points, and in names", () => {
  const history = new History();
  for (let i = 0; i < 2 * MOST_SERIES; i++) history.add(new Map([[`x${i}`, i]]));
  assert.equal(history.names.length, MOST_SERIES);
  assert.equal(history.points("x0", 100 * DAY)?.mean.length, 720);
  assert.equal(history.points("x0", HOUR)?.mean.length, 360);
  // A day without a value, and the name is free for another one.
  for (let i = 0; i < 8640 + 2 * MOST_SERIES; i++) history.add(new Map([["new", i]]));
  assert.deepEqual(history.names, ["new"]);
});
