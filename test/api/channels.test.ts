import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { ChannelConfig } from "../../src/config/schema.ts";
import { Box, status } from "./support/box.ts";

const second = { id: "ch2", name: "Second", outputs: [{ type: "udp", id: "a", address: "239.255.5.2", port: 1234 }] };

/** What a refused request must leave as it was. */
const state = ({ config, disk, channels }: Box) => ({
  tag: config.tag,
  config: config.current,
  stored: disk.contentOf("config.json"),
  orders: [...channels.orders],
});

test("channels are added, read, replaced, patched and removed", async (t) => {
  const box = await Box.start(t);
  const added = await box.call("POST", "/channels", second);
  assert.equal(added.status, 201);
  assert.equal(added.headers.get("Location"), "/api/v1/channels/ch2");
  const channel = added.body as ChannelConfig;
  assert.equal(channel.video.bitrate, 3000, "with its defaults");

  const read = await box.call("GET", "/channels/ch2");
  assert.deepEqual([read.status, read.body], [200, channel]);
  assert.equal(read.headers.get("ETag"), added.headers.get("ETag"));

  const replaced = await box.call("PUT", "/channels/ch2", { ...second, name: "Zwei" });
  assert.deepEqual([replaced.status, replaced.body], [200, { ...channel, name: "Zwei" }]);

  const patched = await box.call("PATCH", "/channels/ch2", { video: { bitrate: 2000, gop: 50 }, name: "Deux" });
  assert.equal(patched.status, 200);
  assert.deepEqual((patched.body as ChannelConfig).video, { ...channel.video, bitrate: 2000, gop: 50 });
  const back = await box.call(
    "PATCH",
    "/channels/ch2",
    { video: { gop: null } },
    { "Content-Type": "application/json" },
  );
  assert.equal((back.body as ChannelConfig).video.gop, 25, "null brings the default back");

  const list = await box.call("GET", "/channels");
  assert.deepEqual(
    (list.body as ChannelConfig[]).map(({ id, name }) => [id, name]),
    [
      ["ch1", "Channel 1"],
      ["ch2", "Deux"],
    ],
  );
  assert.equal((await box.call("DELETE", "/channels/ch2")).status, 204);
  await box.refused("not-found", "GET", "/channels/ch2");
  assert.equal(box.config.revision, 6);
});

test("start and stop set what is kept; restart and keyframe are orders", async (t) => {
  const box = await Box.start(t);
  assert.equal((await box.call("POST", "/channels/ch1/stop")).status, 204);
  assert.equal(box.config.channel("ch1")?.enabled, false);
  assert.equal((await box.call("POST", "/channels/ch1/stop")).status, 204);
  assert.equal(box.config.revision, 2, "the second stop changes nothing");
  assert.equal((await box.call("POST", "/channels/ch1/start")).status, 204);
  assert.equal(box.config.channel("ch1")?.enabled, true);
  assert.equal((await box.call("POST", "/channels/ch1/restart")).status, 204);
  assert.equal((await box.call("POST", "/channels/ch1/keyframe")).status, 204);
  assert.deepEqual(box.channels.orders, ["restart ch1", "keyframe ch1"]);

  box.channels.result = "not-running";
  const { detail } = await box.refused("conflict", "POST", "/channels/ch1/keyframe");
  assert.equal(detail, 'Channel "ch1" is not running; start it first');
  box.channels.result = "busy";
  await box.refused("conflict", "POST", "/channels/ch1/restart");
  box.channels.result = "unknown-channel";
  await box.refused("not-found", "POST", "/channels/ch1/restart");
});

test("status is what the channels tell", async (t) => {
  const box = await Box.start(t);
  const told = status("ch1", {
    state: "slate",
    faults: [{ id: "source-lost", severity: "warning", message: "No signal", since: "2026-01-01T00:00:00.000Z" }],
  });
  box.channels.statuses.set("ch1", told);
  assert.deepEqual((await box.call("GET", "/channels/ch1/status")).body, told);
  box.channels.statuses.clear();
  const { headers } = await box.refused("unavailable", "GET", "/channels/ch1/status");
  assert.equal(headers.get("Retry-After"), "1");
});

test("the preview is never kept by caches, tells its age, and need not be sent twice", async (t) => {
  const box = await Box.start(t);
  const { detail } = await box.refused("not-found", "GET", "/channels/ch1/preview.jpg");
  assert.equal(detail, 'Channel "ch1" has no preview at the moment');
  box.channels.preview = join(box.folder, "preview.jpg");
  await box.refused("not-found", "GET", "/channels/ch1/preview.jpg");
  writeFileSync(box.channels.preview, "picture");
  const { status, headers, body } = await box.call("GET", "/channels/ch1/preview.jpg");
  assert.deepEqual([status, body, headers.get("Content-Type")], [200, "picture", "image/jpeg"]);
  assert.equal(headers.get("Cache-Control"), "no-store");
  assert.ok(Math.abs(Date.parse(headers.get("Last-Modified") ?? "") - Date.now()) < 5000);
  const condition = { "If-None-Match": headers.get("ETag") ?? "" };
  assert.equal((await box.call("GET", "/channels/ch1/preview.jpg", undefined, condition)).status, 304);
});

