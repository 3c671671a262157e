import assert from "node:assert/strict";
import test from "node:test";
import { Lm75Model } from "../../../src/board/virtual/chips/lm75.ts";
import { Box, MINUTE } from "./support/box.ts";

test("everything is read at once after the start, and told soon", async () => {
  const box = new Box();
  box.sensors.start();
  await box.clock.advance(200);
  assert.equal(box.snapshots.length, 1);
  const [first] = box.snapshots;
  assert.deepEqual(
    [
      ...(first?.temperatures ?? []),
      ...(first?.voltages ?? []),
      ...(first?.fans ?? []),
      ...(first?.supplies ?? []),
    ].map(({ id, state }) => `${id} ${state}`),
    ["soc ok", "board ok", "v12 ok", "v5 ok", "fan1 ok", "a ok", "b ok"],
  );
  assert.equal(first?.machine?.memory?.available, 3e9);
  assert.deepEqual(box.told, [], "what is well is no news");
  await box.sensors.stop();
});

test("readings are told every 5 s while nothing changes, and never after the end", async () => {
  const box = new Box();
  box.sensors.start();
  await box.clock.advance(MINUTE);
  assert.equal(box.snapshots.length, 13);
  await box.sensors.stop();
  await box.clock.advance(MINUTE);
  assert.equal(box.snapshots.length, 13);
});

test("readings have their units, values and limits", async () => {
  const box = new Box();
  box.sensors.start();
  await box.clock.advance(1000);
  box.environment.heat("soc", 61.25);
  box.environment.setVoltage("in2_input", 5.125);
  await box.clock.advance(11_000);
  const { id, label, unit, value, limits } = box.temperature("soc");
  assert.deepEqual([id, label, unit, value, limits], ["soc", "SoC", "°C", 61.25, { warning: 85, critical: 100 }]);
  const v5 = box.readings.voltages.find((one) => one.id === "v5");
  assert.deepEqual([v5?.unit, v5?.value, v5?.limits], ["V", 5.125, { least: 4.75, most: 5.25 }]);
  assert.deepEqual([box.fan.unit, box.fan.limits], ["rpm", { least: 500 }]);
  await box.sensors.stop();
});

test("a missing sensor has no number, says why, sets the fan to full speed, and hurts no other", async () => {
  const box = new Box();
  box.sensors.start();
  await box.clock.advance(2 * MINUTE);
  assert.ok((box.fan.drive ?? 100) < 50);
  box.broken.add("soc-thermal");
  await box.clock.advance(6000);
  const soc = box.temperature("soc");
  assert.equal(soc.value, null);
  assert.equal(soc.state, "missing");
  assert.equal(soc.message, "The temperature of SoC is not known: soc-thermal is broken");
  assert.equal(box.fan.drive, 100);
  assert.equal(box.temperature("board").state, "ok");
  assert.deepEqual(box.words("warning"), [soc.message]);
  box.broken.clear();
  await box.clock.advance(4000);
  assert.equal(box.temperature("soc").state, "ok");
  await box.sensors.stop();
});

test("one lost reading in between is not told", async () => {
  const box = new Box();
  box.sensors.start();
  await box.clock.advance(10_000);
  for (let i = 0; i < 10; i++) {
    box.broken.add("soc-thermal");
    await box.clock.advance(2000);
    box.broken.delete("soc-thermal");
    await box.clock.advance(2000);
  }
  assert.deepEqual(box.told, []);
  await box.sensors.stop();
});

test("a sensor that never answers is missing, and the others go on", async () => {
  const box = new Box();
  box.sensors.start();
  await box.clock.advance(10_000);
  box.hanging.add("lm75/temp1_input");
  box.environment.heat("soc", 70);
  await box.clock.advance(10_000);
  assert.equal(box.temperature("board").state, "missing");
  assert.match(box.temperature("board").message, /does not answer in time/);
  assert.equal(box.temperature("soc").value, 70);
  await box.sensors.stop();
});

test("what no sensor can measure is missing, not a temperature", async () => {
  const box = new Box();
  box.sensors.start();
  await box.clock.advance(5000);
  box.environment.heat("soc", 255);
  await box.clock.advance(6000);
  assert.equal(box.temperature("soc").value, null);
  assert.match(box.temperature("soc").message, /reads 255, which cannot be/);
  assert.equal(box.readings.thermal.state, "normal");
  await box.sensors.stop();
});

