/**
 * The real adapters against real interfaces of the kernel, with its simulated devices: gpio-sim, i2c-stub, vivid. Each
 * test is skipped, with the reason, on a kernel that lacks what it needs.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { after, type TestContext } from "node:test";
import { findVideoNode, V4l2Capture } from "../../src/board/adapters/capture.ts";
import { findLine, OnoffGpio } from "../../src/board/adapters/gpioOnoff.ts";
import { findBus, openI2cBus } from "../../src/board/adapters/i2cBus.ts";
import { I2cBus } from "../../src/board/i2c.ts";
import { systemClock } from "../../src/board/ports.ts";
import { V4l2Receiver } from "../../src/board/receivers/v4l2.ts";
import type { Signal } from "../../src/board/signal.ts";

const LIMIT = { timeout: 30_000 };
const cleaning: (() => void)[] = [];
after(() => {
  for (const clean of cleaning.reverse()) clean();
});

function run(program: string, ...args: string[]): { failed: boolean; text: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", timeout: 10_000 });
  return { failed: status !== 0, text: error?.message ?? `${stdout}${stderr}`.trim() };
}

/** Loads a module unless what it makes is `there` already, also of a built-in one; gives why it can't be. */
function load(module: string, there: string, ...parameters: string[]): string | undefined {
  if (existsSync(there)) return undefined;
  if (run("modprobe", module, ...parameters).failed) return `no ${module} in this kernel`;
  cleaning.push(() => run("modprobe", "-r", module));
  return undefined;
}

// ---- GPIO: gpio-sim --------------------------------------------------------------------------------------------------

const LABEL = "steadycast-sim";
const LINES = 8;
let simulated = "";

function setUpGpio(): string | undefined {
  const missing = load("gpio-sim", "/sys/bus/platform/drivers/gpio-sim");
  if (missing !== undefined) return missing;
  if (!existsSync("/sys/class/gpio/export")) return "no GPIO sysfs in this kernel";
  const root = "/sys/kernel/config/gpio-sim";
  if (!existsSync(root)) run("mount", "-t", "configfs", "none", "/sys/kernel/config");
  if (!existsSync(root)) return "no configfs in this kernel";
  const device = join(root, "steadycast");
  const bank = join(device, "gpio-bank0");
  mkdirSync(bank, { recursive: true });
  writeFileSync(join(bank, "num_lines"), String(LINES));
  writeFileSync(join(bank, "label"), LABEL);
  writeFileSync(join(device, "live"), "1");
  cleaning.push(() => {
    writeFileSync(join(device, "live"), "0");
    rmdirSync(bank);
    rmdirSync(device);
  });
  const read = (file: string) => readFileSync(file, "utf8").trim();
  simulated = join("/sys/devices/platform", read(join(device, "dev_name")), read(join(bank, "chip_name")));
  return undefined;
}

const noGpio = setUpGpio();
const pull = (offset: number, up: boolean) =>
  writeFileSync(join(simulated, `sim_gpio${offset}/pull`), up ? "pull-up" : "pull-down");
const wire = (offset: number) => readFileSync(join(simulated, `sim_gpio${offset}/value`), "utf8").trim();
const line = (offset: number, activeLow = false) => ({ chip: LABEL, offset, activeLow });

function openGpio(context: TestContext): OnoffGpio {
  context.after(() => {
    const exported = readdirSync("/sys/class/gpio").filter((name) => /^gpio\d+$/.test(name));
    assert.deepEqual(exported, [], "lines that are still exported");
  });
  return new OnoffGpio();
}

test("an input is read and its edges are told, active low too", { ...LIMIT, skip: noGpio ?? false }, async (t) => {
  const gpio = openGpio(t);
  for (const activeLow of [false, true]) {
    const offset = activeLow ? 1 : 0;
    pull(offset, false);
    const input = await gpio.input(line(offset, activeLow));
    assert.equal(await input.read(), activeLow);
    for (const up of [true, false, true]) {
      const told = new Promise<boolean>((resolve) => {
        const end = input.watch((active) => {
          end();
          resolve(active);
        });
      });
      pull(offset, up);
      assert.equal(await told, up !== activeLow);
      assert.equal(await input.read(), up !== activeLow);
    }
    input.close();
  }
});

test("an output drives the wire", { ...LIMIT, skip: noGpio ?? false }, async (t) => {
  const gpio = openGpio(t);
  for (const activeLow of [false, true]) {
    const output = await gpio.output(line(2, activeLow), true);
    assert.equal(wire(2), activeLow ? "0" : "1");
    await output.write(false);
    assert.equal(wire(2), activeLow ? "1" : "0");
    output.close();
  }
});

test("a line that was left exported is taken over", { ...LIMIT, skip: noGpio ?? false }, async (t) => {
  const gpio = openGpio(t);
  const number = await findLine(line(3));
  writeFileSync("/sys/class/gpio/export", String(number));
  writeFileSync(`/sys/class/gpio/gpio${number}/edge`, "both");
  const output = await gpio.output(line(3), true);
  assert.equal(wire(3), "1");
  output.close();
});

test("lines that can't be had are unavailable", { ...LIMIT, skip: noGpio ?? false }, async (t) => {
  const gpio = openGpio(t);
  await assert.rejects(gpio.input(line(LINES)), { code: "unavailable" });
  await assert.rejects(gpio.input({ ...line(0), chip: "no-such-chip" }), { code: "unavailable" });
});

// ---- I2C: i2c-stub, which knows SMBus alone --------------------------------------------------------------------------

const STUB = "SMBus stub driver";
/** ADV7180 and TVP5150A, by their identity registers. */
const ADV7180 = 0x20;
const TVP5150 = 0x5c;

