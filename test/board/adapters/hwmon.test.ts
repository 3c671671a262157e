import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { SysfsHwmon } from "../../../src/board/adapters/hwmon.ts";
import { BusError } from "../../../src/board/ports.ts";

/** A made-up sysfs: class folders with links to the devices' own. */
class Tree {
  readonly root = mkdtempSync(join(tmpdir(), "hwmon-"));

  constructor(t: TestContext) {
    t.after(() => rmSync(this.root, { recursive: true, force: true }));
    for (const name of ["hwmon", "thermal"]) mkdirSync(join(this.root, "class", name), { recursive: true });
  }

  /** Adds a member of a class under a device of its own. */
  add(kind: "hwmon" | "thermal", name: string, device: string, files: Record<string, string>): void {
    const folder = join(this.root, "devices", device, name);
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), `${text}\n`);
    symlinkSync(folder, join(this.root, "class", kind, name));
  }

  /** The driver is bound again and gets another number. */
  renumber(kind: "hwmon" | "thermal", device: string, from: string, to: string): void {
    rmSync(join(this.root, "class", kind, from));
    renameSync(join(this.root, "devices", device, from), join(this.root, "devices", device, to));
    symlinkSync(join(this.root, "devices", device, to), join(this.root, "class", kind, to));
  }

  text(device: string, file: string): string {
    return readFileSync(join(this.root, "devices", device, file), "utf8");
  }
}

const unavailable = (words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof BusError);
  assert.equal(error.code, "unavailable");
  assert.match(error.message, words);
  return true;
};

function tree(t: TestContext) {
  const made = new Tree(t);
  made.add("hwmon", "hwmon0", "i2c-4/4-0048", { name: "lm75", temp1_input: "33500" });
  made.add("hwmon", "hwmon1", "i2c-4/4-0040", { name: "ina3221", in1_input: "12064", temp1_input: "99000" });
  made.add("hwmon", "hwmon2", "pwm-fan", { name: "pwmfan", fan1_input: "2400", pwm1: "128" });
  made.add("thermal", "thermal_zone0", "virtual", { type: "gpu-thermal", temp: "41000" });
  made.add("thermal", "thermal_zone1", "virtual", { type: "soc-thermal", temp: "-1500" });
  made.add("thermal", "cooling_device0", "virtual", { type: "pwm-fan" });
  return { made, hwmon: new SysfsHwmon(made.root) };
}

test("values come by the chip's name, in the kernel's units", async (t) => {
  const { hwmon } = tree(t);
  assert.equal(await hwmon.read("lm75", "temp1_input"), 33500);
  assert.equal(await hwmon.read("ina3221", "in1_input"), 12064);
  assert.equal(await hwmon.read("pwmfan", "fan1_input"), 2400);
  assert.equal(await hwmon.zone("soc-thermal"), -1.5);
});

test("a control is written without anything else in its file", async (t) => {
  const { made, hwmon } = tree(t);
  await hwmon.write("pwmfan", "pwm1", 255);
  assert.equal(made.text("pwm-fan/hwmon2", "pwm1"), "255\n");
  assert.equal(await hwmon.read("pwmfan", "pwm1"), 255);
});

test("a chip that gets another number is found again, also when another chip has its old one", async (t) => {
  const { made, hwmon } = tree(t);
  assert.equal(await hwmon.read("lm75", "temp1_input"), 33500);
  assert.equal(await hwmon.read("ina3221", "in1_input"), 12064);
  assert.equal(await hwmon.zone("soc-thermal"), -1.5);

  made.renumber("hwmon", "i2c-4/4-0048", "hwmon0", "hwmon7");
  assert.equal(await hwmon.read("lm75", "temp1_input"), 33500);
  // Both have a temp1_input: only the name tells them apart.
  made.renumber("hwmon", "i2c-4/4-0040", "hwmon1", "hwmon8");
  made.renumber("hwmon", "i2c-4/4-0048", "hwmon7", "hwmon1");
  made.renumber("hwmon", "i2c-4/4-0040", "hwmon8", "hwmon7");
  assert.equal(await hwmon.read("lm75", "temp1_input"), 33500);
  assert.equal(await hwmon.read("ina3221", "in1_input"), 12064);

  made.renumber("thermal", "virtual", "thermal_zone0", "thermal_zone2");
  made.renumber("thermal", "virtual", "thermal_zone1", "thermal_zone0");
  assert.equal(await hwmon.zone("soc-thermal"), -1.5);
  assert.equal(await hwmon.zone("gpu-thermal"), 41);
});

test("a chip that is gone is unavailable, and there again when it is back", async (t) => {
  const { made, hwmon } = tree(t);
  assert.equal(await hwmon.read("lm75", "temp1_input"), 33500);
  rmSync(join(made.root, "class/hwmon/hwmon0"));
  await assert.rejects(hwmon.read("lm75", "temp1_input"), unavailable(/there is no hwmon chip lm75/));
  made.add("hwmon", "hwmon9", "i2c-4/4-0049", { name: "lm75", temp1_input: "34000" });
  assert.equal(await hwmon.read("lm75", "temp1_input"), 34000);
});

test("what is not there, is no number, or is there twice is unavailable, in words", async (t) => {
  const { made, hwmon } = tree(t);
  await assert.rejects(hwmon.read("lm75", "temp9_input"), unavailable(/temp9_input of hwmon chip lm75 .*\(ENOENT\)/));
  await assert.rejects(hwmon.write("lm75", "pwm1", 1), unavailable(/cannot be written \(ENOENT\)/));
  await assert.rejects(hwmon.zone("none"), unavailable(/there is no thermal zone none/));
  await assert.rejects(hwmon.zone("pwm-fan"), unavailable(/thermal zone pwm-fan cannot be read/));
  made.add("hwmon", "hwmon3", "odd", { name: "odd", in1_input: "" });
  await assert.rejects(hwmon.read("odd", "in1_input"), unavailable(/gives no number/));
  made.add("hwmon", "hwmon4", "i2c-4/4-0049", { name: "nvme", temp1_input: "1" });
  made.add("hwmon", "hwmon5", "i2c-4/4-004a", { name: "nvme", temp1_input: "2" });
  await assert.rejects(hwmon.read("nvme", "temp1_input"), unavailable(/more than one hwmon chip nvme/));
  await assert.rejects(new SysfsHwmon(join(made.root, "nowhere")).read("lm75", "temp1_input"), unavailable(/no hwmon/));
});
