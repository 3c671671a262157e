import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { type ChannelView, HealthService } from "../../../src/system/watchdog/health.ts";
import { SimulatedDisk } from "../../config/support/disk.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

/** A clock whose time lets `each` happen. */
class Time extends VirtualClock {
  each: () => void = () => {};

  override async sleep(ms: number): Promise<void> {
    this.each();
    await this.advance(ms);
  }
}

type Channel = { enabled: boolean; view: ChannelView | undefined; perLook: number };

/** A box whose channels send while time passes. */
class Bench {
  readonly clock = new Time();
  readonly disk = new SimulatedDisk();
  readonly channels = new Map<string, Channel>();
  status = 200;
  asked = 0;
  url = "";
  health!: HealthService;

  static async start(t: TestContext): Promise<Bench> {
    const bench = new Bench();
    const server = createServer((_request, response) => {
      bench.asked++;
      response.writeHead(bench.status).end("{}");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    t.after(() => server.close());
    bench.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    bench.clock.each = () => bench.send();
    bench.health = new HealthService({
      enabled: () => [...bench.channels].filter(([, { enabled }]) => enabled).map(([id]) => id),
      channel: (id) => bench.channels.get(id)?.view,
      urls: () => [bench.url],
      ...{ folder: "/data", files: bench.disk, clock: bench.clock },
    });
    return bench;
  }

  /** A channel that is on air. */
  add(id: string, perLook = 100): Channel {
    const worker = (role: string, pid: number) => ({ role, pid, state: "running", lastExit: "" });
    const view = { workers: [worker("encode", 10), worker("transmit", 11)], faults: [], transmit: { datagrams: 5 } };
    const channel = { enabled: true, view, perLook };
    this.channels.set(id, channel);
    return channel;
  }

  change(id: string, more: Partial<ChannelView>): void {
    const channel = this.channels.get(id);
    if (channel?.view !== undefined) channel.view = { ...channel.view, ...more };
  }

  send(): void {
    for (const [id, { view, perLook }] of this.channels) {
      if (view?.transmit) this.change(id, { transmit: { datagrams: view.transmit.datagrams + perLook } });
    }
  }

  /** Some time later. */
  async check(afterMs = 2000) {
    await this.clock.advance(afterMs);
    return await this.health.check();
  }

  /** The checks that fail. */
  async wrong(afterMs?: number): Promise<Record<string, string>> {
    const { ok, checks } = await this.check(afterMs);
    const failed = checks.filter((check) => !check.ok);
    assert.equal(ok, failed.length === 0);
    return Object.fromEntries(failed.map(({ name, detail }) => [name, detail]));
  }
}

const encoder = (more: object) => [
  { role: "encode", pid: 10, state: "running", lastExit: "", ...more },
  { role: "transmit", pid: 11, state: "running", lastExit: "" },
];

test("a box whose API answers, whose channels send and whose data can be written is well", async (t) => {
  const bench = await Bench.start(t);
  bench.add("ch1");
  bench.add("ch2");
  const good = (name: string) => ({ name, ok: true, detail: "" });
  const report = await bench.check();
  assert.deepEqual(report, { ok: true, checks: ["api", "storage", "channel:ch1", "channel:ch2"].map(good) });
  assert.deepEqual(bench.disk.names(), [], "nothing is left behind");
});

test("a box without an enabled channel is well without one", async (t) => {
  const bench = await Bench.start(t);
  assert.equal((await bench.check()).ok, true);
  bench.add("ch1", 0).enabled = false;
  assert.deepEqual(await bench.wrong(), {});
});

test("a channel that does not send is told, with its faults", async (t) => {
  const bench = await Bench.start(t);
  bench.add("ch1", 0);
  bench.add("ch2");
  const message = "The multiplexer has failed: exit code 6";
  const faults = [
    { id: "source-lost", severity: "error", message: "There is no signal" },
    { id: "transmit-down", severity: "error", message },
  ];
  bench.change("ch1", { faults });
  assert.deepEqual(await bench.wrong(), { "channel:ch1": `it does not transmit: ${message}` });
  bench.change("ch1", { transmit: null });
  assert.deepEqual(Object.keys(await bench.wrong()), ["channel:ch1"]);
  const channel = bench.channels.get("ch1") as Channel;
  channel.view = undefined;
  assert.deepEqual(await bench.wrong(), { "channel:ch1": "it is not set up yet" });
});

test("a channel that has just been put on air is waited for", async (t) => {
  const bench = await Bench.start(t);
  bench.add("ch1", 0);
  let looks = 0;
  bench.clock.each = () => {
    if (++looks === 10) bench.change("ch1", { transmit: { datagrams: 6 } });
  };
  assert.deepEqual(await bench.wrong(), {});
  assert.equal(looks, 10);
});

test("a multiplexer that was started again counts anew, and sends", async (t) => {
  const bench = await Bench.start(t);
  bench.add("ch1", 0);
  bench.clock.each = () => bench.change("ch1", { transmit: { datagrams: 1 } });
  assert.deepEqual(await bench.wrong(), {});
});

test("an encoder that does not run, or not steadily, is told although the slate is on air", async (t) => {
  const bench = await Bench.start(t);
  bench.add("ch1");
  assert.deepEqual(await bench.wrong(), {});
  bench.change("ch1", { workers: encoder({ state: "waiting", pid: null }) });
  assert.deepEqual(await bench.wrong(), { "channel:ch1": "its encoder does not run" });
  bench.change("ch1", { workers: encoder({ pid: 12 }) });
  assert.deepEqual(await bench.wrong(), {}, "it was not looked at before");
  bench.change("ch1", { workers: encoder({ pid: 13 }) });
  assert.deepEqual(await bench.wrong(), { "channel:ch1": "its encoder has ended and was started again" });
  assert.deepEqual(await bench.wrong(), {});
  bench.change("ch1", { workers: encoder({ pid: 14 }) });
  assert.deepEqual(await bench.wrong(60_000), {}, "what was a minute ago does not count");
});

test("what no other firmware would do better with is no failure", async (t) => {
  const bench = await Bench.start(t);
  bench.add("ch1");
  const faults = [
    { id: "source-lost", severity: "error", message: "There is no signal" },
    { id: "output-down:srt1", severity: "warning", message: "Output srt1 is not connected" },
    { id: "output-errors:udp1", severity: "error", message: "Output udp1 cannot send: Network is down" },
  ];
  bench.change("ch1", { faults });
  const message = "Stopped to spare the box, which is too hot";
  bench.add("ch2", 0);
  bench.change("ch2", { workers: [], transmit: null, faults: [{ id: "too-hot", severity: "error", message }] });
  bench.disk.failAt(2, "ENOSPC");
  const { ok, checks } = await bench.check();
  assert.equal(ok, true);
  assert.deepEqual(
    checks.map(({ detail }) => detail),
    ["", "the disk is full", "", message],
  );
});

test("an API that does not answer, or with errors of its own, is told", async (t) => {
  const bench = await Bench.start(t);
  bench.status = 500;
  assert.deepEqual(await bench.wrong(), { api: `${bench.url} answers 500` });
  bench.status = 429;
  assert.deepEqual(await bench.wrong(), {});
  bench.url = "http://127.0.0.1:1";
  assert.match((await bench.wrong()).api ?? "", /ECONNREFUSED/);
});

test("data that cannot be written is told, and tried again; what could be written is not for a minute", async (t) => {
  const bench = await Bench.start(t);
  bench.disk.failAt(2, "EROFS");
  assert.match((await bench.wrong()).storage ?? "", /^the data folder cannot be written: .*EROFS/);
  assert.deepEqual(await bench.wrong(), {});
  const { steps } = bench.disk;
  await bench.check(30_000);
  assert.equal(bench.disk.steps, steps);
  await bench.check(60_000);
  assert.ok(bench.disk.steps > steps);
});

test("what a write left behind that was cut short is removed", async (t) => {
  const bench = await Bench.start(t);
  await bench.disk.create("/data/config.json");
  await bench.disk.create("/data/health-check.abcd.tmp");
  await bench.check();
  assert.deepEqual(bench.disk.names(), ["config.json"]);
});

test("whoever asks at the same time, or right after, is told the same", async (t) => {
  const bench = await Bench.start(t);
  const [one, two] = await Promise.all([bench.health.check(), bench.health.check()]);
  assert.equal(one, two);
  assert.equal(await bench.health.check(), one);
  assert.equal(bench.asked, 1);
  await bench.check(1500);
  assert.equal(bench.asked, 2);
});