function setUpI2c(): string | undefined {
  const missing =
    load("i2c-stub", "/sys/module/i2c_stub", `chip_addr=${ADV7180},${TVP5150}`) ??
    load("i2c-dev", "/sys/class/i2c-dev");
  if (missing !== undefined) return missing;
  return run("i2cset", "-V").failed ? "no i2cset (Debian package i2c-tools)" : undefined;
}

const noI2c = setUpI2c();

test("chips behind a bus are read, written and told missing", { ...LIMIT, skip: noI2c ?? false }, async () => {
  const number = await findBus(STUB);
  const preset = (address: number, register: number, value: number) => {
    const { failed, text } = run("i2cset", "-y", String(number), String(address), String(register), String(value));
    assert.ok(!failed, text);
  };
  preset(ADV7180, 0x11, 0x1c);
  preset(TVP5150, 0x80, 0x51);
  preset(TVP5150, 0x81, 0x50);
  const bus = new I2cBus({ name: "stub", port: await openI2cBus(STUB) });
  try {
    const adv7180 = bus.device(ADV7180);
    const tvp5150 = bus.device(TVP5150);
    assert.deepEqual([...(await adv7180.use((chip) => chip.read(0x11, 1)))], [0x1c]);
    assert.deepEqual([...(await tvp5150.use((chip) => chip.read(0x80, 2)))], [0x51, 0x50]);

    const block = Uint8Array.from({ length: 32 }, (_, i) => 0xff - i);
    await tvp5150.use((chip) => chip.write(0x20, block));
    assert.deepEqual(await tvp5150.use((chip) => chip.read(0x20, 32)), block);
    await adv7180.use((chip) => chip.write(0x0e, 0x20));
    assert.deepEqual([...(await adv7180.use((chip) => chip.read(0x0e, 1)))], [0x20]);

    await assert.rejects(
      bus.device(0x30).use((chip) => chip.read(0, 1)),
      { code: "nack" },
    );
    // 16-bit registers need plain transfers, which this adapter has not.
    await assert.rejects(
      adv7180.use((chip) => chip.read([0, 0], 2)),
      { code: "unavailable" },
    );
    assert.equal(bus.state, "working");
  } finally {
    await bus.close();
  }
});

test("a bus is the same after its recovery", { ...LIMIT, skip: noI2c ?? false }, async () => {
  const port = await openI2cBus(STUB);
  await port.transfer(ADV7180, Uint8Array.of(0x40, 0x5a), 0);
  await port.recover();
  assert.deepEqual([...(await port.transfer(ADV7180, Uint8Array.of(0x40), 1))], [0x5a]);
  await port.close();
});

// ---- V4L2: vivid, with one HDMI input --------------------------------------------------------------------------------

const VIVID = "vivid-000-vid-cap";

function setUpVivid(): string | undefined {
  if (run("v4l2-ctl", "--version").failed) return "no v4l2-ctl (Debian package v4l-utils)";
  return load("vivid", "/sys/module/vivid", "n_devs=1", "node_types=0x1", "num_inputs=1", "input_types=0x3");
}

const noVivid = setUpVivid();

/** vivid's control "DV Timings Signal Mode". */
const MODES = { current: 0, "no-signal": 1, "no-lock": 2, "out-of-range": 3 } as const;

async function openVivid(context: TestContext) {
  const node = await findVideoNode(VIVID);
  const v4l2 = (...args: string[]) => {
    const { failed, text } = run("v4l2-ctl", "-d", node, ...args);
    assert.ok(!failed, text);
  };
  v4l2("--set-input=0", `--set-ctrl=dv_timings_signal_mode=${MODES.current}`);
  v4l2("--set-dv-bt-timings=cvt,width=1920,height=1080,fps=60");
  const receiver = new V4l2Receiver(new V4l2Capture({ device: VIVID, clock: systemClock }), systemClock);
  context.after(() => receiver.close());
  await receiver.start();
  return { receiver, v4l2 };
}

test("timings and their lack are told, by events", { ...LIMIT, skip: noVivid ?? false }, async (t) => {
  const { receiver, v4l2 } = await openVivid(t);
  const first = await receiver.read();
  assert.equal(first.state, "locked");
  assert.deepEqual([first.video?.width, first.video?.height, first.video?.interlaced], [1920, 1080, false]);

  const events = new EventTarget();
  let changes = 0;
  receiver.watch(() => {
    changes++;
    events.dispatchEvent(new Event("change"));
  });
  const expected: Record<keyof typeof MODES, Signal["state"]> = {
    // It takes the 5 V away, too.
    "no-signal": "no-cable",
    "no-lock": "no-lock",
    "out-of-range": "out-of-range",
    current: "locked",
  };
  for (const [mode, state] of Object.entries(expected)) {
    // The watcher is started again after each event, and a change just then is seen by the next look alone.
    const told = once(events, "change");
    v4l2(`--set-ctrl=dv_timings_signal_mode=${MODES[mode as keyof typeof MODES]}`);
    await Promise.race([told, systemClock.sleep(2500)]);
    assert.equal((await receiver.read()).state, state, mode);
  }
  assert.ok(changes > 0, "no event came");
});

test("an EDID is written and read back", { ...LIMIT, skip: noVivid ?? false }, async (t) => {
  const { receiver } = await openVivid(t);
  const edid = Uint8Array.from({ length: 256 }, (_, i) => (i % 128 === 127 ? 0 : (i * 7) & 0xff));
  for (const block of [edid.subarray(0, 128), edid.subarray(128)])
    block[127] = -block.reduce((sum, byte) => sum + byte);
  assert.ok(receiver.edid);
  await receiver.edid.write(edid);
  assert.deepEqual(await receiver.edid.read(256), edid);
});
