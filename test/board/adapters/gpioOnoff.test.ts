import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import test, { type TestContext } from "node:test";
import type { BinaryValue, Direction, Edge, Gpio, Options, ValueCallback } from "onoff";
import { findLine, type LineFiles, OnoffGpio } from "../../../src/board/adapters/gpioOnoff.ts";
import { VirtualClock } from "../../support/virtualClock.ts";
import { tree } from "./tree.ts";

function chip(base: number, label: string, lines: number): Record<string, string> {
  const folder = `class/gpio/gpiochip${base}`;
  return {
    [`${folder}/label`]: `${label}\n`,
    [`${folder}/base`]: `${base}\n`,
    [`${folder}/ngpio`]: `${lines}\n`,
  };
}

const chips = { ...chip(512, "gpio0", 32), ...chip(544, "panel", 8), ...chip(552, "leds", 16) };

test("a line is found by the label of its chip and its offset", async (t) => {
  const root = await tree(t, chips);
  assert.equal(await findLine({ chip: "gpio0", offset: 0, activeLow: false }, root), 512);
  assert.equal(await findLine({ chip: "panel", offset: 7, activeLow: true }, root), 551);
  assert.equal(await findLine({ chip: "leds", offset: 15, activeLow: false }, root), 567);
});

test("what does not name one line is refused in words", async (t) => {
  const root = await tree(t, { ...chips, ...chip(600, "expander", 8), ...chip(608, "expander", 8) });
  const find = (chip: string, offset: number, at = root) => findLine({ chip, offset, activeLow: false }, at);
  await assert.rejects(find("front", 0), { code: "unavailable", message: 'there is no GPIO chip "front"' });
  await assert.rejects(find("expander", 0), { code: "unavailable", message: /2 GPIO chips have the label "expander"/ });
  await assert.rejects(find("panel", 8), { code: "unavailable", message: 'GPIO chip "panel" has 8 lines, no line 8' });
  const bare = await tree(t, {});
  await assert.rejects(find("panel", 0, bare), { code: "unavailable", message: /the kernel has no .*class\/gpio$/ });
});

/** onoff's Gpio on a line that is a few variables. */
class FakeLine {
  static opened: FakeLine[] = [];
  static refuse: Error | undefined;
  static stuck = false;
  readonly log: string[];
  value: BinaryValue = 0;
  #direction: Direction;
  readonly #activeLow: boolean;
  #listeners: ValueCallback[] = [];

  constructor(number: number, direction: Direction, _edge?: Edge, options?: Options) {
    if (FakeLine.refuse !== undefined) throw FakeLine.refuse;
    this.log = [`open ${number} ${direction}`];
    this.#direction = FakeLine.stuck ? "in" : direction === "in" ? "in" : "out";
    this.#activeLow = options?.activeLow ?? false;
    FakeLine.opened.push(this);
  }

  direction = () => this.#direction;
  activeLow = () => this.#activeLow;
  setEdge = (edge: Edge) => this.log.push(`edge ${edge}`);
  readSync = () => this.value;
  read = async () => this.value;
  unexport = () => this.log.push("unexport");

  async write(value: BinaryValue): Promise<void> {
    this.log.push(`write ${value}`);
  }

  watch(listener: ValueCallback): void {
    this.#listeners.push(listener);
  }

  unwatch(listener: ValueCallback): void {
    this.#listeners = this.#listeners.filter((one) => one !== listener);
  }

