import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Bus } from "../../../src/bus.ts";
import { defaultConfig, type NetworkConfig, config as schema } from "../../../src/config/schema.ts";
import { DryPower, type PowerAdapter, type PowerOrder, SystemdPower } from "../../../src/system/power/adapters.ts";
import { PowerService, type PowerServiceOptions } from "../../../src/system/power/powerService.ts";
import { SimulatedDisk } from "../../config/support/disk.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A box with its disk: each start is another boot of it, unless the supervisor alone is started again. */
class Machine {
  readonly disk = new SimulatedDisk();
  readonly clock = new VirtualClock();
  readonly done: string[] = [];
  readonly logged: string[] = [];
  /** The wall clock is this one beside the monotonic. */
  epoch = Date.UTC(2026, 10, 21, 12);
  boots = 0;
  bootedAt = 0;
  settings: Record<string, unknown> = {};
  wrong = "";
  service: PowerService | undefined;

  async boot(t: TestContext, more: Partial<PowerServiceOptions> = {}): Promise<PowerService> {
    await this.service?.stop();
    this.boots++;
    this.bootedAt = this.clock.now();
    return await this.run(t, more);
  }

  /** Starts the supervisor. */
  async run(t: TestContext, more: Partial<PowerServiceOptions> = {}): Promise<PowerService> {
    const { clock, disk, done, logged } = this;
    const bus = new Bus();
    bus.on("log", ({ message }) => logged.push(message));
    const adapter: PowerAdapter = {
      refusal: "",
      run: async (order: PowerOrder, kept?: NetworkConfig) => {
        done.push(kept === undefined ? order : `${order}, keeping ${kept.hostname}`);
        return this.wrong;
      },
    };
    const config = { current: schema.parse({ version: 3, ...this.settings }) };
    const service = new PowerService({
      ...{ config, bus, adapter, clock, files: disk, folder: "/data" },
      now: () => new Date(this.epoch + clock.now()),
      uptime: () => (clock.now() - this.bootedAt) / 1000,
      bootId: async () => `boot ${this.boots}`,
      prepare: async (reason) => void done.push(`prepare: ${reason}`),
      ...more,
    });
    await service.start();
    t.after(() => service.stop());
    this.service = service;
    return service;
  }
}

test("an order is answered first, then everything is stopped, then it is done, and the next boot knows why", async (t) => {
  const machine = new Machine();
  const power = await machine.boot(t);
  assert.deepEqual(power.status().boot, { at: "2026-11-21T12:00:00.000Z", reason: "" });
  assert.deepEqual(await power.order("reboot", "ordered by bob"), { ok: true, inSeconds: 2 });
  assert.deepEqual([machine.done, power.status().pending], [[], "reboot"]);
  assert.deepEqual(await power.order("shutdown", "x"), { ok: false, why: "The box is about to reboot already" });
  await machine.clock.advance(2000);
  assert.deepEqual(machine.done, ["prepare: ordered by bob", "reboot"]);
  assert.equal((await machine.boot(t)).status().boot.reason, "ordered by bob");
  // A supervisor that starts again in the same boot has nothing to tell of it.
  assert.equal((await machine.run(t)).status().boot.reason, "");
  assert.equal((await machine.boot(t)).status().boot.reason, "power cut, reset or watchdog");
});

test("what does not stop in time does not hold the machine up", async (t) => {
  const machine = new Machine();
  const power = await machine.boot(t, { prepare: () => new Promise(() => {}) });
  await power.order("shutdown", "x");
  await machine.clock.advance(21 * SECOND);
  assert.deepEqual(machine.done, []);
  await machine.clock.advance(2 * SECOND);
  assert.deepEqual(machine.done, ["shutdown"]);
  assert.ok(machine.logged.includes("not everything stopped within 20 s"));
});

