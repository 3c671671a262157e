import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { HealthReport } from "../../src/system/watchdog/health.ts";
import { fetchLocally } from "../support/login.ts";
import { Box } from "./support/box.ts";

const well: HealthReport = { ok: true, checks: [{ name: "api", ok: true, detail: "" }] };
const ill: HealthReport = {
  ok: false,
  checks: [
    { name: "api", ok: true, detail: "" },
    { name: "channel:ch1", ok: false, detail: "it does not transmit" },
  ],
};

async function start(t: TestContext, report: HealthReport): Promise<Box> {
  return await Box.start(t, { health: { check: async () => report } });
}

test("whoever may see the status is told how the box is in full, with 503 when it is not well", async (t) => {
  for (const [report, status] of [
    [well, 200],
    [ill, 503],
  ] as const) {
    const box = await start(t, report);
    const answer = await box.as("viewer").call("GET", "/health");
    assert.equal(answer.status, status);
    const { ok, checks, version } = answer.body as HealthReport & { version: string };
    assert.deepEqual([{ ok, checks }, version], [report, "1.2.3"]);
  }
});

test("a program on the box is told without a log-in whether it is well, and no more", async (t) => {
  const box = await start(t, ill);
  for (const headers of [{ Authorization: "" }, { Authorization: "Bearer sc_guess" }]) {
    const answer = await box.call("GET", "/health", undefined, headers);
    assert.equal(answer.status, 503);
    const checks = [
      { name: "api", ok: true },
      { name: "channel:ch1", ok: false },
    ];
    assert.deepEqual(answer.body, { ok: false, checks });
  }
  assert.equal((await (await start(t, well)).call("GET", "/health", undefined, { Authorization: "" })).status, 200);
});

test("who is known here needs the scope as anywhere", async (t) => {
  const box = await start(t, well);
  box.people.add("narrow", { name: "admin", role: "admin", via: "token", id: "n", scopes: ["channels"] });
  await box.refused("forbidden", "GET", "/health", undefined, { Authorization: "Bearer narrow" });
});

test("over the box's socket everything is told", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-health-"));
  t.after(() => rmSync(folder, { recursive: true }));
  await Box.start(t, { health: { check: async () => ill }, socket: join(folder, "api.sock") });
  const answer = await fetchLocally(folder, "/api/v1/health");
  assert.equal(answer.status, 503);
  assert.deepEqual(((await answer.json()) as HealthReport).checks, ill.checks);
});
