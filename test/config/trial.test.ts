import assert from "node:assert/strict";
import test from "node:test";
import { Bus, type Events } from "../../src/bus.ts";
import { StoreError } from "../../src/config/durableFile.ts";
import { defaultConfig } from "../../src/config/schema.ts";
import type { ConfigService } from "../../src/config/store.ts";
import { VirtualClock } from "../support/virtualClock.ts";
import { SimulatedDisk } from "./support/disk.ts";
import { make, named, started } from "./support/service.ts";

/** A change that can cut the admin off. */
const network = { patch: { network: { hostname: "other" } } };
const MARKER = "config.trial.json";

class Bench {
  readonly disk = new SimulatedDisk();
  readonly clock = new VirtualClock();
  readonly bus = new Bus();
  readonly configs: number[] = [];
  readonly trials: Events["trial"][] = [];
  readonly service: ConfigService = make("/data", this.bus, this.disk, this.clock);

  constructor() {
    this.bus.on("config", ({ revision }) => this.configs.push(revision));
    this.bus.on("trial", (event) => this.trials.push(event));
  }

  static async start(): Promise<Bench> {
    const bench = new Bench();
    await bench.service.start();
    return bench;
  }

  /** What a start finds that comes now. */
  async found(): Promise<ConfigService> {
    return await started("/data", this.disk);
  }

  async try(options = {}): Promise<number> {
    const result = await this.service.apply(network, options);
    assert.ok(result.ok && result.trial !== undefined, JSON.stringify(result));
    return result.revision;
  }

  get hostname(): string {
    return this.service.current.network.hostname;
  }
}

test("a change that can cut the admin off is in force, not stored, and taken back after 120 s", async () => {
  const bench = await Bench.start();
  const { tag } = bench.service;
  const stored = bench.disk.contentOf("config.json");
  const result = await bench.service.apply(network, { author: "anna", comment: "New name" });
  assert.ok(result.ok);
  const { until, ...told } = bench.service.trial() ?? {};
  const differences = [{ pointer: "/network/hostname", before: "steadycast", after: "other" }];
  const { until: again, ...trial } = result.trial ?? {};
  assert.equal(until, again);
  assert.deepEqual(trial, told);
  assert.deepEqual(told, {
    ...{ revision: 2, author: "anna", comment: "New name", confirmSeconds: 120, remainingSeconds: 120, differences },
  });
  assert.deepEqual([bench.hostname, bench.service.revision], ["other", 2]);
  assert.deepEqual(bench.disk.contentOf("config.json"), stored);

  await bench.clock.advance(119_000);
  assert.deepEqual([bench.hostname, bench.service.trial()?.remainingSeconds], ["other", 1]);
  await bench.clock.advance(1_000);
  assert.deepEqual([bench.hostname, bench.service.revision, bench.service.tag], ["steadycast", 1, tag]);
  assert.equal(bench.service.trial(), null);
  assert.deepEqual(bench.configs, [2, 1]);
  assert.deepEqual(
    bench.trials.map(({ state, revision, author }) => [state, revision, author]),
    [
      ["pending", 2, "anna"],
      ["expired", 2, "anna"],
    ],
  );
  await bench.service.versions();
  assert.equal(bench.disk.contentOf(MARKER), undefined);
  assert.deepEqual((await bench.found()).problems(), []);
});

test("a confirmed change is stored as it was tried, and stays", async () => {
  const bench = await Bench.start();
  const revision = await bench.try({ author: "anna" });
  const { tag } = bench.service;
  const result = await bench.service.confirm(revision);
  assert.equal(result.ok, true);
  await bench.clock.advance(1_000_000);
  assert.deepEqual([bench.hostname, bench.service.revision, bench.service.tag], ["other", 2, tag]);
  assert.equal(bench.disk.contentOf(MARKER), undefined);
  assert.equal(bench.trials.at(-1)?.state, "confirmed");
  const again = await bench.found();
  assert.deepEqual([again.current, again.tag, again.problems()], [bench.service.current, tag, []]);
  assert.deepEqual(
    (await again.versions()).map(({ revision, author, current }) => [revision, author, current]),
    [
      [2, "anna", true],
      [1, null, false],
    ],
  );
});

test("a change is taken back at once, and its revision is never used for another one", async () => {
  const bench = await Bench.start();
  const first = await bench.try();
  assert.deepEqual(await bench.service.revert(first), {
    ...{ ok: true, revision: 1, differences: [{ pointer: "/network/hostname", before: "steadycast", after: "other" }] },
  });
  assert.equal(bench.hostname, "steadycast");
  assert.deepEqual(await bench.service.confirm(first), { ok: false, reason: "no-trial" });
  const second = await bench.try();
  assert.equal(second, 3);
  const other = await bench.service.confirm(first);
  assert.ok(!other.ok && other.reason === "other-trial" && other.trial.revision === second);
  await bench.clock.advance(119_999);
  assert.equal(bench.hostname, "other", "the time-out of the first is not that of the second");
});