test("an order that the machine refuses, or does not follow, is a fault, and another can be given", async (t) => {
  const machine = new Machine();
  machine.wrong = "Access denied";
  const resume = async () => void machine.done.push("resume");
  const power = await machine.boot(t, { prepare: () => Promise.reject(new Error("stuck")), resume });
  await power.order("reboot", "x");
  await machine.clock.advance(3 * SECOND);
  assert.equal(power.faults()[0]?.message, "the reboot could not be done: Access denied");
  assert.equal(power.status().pending, null);
  assert.deepEqual(machine.done, ["reboot", "resume"], "what was stopped for it runs again");
  machine.wrong = "";
  assert.deepEqual(await power.order("reboot", "again"), { ok: true, inSeconds: 2 });
  assert.deepEqual(power.faults(), []);
  await machine.clock.advance(3 * MINUTE);
  assert.equal(power.faults()[0]?.message, "the reboot could not be done: nothing happened");
  assert.equal((await machine.boot(t)).status().boot.reason, "power cut, reset or watchdog");
});

test("the schedule reboots at its time, once, and tells the next one", async (t) => {
  const machine = new Machine();
  machine.settings = { power: { rebootDays: ["sun"], rebootTime: "04:00" }, time: { zone: "Europe/Berlin" } };
  const power = await machine.boot(t);
  assert.equal(power.status().nextReboot, "2026-11-22T03:00:00.000Z");
  await machine.clock.advance(15 * HOUR - MINUTE);
  assert.deepEqual(machine.done, []);
  await machine.clock.advance(2 * MINUTE);
  assert.deepEqual(machine.done, ["prepare: scheduled reboot", "reboot"]);
  const after = await machine.boot(t);
  assert.deepEqual(
    [after.status().boot.reason, after.status().nextReboot],
    ["scheduled reboot", "2026-11-29T03:00:00.000Z"],
  );
  await machine.clock.advance(6 * DAY);
  assert.equal(machine.done.length, 2);
  await machine.clock.advance(DAY);
  assert.equal(machine.done.length, 4);
});

test("a clock that comes up an hour behind does not reboot the box a second time that day", async (t) => {
  const machine = new Machine();
  machine.settings = { power: { rebootDays: ["sun", "mon"], rebootTime: "04:00" } };
  await machine.boot(t);
  await machine.clock.advance(16 * HOUR + MINUTE);
  assert.equal(machine.done.length, 2);
  machine.epoch -= HOUR;
  const after = await machine.boot(t);
  assert.equal(after.status().nextReboot, "2026-11-23T04:00:00.000Z");
  await machine.clock.advance(3 * HOUR);
  assert.equal(machine.done.length, 2);
});

test("the schedule leaves out a box that has just come up, and what is missed is not made up for", async (t) => {
  const machine = new Machine();
  machine.settings = { power: { rebootDays: ["sat", "sun"], rebootTime: "12:05" } };
  const power = await machine.boot(t);
  await machine.clock.advance(20 * MINUTE);
  assert.deepEqual(machine.done, []);
  assert.ok(machine.logged.some((line) => line.startsWith("the scheduled reboot is left out")));
  assert.equal(power.status().nextReboot, "2026-11-22T12:05:00.000Z");
  // The clock jumps over the time, as it does when NTP sets it for the first time.
  machine.epoch += 2 * DAY;
  await machine.clock.advance(HOUR);
  assert.deepEqual(machine.done, []);
});

test("a clock that was never set has no schedule", async (t) => {
  const machine = new Machine();
  machine.epoch = 0;
  machine.settings = { power: { rebootDays: ["thu", "fri"], rebootTime: "04:00" } };
  const power = await machine.boot(t);
  assert.equal(power.status().nextReboot, null);
  await machine.clock.advance(2 * DAY);
  assert.deepEqual(machine.done, []);
});

test("a disk that takes nothing does not keep the box from rebooting", async (t) => {
  const machine = new Machine();
  const power = await machine.boot(t);
  machine.disk.failAt(1, "ENOSPC", 1000);
  assert.equal((await power.order("reboot", "x")).ok, true);
  await machine.clock.advance(3 * SECOND);
  assert.equal(machine.done.at(-1), "reboot");
  assert.ok(machine.logged.some((line) => /^the reason of a reboot could not be stored: the disk is full/.test(line)));
});

