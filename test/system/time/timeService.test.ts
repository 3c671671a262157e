import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { Bus } from "../../../src/bus.ts";
import { config as schema } from "../../../src/config/schema.ts";
import type { TimeAdapter } from "../../../src/system/time/adapters.ts";
import { parseAnswer, type TimeReading } from "../../../src/system/time/reading.ts";
import { TimeService, timeZones } from "../../../src/system/time/timeService.ts";
import { VirtualClock } from "../../support/virtualClock.ts";
import { answeredAt } from "./recordings.ts";

const EPOCH = Date.UTC(2026, 10, 22, 8);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

class FakeTime implements TimeAdapter {
  refusal = "";
  reading: TimeReading = { synchronized: false, ntp: true, zone: "UTC", rtc: null, answer: null };
  applied: unknown[] = [];
  wrong = "";
  set = async () => "";
  read = async () => this.reading;
  apply = async (settings: unknown) => {
    this.applied.push(settings);
    return this.wrong;
  };
}

async function start(t: TestContext, time: Record<string, unknown> = {}) {
  const bus = new Bus();
  const clock = new VirtualClock();
  const adapter = new FakeTime();
  const config = { current: schema.parse({ version: 3, time }) };
  /** Steps of the wall clock, ms. */
  const wall = { step: 0 };
  const now = () => new Date(EPOCH + clock.now() + wall.step);
  const service = new TimeService({ config, bus, adapter, clock, now });
  const logged: string[] = [];
  bus.on("log", ({ message }) => logged.push(message));
  service.start();
  await clock.advance(0);
  t.after(() => service.stop());
  let packet = 0;
  const answer = (ignored = false) => {
    const text = answeredAt(now().getTime() * 1000, ++packet, ignored);
    adapter.reading = { ...adapter.reading, synchronized: true, answer: parseAnswer(text) };
  };
  const change = (settings: Record<string, unknown>) => {
    config.current = schema.parse({ version: 3, time: settings });
    bus.emit("config", { revision: 2 });
  };
  const faults = () => service.faults().map(({ id, severity }) => `${id} ${severity}`);
  return { bus, clock, adapter, service, answer, change, faults, logged, wall };
}

test("the status tells what the server's last answer said", async (t) => {
  const { clock, service, answer } = await start(t, { zone: "Europe/Berlin" });
  assert.equal(service.status().synchronized, false);
  answer();
  await clock.advance(MINUTE);
  assert.deepEqual(service.status(), {
    ...{ now: "2026-11-22T08:01:00.000Z", zone: "Europe/Berlin" },
    ntp: { enabled: true, servers: ["0.pool.ntp.org", "1.pool.ntp.org"] },
    ...{ synchronized: true, offsetMs: 5.5, server: "time.example.net", stratum: 2 },
    ...{ lastSync: "2026-11-22T08:00:00.000Z", rtc: null },
    refusal: "The clock is set by NTP; switch that off to set it by hand",
  });
});

test("an hour without an answer is a fault, which only an answer that is believed clears", async (t) => {
  const { clock, service, adapter, answer, faults, logged } = await start(t);
  answer();
  await clock.advance(60 * MINUTE);
  assert.deepEqual(faults(), []);
  await clock.advance(2 * MINUTE);
  assert.deepEqual(faults(), ["time:sync warning"]);
  assert.equal(service.status().synchronized, false);
  assert.match(
    service.faults()[0]?.message ?? "",
    /not been set by NTP for more than an hour; asked: 0\.pool\.ntp\.org, 1/,
  );
  // The kernel goes on to call it synchronized, the same answer stays, and one that is not believed comes.
  await clock.advance(5 * HOUR);
  answer(true);
  await clock.advance(5 * MINUTE);
  adapter.reading = { ...adapter.reading, synchronized: null, answer: null };
  await clock.advance(HOUR);
  assert.deepEqual(faults(), ["time:sync warning"]);
  answer();
  await clock.advance(2 * MINUTE);
  assert.deepEqual(faults(), []);
  assert.equal(logged.at(-1), "time:sync: in order again");
  await clock.advance(30 * HOUR);
  assert.deepEqual(faults(), ["time:sync error"]);
});

