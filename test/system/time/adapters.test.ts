import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { RunCommand } from "../../../src/system/command.ts";
import { DryTime, Timesyncd } from "../../../src/system/time/adapters.ts";
import { answered, show } from "./recordings.ts";

function bench(t: TestContext) {
  const folder = join(mkdtempSync(join(tmpdir(), "steadycast-time-")), "conf.d");
  t.after(() => rm(join(folder, ".."), { recursive: true, force: true }));
  const state = { Timezone: "Etc/UTC", NTP: "yes" };
  const orders: string[] = [];
  const refusals: Record<string, string> = {};
  const run: RunCommand = async (program, args) => {
    if (program === "busctl") return { ok: true, stdout: answered, truncated: false };
    if (args[0] === "show") return { ok: true, stdout: show(state), truncated: false };
    orders.push([program, ...args].join(" "));
    const why = refusals[args[0] ?? ""];
    if (why !== undefined) return { ok: false, code: 1, why, stdout: "", stderr: why };
    if (args[0] === "set-timezone") state.Timezone = args[1] ?? "";
    if (args[0] === "set-ntp") state.NTP = args[1] === "true" ? "yes" : "no";
    return { ok: true, stdout: "", truncated: false };
  };
  const written = () => readFile(join(folder, "50-steadycast.conf"), "utf8");
  const taken = () => orders.splice(0);
  return { adapter: new Timesyncd(run, folder), run, written, taken, refusals };
}

const settings = { zone: "Etc/UTC", ntp: true, servers: ["0.pool.ntp.org", "10.0.0.1"] };

test("only what is another one is changed, and only what must be is restarted", async (t) => {
  const { adapter, written, taken } = bench(t);
  assert.equal(await adapter.apply(settings), "");
  assert.equal(await written(), "[Time]\nNTP=0.pool.ntp.org 10.0.0.1\nFallbackNTP=\n");
  assert.deepEqual(taken(), ["systemctl try-restart systemd-timesyncd.service"]);
  assert.equal(await adapter.apply(settings), "");
  assert.deepEqual(taken(), []);
  await adapter.apply({ ...settings, zone: "Europe/Berlin" });
  assert.deepEqual(taken(), ["timedatectl set-timezone Europe/Berlin"]);
  // Switching it on or off starts or stops timesyncd: it needs no restart beside that.
  await adapter.apply({ zone: "Europe/Berlin", ntp: false, servers: [] });
  assert.deepEqual(taken(), ["timedatectl set-ntp false"]);
  assert.equal(await written(), "[Time]\nNTP=\nFallbackNTP=\n");
  await adapter.apply({ zone: "Europe/Berlin", ntp: false, servers: ["10.0.0.2"] });
  assert.deepEqual(taken(), []);
  await adapter.apply({ zone: "Europe/Berlin", ntp: true, servers: ["10.0.0.2"] });
  assert.deepEqual(taken(), ["timedatectl set-ntp true"]);
});

test("what goes wrong is told, and the rest is done", async (t) => {
  const { adapter, taken, refusals } = bench(t);
  refusals["set-timezone"] = "timedatectl: exit code 1: Failed to set time zone: Invalid or not installed time zone";
  const wrong = await adapter.apply({ ...settings, zone: "Mars/Base", ntp: false });
  assert.equal(wrong, refusals["set-timezone"]);
  assert.deepEqual(taken(), ["timedatectl set-timezone Mars/Base", "timedatectl set-ntp false"]);
});

test("the clock is set in UTC, to the second", async (t) => {
  const { adapter, taken, refusals } = bench(t);
  assert.equal(await adapter.set(new Date("2026-03-29T01:59:59.600Z")), "");
  assert.deepEqual(taken(), ["timedatectl set-time 2026-03-29 02:00:00 UTC"]);
  refusals["set-time"] = "Failed to set time: Access denied";
  assert.equal(await adapter.set(new Date(0)), "Failed to set time: Access denied");
});

test("a PC is read, and nothing is ever set on it", async (t) => {
  const { run, taken } = bench(t);
  const dry = new DryTime(run);
  assert.equal((await dry.read()).answer?.stratum, 2);
  assert.equal(await dry.apply(), "");
  assert.match(await dry.set(), /^This box is a program: the clock is that of the machine/);
  assert.deepEqual(taken(), []);
});
