import assert from "node:assert/strict";
import test from "node:test";
import type { Levels } from "../../web/api.ts";
import { floorDb, heldPeak, LevelHub, nextBars } from "../../web/levels.ts";

test("bars follow the levels within the scale", () => {
  const [bar, silent] = nextBars([], { peak: [3, Number.NEGATIVE_INFINITY], rms: [-20, -90] }, 0);
  assert.deepEqual(bar, { peak: 0, rms: -20, hold: 0, heldAt: 0 });
  assert.deepEqual(silent, { peak: floorDb, rms: floorDb, hold: floorDb, heldAt: 0 });
});

test("a peak is held, then falls until a level meets it", () => {
  const levels = { peak: [-40], rms: [-45] };
  let bars = nextBars([], { peak: [-6], rms: [-20] }, 0);
  for (let now = 100; now <= 1500; now += 100) bars = nextBars(bars, levels, now);
  assert.equal(bars[0]?.peak, -40);
  assert.equal(bars[0] && heldPeak(bars[0], 1500), -6);
  assert.equal(bars[0] && Math.round(heldPeak(bars[0], 3200)), -26);
  assert.equal(bars[0] && heldPeak(bars[0], 60_000), floorDb);
  bars = nextBars(bars, levels, 4500);
  assert.equal(bars[0] && heldPeak(bars[0], 4500), -40);
});

test("levels reach the meters of their channel, and so does their end", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const hub = new LevelHub();
  const seen: (Levels | null)[] = [];
  const end = hub.watch("one", (levels) => seen.push(levels));
  const levels = { channel: "one", peak: [-10], rms: [-20] };
  hub.take(levels);
  hub.take({ ...levels, channel: "two" });
  t.mock.timers.tick(900);
  hub.take(levels);
  t.mock.timers.tick(999);
  assert.deepEqual(seen, [levels, levels]);
  t.mock.timers.tick(1);
  assert.deepEqual(seen, [levels, levels, null]);
  end();
  hub.take(levels);
  assert.equal(seen.length, 3);
});
