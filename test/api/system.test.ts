import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { logRoutes } from "../../src/api/routes/logs.ts";
import { powerRoutes } from "../../src/api/routes/power.ts";
import { timeRoutes } from "../../src/api/routes/time.ts";
import { Bus } from "../../src/bus.ts";
import { config as schema } from "../../src/config/schema.ts";
import { commandRunner } from "../../src/system/command.ts";
import { Diagnostics } from "../../src/system/diagnostics/diagnostics.ts";
import type { LogLine, LogPage, LogSource } from "../../src/system/logs/line.ts";
import { LogService } from "../../src/system/logs/logService.ts";
import { DryPower, type PowerAdapter } from "../../src/system/power/adapters.ts";
import { PowerService, type PowerStatus } from "../../src/system/power/powerService.ts";
import { DryTime, type TimeAdapter } from "../../src/system/time/adapters.ts";
import { TimeService, type TimeStatus } from "../../src/system/time/timeService.ts";
import { SimulatedDisk } from "../config/support/disk.ts";
import { VirtualClock } from "../support/virtualClock.ts";
import { untar } from "../system/diagnostics/untar.ts";
import { Box } from "./support/box.ts";

interface Given {
  time?: TimeAdapter;
  power?: PowerAdapter;
  settings?: Record<string, unknown>;
  /** Reset by its power adapter. */
  isMachine?: boolean;
  sources?: LogSource[];
}

/** A box whose clock and power are models; its log is real. */
async function start(
  t: TestContext,
  { time: timeAdapter, power: powerAdapter, settings, sources, isMachine }: Given = {},
) {
  const bus = new Bus();
  const clock = new VirtualClock();
  const config = { current: schema.parse({ version: 3, ...settings }) };
  const folder = mkdtempSync(join(tmpdir(), "steadycast-system-"));
  const run = commandRunner();
  const time = new TimeService({ config, bus, clock, adapter: timeAdapter ?? new DryTime(run) });
  const resets: unknown[] = [];
  const power = new PowerService({
    ...{ config, bus, clock, folder: "/data", files: new SimulatedDisk(), adapter: powerAdapter ?? new DryPower() },
    prepare: async () => {},
    ...(!isMachine && {
      reset: async (options) => {
        resets.push(options);
        return "done";
      },
    }),
  });
  const redact = (text: string) => text.replaceAll("hunter2", "********");
  const logs = new LogService({ folder, bus, redact, clock, ...(sources === undefined ? {} : { sources }) });
  let release = () => {};
  const parts = [{ name: "a.txt", content: () => new Promise<string>((done) => (release = () => done("hunter2"))) }];
  const diagnostics = new Diagnostics({ parts, redact });
  const answers: Record<string, Awaited<ReturnType<Parameters<typeof powerRoutes>[1]["confirmPassword"]>>> = {
    right: { ok: true },
    often: { ok: false, reason: "throttled", retryAfterSeconds: 30 },
  };
  const access = {
    confirmPassword: async (_: unknown, password: string) =>
      answers[password] ?? ({ ok: false, reason: "refused" } as const),
  };
  await logs.start();
  await power.start();
  time.start();
  const routes = [...timeRoutes(time), ...powerRoutes(power, access), ...logRoutes(logs, diagnostics)];
  const box = await Box.start(t, { bus, routes });
  t.after(async () => {
    await time.stop();
    await power.stop();
    await logs.stop();
    rmSync(folder, { recursive: true });
  });
  return {
    box,
    bus,
    clock,
    resets,
    say: (message: string, source = "test") => {
      bus.emit("log", { level: "info", source, message });
    },
    release: () => release(),
  };
}

class OwnTime implements TimeAdapter {
  readonly refusal = "";
  readonly sets: string[] = [];
  wrong = "";
  read = async () => ({ synchronized: false, ntp: false, zone: "UTC", rtc: null, answer: null });
  apply = async () => "";
  async set(time: Date): Promise<string> {
    this.sets.push(time.toISOString());
    return this.wrong;
  }
}

class OwnPower implements PowerAdapter {
  readonly refusal = "";
  readonly done: string[] = [];
  async run(order: string): Promise<string> {
    this.done.push(order);
    return "";
  }
}

test("the time is told, also on a machine that knows nothing of it, which refuses to set it", async (t) => {
  const { box } = await start(t, { settings: { time: { ntp: false } } });
  const { body } = await box.as("viewer").call("GET", "/time");
  assert.deepEqual([(body as TimeStatus).zone, Number.isNaN(Date.parse((body as TimeStatus).now))], ["UTC", false]);
  const { detail } = await box.refused("conflict", "PUT", "/time", { time: "2026-11-22T08:00:00Z" });
  assert.equal(detail, "This box is a program: the clock is that of the machine it runs on, and is set there");
});

