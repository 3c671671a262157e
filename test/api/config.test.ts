import assert from "node:assert/strict";
import test from "node:test";
import { type Config, defaultConfig } from "../../src/config/schema.ts";
import { Box } from "./support/box.ts";

test("the configuration is read and replaced as a whole", async (t) => {
  const box = await Box.start(t);
  const { body, headers } = await box.call("GET", "/config");
  assert.deepEqual(body, box.config.current);
  assert.equal(headers.get("ETag"), `"${box.config.tag}"`);
  const next = { ...(body as Config), box: { name: "Rack 7" } };
  const put = await box.call("PUT", "/config", next);
  assert.deepEqual([put.status, put.body], [200, next]);
  assert.deepEqual(box.config.current, next);
  const minimal = await box.call("PUT", "/config", { version: 3 });
  assert.deepEqual(minimal.body, { ...defaultConfig(), channels: [] });
});

test("an entity tag spares a download and keeps two people from overwriting each other", async (t) => {
  const box = await Box.start(t);
  const tag = `"${box.config.tag}"`;
  assert.equal((await box.call("GET", "/config", undefined, { "If-None-Match": tag })).status, 304);
  assert.equal(
    (await box.call("PATCH", "/channels/ch1", { name: "x" }, { "If-Match": `"other", ${tag}` })).status,
    200,
  );
  assert.equal((await box.call("GET", "/config", undefined, { "If-None-Match": tag })).status, 200);
  const { current } = box.config;
  for (const match of [tag, `W/"${box.config.tag}"`, "nonsense"]) {
    const headers = { "If-Match": match };
    const problem = await box.refused("stale", "PUT", "/config", { version: 3 }, headers);
    assert.equal(problem.detail, "It is at revision 2 now; read it again and repeat the change");
    await box.refused("stale", "POST", "/channels", {}, headers);
    await box.refused("stale", "PUT", "/channels/ch1", {}, headers);
    await box.refused("stale", "PATCH", "/channels/ch1", {}, headers);
    await box.refused("stale", "DELETE", "/channels/ch1", undefined, headers);
  }
  assert.equal(box.config.current, current);
  assert.equal((await box.call("DELETE", "/channels/ch1", undefined, { "If-Match": "*" })).status, 204);
});

test("a refused configuration names every field at fault from the top of the document, and nothing has changed", async (t) => {
  const box = await Box.start(t);
  const before = [box.config.current, box.disk.contentOf("config.json")];
  const channel = { id: "a", name: "A" };
  const problem = await box.refused("invalid", "PUT", "/config", {
    version: 3,
    box: { name: "x".repeat(61) },
    channels: [channel, { ...channel, id: "b", video: { gop: 601 }, loss: { hold: 1 } }],
    more: 1,
  });
  assert.deepEqual(
    problem.errors?.map(({ pointer, detail }) => `${pointer} ${detail}`),
    [
      "/box/name must have at most 60 characters, has 61",
      "/channels/1/video/gop must be between 1 and 600 frames, is 601",
      "/channels/1/loss/hold is not a known setting",
      "/more is not a known setting",
    ],
  );
  assert.equal(problem.detail, "/box/name: must have at most 60 characters, has 61 (and 3 more)");
  const newer = await box.refused("invalid", "PUT", "/config", { version: 4 });
  assert.equal(newer.detail, "/version: must be 3, is 4");
  box.disk.failAt(1, "EROFS");
  const readOnly = await box.refused("storage", "PUT", "/config", { version: 3 });
  assert.equal(readOnly.detail, "The configuration could not be stored: the disk is read-only. Nothing has changed.");
  assert.deepEqual([box.config.current, box.disk.contentOf("config.json")], before);
});

test("what was wrong with the stored files is told", async (t) => {
  const box = await Box.start(t);
  assert.deepEqual((await box.call("GET", "/config/problems")).body, { problems: [] });
  assert.equal(((await box.call("GET", "/health")).body as { status: string }).status, "ok");
  await box.config.stop();
  box.disk.damage("config.json", new Uint8Array(100));
  await box.config.start();
  const { problems } = (await box.call("GET", "/config/problems")).body as {
    problems: { file: string; what: string }[];
  };
  assert.deepEqual(
    problems.map(({ file, what }) => `${file} ${what}`),
    ["config.json is filled with zeros"],
  );
  const { body } = await box.call("GET", "/health");
  assert.deepEqual(body, { ...(body as object), status: "degraded", configurationProblems: 1 });
});
