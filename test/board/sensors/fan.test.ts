import assert from "node:assert/strict";
import test from "node:test";
import { fanDemand, LEAST_DRIVE, nextDrive } from "../../../src/board/sensors/fan.ts";
import { temperatureState } from "../../../src/board/sensors/limits.ts";
import { Random } from "../../support/random.ts";
import { Box } from "./support/box.ts";

const at = (value: number | null, warning = 85, critical = 100) => ({
  value,
  limits: { warning, critical },
  state: value === null ? ("missing" as const) : temperatureState(value, { warning, critical }, "ok"),
});

test("the curve: least speed when cool, full speed 5 °C below the warning", () => {
  assert.equal(fanDemand([at(20)]), LEAST_DRIVE);
  assert.equal(fanDemand([at(60)]), LEAST_DRIVE);
  assert.equal(fanDemand([at(70)]), LEAST_DRIVE + (1 - LEAST_DRIVE) / 2);
  assert.equal(fanDemand([at(80)]), 1);
});

test("full speed when a sensor is missing or critical, or when there is none", () => {
  assert.equal(fanDemand([at(20), at(null)]), 1);
  assert.equal(fanDemand([at(20), at(101)]), 1);
  assert.equal(fanDemand([]), 1);
});

test("property: hotter never asks for less, and nothing asks for less than the least speed", () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = new Random(seed);
    const places = Array.from({ length: 1 + random.below(4) }, () => {
      const warning = 40 + random.below(60);
      return { celsius: 10 + 100 * random.next(), warning, critical: warning + 1 + random.below(30) };
    });
    const demand = () => fanDemand(places.map(({ celsius, warning, critical }) => at(celsius, warning, critical)));
    const before = demand();
    const heated = random.pick(places);
    heated.celsius += 20 * random.next();
    const after = demand();
    assert.ok(after >= before, `seed ${seed}: ${before} fell to ${after}`);
    assert.ok(before >= LEAST_DRIVE && after <= 1, `seed ${seed}: ${before}, ${after}`);
  }
});

test("property: steps are quick up, slow down, and end at what is asked without passing it", () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = new Random(seed);
    const [from, demand, seconds] = [random.next(), 0.99 * random.next(), 0.1 + 5 * random.next()];
    const next = nextDrive(from, demand, seconds);
    const [low, high] = [Math.min(from, demand), Math.max(from, demand)];
    assert.ok(next >= low && next <= high, `seed ${seed}: ${next} is not between ${from} and ${demand}`);
    assert.ok(next - from <= 0.2 * seconds + 1e-9, `seed ${seed}: up too quickly`);
    assert.ok(from - next <= 0.01 * seconds + 1e-9, `seed ${seed}: down too quickly`);
  }
  assert.equal(nextDrive(0.25, 1, 0.001), 1, "full speed comes at once");
});

test("a fan that is stopped is told after its time to spin up, gets full speed, and is told again when it turns", async () => {
  const box = new Box();
  box.sensors.start();
  await box.clock.advance(4000);
  assert.equal(box.fan.state, "ok", "it gets time to start");
  await box.clock.advance(120_000);
  assert.equal(box.fan.state, "ok");
  assert.ok(box.fan.drive !== null && box.fan.drive < 40, `quiet in a cool box: ${box.fan.drive} %`);

  box.environment.stopFan(true);
  await box.clock.advance(20_000);
  assert.equal(box.fan.state, "critical");
  assert.equal(box.fan.drive, 100);
  assert.match(box.fan.message, /has stopped \(\d+ rpm, at least 500 expected\)/);
  assert.deepEqual(box.words("error"), [box.told.find(({ level }) => level === "error")?.message], "told once");

  box.environment.stopFan(false);
  await box.clock.advance(10_000);
  assert.equal(box.fan.state, "ok");
  assert.deepEqual(box.words("info"), ["Fan is well again"]);
  await box.sensors.stop();
});

test("a short dip of the speed is no fault", async () => {
  const box = new Box();
  box.sensors.start();
  await box.clock.advance(60_000);
  box.environment.stopFan(true);
  await box.clock.advance(4000);
  box.environment.stopFan(false);
  await box.clock.advance(30_000);
  assert.deepEqual(box.told, []);
  await box.sensors.stop();
});

test("a fan that takes no orders says so, and is tried again", async () => {
  const box = new Box();
  box.broken.add("pwmfan/pwm1");
  box.sensors.start();
  await box.clock.advance(8000);
  // Its chip is on automatic, so that it turns.
  assert.equal(box.fan.state, "warning");
  assert.match(box.fan.message, /cannot be controlled: pwmfan\/pwm1 is broken/);
  box.broken.clear();
  await box.clock.advance(8000);
  assert.equal(box.fan.state, "ok");
  await box.sensors.stop();
});

test("its chip is told again what it may have forgotten", async () => {
  const box = new Box();
  box.sensors.start();
  await box.clock.advance(150_000);
  const asked = box.fan.drive ?? 0;
  await box.environment.write("pwmfan", "pwm1", 0);
  await box.environment.write("pwmfan", "pwm1_enable", 2);
  await box.clock.advance(32_000);
  const pwm = await box.environment.read("pwmfan", "pwm1");
  assert.ok(Math.abs(pwm / 2.55 - asked) < 10 && pwm > 0, `${pwm} of 255, ${asked} % asked`);
  assert.equal(await box.environment.read("pwmfan", "pwm1_enable"), 1);
  await box.sensors.stop();
});

test("whoever stops watching leaves the fan at full speed", async () => {
  const box = new Box();
  box.sensors.start();
  await box.clock.advance(120_000);
  assert.ok((await box.environment.read("pwmfan", "pwm1")) < 128);
  await box.sensors.stop();
  assert.equal(await box.environment.read("pwmfan", "pwm1"), 255);
});

test("a control that hangs does not keep the end back", async () => {
  const box = new Box();
  box.hanging.add("pwmfan/pwm1");
  box.sensors.start();
  await box.clock.advance(5000);
  let ended = false;
  const end = box.sensors.stop().then(() => {
    ended = true;
  });
  await box.clock.advance(2000);
  assert.ok(ended);
  await end;
});