test("a PC refuses in words, has no next reboot, and can be reset where that is provided", async (t) => {
  const machine = new Machine();
  machine.settings = { power: { rebootDays: ["sun"], rebootTime: "04:00" } };
  const resets: unknown[] = [];
  const reset = async (options: unknown) => {
    resets.push(options);
    return "done" as const;
  };
  const power = await machine.boot(t, { adapter: new DryPower(), reset });
  const why = "This box is a program: stop it and start it again";
  assert.deepEqual(await power.order("reboot", "x"), { ok: false, why });
  assert.deepEqual(power.status().capabilities, { reboot: false, shutdown: false, factoryReset: true, why });
  assert.equal(power.status().nextReboot, null);
  await machine.clock.advance(2 * DAY);
  assert.deepEqual(machine.done, []);
  assert.equal(await power.factoryReset({ keepNetwork: true }), "done");
  assert.deepEqual(resets, [{ keepNetwork: true }]);
  const without = await machine.run(t, { adapter: new DryPower() });
  assert.deepEqual(await without.factoryReset({ keepNetwork: false }), {
    refused: "This box cannot be reset from here",
  });
});

test("the box itself is reset by going down, once nothing is under way that would be lost", async (t) => {
  const machine = new Machine();
  machine.settings = { network: { hostname: "rack7" } };
  let busy = "Firmware is being written";
  const power = await machine.boot(t, { busy: () => busy });
  assert.equal(power.status().capabilities.factoryReset, true);
  assert.deepEqual(await power.factoryReset({ keepNetwork: false }), { refused: busy });
  busy = "";
  assert.deepEqual(await power.factoryReset({ keepNetwork: true }), { inSeconds: 2 });
  assert.equal(power.status().pending, "factory-reset");
  assert.deepEqual(await power.order("reboot", "x"), {
    ...{ ok: false, why: "The box is about to be reset to factory settings already" },
  });
  assert.deepEqual(await power.factoryReset({ keepNetwork: false }), { refused: "The box is going down already" });
  await machine.clock.advance(3 * SECOND);
  const prepared = "prepare: reset to factory settings, network kept";
  assert.deepEqual(machine.done.splice(0), [prepared, "factory-reset, keeping rack7"]);
  machine.wrong = "no boot state";
  const again = await machine.boot(t);
  assert.deepEqual(await again.factoryReset({ keepNetwork: false }), { inSeconds: 2 });
  await machine.clock.advance(3 * SECOND);
  assert.equal(machine.done.at(-1), "factory-reset");
  assert.equal(again.faults()[0]?.message, "the factory reset could not be done: no boot state");
});

test("the network that is kept is laid down for who orders the reset, and none of a former order", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-power-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const calls: string[] = [];
  const file = join(folder, "reset-network.json");
  const power = new SystemdPower(async (program, args) => {
    calls.push([program, ...args].join(" "));
    return { ok: true, stdout: "", truncated: false };
  }, folder);
  const network = { ...defaultConfig().network, hostname: "rack7" };
  assert.equal(await power.run("factory-reset", network), "");
  assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), network);
  assert.equal(await power.run("factory-reset"), "");
  assert.equal(existsSync(file), false);
  const call = "systemctl start steadycast-reset.service";
  assert.deepEqual(calls, [call, call]);
  assert.match(
    await new SystemdPower(async () => assert.fail(), join(folder, "none")).run("factory-reset", network),
    /ENOENT/,
  );
});

test("systemd is told once, and what it says against it is told", async () => {
  const calls: string[] = [];
  const power = new SystemdPower(async (program, args) => {
    calls.push([program, ...args].join(" "));
    return { ok: false, code: 1, why: "Access denied", stdout: "", stderr: "" };
  }, "/run/steadycast");
  assert.equal(await power.run("reboot"), "Access denied");
  await power.run("shutdown");
  assert.deepEqual(calls, ["systemctl --no-block reboot", "systemctl --no-block poweroff"]);
});