test("the clock is set by an admin, with a time that can be, where NTP does not set it", async (t) => {
  const adapter = new OwnTime();
  const { box } = await start(t, { time: adapter, settings: { time: { ntp: false } } });
  assert.equal((await box.call("PUT", "/time", { time: "2026-11-22T09:00:00+01:00" })).status, 200);
  assert.deepEqual(adapter.sets, ["2026-11-22T08:00:00.000Z"]);
  assert.equal(box.audited.at(-1)?.detail, "2026-11-22T09:00:00+01:00");
  await box.as("operator").refused("forbidden", "PUT", "/time", { time: "2026-11-22T09:00:00Z" });
  for (const time of ["soon", "1999-01-01T00:00:00Z", "2026-11-22", 5]) {
    const { errors } = await box.refused("invalid", "PUT", "/time", { time });
    assert.deepEqual(
      errors?.map(({ pointer }) => pointer),
      ["/time"],
    );
  }
  adapter.wrong = "timedatectl: exit code 1: Access denied";
  assert.match(
    (await box.refused("conflict", "PUT", "/time", { time: "2026-11-22T09:00:00Z" })).detail,
    /Access denied$/,
  );
  const { box: other } = await start(t, { time: new OwnTime() });
  const { detail } = await other.refused("conflict", "PUT", "/time", { time: "2026-11-22T08:00:00Z" });
  assert.equal(detail, "The clock is set by NTP; switch that off to set it by hand");
});

test("the time zones are listed", async (t) => {
  const { box } = await start(t);
  const { zones } = (await box.as("viewer").call("GET", "/time/zones")).body as { zones: string[] };
  assert.ok(zones.includes("Europe/Berlin") && zones.includes("UTC"));
});

test("a PC tells its uptime, and refuses to reboot in words", async (t) => {
  const { box } = await start(t);
  const power = (await box.as("viewer").call("GET", "/power")).body as PowerStatus;
  assert.ok(power.uptimeSeconds > 0 && power.nextReboot === null);
  const why = "This box is a program: stop it and start it again";
  assert.deepEqual(power.capabilities, { reboot: false, shutdown: false, factoryReset: true, why });
  for (const path of ["/power/reboot", "/power/shutdown"]) {
    assert.equal((await box.refused("conflict", "POST", path)).detail, why);
    await box.as("operator").refused("forbidden", "POST", path);
  }
});

test("a reboot is answered before it happens, and once", async (t) => {
  const adapter = new OwnPower();
  const { box, clock } = await start(t, { power: adapter });
  const { status, body } = await box.call("POST", "/power/reboot");
  assert.deepEqual([status, body, adapter.done], [202, { order: "reboot", inSeconds: 2 }, []]);
  await box.refused("conflict", "POST", "/power/shutdown");
  assert.equal(((await box.call("GET", "/power")).body as PowerStatus).pending, "reboot");
  await clock.advance(3000);
  assert.deepEqual(adapter.done, ["reboot"]);
});

test("factory settings need the password again", async (t) => {
  const { box, resets } = await start(t);
  const reset = "/power/factory-reset";
  assert.equal((await box.refused("forbidden", "POST", reset, { password: "wrong" })).detail, "The password is wrong");
  const { headers } = await box.refused("too-many", "POST", reset, { password: "often" });
  assert.equal(headers.get("Retry-After"), "30");
  await box.refused("invalid", "POST", reset, {});
  await box.as("operator").refused("forbidden", "POST", reset, { password: "right" });
  assert.deepEqual(resets, []);
  assert.equal((await box.call("POST", reset, { password: "right" })).status, 204);
  assert.equal((await box.call("POST", reset, { password: "right", keepNetwork: true })).status, 204);
  assert.deepEqual(resets, [{ keepNetwork: false }, { keepNetwork: true }]);
});

test("the box itself answers first, and is reset as it comes up again", async (t) => {
  const power = new OwnPower();
  const { box, clock } = await start(t, { power, isMachine: true });
  const answer = await box.call("POST", "/power/factory-reset", { password: "right", keepNetwork: true });
  assert.deepEqual([answer.status, answer.body], [202, { order: "factory-reset", inSeconds: 2 }]);
  assert.equal((await box.refused("conflict", "POST", "/power/factory-reset", { password: "right" })).status, 409);
  assert.deepEqual(power.done, []);
  await clock.advance(3000);
  assert.deepEqual(power.done, ["factory-reset"]);
  assert.doesNotMatch(JSON.stringify(box.audited), /right|often/);
});

