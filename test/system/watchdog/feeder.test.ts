import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { Bus } from "../../../src/bus.ts";
import { Feeder, type Proof } from "../../../src/system/watchdog/feeder.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

const SECOND = 1000;

/** A feeder under a systemd that waits for a sign every minute. */
class Bench {
  readonly clock = new VirtualClock();
  /** What systemd was told, and when, s. */
  readonly told: string[] = [];
  readonly logged: string[] = [];
  /** What the proofs find. */
  wrong: Record<string, string | Promise<string>> = { api: "", store: "" };
  /** What becomes of telling it. */
  deaf = "";
  readonly feeder: Feeder;

  constructor(t: TestContext, { watchdogMs = 60 * SECOND, isWatched = true } = {}) {
    const bus = new Bus();
    bus.on("log", ({ level, message }) => this.logged.push(`${level}: ${message}`));
    const notify = async (...variables: string[]) => {
      this.told.push(`${this.clock.now() / SECOND} ${variables.join(" ")}`);
      return this.deaf;
    };
    const proofs = Object.keys(this.wrong).map((name): Proof => ({ name, look: () => this.wrong[name] ?? "" }));
    this.feeder = new Feeder({
      ...{ bus, proofs, clock: this.clock },
      supervision: isWatched ? { notify, watchdogMs } : undefined,
    });
    t.after(() => this.feeder.stop());
  }
}

test("systemd is told that the service is up, and then every third of its time that it is alive", async (t) => {
  const { feeder, told, clock, logged } = new Bench(t);
  await clock.advance(100 * SECOND);
  assert.deepEqual(told, [], "nothing before the start");
  feeder.start();
  await clock.advance(61 * SECOND);
  assert.deepEqual(told, ["100 READY=1", "120 WATCHDOG=1", "140 WATCHDOG=1", "160 WATCHDOG=1"]);
  assert.deepEqual(logged, []);
});

test("without proofs nothing is told, and with them it is told again soon", async (t) => {
  const bench = new Bench(t);
  const { feeder, told, clock, logged } = bench;
  feeder.start();
  await clock.advance(21 * SECOND);
  bench.wrong.api = "no answer";
  await clock.advance(40 * SECOND);
  assert.deepEqual(told, ["0 READY=1", "20 WATCHDOG=1"]);
  bench.wrong.store = "does not end";
  await clock.advance(10 * SECOND);
  bench.wrong = { api: "", store: "" };
  await clock.advance(5 * SECOND);
  assert.deepEqual(told, ["0 READY=1", "20 WATCHDOG=1", "75 WATCHDOG=1"]);
  assert.deepEqual(logged, [
    "error: the watchdog is not fed: api: no answer",
    "error: the watchdog is not fed: api: no answer; store: does not end",
    "info: the watchdog is fed again",
  ]);
});

test("a proof that throws, or that does not come to an end, is none", async (t) => {
  const bench = new Bench(t);
  const { feeder, told, clock, logged } = bench;
  bench.wrong.api = Promise.reject(new Error("broken"));
  bench.wrong.store = new Promise(() => {});
  (bench.wrong.api as Promise<string>).catch(() => {});
  feeder.start();
  await clock.advance(60 * SECOND);
  assert.deepEqual(told, ["0 READY=1"]);
  assert.deepEqual(logged, ["error: the watchdog is not fed: api: broken; store: nothing for 20 s"]);
});

test("what systemd could not be told is told again soon", async (t) => {
  const bench = new Bench(t);
  const { feeder, told, clock, logged } = bench;
  bench.deaf = "no such file";
  feeder.start();
  await clock.advance(6 * SECOND);
  bench.deaf = "";
  await clock.advance(25 * SECOND);
  assert.deepEqual(told, ["0 READY=1", "5 READY=1", "10 READY=1", "30 WATCHDOG=1"]);
  assert.equal(logged[0], "warning: systemd could not be told READY=1: no such file");
});

test("who stops is given the whole time once more", async (t) => {
  const { feeder, told, clock } = new Bench(t);
  feeder.start();
  await clock.advance(30 * SECOND);
  await feeder.stop();
  await clock.advance(100 * SECOND);
  assert.deepEqual(told, ["0 READY=1", "20 WATCHDOG=1", "30 WATCHDOG=1"]);
});

test("without a watchdog it is only told that the service is up", async (t) => {
  const bench = new Bench(t, { watchdogMs: 0 });
  bench.deaf = "busy";
  bench.feeder.start();
  await bench.clock.advance(4 * SECOND);
  bench.deaf = "";
  await bench.clock.advance(600 * SECOND);
  assert.deepEqual(bench.told, ["0 READY=1", "5 READY=1"]);
});

test("where nobody waits to be told anything, nothing runs", async (t) => {
  const bench = new Bench(t, { isWatched: false });
  bench.wrong.api = "no answer";
  bench.feeder.start();
  await bench.clock.advance(600 * SECOND);
  await bench.feeder.stop();
  assert.deepEqual([bench.told, bench.logged], [[], []]);
});