test("while a change is on trial, no other is made", async () => {
  const bench = await Bench.start();
  await bench.try();
  const { service } = bench;
  for (const change of [
    service.replace(named("x")),
    service.replace(named("x"), { ifTag: ["old"] }),
    service.replaceChannel("ch1", {}),
    service.removeChannel("ch1"),
    service.restore(1),
  ]) {
    const result = await change;
    assert.ok(!result.ok && result.reason === "trial" && result.trial.revision === 2, JSON.stringify(result));
  }
  assert.equal((await service.plan({ document: named("x") })).valid, true, "but it can be planned");
});

test("when it cannot be stored, it stays on trial until its time is over", async () => {
  const bench = await Bench.start();
  const revision = await bench.try();
  bench.disk.failAt(1, "ENOSPC");
  await assert.rejects(
    bench.service.confirm(revision),
    (error) => error instanceof StoreError && error.reason === "disk-full",
  );
  assert.deepEqual([bench.hostname, bench.service.trial()?.revision], ["other", revision]);
  assert.equal((await bench.service.confirm(revision)).ok, true, "there is room again");

  const next = await bench.service.apply({ patch: { network: { hostname: "third" } } });
  bench.disk.failAt(1, "EROFS");
  await assert.rejects(bench.service.confirm(next.ok ? next.revision : 0), StoreError);
  await bench.clock.advance(120_000);
  assert.equal(bench.hostname, "other");
});

test("without a marker a trial goes on all the same, and the problem is told", async () => {
  const bench = await Bench.start();
  bench.disk.failAt(1, "ENOSPC");
  await bench.try();
  assert.equal(bench.hostname, "other");
  assert.deepEqual(
    bench.service.problems().map(({ file }) => file),
    [MARKER],
  );
});

for (const [what, end] of [
  ["the power is cut", async () => undefined],
  ["the supervisor stops", (bench: Bench) => bench.service.stop()],
] as const) {
  test(`when ${what} during a trial, the next start has the old configuration, and says whose change is gone`, async () => {
    const bench = await Bench.start();
    await bench.try({ author: "anna" });
    await end(bench);
    const again = await bench.found();
    assert.equal(again.current.network.hostname, "steadycast");
    assert.deepEqual(
      again.problems().map(({ file, what, action }) => `${file} ${what}: ${action}`),
      [
        "config.trial.json tells of revision 2 by anna, which was not confirmed: it is not in force; config.json (revision 1) is",
      ],
    );
    assert.equal((await again.replace(named("next"))).ok, true);
    assert.equal(again.revision, 3, "its revision is not used again");
    assert.deepEqual((await bench.found()).problems(), [], "it is told once");
  });
}

test("a stop tells that the old configuration is in force, and no time-out is left", async () => {
  const bench = await Bench.start();
  await bench.try();
  await bench.service.stop();
  assert.deepEqual([bench.configs, bench.trials.at(-1)?.state], [[2, 1], "stopped"]);
  await bench.clock.advance(1_000_000);
  assert.deepEqual(bench.configs, [2, 1]);
});

test("a damaged marker is no obstacle", async () => {
  const bench = await Bench.start();
  bench.disk.damage(MARKER, new Uint8Array(64));
  const again = await bench.found();
  assert.deepEqual([again.current, again.problems().map(({ file }) => file)], [defaultConfig(), [MARKER]]);
  assert.equal(bench.disk.contentOf(MARKER), undefined);
});

test("how long a change waits is asked for within limits; none at the box itself, never none from afar", async () => {
  const bench = await Bench.start();
  const { service } = bench;
  for (const confirmSeconds of [0, 9, 3601, 1.5, -1]) {
    const result = await service.apply(network, { confirmSeconds });
    assert.ok(!result.ok && result.reason === "invalid");
    assert.deepEqual(
      result.errors.map(({ pointer, message }) => `${pointer} ${message}`),
      [`/confirmSeconds must be between 10 and 3600 s for a change that can cut you off, is ${confirmSeconds}`],
    );
  }
  assert.equal((await service.plan(network)).confirmSeconds, 120);
  assert.equal((await service.plan(network, { local: true })).confirmSeconds, 0);
  const local = await service.apply(network, { local: true });
  assert.ok(local.ok && local.trial === undefined);
  const harmless = await service.replace({ ...service.current, box: { name: "x" } });
  assert.ok(harmless.ok && harmless.trial === undefined);
  const asked = await service.replace({ ...service.current, box: { name: "y" } }, { confirmSeconds: 10 });
  assert.ok(asked.ok);
  assert.equal(asked.trial?.confirmSeconds, 10);
  await bench.clock.advance(10_000);
  assert.equal(service.current.box.name, "x");
  const same = await service.replace(service.current, { confirmSeconds: 10 });
  assert.deepEqual([same.ok && same.changed, service.trial()], [false, null], "no change, no trial");
});
