import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { LIMITS } from "../../src/api/limits.ts";
import { Box } from "./support/box.ts";

/** A raw connection, what it has heard, and its end. */
function raw(
  t: TestContext,
  box: Box,
  said: string,
): { socket: Socket; heard: () => string; closed: Promise<unknown> } {
  const { hostname, port } = new URL(box.server.url);
  let heard = "";
  const socket = connect(Number(port), hostname, () => socket.write(said));
  t.after(() => socket.destroy());
  socket.setEncoding("latin1").on("data", (text: string) => (heard += text));
  socket.on("error", () => undefined);
  return { socket, heard: () => heard, closed: once(socket, "close") };
}

/** Says a byte again and again, for as long as it is let. */
function drip(t: TestContext, socket: Socket, byte: string): void {
  const timer = setInterval(() => socket.writable && socket.write(byte), 20);
  t.after(() => clearInterval(timer));
}

const quick = { headMs: 150, requestMs: 400, answerMs: 300, lookMs: 50 };

test("who says the head of a request byte by byte is cut, and nobody waits for them", async (t) => {
  const box = await Box.start(t, { patience: quick });
  const slow = Array.from({ length: 50 }, () => raw(t, box, "GET / HTTP/1.1\r\nHost: localhost\r\n"));
  for (const { socket } of slow) drip(t, socket, "X");
  assert.equal((await box.call("GET", "/health")).status, 200);
  await Promise.all(slow.map(({ closed }) => closed));
  for (const { heard } of slow) assert.match(heard(), /^(HTTP\/1\.1 4\d\d |$)/);
  assert.deepEqual(box.logged, []);
});

test("who says a body byte by byte is cut", async (t) => {
  const box = await Box.start(t, { patience: quick });
  const head = "Authorization: Bearer admin\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n";
  const slow = raw(t, box, `PUT /api/v1/config HTTP/1.1\r\nHost: localhost\r\n${head}\r\n `);
  drip(t, slow.socket, " ");
  await slow.closed;
  assert.match(slow.heard(), /^(HTTP\/1\.1 4\d\d |$)/);
  assert.equal(box.config.revision, 1);
  assert.deepEqual(box.logged, []);
});

test("who does not take their answer is cut, and what waits for them is let go", async (t) => {
  const box = await Box.start(t, { patience: quick });
  writeFileSync(join(box.folder, "large.js"), Buffer.alloc(16 << 20, 0x20));
  const dead = raw(t, box, "GET /large.js HTTP/1.1\r\nHost: localhost\r\n\r\n");
  dead.socket.pause();
  await new Promise((resolve) => setTimeout(resolve, 4 * quick.answerMs));
  dead.socket.resume();
  await dead.closed;
  assert.ok(dead.heard().length < 16 << 20, "it was not all sent");
  const whole = await fetch(`${box.server.url}/large.js`);
  assert.equal((await whole.arrayBuffer()).byteLength, 16 << 20);
});

test("huge bodies: nobody's is read beyond 16 KiB, an admin's beyond its limit, and all together have a bound", async (t) => {
  const box = await Box.start(t, { limits: { ...LIMITS, bodies: 100_000 } });
  const json = { "Content-Type": "application/json" };
  assert.equal((await box.as("nobody").call("PUT", "/config", "x".repeat(1 << 20), json)).status, 401);
  await box.refused("unavailable", "PUT", "/config", JSON.stringify({ x: "x".repeat(200_000) }));
  await box.refused("invalid", "PUT", "/config", JSON.stringify({ x: "x".repeat(90_000) }));
  await box.refused("invalid", "PUT", "/config", JSON.stringify({ x: "x".repeat(90_000) }));
  assert.equal(box.config.revision, 1);
});

test("hundreds who connect and vanish leave nothing behind", async (t) => {
  const box = await Box.start(t);
  for (let round = 0; round < 5; round++) {
    const all = Array.from({ length: 100 }, (_, n) => {
      const text = [
        "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer viewer\r\n\r\n",
        "GET",
        "",
      ];
      return raw(t, box, text[n % 3] ?? "");
    });
    await Promise.all(all.map(({ socket }) => once(socket, "connect")));
    for (const { socket } of all) socket.resetAndDestroy();
    await Promise.all(all.map(({ closed }) => closed));
  }
  assert.equal((await box.as("viewer").call("GET", "/health")).status, 200);
  const { headers } = await fetch(`${box.server.url}/api/v1/events`, { headers: { Authorization: "Bearer viewer" } });
  assert.match(headers.get("Content-Type") ?? "", /event-stream/, "no stream of theirs is counted any more");
  assert.deepEqual(box.logged, []);
});
