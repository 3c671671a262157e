import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChannelStatus } from "../../src/channels/status.ts";
import { Box, status } from "./support/box.ts";
import { Listener } from "./support/listener.ts";

test("a client gets everything first, and then what happens", async (t) => {
  const box = await Box.start(t);
  const client = await Listener.open(t, box);
  assert.match(client.head, /^HTTP\/1.1 200 OK\r\n/);
  for (const line of [/^Content-Type: text\/event-stream\r?$/im, /^Cache-Control: no-store\r?$/im]) {
    assert.match(client.head, line);
  }
  assert.deepEqual(client.news, [{ event: "snapshot", data: { revision: 1, channels: box.channels.list() } }]);
  box.bus.emit("channel", status("ch1", { state: "held" }));
  box.bus.emit("levels", { channel: "ch1", peak: [-6, -7], rms: [-20, -21] });
  box.bus.emit("log", { level: "info", source: "test", message: "two\nlines" });
  box.bus.emit("channelRemoved", { id: "ch1" });
  await box.call("PATCH", "/channels/ch1", { name: "x" });
  await client.until(() => client.of("config").length > 0);
  assert.deepEqual(client.news.slice(1), [
    { event: "channel", data: status("ch1", { state: "held" }) },
    { event: "levels", data: { channel: "ch1", peak: [-6, -7], rms: [-20, -21] } },
    { event: "log", data: { level: "info", source: "test", message: "two\nlines" } },
    { event: "channelRemoved", data: { id: "ch1" } },
    { event: "config", data: { revision: 2 } },
  ]);
});

test("a client may ask for some channels only", async (t) => {
  const box = await Box.start(t);
  for (const id of ["ch2", "ch3"]) box.channels.statuses.set(id, status(id));
  const client = await Listener.open(t, box, "?channels=ch2,ch3&channels=no");
  const [snapshot] = client.of("snapshot") as { channels: ChannelStatus[] }[];
  assert.deepEqual(
    snapshot?.channels.map(({ id }) => id),
    ["ch2", "ch3"],
  );
  for (const id of ["ch1", "ch2"]) {
    box.bus.emit("levels", { channel: id, peak: [], rms: [] });
    box.bus.emit("channel", status(id));
    box.bus.emit("channelRemoved", { id });
  }
  box.bus.emit("config", { revision: 2 });
  await client.until(() => client.of("config").length > 0);
  const about = client.news.slice(1).map(({ event, data }) => {
    const { id, channel } = data as { id?: string; channel?: string };
    return `${event} ${id ?? channel ?? ""}`.trim();
  });
  assert.deepEqual(about, ["levels ch2", "channel ch2", "channelRemoved ch2", "config"]);
});

test("a quiet box beats", async (t) => {
  const box = await Box.start(t);
  const client = await Listener.open(t, box);
  await client.until(() => client.of("beat").length > 0);
  assert.deepEqual(client.of("beat")[0], {});
});

test("a client that falls behind gets the latest of each, and costs a bounded amount", async (t) => {
  const box = await Box.start(t);
  const slow = await Listener.open(t, box);
  const quick = await Listener.open(t, box);
  slow.socket.pause();
  const name = "x".repeat(2000);
  const rounds = 20_000;
  for (let n = 1; n <= rounds; n++) {
    box.bus.emit("levels", { channel: "ch1", peak: [-n], rms: [-n] });
    box.bus.emit("channel", status("ch1", { name: `${n}${name}` }));
    box.bus.emit("log", { level: "info", source: "test", message: String(n) });
    if (n % 100 === 0) await sleep(0);
  }
  box.bus.emit("config", { revision: 9 });
  await quick.until(() => quick.of("config").length > 0, 20_000);
  slow.socket.resume();
  await slow.until(() => slow.of("config").length > 0, 20_000);
  const statuses = slow.of("channel") as ChannelStatus[];
  assert.ok(statuses.length < rounds / 2, `${statuses.length} of ${rounds} came`);
  assert.equal(statuses.at(-1)?.name, `${rounds}${name}`);
  assert.deepEqual(slow.of("levels").at(-1), { channel: "ch1", peak: [-rounds], rms: [-rounds] });
  const numbers = statuses.map((one) => Number.parseInt(one.name, 10));
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
    "in their order",
  );
  const lines = (slow.of("log") as { message: string }[]).slice(-50).map(({ message }) => Number(message));
  assert.deepEqual(
    lines,
    Array.from({ length: 50 }, (_, n) => rounds - 49 + n),
    "the last lines of the log",
  );
  box.bus.emit("config", { revision: 10 });
  await slow.until(() => slow.of("config").length > 1);
});

test("a client that takes nothing for too long is cut; others are not", async (t) => {
  const box = await Box.start(t, { stallMs: 300 });
  const dead = await Listener.open(t, box);
  const alive = await Listener.open(t, box);
  dead.socket.pause();
  const message = "x".repeat(100_000);
  for (let n = 0; n < 200; n++) {
    box.bus.emit("log", { level: "info", source: "test", message });
    await sleep(1);
  }
  const closed = once(dead.socket, "close");
  await sleep(3000);
  dead.socket.resume();
  await closed;
  box.bus.emit("config", { revision: 7 });
  await alive.until(() => alive.of("config").length > 0, 10_000);
  assert.equal(dead.of("config").length, 0);
  assert.deepEqual(
    box.logged.filter(({ source }) => source === "api"),
    [],
    "and that is no error of ours",
  );
});

test("clients that vanish in the middle of the news hurt nobody", async (t) => {
  const box = await Box.start(t);
  const alive = await Listener.open(t, box);
  for (let round = 0; round < 20; round++) {
    const clients = await Promise.all(Array.from({ length: 5 }, () => Listener.open(t, box)));
    for (const client of clients) {
      box.bus.emit("channel", status("ch1", { name: "x".repeat(20_000) }));
      if (round % 2 === 0) client.socket.resetAndDestroy();
      else client.socket.destroy();
      box.bus.emit("channel", status("ch1"));
    }
  }
  box.bus.emit("config", { revision: 7 });
  await alive.until(() => alive.of("config").length > 0, 10_000);
  assert.deepEqual(alive.of("channel").at(-1), status("ch1"));
  assert.deepEqual(box.logged, []);
});

test("there is a limit to the clients", async (t) => {
  const box = await Box.start(t);
  for (let n = 0; n < 16; n++) {
    box.people.add(`program-${n}`, { name: "admin", role: "viewer", via: "token", id: `p${n}` });
  }
  const clients = await Promise.all(
    Array.from({ length: 128 }, (_, n) => Listener.open(t, box, "", `program-${n % 16}`)),
  );
  const { headers, status: code } = await box.refused("unavailable", "GET", "/events");
  assert.deepEqual([code, headers.get("Retry-After")], [503, "5"]);
  clients[0]?.socket.destroy();
  await sleep(100);
  await Listener.open(t, box);
});

test("a server that stops ends the streams and the requests in hand", async (t) => {
  const box = await Box.start(t);
  const client = new Listener(box);
  await client.until(() => client.news.length > 0);
  const { url } = box.server;
  const begin = performance.now();
  const closed = once(client.socket, "close");
  await box.server.stop();
  await closed;
  assert.ok(performance.now() - begin < 2500);
  box.bus.emit("config", { revision: 2 });
  await assert.rejects(fetch(url));
});
