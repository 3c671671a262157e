import assert from "node:assert/strict";
import test from "node:test";
import { loadBoardFile } from "../../../src/board/boardFile.ts";
import { BusError } from "../../../src/board/ports.ts";
import { Lm75Model } from "../../../src/board/virtual/chips/lm75.ts";
import { Environment } from "../../../src/board/virtual/environment.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

const SETTLED = 20 * 60_000;

function make() {
  const clock = new VirtualClock();
  return { clock, environment: new Environment(clock) };
}

test("it has every sensor of the virtual box's board file", async () => {
  const { environment } = make();
  const file = await loadBoardFile(new URL("../../../firmware/boards/virtual.json", import.meta.url).pathname);
  for (const { sensor } of file.temperatures) {
    if ("zone" in sensor) assert.equal(await environment.zone(sensor.zone), 24);
    else if ("chip" in sensor) assert.equal(await environment.read(sensor.chip, sensor.input), 24_000);
  }
  for (const { sensor, least, most } of file.voltages) {
    const volts = (await environment.read(sensor.chip, sensor.input)) / 1000;
    assert.ok(volts > least && volts < most, `${volts} V`);
  }
  for (const { speed, control } of file.fans) {
    assert.equal(await environment.read(speed.chip, speed.input), 0, "it was just switched on");
    if (control !== undefined) await environment.write(control.chip, control.pwm, 100);
  }
  await assert.rejects(environment.read("lm75", "in1_input"), BusError);
  await assert.rejects(environment.write("pwmfan", "pwm1", 256), BusError);
  await assert.rejects(environment.zone("gpu-thermal"), BusError);
});

test("load heats, the fan cools, and both take their time", async () => {
  const { clock, environment } = make();
  const settle = async (load: number, pwm: number) => {
    environment.load = load;
    await environment.write("pwmfan", "pwm1", pwm);
    await clock.advance(SETTLED);
    return environment.temperature("soc");
  };
  const [idle, busy, slow] = [await settle(0, 255), await settle(1, 255), await settle(1, 64)];
  assert.ok(24 < idle && idle < busy && busy < slow, `${idle}, ${busy}, ${slow} °C`);
  environment.load = 0;
  await clock.advance(5000);
  const soon = environment.temperature("soc");
  assert.ok(soon < slow && soon > slow - 20, `${soon} °C after 5 s`);
});

test("how often it is asked changes nothing", async () => {
  const [often, once] = [make(), make()];
  for (let i = 0; i < 600; i++) {
    await often.clock.advance(200);
    often.environment.temperature("soc");
  }
  await once.clock.advance(120_000);
  assert.ok(Math.abs(often.environment.temperature("soc") - once.environment.temperature("soc")) < 0.5);
});

test("the fan follows its pwm with inertia, and can be held", async () => {
  const { clock, environment } = make();
  await clock.advance(500);
  const starting = environment.rpm;
  assert.ok(starting > 500 && starting < 4000, `${starting} rpm`);
  await clock.advance(20_000);
  assert.equal(await environment.read("pwmfan", "fan1_input"), 4800);
  await environment.write("pwmfan", "pwm1", 128);
  await clock.advance(20_000);
  assert.equal(await environment.read("pwmfan", "fan1_input"), Math.round((128 / 255) * 4800));
  environment.stopFan(true);
  await clock.advance(20_000);
  assert.equal(await environment.read("pwmfan", "fan1_input"), 0);
});

test("a heated place keeps its temperature until it is let go", async () => {
  const { clock, environment } = make();
  environment.heat("soc", 105);
  await clock.advance(SETTLED);
  assert.equal(await environment.zone("soc-thermal"), 105);
  environment.heat("soc", undefined);
  await clock.advance(10_000);
  const cooling = environment.temperature("soc");
  assert.ok(cooling < 100 && cooling > 60, `${cooling} °C`);
});

test("LM75 model: registers as in the chip", () => {
  let celsius = 25.3;
  const chip = new Lm75Model(0x48, () => celsius);
  const read = (register: number, length: number) => [...chip.transfer(0x48, Uint8Array.of(register), length)];
  assert.deepEqual(read(0, 2), [0x19, 0x80]);
  celsius = -0.5;
  assert.deepEqual(read(0, 2), [0xff, 0x80]);
  celsius = -55;
  assert.deepEqual(read(0, 2), [0xc9, 0x00]);
  assert.deepEqual(read(1, 1), [0]);
  assert.deepEqual(read(2, 2), [75, 0]);
  assert.deepEqual(read(3, 2), [80, 0]);
  chip.transfer(0x48, Uint8Array.of(3, 90, 0xff), 0);
  assert.deepEqual(read(3, 2), [90, 0x80]);
  assert.throws(() => read(4, 1), BusError);
  chip.transfer(0x48, Uint8Array.of(1, 1), 0);
  celsius = 60;
  assert.deepEqual(read(0, 2), [0xc9, 0x00], "shut down, it holds its last conversion");
  chip.reset(true);
  assert.deepEqual(read(0, 2), [60, 0]);
  assert.deepEqual(read(3, 2), [80, 0]);
});