test("the log is browsed page by page, by level, source and text", async (t) => {
  const { box, say } = await start(t);
  for (let i = 0; i < 5; i++) say(`line ${i} with hunter2`, i % 2 === 0 ? "even" : "odd");
  const get = async (query: string) => (await box.as("operator").call("GET", `/logs?${query}`)).body as LogPage;
  const messages = (page: LogPage) => page.lines.map(({ message }) => message.slice(0, 6));
  const first = await get("limit=2");
  assert.deepEqual(
    first.lines.map(({ message }) => message),
    ["line 4 with ********", "line 3 with ********"],
  );
  assert.deepEqual(messages(await get(`limit=2&before=${first.next}`)), ["line 2", "line 1"]);
  assert.deepEqual(messages(await get("source=odd")), ["line 3", "line 1"]);
  assert.deepEqual(messages(await get("text=LINE%202")), ["line 2"]);
  assert.deepEqual(messages(await get("level=warning")), []);
  await box.as("viewer").refused("forbidden", "GET", "/logs");
  for (const query of [
    "limit=0",
    "limit=1001",
    "limit=x",
    "level=loud",
    "level=info&level=info",
    "before=x",
    `text=${"x".repeat(201)}`,
  ]) {
    await box.refused("bad-request", "GET", `/logs?${query}`);
  }
});

test("a source that cannot be read is unavailable, and the others are not", async (t) => {
  const broken: LogSource = {
    list: async () => ["kernel"],
    page: async () => ({ failed: "journalctl: there is no such program" }),
  };
  const { box, say } = await start(t, { sources: [broken] });
  say("hello");
  assert.equal(
    (await box.refused("unavailable", "GET", "/logs?source=kernel")).detail,
    "journalctl: there is no such program",
  );
  assert.deepEqual(((await box.call("GET", "/logs")).body as { sources: string[] }).sources, ["kernel"]);
  assert.match(
    (await box.call("GET", "/logs/download?source=kernel")).body as string,
    /^- error logs: journalctl: there is no/,
  );
});

test("the log is downloaded whole, as text or lines of JSON, by admins", async (t) => {
  const { box, say } = await start(t);
  for (let i = 0; i < 7000; i++) say(`line ${i}`);
  const text = await box.fetch("/api/v1/logs/download");
  assert.equal(text.headers.get("Content-Disposition"), 'attachment; filename="steadycast.log"');
  assert.match(text.headers.get("Content-Type") ?? "", /^text\/plain/);
  const lines = (await text.text()).trimEnd().split("\n");
  // What the memory holds; the clock of this test has written none to the disk.
  assert.equal(lines.length, 5000);
  assert.match(lines.at(-1) ?? "", /^20\S+Z info test: line 6999$/);
  const json = await box.fetch("/api/v1/logs/download?format=ndjson&text=line%2069");
  assert.equal(json.headers.get("Content-Type"), "application/x-ndjson");
  const parsed = (await json.text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as LogLine);
  assert.deepEqual([parsed.length, parsed[0]?.message], [100, "line 6900"]);
  await box.as("operator").refused("forbidden", "GET", "/logs/download");
  await box.refused("bad-request", "GET", "/logs/download?format=pdf");
});

test("the diagnostics come as an archive, one at a time, to admins", async (t) => {
  const { box, release } = await start(t);
  await box.as("operator").refused("forbidden", "GET", "/diagnostics");
  const head = await box.fetch("/api/v1/diagnostics", { method: "HEAD" });
  assert.equal(head.status, 200);
  const first = await box.fetch("/api/v1/diagnostics");
  await box.refused("conflict", "GET", "/diagnostics");
  release();
  const { folder, files } = untar(Buffer.from(await first.arrayBuffer()));
  assert.match(first.headers.get("Content-Disposition") ?? "", new RegExp(`"${folder.slice(0, 20)}.*\\.tar\\.gz"$`));
  assert.equal(files.get("a.txt")?.toString(), "********");
  // Whoever goes away before its end leaves it free for the next.
  const gone = new AbortController();
  await box.fetch("/api/v1/diagnostics", { signal: gone.signal });
  gone.abort();
  for (;;) {
    const next = await box.fetch("/api/v1/diagnostics");
    release();
    await next.arrayBuffer();
    if (next.status === 200) break;
  }
});
