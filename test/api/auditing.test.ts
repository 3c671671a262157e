import assert from "node:assert/strict";
import test from "node:test";
import { noteForAudit } from "../../src/api/principal.ts";
import type { Route } from "../../src/api/route.ts";
import { VirtualClock } from "../support/virtualClock.ts";
import { Box } from "./support/box.ts";

const admin = { name: "admin", role: "admin", via: "token", address: "127.0.0.1" };

test("a change is told with who, from where, what and the result; reading is not", async (t) => {
  const box = await Box.start(t);
  await box.call("GET", "/config");
  await box.call("GET", "/nothing");
  await box.call("POST", "/channels/ch1/keyframe");
  await box.refused("invalid", "PATCH", "/channels/ch1", { name: 7 });
  await box.as("viewer").refused("forbidden", "DELETE", "/channels/ch1");
  await box.as("nobody").refused("unauthenticated", "POST", "/channels/ch1/stop");
  const told = box.audited.map(({ who, what, target, result }) => [who.name, what, target, result]);
  assert.deepEqual(told, [
    ["admin", "requestKeyframe", "/api/v1/channels/ch1/keyframe", "done"],
    ["admin", "patchChannel", "/api/v1/channels/ch1", "refused"],
    ["viewer", "removeChannel", "/api/v1/channels/ch1", "refused"],
    ["", "stopChannel", "/api/v1/channels/ch1/stop", "refused"],
  ]);
  assert.deepEqual(box.audited[0]?.who, admin);
  assert.match(box.audited[1]?.detail ?? "", /\/name/);
  box.channels.keyframe = () => Promise.reject(new Error("internals"));
  await box.refused("internal", "POST", "/channels/ch1/keyframe");
  assert.deepEqual(box.audited.at(-1), {
    ...{ who: admin, what: "requestKeyframe", target: "/api/v1/channels/ch1/keyframe" },
    ...{ result: "failed", detail: "the log of the box tells more" },
  });
});

function route(id: string, more: Partial<Route>): Route {
  return {
    ...{ id, method: "post", path: `/${id}`, summary: "", problems: [], answers: { 204: { description: "" } } },
    access: { role: "viewer", scope: "status" },
    handle: (ctx) => {
      noteForAudit(ctx, { detail: "the comment", diff: [{ pointer: "/a", before: 1, after: 2 }] });
      ctx.status = 204;
    },
    ...more,
  };
}

test("routes say what is kept of them", async (t) => {
  const clock = new VirtualClock();
  const routes = [route("each", {}), route("keys", { audit: "series" }), route("plan", { audit: "nothing" })];
  const box = await Box.start(t, { clock, routes });
  for (let n = 0; n < 3; n++) for (const id of ["each", "keys", "plan"]) await box.call("POST", `/${id}`);
  await box.as("viewer").call("POST", "/keys");
  const told = () => box.audited.map(({ who, what }) => `${who.name} ${what}`);
  assert.deepEqual(told(), ["admin each", "admin keys", "admin each", "admin each", "viewer keys"]);
  assert.deepEqual(box.audited[0], {
    ...{ who: admin, what: "each", target: "/api/v1/each", result: "done" },
    ...{ detail: "the comment", diff: [{ pointer: "/a", before: 1, after: 2 }] },
  });
  await clock.advance(61_000);
  await box.call("POST", "/keys");
  assert.equal(told().at(-1), "admin keys");
});

test("refusals cannot fill the log, and do not hide what is done", async (t) => {
  const clock = new VirtualClock();
  const box = await Box.start(t, { clock });
  for (let n = 0; n < 200; n++) await box.as("viewer").call("POST", "/channels/ch1/stop");
  for (let n = 0; n < 200; n++) await box.as("nobody").call("POST", "/channels/ch1/stop");
  assert.equal(box.audited.length, 40);
  await box.call("POST", "/channels/ch1/keyframe");
  assert.equal(box.audited.at(-1)?.result, "done");
  await clock.advance(3_600_000);
  await box.as("viewer").call("POST", "/channels/ch1/stop");
  assert.equal(box.audited.length, 42);
});
