import assert from "node:assert/strict";
import test from "node:test";
import type { SimulatedDisk } from "../../config/support/disk.ts";
import { Random } from "../../support/random.ts";
import { Bench, event } from "./support.ts";

const SEEDS = 4;
const options = { segmentBytes: 1500, segments: 3 };

/** A box that records, some events at once and some one by one; tells how many were certainly on the medium. */
async function work(bench: Bench): Promise<number> {
  let certain = 0;
  await bench.log.start();
  for (let n = 1; n <= 24; n++) {
    bench.log.record(event(n));
    if (n % 3 === 0) await bench.clock.advance(0);
    if (n % 4 !== 0) continue;
    await bench.log.flush();
    if (!bench.disk.cut) certain = bench.log.last;
  }
  await bench.log.stop();
  return certain;
}

/** Starts on a disk, records one more, and checks everything. */
async function examine(disk: SimulatedDisk, certain: number, place: string): Promise<Bench> {
  const bench = await Bench.start(disk, options);
  const damaged = (await bench.log.list({ what: "auditDamaged" })).records;
  assert.deepEqual(damaged, [], place);
  bench.log.record(event(100));
  const check = await bench.log.check();
  assert.equal(check.ok, true, `${place}: ${check.text}`);
  assert.ok(check.last > certain, `${place}: ${certain} records were certain, ${check.last - 1} are there`);
  assert.ok(bench.segments().length <= options.segments + 1, place);
  const others = bench.disk.names().filter((name) => !name.startsWith("audit-"));
  assert.deepEqual(others, ["head.json", "key.json", "key.last-good.json"], `${place}: no orphan is left`);
  assert.deepEqual(
    bench.logged.map(({ message }) => message),
    [],
    place,
  );
  return bench;
}

test("a power cut at any step: what was certain is there, the chain is whole, and a torn record is told", async () => {
  const whole = new Bench(undefined, options);
  await work(whole);
  const { steps } = whole.disk;
  assert.ok(steps > 100, `only ${steps} steps`);
  let recovered = 0;
  for (let step = 1; step <= steps + 1; step++) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const bench = new Bench(undefined, options);
      bench.disk.cutPowerAt(step);
      const certain = await work(bench);
      const found = await examine(bench.disk.afterPowerCut(new Random(step * 100 + seed)), certain, `${step}/${seed}`);
      recovered += (await found.log.list({ what: "auditRecovered" })).records.length;
    }
  }
  assert.ok(recovered > 10, `only ${recovered} torn writes`);
});

test("a power cut at any step of a recovery", async () => {
  const torn = async (seed: number): Promise<[SimulatedDisk, number]> => {
    const bench = new Bench(undefined, options);
    bench.disk.cutPowerAt(60 + seed);
    const certain = await work(bench);
    return [bench.disk.afterPowerCut(new Random(seed)), certain];
  };
  for (let seed = 0; seed < 12; seed++) {
    const [whole] = await torn(seed);
    const before = whole.steps;
    await (await Bench.start(whole, options)).log.flush();
    const steps = whole.steps - before;
    for (let step = 1; step <= steps; step++) {
      const [disk, certain] = await torn(seed);
      disk.cutPowerAt(step);
      await (await Bench.start(disk, options)).log.flush();
      await examine(disk.afterPowerCut(new Random(step)), certain, `${seed}, ${step}`);
    }
  }
});

test("a disk that lies about fsync: what is lost is told as damage", async () => {
  let told = 0;
  for (let seed = 0; seed < 30; seed++) {
    const bench = await Bench.start(undefined, options);
    for (let n = 1; n <= 3; n++) bench.log.record(event(n));
    await bench.log.flush();
    bench.disk.lying = true;
    for (let n = 4; n <= 20; n++) bench.log.record(event(n));
    await bench.log.flush();
    const found = await Bench.start(bench.disk.afterPowerCut(new Random(seed)), options);
    const check = await found.log.check();
    if (!check.ok) told++;
    else assert.ok(check.last >= 3);
  }
  assert.ok(told > 3, `only ${told}`);
});
