import assert from "node:assert/strict";
import test from "node:test";
import { Box } from "./support/box.ts";

type Json = Record<string, unknown>;

test("the OpenAPI document lists every route, and every reference in it leads somewhere", async (t) => {
  const box = await Box.start(t);
  const { document } = box;
  assert.equal(document.openapi, "3.1.0");
  assert.deepEqual((document.info as Json).version, "1.2.3");
  const listed = Object.entries(document.paths as Json).flatMap(([path, item]) =>
    Object.entries(item as Json).map(([method, operation]) => `${method} ${path} ${(operation as Json).operationId}`),
  );
  const routes = box.server.routes.map(
    ({ method, path, id }) => `${method} /api/v1${path.replaceAll(/:(\w+)/g, "{$1}")} ${id}`,
  );
  assert.deepEqual(listed.sort(), routes.sort());
  assert.equal(new Set(box.server.routes.map(({ id }) => id)).size, routes.length, "operation ids are unique");

  const schemas = (document.components as Json).schemas as Json;
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
    ([, name]) => name,
  );
  assert.ok(references.length > 30);
  const schemes = Object.keys((document.components as Json).securitySchemes as Json);
  assert.deepEqual(schemes, ["session", "token"]);
  for (const name of references) assert.ok(schemas[name ?? ""], `${name} is missing`);
  for (const name of Object.keys(schemas)) assert.ok(references.includes(name), `${name} is not used`);
  assert.doesNotMatch(JSON.stringify(document), /"\$(id|schema|defs)"/);
});

test("the document carries labels, help, units, limits and effects of the settings", async (t) => {
  const box = await Box.start(t);
  interface Schema {
    properties: Record<string, Schema>;
    required: string[];
    description: string;
  }
  const schemas = (box.document.components as Json).schemas as { Channel: Schema; ChannelInput: Schema };
  const video = schemas.ChannelInput.properties.video as Schema;
  const { bitrate, gop } = video.properties;
  assert.deepEqual(bitrate, {
    ...{ type: "integer", minimum: 100, maximum: 60000, default: 3000 },
    ...{ title: "Bitrate", "x-unit": "kbit/s", "x-effect": "live" },
  });
  assert.match(gop?.description ?? "", /key frames/);
  assert.deepEqual(schemas.ChannelInput.required, ["id", "name"], "defaults need not be given");
  assert.ok(schemas.Channel.required.includes("video"), "but are always answered");
});

test("every route answers, HEAD as GET, OPTIONS with Allow", async (t) => {
  const box = await Box.start(t);
  for (const { method, path, id } of box.server.routes) {
    const url = `/api/v1${path.replace(":id", "ch1").replace(":revision", "1")}`;
    const options = await box.fetch(url, { method: "OPTIONS" });
    assert.equal(options.status, 204, id);
    const allow = options.headers.get("Allow")?.split(", ") ?? [];
    assert.ok(allow.includes(method.toUpperCase()) && allow.includes("OPTIONS"), id);
    if (method === "get") {
      const head = await box.fetch(url, { method: "HEAD" });
      assert.equal(head.status, path.endsWith("preview.jpg") ? 404 : 200, id);
      assert.equal(await head.text(), "");
    }
  }
  assert.deepEqual(box.logged, []);
});

test("what is not in the table is 404, another method 405 with Allow", async (t) => {
  const box = await Box.start(t);
  for (const path of [
    "",
    "/",
    "/nothing",
    "/channels/",
    "/Channels",
    "/channels/ch1/preview",
    "/channels/ch1/start/now",
  ]) {
    await box.refused("not-found", "GET", path);
  }
  const cases: [method: string, path: string, allow: string][] = [
    ["DELETE", "/channels", "GET, HEAD, OPTIONS, POST"],
    ["POST", "/channels/ch1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"],
    ["GET", "/channels/ch1/start", "OPTIONS, POST"],
    ["POST", "/config", "GET, HEAD, OPTIONS, PUT"],
    ["PROPFIND", "/config", "GET, HEAD, OPTIONS, PUT"],
  ];
  for (const [method, path, allow] of cases) {
    const { headers } = await box.refused("method-not-allowed", method, path);
    assert.equal(headers.get("Allow")?.split(", ").sort().join(", "), allow);
  }
});

test("health counts the channels by state", async (t) => {
  const box = await Box.start(t);
  const { body } = await box.call("GET", "/health");
  const { uptimeSeconds, ...rest } = body as Json;
  assert.ok(Number.isInteger(uptimeSeconds));
  assert.deepEqual(rest, {
    status: "ok",
    version: "1.2.3",
    revision: 1,
    configurationProblems: 0,
    boxFaults: 0,
    channels: { stopped: 0, starting: 0, live: 1, held: 0, slate: 0, failed: 0 },
    ok: true,
    checks: [],
  });
});

test("an error of ours is 500 without internals, and the log has the rest", async (t) => {
  const box = await Box.start(t);
  box.channels.status = () => assert.fail("secret internals");
  const problem = await box.refused("internal", "GET", "/channels/ch1/status");
  assert.doesNotMatch(JSON.stringify(problem), /secret|assert|\.ts/);
  assert.equal(box.logged.length, 1);
  assert.match(box.logged[0]?.message ?? "", /^GET \/api\/v1\/channels\/ch1\/status: .*secret internals/s);
  assert.equal(box.logged[0]?.level, "error");
});
