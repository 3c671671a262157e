import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { waitsInKernel } from "../../../src/system/watchdog/kernelWait.ts";
import { type ProofSources, proofs } from "../../../src/system/watchdog/proofs.ts";

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-watchdog-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What the proofs find. */
async function found(sources: Partial<ProofSources>): Promise<Record<string, string>> {
  const all = proofs({
    ...{ socket: "/nonexistent", channels: { stuck: () => [] }, config: { workingMs: 0 } },
    ...{ timeoutMs: 10_000, inKernel: () => false },
    ...sources,
  });
  const pairs = all.map(async ({ name, look }) => {
    const wrong = await Promise.resolve(look()).catch((error: Error) => error.message);
    return [name, wrong] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}

/** Listens on a socket as the API does. */
async function listen(t: TestContext, handle: RequestListener): Promise<string> {
  const socket = join(temporary(t), "api.sock");
  const server = createServer(handle).listen(socket);
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return socket;
}

test("an API that answers anything at all is alive", async (t) => {
  for (const status of [200, 429, 500]) {
    const asked: (string | undefined)[] = [];
    const socket = await listen(t, (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.writeHead(status).end("{}");
    });
    assert.deepEqual(await found({ socket }), { API: "", channels: "", store: "" });
    assert.deepEqual(asked, ["GET /api/v1/session"]);
  }
});

test("an API that is silent, breaks off or is not there is not", async (t) => {
  const silent = await listen(t, () => {});
  assert.equal((await found({ socket: silent, timeoutMs: 20 })).API, "no answer within 0.02 s");
  const broken = await listen(t, (_request, response) => {
    response.writeHead(200, { "Content-Length": "100" }).write("{", () => response.destroy());
  });
  assert.match((await found({ socket: broken })).API ?? "", /aborted|hang up/);
  assert.match((await found({})).API ?? "", /ENOENT/);
});

test("channels that are not looked after, and work of the store that does not end, are told", async () => {
  const stuck = { channels: { stuck: () => ["a", "b"] }, config: { workingMs: 91_000 } };
  const { channels, store } = await found(stuck);
  assert.equal(channels, "a, b");
  assert.equal(store, "work on the configuration takes 91 s already");
  assert.equal((await found({ config: { workingMs: 60_000 } })).store, "", "it may take its time");
});

test("what waits for a disk that hangs is not mended by a restart, but an API that does not answer may be", async () => {
  const stuck = { channels: { stuck: () => ["a"] }, config: { workingMs: 1e6 }, inKernel: () => true };
  const { API, ...rest } = await found(stuck);
  assert.deepEqual(rest, { channels: "", store: "" });
  assert.notEqual(API, "");
});

test("a thread that waits for a device is found by the state that the kernel tells", (t) => {
  const folder = temporary(t);
  const thread = (id: string, stat: string) => {
    mkdirSync(join(folder, id), { recursive: true });
    writeFileSync(join(folder, id, "stat"), stat);
  };
  thread("7", "7 (node) S 1 7 7 0 -1");
  thread("8", "8 (libuv-worker) D 2) R 1 7 7 0 -1");
  assert.equal(waitsInKernel(folder), false);
  thread("9", "9 (libuv-worker) D 1 7 7 0 -1");
  assert.equal(waitsInKernel(folder), true);
  assert.equal(typeof waitsInKernel(), "boolean", "the real one can be read");
});