test("a step of the wall clock neither raises nor clears anything", async (t) => {
  const { clock, answer, faults, wall } = await start(t);
  answer();
  await clock.advance(2 * MINUTE);
  wall.step = 400 * 24 * HOUR;
  await clock.advance(30 * MINUTE);
  assert.deepEqual(faults(), []);
  wall.step = -400 * 24 * HOUR;
  await clock.advance(45 * MINUTE);
  assert.deepEqual(faults(), ["time:sync warning"]);
});

test("answers that come as seldom as they may are enough", async (t) => {
  const { clock, answer, faults } = await start(t);
  for (let i = 0; i < 10; i++) {
    answer();
    await clock.advance(35 * MINUTE);
    assert.deepEqual(faults(), []);
  }
});

test("a supervisor that starts again is not fooled by the last answer of long ago", async (t) => {
  const { clock, adapter, faults } = await start(t);
  adapter.reading = {
    ...adapter.reading,
    synchronized: true,
    answer: parseAnswer(answeredAt((EPOCH - 8 * HOUR) * 1000, 9)),
  };
  await clock.advance(60 * MINUTE);
  assert.deepEqual(faults(), ["time:sync warning"]);
});

test("with NTP off nobody expects it; without any word nothing is claimed", async (t) => {
  const { clock, service, adapter, change, faults } = await start(t);
  await clock.advance(2 * HOUR);
  assert.deepEqual(faults(), ["time:sync warning"]);
  change({ ntp: false });
  await clock.advance(MINUTE);
  assert.deepEqual(faults(), []);
  assert.equal(service.status().refusal, "");
  change({ ntp: true });
  adapter.reading = { synchronized: null, ntp: null, zone: null, rtc: null, answer: null };
  await clock.advance(5 * HOUR);
  assert.deepEqual([faults(), service.status().synchronized], [[], null]);
});

test("settings are applied at the start and when they change, and no more often", async (t) => {
  const { bus, clock, adapter, change } = await start(t);
  assert.equal(adapter.applied.length, 1);
  bus.emit("config", { revision: 2 });
  await clock.advance(HOUR);
  assert.equal(adapter.applied.length, 1);
  change({ zone: "Asia/Tokyo" });
  await clock.advance(0);
  assert.deepEqual(
    (adapter.applied as { zone: string }[]).map(({ zone }) => zone),
    ["UTC", "Asia/Tokyo"],
  );
});

test("settings that cannot be applied are a fault, and tried again until they can", async (t) => {
  const { clock, adapter, service, change, faults } = await start(t);
  adapter.wrong = "Failed to set time zone";
  change({ zone: "Asia/Tokyo" });
  await clock.advance(0);
  assert.deepEqual(faults(), ["time:settings error"]);
  assert.equal(service.faults()[0]?.message, "the time settings could not be applied: Failed to set time zone");
  await clock.advance(12 * MINUTE);
  assert.ok(adapter.applied.length >= 4);
  adapter.wrong = "";
  await clock.advance(6 * MINUTE);
  assert.deepEqual(faults(), []);
});

test("the clock is set by hand only where NTP does not set it and the box may", async (t) => {
  const { clock, service, adapter, change, logged } = await start(t);
  const time = new Date("2026-12-24T18:00:00Z");
  assert.deepEqual(await service.set(time), {
    ok: false,
    why: "The clock is set by NTP; switch that off to set it by hand",
  });
  change({ ntp: false });
  await clock.advance(0);
  assert.deepEqual(await service.set(time), { ok: true });
  assert.equal(logged.at(-1), "the clock was set by hand, from 2026-11-22T08:00:00.000Z to 2026-12-24T18:00:00.000Z");
  adapter.set = async () => "Access denied";
  assert.deepEqual(await service.set(time), { ok: false, why: "Access denied" });
  adapter.refusal = "This box is a program";
  assert.deepEqual(await service.set(time), { ok: false, why: "This box is a program" });
});

test("the zones are those that the settings take", () => {
  const zones = timeZones();
  assert.ok(zones.length > 400 && zones.includes("UTC") && zones.includes("Europe/Berlin"));
  for (const zone of zones) assert.ok(schema.safeParse({ version: 3, time: { zone } }).success, zone);
});