  edge(value: BinaryValue): void {
    this.value = value;
    for (const listener of this.#listeners) listener(null, value);
  }
}

async function board(context: TestContext, files: Record<string, string> = {}) {
  FakeLine.opened = [];
  FakeLine.refuse = undefined;
  FakeLine.stuck = false;
  const clock = new VirtualClock();
  const root = await tree(context, { ...chips, ...files });
  const gpio = new OnoffGpio({ sysfs: root, clock, load: async () => FakeLine as unknown as typeof Gpio });
  const last = () => FakeLine.opened.at(-1) as FakeLine;
  return { gpio, clock, root, last };
}

const ok = { chip: "panel", offset: 4, activeLow: true };
const withEdges = { "class/gpio/gpio548/edge": "none\n" };

test("an input tells each change, and nothing after it is closed", async (t) => {
  const { gpio, last } = await board(t, withEdges);
  const input = await gpio.input(ok);
  assert.deepEqual(last().log, ["open 548 in", "edge both"]);
  const seen: boolean[] = [];
  const others: boolean[] = [];
  const end = input.watch((active) => seen.push(active));
  input.watch((active) => others.push(active));
  for (const value of [1, 1, 0, 0, 1] as const) last().edge(value);
  assert.deepEqual(seen, [true, false, true]);
  assert.equal(await input.read(), true);
  end();
  last().edge(0);
  assert.deepEqual([seen.length, others], [3, [true, false, true, false]]);
  input.close();
  input.close();
  last().edge(1);
  assert.equal(others.length, 4);
  assert.deepEqual(last().log.slice(2), ["unexport"]);
});

test("a line that can't interrupt is looked at instead", async (t) => {
  const { gpio, clock, last } = await board(t);
  const input = await gpio.input(ok);
  assert.deepEqual(last().log, ["open 548 in"]);
  const seen: boolean[] = [];
  input.watch((active) => seen.push(active));
  await clock.advance(50);
  last().value = 1;
  await clock.advance(50);
  assert.deepEqual(seen, [true]);
  last().read = () => Promise.reject(new Error("the expander does not answer"));
  await clock.advance(200);
  last().read = async () => 0;
  await clock.advance(50);
  assert.deepEqual(seen, [true, false]);
  input.close();
  last().read = async () => 1;
  await clock.advance(200);
  assert.deepEqual(seen, [true, false]);
});

test("an output starts with the right level on the wire, also where active is low", async (t) => {
  for (const activeLow of [false, true]) {
    for (const active of [false, true]) {
      const { gpio, last } = await board(t);
      const output = await gpio.output({ chip: "leds", offset: 1, activeLow }, active);
      assert.deepEqual(last().log, [`open 553 ${active === activeLow ? "low" : "high"}`]);
      await output.write(!active);
      output.close();
      assert.deepEqual(last().log.slice(1), [`write ${active ? 0 : 1}`, "unexport"]);
    }
  }
});

test("a line that a killed predecessor left exported is taken over", async (t) => {
  const { gpio, root } = await board(t, { "class/gpio/gpio548/edge": "both\n", "class/gpio/gpio548/value": "1\n" });
  // An edge that is still set would keep the kernel from making it an output.
  const output = await gpio.output(ok, true);
  assert.equal(readFileSync(join(root, "class/gpio/gpio548/edge"), "utf8"), "none");
  output.close();
});

test("a line that can't be had is unavailable, by its name, and free for the next try", async (t) => {
  const { gpio, last } = await board(t);
  FakeLine.refuse = Object.assign(new Error("EBUSY: resource busy, write"), { code: "EBUSY" });
  await assert.rejects(gpio.output(ok, true), {
    name: "BusError",
    code: "unavailable",
    message: 'line 4 of GPIO chip "panel": a driver of the kernel or another program has it',
  });
  FakeLine.refuse = undefined;
  FakeLine.stuck = true;
  await assert.rejects(gpio.output(ok, true), { code: "unavailable", message: /can't be made out/ });
  assert.equal(last().log.at(-1), "unexport");
  FakeLine.stuck = false;
  (await gpio.output(ok, true)).close();
});

test("a line has one use at a time", async (t) => {
  const { gpio } = await board(t);
  const first = await gpio.input(ok);
  await assert.rejects(gpio.output(ok, true), { code: "unavailable", message: /line 4 .* two uses/ });
  first.close();
  (await gpio.output(ok, true)).close();
});

/** A board whose lines get their folder by being exported, and their files' access from udev some time later, ms. */
async function unprivileged(t: TestContext, accessAfter: number) {
  FakeLine.opened = [];
  FakeLine.refuse = undefined;
  FakeLine.stuck = false;
  const root = await tree(t, chips);
  const clock = new VirtualClock();
  const told: string[] = [];
  const openedAt: number[] = [];
  const files: LineFiles = {
    write: async (path, text) => {
      told.push(`${basename(path)} ${text}`);
      if (basename(path) !== "export") return;
      await mkdir(join(root, `class/gpio/gpio${text}`));
      for (const name of ["value", "direction", "active_low"]) {
        await writeFile(join(root, `class/gpio/gpio${text}/${name}`), "");
      }
    },
    isWritable: async () => clock.now() >= accessAfter,
  };
  const load = async () => {
    openedAt.push(clock.now());
    return FakeLine as unknown as typeof Gpio;
  };
  return { gpio: new OnoffGpio({ sysfs: root, clock, load, files }), told, openedAt };
}

test("a line is opened when udev has given its files", async (t) => {
  const { gpio, told, openedAt } = await unprivileged(t, 120);
  await gpio.input(ok);
  assert.deepEqual([told, openedAt], [["export 548"], [120]]);
});

test("a line whose files are not given is tried all the same, and is not left exported", async (t) => {
  const { gpio, told, openedAt } = await unprivileged(t, Number.POSITIVE_INFINITY);
  FakeLine.refuse = Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
  await assert.rejects(gpio.input(ok), { code: "unavailable", message: /line 4 of GPIO chip "panel": EACCES/ });
  assert.deepEqual([told, openedAt.length], [["export 548", "unexport 548"], 1]);
});
