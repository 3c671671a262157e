import assert from "node:assert/strict";
import test from "node:test";
import { temperatureState } from "../../../src/board/sensors/limits.ts";
import type { ReadingState } from "../../../src/board/sensors/readings.ts";
import { Thermal } from "../../../src/board/sensors/thermal.ts";
import { Random } from "../../support/random.ts";
import { VirtualClock } from "../../support/virtualClock.ts";
import { Box, MINUTE } from "./support/box.ts";

const limits = { warning: 85, critical: 100 };

/** The policy with one sensor (or more), fed every two seconds. */
function policy({ channels = 3, fails = false } = {}) {
  const clock = new VirtualClock();
  const log: string[] = [];
  const told: string[] = [];
  const order = (words: string) => {
    log.push(`${Math.round(clock.now() / 1000)} s: ${words}`);
    if (fails) throw new Error("nobody listens");
  };
  const thermal = new Thermal({
    clock,
    channels: () => channels,
    actions: { preview: (on) => order(`preview ${on ? "on" : "off"}`), shed: (count) => order(`shed ${count}`) },
    tell: (level, message) => told.push(`${level}: ${message}`),
  });
  let states: ReadingState[] = [];
  const hold = async (values: (number | null)[] | number, seconds: number) => {
    for (let passed = 0; passed < seconds; passed += 2) {
      await clock.advance(2000);
      const list = [values].flat();
      states = list.map((value, i) =>
        value === null ? "missing" : temperatureState(value, limits, states[i] ?? "missing"),
      );
      thermal.update(
        list.map((value, i) => ({ id: `t${i}`, label: `T${i}`, value, limits, state: states[i] ?? "missing" })),
      );
    }
  };
  return { thermal, clock, log, told, hold };
}

test("a warning is told, then the fans are set to full speed, and no load is lowered", async () => {
  const { thermal, log, told, hold } = policy();
  await hold(84, 600);
  assert.equal(thermal.status.state, "normal");
  await hold(86, 2);
  assert.equal(thermal.status.state, "warning");
  assert.equal(thermal.status.fanFull, false);
  await hold(86, 30);
  assert.equal(thermal.status.state, "cooling");
  assert.equal(thermal.status.fanFull, true);
  await hold(99, 3600);
  assert.deepEqual(log, []);
  assert.deepEqual(told, [
    "warning: T0 is at 86.0 °C (too warm from 85 °C): check the fan, the air slots and the room",
    "warning: T0 is at 86.0 °C (too warm from 85 °C): fans are set to full speed",
  ]);
});

test("critical: fans at once, previews after 10 s, then a channel a minute, all of it told", async () => {
  const { thermal, log, told, hold } = policy();
  await hold(101, 2);
  assert.equal(thermal.status.fanFull, true);
  await hold(101, 600);
  assert.deepEqual(log, ["12 s: preview off", "72 s: shed 1", "132 s: shed 2", "192 s: shed 3"]);
  assert.deepEqual(thermal.status, {
    state: "shedding",
    message: "T0 is at 101.0 °C (critical from 100 °C): to lower the load, the last 3 of 3 channels are stopped",
    fanFull: true,
    previewsOff: true,
    channelsShed: 3,
  });
  assert.equal(told.length, 6);
});

test("it stops lowering as soon as it is no longer critical, and stays there while it is warm", async () => {
  const { log, hold } = policy();
  await hold(101, 80);
  await hold(90, 3600);
  assert.deepEqual(log, ["12 s: preview off", "72 s: shed 1"]);
});

test("it goes back in the reverse order, each step after five minutes below warning minus hysteresis", async () => {
  const { thermal, clock, log, told, hold } = policy();
  await hold(101, 140);
  await hold(90, 60);
  log.splice(0);
  told.splice(0);
  const start = clock.now() / 1000;
  await hold(80, 298);
  assert.deepEqual(log, []);
  await hold(80, 4);
  assert.deepEqual(log, [`${start + 302} s: shed 1`]);
  // A moment of heat, and the five minutes begin anew.
  await hold(80, 200);
  await hold(83, 2);
  await hold(80, 300);
  assert.equal(log.length, 1);
  await hold(80, 2);
  assert.deepEqual(log.at(-1), `${start + 806} s: shed 0`);
  await hold(80, 302);
  assert.match(log.at(-1) ?? "", /preview on$/);
  assert.equal(thermal.status.state, "cooling");
  await hold(80, 302);
  assert.equal(thermal.status.state, "normal");
  assert.equal(thermal.status.message, "");
  assert.deepEqual(told, [
    "info: The box has cooled down: only the last of 3 channels is still stopped",
    "info: The box has cooled down: all channels run again",
    "info: The box has cooled down: previews are on again",
    "info: The box has cooled down: all is normal",
  ]);
});

