import assert from "node:assert/strict";
import test from "node:test";
import type { RunCommand } from "../../../src/system/command.ts";
import { takeSupervision } from "../../../src/system/watchdog/notify.ts";

const SOCKET = "/run/systemd/notify";

test("systemd is told by systemd-notify, which gets the socket, and nobody else does", async () => {
  const ran: unknown[] = [];
  const run: RunCommand = async (...call) => {
    ran.push(call);
    return { ok: true, stdout: "", truncated: false };
  };
  const env: NodeJS.ProcessEnv = { NOTIFY_SOCKET: SOCKET, WATCHDOG_USEC: "60000000", WATCHDOG_PID: "7", HOME: "/" };
  const supervision = takeSupervision(env, { pid: 7, run });
  assert.deepEqual(env, { HOME: "/" });
  assert.equal(supervision?.watchdogMs, 60_000);
  assert.equal(await supervision?.notify("READY=1", "STATUS=Up"), "");
  assert.deepEqual(ran, [["systemd-notify", ["READY=1", "STATUS=Up"], { env: { NOTIFY_SOCKET: SOCKET } }]]);
});

test("what went wrong is told", async () => {
  const run: RunCommand = async () => ({ ok: false, code: 1, why: "systemd-notify: broken", stdout: "", stderr: "" });
  const supervision = takeSupervision({ NOTIFY_SOCKET: SOCKET }, { run });
  assert.equal(await supervision?.notify("READY=1"), "systemd-notify: broken");
});

test("a watchdog that is another process's, or none, is not fed", () => {
  for (const more of [{}, { WATCHDOG_USEC: "60000000", WATCHDOG_PID: "8" }, { WATCHDOG_USEC: "often" }]) {
    assert.equal(takeSupervision({ NOTIFY_SOCKET: SOCKET, ...more }, { pid: 7 })?.watchdogMs, 0, JSON.stringify(more));
  }
});

test("off the box there is nobody to be told", () => {
  assert.equal(takeSupervision({ WATCHDOG_USEC: "60000000" }), undefined);
  assert.equal(takeSupervision({ NOTIFY_SOCKET: "" }), undefined);
});
