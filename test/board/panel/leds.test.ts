import assert from "node:assert/strict";
import test, { mock } from "node:test";
import { Leds, type LightState, type LightStates } from "../../../src/board/panel/leds.ts";
import { VirtualClock } from "../../support/virtualClock.ts";
import { Bulb } from "./support/bench.ts";

const dark: LightStates = { power: "off", status: "off", network: "off", channels: [] };

function lights() {
  const clock = new VirtualClock();
  const power = new Bulb();
  const rgb = { red: new Bulb(), green: new Bulb(), blue: new Bulb() };
  const plain = new Bulb();
  const leds = new Leds({ power: { line: power }, channels: [rgb, { line: plain }] }, { clock });
  const channels = (state: LightState) => leds.show({ ...dark, power: "live", channels: [state, state] });
  const colour = () => `${rgb.red.lit ? "r" : "-"}${rgb.green.lit ? "g" : "-"}${rgb.blue.lit ? "b" : "-"}`;
  /** What is seen in the middle of each of the next beats of 100 ms. */
  const watch = async (look: () => unknown, beats = 20) => {
    const seen: unknown[] = [];
    await clock.advance(50);
    for (let beat = 0; beat < beats; beat++) {
      seen.push(look());
      await clock.advance(beat === beats - 1 ? 50 : 100);
    }
    return seen;
  };
  const rhythm = async (bulb: Bulb) => (await watch(() => (bulb.lit ? "#" : "-"))).join("");
  return {
    clock,
    leds,
    power,
    rgb,
    plain,
    channels,
    colour,
    watch,
    rhythm,
    bulbs: [power, ...Object.values(rgb), plain],
  };
}

test("each state has its colour, steady but for starting", async () => {
  const { channels, colour, watch } = lights();
  const colours = { off: "---", slate: "--b", live: "-g-", warning: "rg-", failed: "r--" } as const;
  for (const [state, expected] of Object.entries(colours)) {
    channels(state as LightState);
    assert.deepEqual(new Set(await watch(colour)), new Set([expected]), state);
  }
  channels("starting");
  const seen = await watch(colour);
  assert.deepEqual(seen, [...Array(5).fill("-g-"), ...Array(5).fill("---"), ...seen.slice(0, 10)]);
});

test("lights of one colour tell every state by a rhythm of its own", async () => {
  const states: LightState[] = ["off", "starting", "slate", "live", "warning", "failed"];
  const rhythms = new Map<string, LightState>();
  for (const state of states) {
    const { channels, plain, rhythm } = lights();
    channels(state);
    rhythms.set(await rhythm(plain), state);
  }
  assert.equal(rhythms.size, states.length);
  assert.equal(rhythms.get("-".repeat(20)), "off");
  assert.equal(rhythms.get("#".repeat(20)), "live");
});

test("a light of two colours falls back where it lacks one", async () => {
  const clock = new VirtualClock();
  const red = new Bulb();
  const green = new Bulb();
  const leds = new Leds({ status: { red, green } }, { clock });
  leds.show({ ...dark, status: "slate" });
  await clock.advance(50);
  assert.deepEqual([red.lit, green.lit], [true, true]);
  await clock.advance(200);
  assert.deepEqual([red.lit, green.lit], [false, false]);
  leds.show({ ...dark, status: "failed" });
  await clock.advance(50);
  assert.deepEqual([red.lit, green.lit], [true, false]);
});

test("find me lets all lights blink fast for its time, then they are as before", async () => {
  const { clock, leds, channels, power, rgb, plain, colour, watch } = lights();
  channels("live");
  leds.findMe(5000);
  const seen = await watch(() => [power, plain, rgb.red, rgb.green, rgb.blue].map((bulb) => bulb.lit), 4);
  assert.deepEqual(
    seen,
    [true, false, true, false].map((lit) => Array(5).fill(lit)),
  );
  leds.findMe(5000);
  await clock.advance(4900);
  channels("slate");
  assert.notEqual(colour(), "--b");
  await clock.advance(150);
  assert.equal(colour(), "--b");
  assert.equal(power.lit, true);
  leds.findMe(5000);
  leds.findMe(0);
  await clock.advance(10);
  assert.equal(colour(), "--b");
});

test("a reset in the making blinks red, faster towards its end, and goes before all else", async () => {
  const { leds, channels, rgb, power, colour, rhythm, watch } = lights();
  const edges = (seen: string) => [...seen].filter((lit, at) => at > 0 && lit !== seen[at - 1]).length;
  channels("live");
  leds.findMe(60_000);
  const speeds: number[] = [];
  for (const seconds of [1, 5, 9]) {
    leds.resetCountdown(seconds);
    assert.deepEqual(new Set(await watch(colour)), new Set(["r--", "---"]));
    speeds.push(edges(await rhythm(rgb.red)));
    assert.equal(edges(await rhythm(power)), speeds.at(-1));
  }
  assert.deepEqual(
    speeds,
    [...speeds].sort((a, b) => a - b),
  );
  assert.equal(new Set(speeds).size, 3);
  leds.findMe(0);
  leds.resetCountdown(undefined);
  assert.deepEqual(new Set(await watch(colour)), new Set(["-g-"]));
});

test("lines are written only when they change, and time passes without work while nothing blinks", async () => {
  const { clock, channels, bulbs } = lights();
  channels("live");
  await clock.advance(50);
  const before = bulbs.map((bulb) => bulb.writes);
  channels("live");
  const after = mock.method(clock, "after");
  await clock.advance(60_000);
  assert.equal(after.mock.callCount(), 0);
  // The plain light of a channel and the power light are steady too.
  assert.deepEqual(
    bulbs.map((bulb) => bulb.writes),
    before,
  );
  assert.ok(before.every((writes) => writes <= 1));
});

test("a line that fails is tried again with the next change, and disturbs no other", async () => {
  const { clock, channels, rgb, plain } = lights();
  rgb.green.isBroken = true;
  channels("live");
  await clock.advance(50);
  assert.equal(plain.lit, true);
  rgb.green.isBroken = false;
  channels("live");
  await clock.advance(50);
  assert.equal(rgb.green.lit, true);
});

test("after the stop nothing blinks", async () => {
  const { clock, leds, channels, bulbs } = lights();
  channels("starting");
  await clock.advance(250);
  leds.stop();
  const before = bulbs.map((bulb) => bulb.writes);
  await clock.advance(5000);
  assert.deepEqual(
    bulbs.map((bulb) => bulb.writes),
    before,
  );
});