test("a voltage beyond its limits is told, and again when it is good", async () => {
  const box = new Box();
  box.sensors.start();
  await box.clock.advance(5000);
  box.environment.setVoltage("in1_input", 10.9);
  await box.clock.advance(10_000);
  assert.deepEqual(box.words("error"), ["The voltage 12 V is 10.90 V, should be 11.4 to 12.6 V"]);
  box.environment.setVoltage("in1_input", undefined);
  await box.clock.advance(10_000);
  assert.deepEqual(box.words("info"), ["12 V is well again"]);
  await box.sensors.stop();
});

test("supplies: pulled out, without power, good again, each told within a second", async () => {
  const box = new Box();
  box.sensors.start();
  await box.clock.advance(1000);
  const [present, good] = [box.line("b", "present"), box.line("b", "good")];
  const look = async () => {
    await box.clock.advance(1000);
    const { state, present, good } = box.supply("b");
    assert.equal(box.snapshots.at(-1)?.supplies.find(({ id }) => id === "b")?.state, state, "told");
    return [state, present, good];
  };
  box.gpio.set(good, false);
  assert.deepEqual(await look(), ["critical", true, false]);
  box.gpio.set(present, false);
  assert.deepEqual(await look(), ["warning", false, false]);
  box.gpio.set(present, true);
  box.gpio.set(good, true);
  assert.deepEqual(await look(), ["ok", true, true]);
  assert.equal(box.supply("a").state, "ok");
  assert.deepEqual(
    box.told.map(({ message }) => message),
    [
      "Power supply B gives no power: check its mains cable, or replace it",
      "Power supply B is not plugged in: the box runs without a spare",
      "Power supply B is well again",
    ],
  );
  await box.sensors.stop();
});

test("a plug that bounces is told once", async () => {
  const box = new Box();
  box.sensors.start();
  await box.clock.advance(1000);
  for (let i = 0; i < 100; i++) {
    box.gpio.set(box.line("a", "good"), i % 2 === 1);
    await box.clock.advance(10);
  }
  box.gpio.set(box.line("a", "good"), false);
  await box.clock.advance(1000);
  assert.equal(box.told.length, 1);
  assert.equal(box.supply("a").state, "critical");
  await box.sensors.stop();
});

test("the LM75 over I2C: values, a hang of the bus, and a chip that was shut down", async () => {
  const box = new Box({ lm75: true });
  const chip = new Lm75Model(0x48, () => box.environment.temperature("board"));
  box.i2c.attach(chip);
  box.sensors.start();
  for (const celsius of [-25.5, -0.5, 0, 33.5, 125]) {
    box.environment.heat("board", celsius);
    await box.clock.advance(4000);
    assert.equal(box.temperature("board").value, celsius);
  }
  box.environment.heat("board", 30);
  await box.clock.advance(4000);

  box.i2c.hang(true);
  await box.clock.advance(10_000);
  assert.equal(box.temperature("board").value, null);
  assert.match(box.temperature("board").message, /hangs/);
  assert.equal(box.temperature("soc").state, "ok");
  box.i2c.hang(false);
  await box.clock.advance(6000);
  assert.equal(box.temperature("board").value, 30);

  // Shut down, it shows its last conversion for ever.
  chip.transfer(0x48, Uint8Array.of(1, 1), 0);
  box.environment.heat("board", 50);
  await box.clock.advance(6000);
  assert.equal(box.temperature("board").value, 50);
  await box.sensors.stop();
});

test("the history has what was measured, and nothing where nothing was", async () => {
  const box = new Box();
  box.sensors.start();
  box.environment.heat("soc", 50);
  await box.clock.advance(MINUTE);
  box.broken.add("soc-thermal");
  await box.clock.advance(MINUTE);
  const points = box.sensors.history.points("temperature/soc", 120);
  assert.equal(points?.interval, 10);
  assert.deepEqual(points?.mean.slice(0, 6), Array(6).fill(50));
  assert.deepEqual(points?.mean.slice(-5), Array(5).fill(null));
  assert.deepEqual(box.sensors.history.points("memory", 10)?.mean, [25]);
  await box.sensors.stop();
});
