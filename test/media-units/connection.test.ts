/** How a connection is made with a process that says hello late, or not at all. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { ConnectError, Connection } from "../../src/media/connection.ts";
import { PROTOCOL } from "../../src/media/protocol.ts";
import { ManualTimers } from "./support/manualTimers.ts";

const HELLO = { event: "hello", role: "transmit", version: "1", protocol: PROTOCOL, pid: 7, spec: null };

async function listen(context: TestContext, greeting: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-connection-"));
  const path = join(folder, "socket");
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.write(greeting);
  });
  server.listen(path);
  await once(server, "listening");
  context.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return path;
}

test("a hello that could not be read while the supervisor was held up is not missed", async (context) => {
  const path = await listen(context, `${JSON.stringify(HELLO)}\n`);
  const timers = new ManualTimers();
  const opening = Connection.open(path, timers);
  timers.stall(60_000);
  const connection = await opening;
  assert.equal(connection.hello.pid, 7);
  connection.close();
});

test("a process that says nothing is given up", async (context) => {
  const path = await listen(context, "");
  const timers = new ManualTimers();
  const opening = Connection.open(path, timers);
  timers.advance(60_000);
  await assert.rejects(opening, (error: unknown) => error instanceof ConnectError && error.reason === "silent");
});
