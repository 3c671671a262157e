import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { AuditPage } from "../../src/access/audit/log.ts";
import { auditRoutes } from "../../src/api/routes/audit.ts";
import { Bench, event } from "../access/audit/support.ts";
import { Box } from "./support/box.ts";

async function start(t: TestContext, records = 0) {
  const bench = await Bench.start();
  for (let n = 1; n <= records; n++) bench.log.record(event(n));
  const box = await Box.start(t, { routes: auditRoutes(bench.log), audit: bench.log });
  return { bench, box, list: async (query: string) => (await box.call("GET", `/audit${query}`)).body as AuditPage };
}

test("what is changed by the API is in the log, with who, from where and what came of it", async (t) => {
  const { box, list } = await start(t);
  await box.as("operator").call("POST", "/channels/ch1/stop");
  await box.as("viewer").refused("forbidden", "POST", "/channels/ch1/start");
  const { records, next } = await list("");
  assert.equal(next, null);
  assert.deepEqual(
    records.map(({ seq, what, target, result, who }) => [seq, what, target, result, who.role, who.address]),
    [
      [2, "startChannel", "/api/v1/channels/ch1/start", "refused", "viewer", "127.0.0.1"],
      [1, "stopChannel", "/api/v1/channels/ch1/stop", "done", "operator", "127.0.0.1"],
    ],
  );
});

test("pages and searches", async (t) => {
  const { list } = await start(t, 120);
  const first = await list("");
  assert.deepEqual([first.records.length, first.records[0]?.seq, first.next], [50, 120, 71]);
  const second = await list(`?before=${first.next}&limit=200`);
  assert.deepEqual([second.records.length, second.records[0]?.seq, second.next], [70, 70, null]);
  assert.equal((await list("?who=anna&limit=200")).records.length, 40);
  assert.deepEqual(
    (await list("?what=channels/ch119")).records.map(({ seq }) => seq),
    [119],
  );
});

test("parameters that cannot be", async (t) => {
  const { box } = await start(t, 3);
  for (const query of [
    ...["limit=0", "limit=201", "limit=x", "limit=-1", "limit=1.5", "before=0", "before=99999999999999999", "before="],
    ...["limit=1&limit=2", "who=a&who=b", `who=${"x".repeat(101)}`],
  ]) {
    await box.refused("bad-request", "GET", `/audit?${query}`);
  }
});

test("the export is the log as it is stored, to keep", async (t) => {
  const { box, bench } = await start(t, 30);
  const response = await box.fetch("/api/v1/audit/export");
  assert.equal(response.headers.get("Content-Type"), "application/x-ndjson");
  assert.match(response.headers.get("Content-Disposition") ?? "", /^attachment; filename="audit\.jsonl"$/);
  assert.equal(await response.text(), bench.text("audit-000000000001.jsonl"));
});

test("the check tells of an edit", async (t) => {
  const { box, bench } = await start(t, 5);
  const { body } = await box.call("GET", "/audit/check");
  assert.deepEqual(body, {
    ...{ ok: true, records: 5, first: 1, last: 5, breaks: [] },
    text: "All 5 records are as they were written.",
  });
  const name = "audit-000000000001.jsonl";
  bench.disk.damage(name, Buffer.from(bench.text(name).replace("anna", "bert")));
  const after = (await box.call("GET", "/audit/check")).body;
  assert.deepEqual((after as { breaks: unknown }).breaks, [{ segment: name, line: 3, what: "was changed" }]);
  await bench.log.stop();
  await box.refused("unavailable", "GET", "/audit/check");
});

test("only admins see it", async (t) => {
  const { box } = await start(t, 1);
  for (const path of ["/audit", "/audit/export", "/audit/check"]) {
    await box.as("operator").refused("forbidden", "GET", path);
    await box.as("nobody").refused("unauthenticated", "GET", path);
  }
});
