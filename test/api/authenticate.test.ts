import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";
import type { Route } from "../../src/api/route.ts";
import { ApiServer } from "../../src/api/server.ts";
import { Box } from "./support/box.ts";
import { Listener } from "./support/listener.ts";

/** Routes of every kind of access that the table of the box has not by itself. */
const routes: Route[] = [
  { id: "open", path: "/open", access: "public" as const },
  { id: "first", path: "/first", access: "setup" as const },
  { id: "account", path: "/account", access: { role: "viewer", scope: "access" } as const },
].map((route) => ({
  ...{ ...route, method: "get" as const, summary: "", problems: [], answers: { 204: { description: "" } } },
  handle: (ctx) => {
    ctx.status = 204;
  },
}));

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const cookie = (session: string) => ({ Authorization: "", Cookie: `x=1; steadycast_session=${session}; y=2` });

test("a server without access control does not start", async (t) => {
  const { bus, config, channels, folder } = await Box.start(t);
  const server = new ApiServer({ port: 0, webFolder: folder, version: "1", bus, config, channels });
  await assert.rejects(server.start(), /needs the access service/);
  assert.throws(() => server.url);
});

test("nobody gets nothing but what is public, and is not even told what there is", async (t) => {
  const box = await Box.start(t, { routes });
  const nobody = box.as("nobody");
  const cases = [
    ...["GET /config", "GET /events", "PUT /config", "DELETE /config", "POST /channels/ch1/stop", "GET /openapi.json"],
    ...["GET /nothing", "GET ", "GET /", "OPTIONS /config", "PROPFIND /nothing", "GET /first", "GET /account"],
  ];
  for (const line of cases) {
    const [method = "", path = ""] = line.split(" ");
    if (method === "OPTIONS") {
      assert.equal((await fetch(`${box.server.url}/api/v1${path}`, { method })).status, 401, line);
      continue;
    }
    const { headers } = await nobody.refused("unauthenticated", method, path);
    assert.match(headers.get("WWW-Authenticate") ?? "", /^Bearer/, line);
    assert.equal(headers.get("Allow"), null, line);
    assert.equal(headers.get("Cache-Control"), "no-store");
  }
  assert.equal((await fetch(`${box.server.url}/api/v2/anything`)).status, 401);
  assert.equal((await nobody.call("GET", "/open")).status, 204);
  assert.equal((await fetch(`${box.server.url}/api/v1/open`, { method: "OPTIONS" })).status, 204);
  assert.equal((await fetch(`${box.server.url}/api/v1/config`, { method: "HEAD" })).status, 401);
  assert.deepEqual(box.channels.orders, []);
});

test("what looks like a session or a token is none", async (t) => {
  const box = await Box.start(t, { routes });
  for (const headers of [
    bearer("sc_guess"),
    bearer(""),
    bearer("admin-session"),
    { Authorization: "Basic YWRtaW46YWRtaW4=" },
    { Authorization: "admin" },
    cookie("guess"),
    cookie(""),
    cookie("admin"),
    { Authorization: "", Cookie: "__Host-steadycast_session=admin-session" },
    { ...bearer("sc_guess"), Cookie: "steadycast_session=admin-session" },
  ]) {
    assert.equal((await box.call("GET", "/channels", undefined, headers)).status, 401, JSON.stringify(headers));
  }
  for (const headers of [bearer("viewer"), { Authorization: "bearer  viewer" }, cookie("viewer-session")]) {
    assert.equal((await box.call("GET", "/channels", undefined, headers)).status, 200, JSON.stringify(headers));
  }
});

test("each may do what their role and the token's scopes let them", async (t) => {
  const box = await Box.start(t);
  await box.as("viewer").refused("forbidden", "POST", "/channels/ch1/keyframe");
  assert.equal((await box.as("operator").call("POST", "/channels/ch1/keyframe")).status, 204);
  await box.as("operator").refused("forbidden", "PUT", "/config", box.config.current);
  const token = (scopes: ("status" | "channels")[]) => {
    box.people.add("narrow", { name: "admin", role: "admin", via: "token", id: "n", scopes });
    return bearer("narrow");
  };
  await box.refused("forbidden", "POST", "/channels/ch1/keyframe", undefined, token(["status"]));
  assert.equal((await box.call("POST", "/channels/ch1/keyframe", undefined, token(["channels"]))).status, 204);
  await box.refused("forbidden", "GET", "/channels", undefined, token(["channels"]));
  await box.refused("not-found", "GET", "/nothing", undefined, token([]));
  assert.deepEqual(box.channels.orders, ["keyframe ch1", "keyframe ch1"]);
});

test("who sets the box up can do nothing else", async (t) => {
  const box = await Box.start(t, { routes });
  box.people.add("setup-session", { name: "admin", role: "admin", via: "setup", id: "s" });
  const setup = cookie("setup-session");
  for (const path of ["/config", "/account", "/nothing", "/health"]) {
    await box.refused("forbidden", "GET", path, undefined, setup);
  }
  assert.equal((await box.call("GET", "/first", undefined, setup)).status, 204);
  assert.equal((await box.call("GET", "/open", undefined, setup)).status, 204);
  await box.refused("forbidden", "GET", "/first");
});

test("who must set up a second factor can use the account alone", async (t) => {
  const box = await Box.start(t, { routes });
  box.people.enrol("admin-session");
  const session = cookie("admin-session");
  for (const path of ["/config", "/nothing", "/health"])
    await box.refused("forbidden", "GET", path, undefined, session);
  assert.equal((await box.call("GET", "/account", undefined, session)).status, 204);
  assert.equal((await box.call("GET", "/open", undefined, session)).status, 204);
});

test("news ends with the session, and the log is for those who may read it", async (t) => {
  const box = await Box.start(t);
  const viewer = await Listener.open(t, box, "", "viewer");
  const operator = await Listener.open(t, box, "", "operator");
  box.people.add("narrow", { name: "admin", role: "admin", via: "token", id: "n", scopes: ["status"] });
  const narrow = await Listener.open(t, box, "", "narrow");
  box.bus.emit("log", { level: "info", source: "test", message: "secret" });
  box.bus.emit("config", { revision: 2 });
  for (const one of [viewer, operator, narrow]) await one.until(() => one.of("config").length > 0);
  assert.deepEqual(
    [viewer, operator, narrow].map((one) => one.of("log").length),
    [0, 1, 0],
  );
  box.people.end("operator");
  await once(operator.socket, "close");
  const beats = viewer.of("beat").length;
  await viewer.until(() => viewer.of("beat").length > beats);
});

test("one user listens eight times at most, and does not take the place of others", async (t) => {
  const box = await Box.start(t);
  await Promise.all(Array.from({ length: 8 }, () => Listener.open(t, box, "", "viewer")));
  const { headers, status } = await box.as("viewer").refused("too-many", "GET", "/events");
  assert.deepEqual([status, headers.get("Retry-After")], [429, "5"]);
  await Listener.open(t, box, "", "operator");
});