test("a sensor that falls silent while it is hot is no evidence that it is cool", async () => {
  const { log, hold } = policy();
  await hold([101, 40], 80);
  await hold([null, 40], 3600);
  assert.deepEqual(log, ["12 s: preview off", "72 s: shed 1"]);
  await hold([50, 40], 302);
  assert.equal(log.at(-1), `${80 + 3600 + 302} s: shed 0`);
});

test("without any reading, nothing is done", async () => {
  const { thermal, log, hold } = policy();
  await hold([null, null], 3600);
  assert.equal(thermal.status.state, "normal");
  await hold([101, 40], 14);
  await hold([40, 40], 10);
  await hold([null, null], 3600);
  assert.deepEqual(log, ["3612 s: preview off"]);
});

test("an order that fails is told and does not keep the next one back", async () => {
  const { log, told, hold } = policy({ fails: true });
  await hold(101, 140);
  assert.deepEqual(log, ["12 s: preview off", "72 s: shed 1", "132 s: shed 2"]);
  assert.ok(told.includes("error: The load could not be changed: nobody listens"));
});

test("property: whatever the heat does, orders go one step at a time in their order, and all is undone in the end", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new Random(seed);
    const channels = random.below(5);
    const { thermal, log, hold } = policy({ channels });
    for (let i = 0; i < 20; i++) await hold([random.pick([40, 83, 90, 101, null])], random.below(300));
    await hold(40, (channels + 4) * 302);
    let off = false;
    let shed = 0;
    for (const line of log) {
      const [, word, value] = /: (preview|shed) (\w+)$/.exec(line) ?? [];
      if (word === "preview") {
        assert.equal(off, value === "on", `seed ${seed}: ${line}`);
        assert.equal(shed, 0, `seed ${seed}: ${line}`);
        off = value === "off";
      } else {
        assert.equal(Math.abs(Number(value) - shed), 1, `seed ${seed}: ${line}`);
        assert.ok(off && Number(value) <= channels, `seed ${seed}: ${line}`);
        shed = Number(value);
      }
    }
    assert.deepEqual([off, shed, thermal.status.state], [false, 0, "normal"], `seed ${seed}`);
  }
});

test("closed loop: a busy box in a warm room settles below its warnings by the fan alone", async () => {
  const box = new Box();
  box.environment.load = 1;
  box.environment.room = 44;
  box.sensors.start();
  await box.clock.advance(30 * MINUTE);
  assert.deepEqual(box.told, []);
  assert.ok((box.fan.drive ?? 0) > 60, `the fan works: ${box.fan.drive} %`);
  const before = box.temperature("soc").value ?? 0;
  assert.ok(before < 85 && before > 60, `${before} °C`);
  // Settled: neither temperature nor fan hunts.
  const drive = box.fan.drive ?? 0;
  await box.clock.advance(5 * MINUTE);
  assert.ok(Math.abs((box.temperature("soc").value ?? 0) - before) < 1);
  assert.ok(Math.abs((box.fan.drive ?? 0) - drive) <= 3);
  await box.sensors.stop();
});

test("closed loop: with the fan stopped, load is lowered in order, and comes back when the fan turns", async () => {
  const box = new Box();
  box.environment.load = 1;
  box.environment.room = 30;
  box.sensors.start();
  await box.clock.advance(10 * MINUTE);
  assert.deepEqual(box.orders, []);
  box.environment.stopFan(true);
  await box.clock.advance(20 * MINUTE);
  const lowered = [...box.orders];
  assert.equal(lowered[0], "preview off");
  assert.deepEqual(lowered.slice(1), ["shed 1", "shed 2", "shed 3", "shed 4"].slice(0, lowered.length - 1));
  assert.ok(lowered.length >= 2, `${lowered}`);
  assert.ok((box.temperature("soc").value ?? 999) < 100, "that has helped");
  assert.equal(box.readings.thermal.channelsShed, lowered.length - 1);

  box.environment.stopFan(false);
  await box.clock.advance(60 * MINUTE);
  const back = box.orders.slice(lowered.length);
  const count = lowered.length - 1;
  assert.deepEqual(back, [...Array.from({ length: count }, (_, i) => `shed ${count - 1 - i}`), "preview on"]);
  assert.equal(box.readings.thermal.state, "normal");
  assert.equal(box.environment.load, 1);
  await box.sensors.stop();
});
