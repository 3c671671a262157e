import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { fromBytes } from "../../../src/config/backup/format.ts";
import { SEND_MS } from "../../../src/system/backup/sending.ts";
import { send } from "../../../src/system/backup/target.ts";
import { VirtualClock } from "../../support/virtualClock.ts";
import { Bench } from "./support/bench.ts";

const PASSWORD = "http-secret-word";

interface Got {
  method: string;
  url: string;
  authorization: string | undefined;
  body: Buffer;
}

/** A server that keeps what it is sent. */
async function serve(t: TestContext, answer: (response: ServerResponse, request: IncomingMessage) => void) {
  const got: Got[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = request;
    got.push({ method, url, authorization: headers.authorization, body: Buffer.concat(chunks) });
    answer(response, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const target = (url: string) => ({ type: "http" as const, url, user: "box", password: PASSWORD });
const parcel = { name: "box-2026-01-10-120000.json", bytes: new TextEncoder().encode("{}") };
const options = () => ({ clock: new VirtualClock(), signal: new AbortController().signal });

test("a backup that is made arrives at an HTTP server", async (t) => {
  const { got, url } = await serve(t, (response) => response.writeHead(201).end());
  const bench = await Bench.start("2026-01-10T12:00:00Z");
  t.after(() => bench.stop());
  await bench.set({ target: target(`${url}/folder/?key=1`) });
  const made = await bench.daily.make();
  assert.ok(made.ok);
  await bench.until(() => bench.daily.status().target?.sent !== null);
  const [put] = got;
  assert.ok(put);
  assert.deepEqual([put.method, put.url], ["PUT", `/folder/${made.backup.name}?key=1`]);
  assert.equal(put.authorization, `Basic ${Buffer.from(`box:${PASSWORD}`).toString("base64")}`);
  assert.ok(fromBytes(put.body).ok);
  assert.deepEqual(put.body, Buffer.from((await bench.daily.read(made.backup.name)) ?? []));
  assert.ok(!put.body.includes(PASSWORD));
});

test("what a server answers is told in words, and the password goes nowhere else", async (t) => {
  const other = await serve(t, (response) => response.writeHead(201).end());
  const cases: [number, RegExp][] = [
    [401, /status 401: user or password is wrong/],
    [404, /status 404: there is no such folder/],
    [507, /status 507: it has no space left/],
    [500, /status 500$/],
    [307, /status 307: it wants to send the backup elsewhere/],
  ];
  for (const [status, pattern] of cases) {
    const { url } = await serve(t, (response) => response.writeHead(status, { Location: other.url }).end("nothing"));
    const sent = await send(target(url), parcel, undefined, options());
    assert.ok(!sent.ok);
    assert.match(sent.reason, pattern);
  }
  assert.equal(other.got.length, 0);
});

test("a server that is not there, or never answers, is told; the reason holds no secret", async (t) => {
  const { url } = await serve(t, () => {});
  const gone = await send(target("http://127.0.0.1:1/x"), parcel, undefined, options());
  assert.ok(!gone.ok);
  assert.match(gone.reason, /refuses connections|connection failed/);
  const clock = new VirtualClock();
  const stuck = send(target(url), parcel, undefined, { ...options(), clock });
  await clock.advance(SEND_MS);
  const late = await stuck;
  assert.deepEqual(late, { ok: false, reason: "the server took longer than 120 s" });
  assert.ok(!JSON.stringify([gone, late]).includes(PASSWORD));
});

test("stopping ends what is being sent", async (t) => {
  let begun = false;
  const { url } = await serve(t, () => {
    begun = true;
  });
  const bench = await Bench.start("2026-01-10T12:00:00Z");
  await bench.set({ target: target(url) });
  await bench.daily.make();
  await bench.until(() => begun);
  await bench.stop();
  assert.equal(
    bench.logged.some((line) => line.startsWith("warning")),
    false,
  );
});
