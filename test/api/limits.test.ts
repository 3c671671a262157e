import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import test, { type TestContext } from "node:test";
import { clientOf, plainAddress } from "../../src/access/addresses.ts";
import { Buckets, isLoopback, LIMITS } from "../../src/api/limits.ts";
import { VirtualClock } from "../support/virtualClock.ts";
import { Box } from "./support/box.ts";

test("a bucket gives its burst at once, then so many a second, and never more than its burst", async () => {
  const clock = new VirtualClock();
  const buckets = new Buckets({ perSecond: 2, burst: 3 }, clock);
  const take = (key: string, times: number) => Array.from({ length: times }, () => buckets.take(key));
  assert.deepEqual(take("a", 5), [0, 0, 0, 1, 1]);
  assert.deepEqual(take("b", 1), [0], "each has its own");
  await clock.advance(500);
  assert.deepEqual(take("a", 2), [0, 1]);
  await clock.advance(3_600_000);
  assert.deepEqual(take("a", 4), [0, 0, 0, 1]);
  assert.equal(new Buckets({ perSecond: 0.01, burst: 0.5 }, clock).take("x"), 50, "seconds to wait");
});

test("what buckets remember has a bound, and those who ask stay in it", () => {
  const clock = new VirtualClock();
  const buckets = new Buckets({ perSecond: 1, burst: 1 }, clock);
  for (let n = 0; n < 20_000; n++) {
    buckets.take(`guest ${n}`);
    buckets.take("greedy");
  }
  assert.ok(buckets.size <= 4096, String(buckets.size));
  assert.equal(buckets.take("greedy"), 1);
});

test("addresses are told apart by whom they stand for", () => {
  assert.equal(plainAddress("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(plainAddress("fe80::1%eth0"), "fe80::1");
  assert.equal(plainAddress(undefined), "");
  const same = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::", "2001:0DB8:1:2:3:4:5:6", "2001:db8:1:2::"];
  assert.equal(new Set(same.map(clientOf)).size, 1);
  const others = ["2001:db8:1:3::1", "::1", "fe80::1", "2001:db8::1:2:0:1", "192.0.2.1", "192.0.2.2"];
  assert.equal(new Set([...others, "2001:db8:1:2::1"].map(clientOf)).size, others.length + 1);
  for (const address of ["127.0.0.1", "127.9.9.9", "::1"]) assert.ok(isLoopback(address), address);
  for (const address of ["128.0.0.1", "10.127.0.0", "::2", "", "fe80::1"]) assert.ok(!isLoopback(address), address);
});

test("who asks too much is told when to come back, and nobody else is", async (t) => {
  const clock = new VirtualClock();
  const box = await Box.start(t, { clock, limits: {} });
  // The start of the box has read the document.
  await clock.advance(60_000);
  const statuses = async (times: number, call: () => Promise<{ status: number }>) => {
    const count = new Map<number, number>();
    for (let n = 0; n < times; n++) {
      const { status } = await call();
      count.set(status, (count.get(status) ?? 0) + 1);
    }
    return Object.fromEntries(count);
  };
  const viewer = box.as("viewer");
  assert.deepEqual(await statuses(205, () => viewer.call("GET", "/channels")), { 200: 200, 429: 5 });
  const { headers, detail } = await viewer.refused("too-many", "GET", "/channels");
  assert.equal(headers.get("Retry-After"), "1");
  assert.equal(detail, "Ask again in 1 s");
  assert.deepEqual(await statuses(65, () => box.call("POST", "/channels/ch1/keyframe")), { 204: 60, 429: 5 });
  assert.equal((await box.call("GET", "/channels")).status, 200, "reading is counted by itself");
  assert.deepEqual(await statuses(65, () => box.as("nobody").call("GET", "/channels")), { 401: 60, 429: 5 });
  const guess = () => box.call("GET", "/channels", undefined, { Authorization: `Bearer ${Math.random()}` });
  assert.deepEqual(await statuses(3, guess), { 429: 3 }, "who guesses tokens is nobody");
  assert.equal((await box.call("GET", "/channels")).status, 200, "others at the same address are served");
  assert.deepEqual(await statuses(305, () => fetch(box.server.url)), { 404: 300, 429: 5 });
  await clock.advance(1000);
  assert.equal((await viewer.call("GET", "/channels")).status, 200);
  assert.equal((await fetch(box.server.url)).status, 404);
});

/** Connections that say nothing, from another address of this machine, which stands for another machine. */
async function crowd(t: TestContext, box: Box, count: number, localAddress: string): Promise<Socket[]> {
  const { hostname, port } = new URL(box.server.url);
  const sockets = Array.from({ length: count }, () => connect({ port: Number(port), host: hostname, localAddress }));
  t.after(() => sockets.forEach((socket) => void socket.destroy()));
  await Promise.all(sockets.map((socket) => once(socket.on("error", () => undefined).resume(), "connect")));
  return sockets;
}

async function eventually(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 5000;
  while (!(await look())) {
    assert.ok(performance.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("an address has a bound of connections, this machine none but that of all", async (t) => {
  const connections = { all: 40, perAddress: 10, keptForLoopback: 5 };
  const isLoopback = (address: string) => address === "127.0.0.1";
  const box = await Box.start(t, { isLoopback, limits: { ...LIMITS, connections } });
  const open = (sockets: Socket[]) => sockets.filter(({ closed }) => !closed).length;
  const greedy = await crowd(t, box, 15, "127.0.0.2");
  await eventually("ten stay", () => open(greedy) === 10);
  const others = await Promise.all(["3", "4", "5"].map((n) => crowd(t, box, 8, `127.0.0.${n}`)));
  await eventually("all together leave room for this machine", () => open([...greedy, ...others.flat()]) <= 35);
  assert.ok(open(others.flat()) > 20, "they find room beside the greedy one");
  const mine = await crowd(t, box, 12, "127.0.0.1");
  await eventually("there are forty", () => open([...greedy, ...others.flat(), ...mine]) < 40);
  assert.ok(open(mine) >= 4, "this machine has its own places");
  for (const socket of [...greedy, ...others.flat()]) socket.destroy();
  await eventually("room comes back", async () => open(await crowd(t, box, 1, "127.0.0.6")) === 1);
  const { status } = await box.as("viewer").call("GET", "/health");
  assert.equal(status, 200);
});