test("a refused channel names field, limit and value, and nothing has changed", async (t) => {
  const box = await Box.start(t);
  await box.call("POST", "/channels", second);
  const before = state(box);
  const refusals: [method: string, path: string, body: unknown, pointer: string, detail: string][] = [
    [
      "PATCH",
      "/channels/ch1",
      { video: { bitrate: 9 } },
      "/video/bitrate",
      "must be between 100 and 60000 kbit/s, is 9",
    ],
    ["PUT", "/channels/ch1", { id: "ch1" }, "/name", "is required"],
    ["PUT", "/channels/ch1", { id: "ch9", name: "x" }, "/id", 'must be "ch1", is "ch9": a channel keeps its id'],
    ["PUT", "/channels/ch1", [], "", "must be an object, is a list"],
    ["PATCH", "/channels/ch1", [1], "", "must be an object, is a list"],
    ["PATCH", "/channels/ch1", { colour: "red" }, "/colour", "is not a known setting"],
    ["PATCH", "/channels/ch1", '{"__proto__":{"enabled":false}}', "/__proto__", "is not a known setting"],
    [
      "PATCH",
      "/channels/ch1",
      { outputs: second.outputs },
      "/outputs/0/address",
      '239.255.5.2:1234 is used by channel "ch2" already',
    ],
    ["POST", "/channels", { ...second, outputs: [] }, "/id", 'channel id "ch2" is used twice'],
    ["POST", "/channels", null, "", "must be an object, is null"],
    [
      "POST",
      "/channels",
      { ...second, id: "../x" },
      "/id",
      'must be lower-case letters, digits and hyphens, is "../x"',
    ],
  ];
  for (const [method, path, body, pointer, detail] of refusals) {
    const problem = await box.refused("invalid", method, path, body);
    const found = problem.errors?.find((error) => error.pointer === pointer);
    assert.equal(found?.detail, detail, JSON.stringify(problem));
    assert.equal(problem.detail.startsWith(problem.errors?.[0]?.pointer || "The document"), true);
  }
  const [bitrate] = (await box.refused("invalid", "PATCH", "/channels/ch1", { video: { bitrate: 9 } })).errors ?? [];
  assert.deepEqual(bitrate?.limit, { type: "integer", minimum: 100, maximum: 60000, unit: "kbit/s" });
  assert.equal(bitrate?.value, 9);
  assert.deepEqual(state(box), before);
});

test("requests that are none of ours are refused, and nothing has changed", async (t) => {
  const box = await Box.start(t);
  const before = state(box);
  for (const path of ["/channels/no", "/channels/%2e%2e", "/channels/%ff", `/channels/${"x".repeat(3000)}`]) {
    await box.refused("not-found", "GET", path);
    await box.refused("not-found", "DELETE", path);
    await box.refused("not-found", "PUT", path, { name: "x" });
    await box.refused("not-found", "PATCH", path, {});
    for (const order of ["start", "stop", "restart", "keyframe"])
      await box.refused("not-found", "POST", `${path}/${order}`);
    for (const part of ["status", "preview.jpg"]) await box.refused("not-found", "GET", `${path}/${part}`);
  }
  await box.refused("bad-request", "PATCH", "/channels/ch1", "");
  await box.refused("bad-request", "PATCH", "/channels/ch1", '{"name":');
  await box.refused("bad-request", "PATCH", "/channels/ch1", "[".repeat(1000));
  const type = await box.refused("media-type", "PATCH", "/channels/ch1", "{}", { "Content-Type": "text/plain" });
  assert.equal(type.detail, "Content-Type must be application/merge-patch+json or application/json, is text/plain");
  await box.refused("media-type", "POST", "/channels", "{}", { "Content-Encoding": "gzip" });
  const large = await box.refused("too-large", "POST", "/channels", JSON.stringify({ name: "x".repeat(1 << 20) }));
  assert.equal(large.detail, "The body must have at most 1048576 bytes");
  assert.deepEqual(state(box), before);
});

test("a body that is not text, too long without saying so, or broken off is refused", async (t) => {
  const box = await Box.start(t);
  const headers = { "Content-Type": "application/json" };
  const post = async (body: BodyInit) => {
    const init = { method: "POST", headers, body, duplex: "half" } as RequestInit;
    const response = await box.fetch("/api/v1/channels", init);
    return [response.status, ((await response.json()) as { detail: string }).detail];
  };
  assert.deepEqual(await post(Uint8Array.of(0x22, 0xff, 0x22)), [400, "The body is not UTF-8 text"]);
  const spaces = (megabytes: number) =>
    new ReadableStream({
      pull: (controller) => {
        if (megabytes-- > 0) controller.enqueue(new Uint8Array(1 << 20).fill(0x20));
        else controller.close();
      },
    });
  assert.deepEqual(await post(spaces(3)), [413, "The body must have at most 1048576 bytes"]);
  const endless = await post(spaces(Number.POSITIVE_INFINITY)).catch(() => [413]);
  assert.equal(endless[0], 413, "or cut off");
  const broken = new ReadableStream({
    pull: (controller) => {
      controller.enqueue(new TextEncoder().encode("{"));
      controller.error(new Error("broken off"));
    },
  });
  await assert.rejects(post(broken));
  assert.equal((await box.call("GET", "/health")).status, 200);
  assert.deepEqual(box.logged, [], "none of that is an error of ours");
});

test("a change that cannot be stored is 507, nothing has changed, and it works again later", async (t) => {
  const box = await Box.start(t);
  const before = state(box);
  const requests: [method: string, path: string, body?: unknown][] = [
    ["POST", "/channels", second],
    ["PUT", "/channels/ch1", { name: "x" }],
    ["PATCH", "/channels/ch1", { name: "x" }],
    ["DELETE", "/channels/ch1"],
    ["POST", "/channels/ch1/stop"],
  ];
  for (const [method, path, body] of requests) {
    box.disk.failAt(2, "ENOSPC");
    const problem = await box.refused("storage", method, path, body);
    assert.equal(problem.status, 507);
    assert.equal(problem.detail, "The configuration could not be stored: the disk is full. Nothing has changed.");
  }
  assert.deepEqual(state(box), before);
  assert.equal(box.logged.length, requests.length);
  assert.equal((await box.call("PATCH", "/channels/ch1", { name: "x" })).status, 200);
});
