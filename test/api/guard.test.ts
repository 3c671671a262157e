import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import test from "node:test";
import { ApiServer } from "../../src/api/server.ts";
import { Box } from "./support/box.ts";
import { authorization } from "./support/people.ts";

/** A request with any headers, which fetch would not allow. */
function send(url: string, method: string, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    call.on("error", reject).end();
  });
}

test("only its own names are answered, so that no foreign name can be bent to the box", async (t) => {
  const box = await Box.start(t);
  const port = new URL(box.server.url).port;
  for (const path of ["/api/v1/config", "/", "/api/v1/events"]) {
    for (const host of [
      "evil.example",
      "localhost.evil.example",
      `127.0.0.1.evil.example:${port}`,
      "steadycast.local.evil.example",
      "10.0.0.1.example",
      "steadycast..local",
      "[::2",
    ]) {
      const { status, body } = await send(box.server.url + path, "GET", { Host: host });
      assert.equal(status, 421, `${host} ${path}`);
      assert.match(body, /"type":"urn:steadycast:problem:misdirected"/);
    }
  }
  const own = [
    "localhost",
    `localhost:${port}`,
    "LOCALHOST:1",
    "127.0.0.1",
    `[::1]:${port}`,
    "10.0.0.1",
    "[fd00::2]:8443",
  ];
  for (const host of [...own, "steadycast", "Steadycast.local:80", "steadycast.local."]) {
    const headers = { Host: host, ...authorization("viewer") };
    assert.equal((await send(`${box.server.url}/api/v1/config`, "GET", headers)).status, 200, host);
  }
  const named = { network: { hostname: "head-end" }, access: { hostNames: ["Encoder.example"] } };
  assert.ok((await box.config.replace({ ...box.config.current, ...named })).ok);
  for (const [host, status] of [
    ["encoder.example:8080", 401],
    ["head-end.local", 401],
    ["steadycast.local", 421],
  ] as const) {
    assert.equal((await send(`${box.server.url}/api/v1/config`, "GET", { Host: host })).status, status, host);
  }
});

test("a page of another origin cannot change anything", async (t) => {
  const box = await Box.start(t);
  const { host } = new URL(box.server.url);
  const stop = `${box.server.url}/api/v1/channels/ch1/stop`;
  const foreign: Record<string, string>[] = [
    { Origin: "http://evil.example" },
    { Origin: "null" },
    { Origin: `https://${host}` },
    { Origin: "http://localhost:1" },
    { "Sec-Fetch-Site": "cross-site" },
    { "Sec-Fetch-Site": "same-site" },
  ];
  const session = { Cookie: "steadycast_session=admin-session", "Steadycast-Request": "1" };
  for (const who of [{}, session]) {
    for (const headers of foreign) {
      const { status, body } = await send(stop, "POST", { ...who, ...headers });
      assert.equal(status, 403, JSON.stringify(headers));
      assert.match(body, /urn:steadycast:problem:foreign-origin/);
    }
  }
  assert.equal((await send(stop, "POST", session)).status, 403, "a browser tells where it comes from");
  const own = { Cookie: session.Cookie, Origin: `http://${host}`, "Sec-Fetch-Site": "same-origin" };
  assert.equal((await send(stop, "POST", own)).status, 403, "a form cannot send the header");
  assert.equal(box.config.revision, 1);
  assert.equal((await send(stop, "POST", { ...own, "Steadycast-Request": "1" })).status, 204);
  const token = { ...authorization("admin"), Cookie: session.Cookie };
  assert.equal((await send(stop, "POST", token)).status, 204, "a token is sent by nobody but who has it");
  const read = await box.fetch("/api/v1/config", { headers: { Origin: "http://evil.example" } });
  assert.equal(read.headers.get("Access-Control-Allow-Origin"), null, "nor read it");
});

test("every answer carries the security headers", async (t) => {
  const box = await Box.start(t);
  for (const path of ["/api/v1/config", "/nothing", "/api/v1/nothing"]) {
    const { headers } = await fetch(box.server.url + path);
    assert.match(
      headers.get("Content-Security-Policy") ?? "",
      /default-src 'none'; script-src 'self'.*frame-ancestors 'none'/,
    );
    assert.equal(headers.get("X-Content-Type-Options"), "nosniff");
    assert.equal(headers.get("Cross-Origin-Resource-Policy"), "same-origin");
    assert.match(headers.get("Permissions-Policy") ?? "", /camera=\(\)/);
    assert.equal(headers.get("Strict-Transport-Security"), null, "which would be for HTTPS");
  }
});

test("it listens on the loopback address only", async (t) => {
  const box = await Box.start(t);
  const { port } = new URL(box.server.url);
  const others = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  for (const { address, family, internal } of others) {
    if (internal || family !== "IPv4") continue;
    await assert.rejects(fetch(`http://${address}:${port}/`), `it answers at ${address}`);
  }
});

test("what is not HTTP is answered with a problem and cut", async (t) => {
  const box = await Box.start(t);
  const { port } = new URL(box.server.url);
  const say = (text: string) =>
    new Promise<string>((resolve, reject) => {
      let heard = "";
      const socket = connect(Number(port), "127.0.0.1", () => socket.write(text));
      socket.setEncoding("utf8").on("data", (chunk: string) => (heard += chunk));
      socket.on("error", reject).on("close", () => resolve(heard));
    });
  assert.match(
    await say("\x16\x03\x01 hello TLS\r\n\r\n"),
    /^HTTP\/1\.1 400 Bad Request\r\n.*problem\+json.*"status":400}$/s,
  );
  assert.match(
    await say(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`),
    /^HTTP\/1\.1 431 .*"status":431}$/s,
  );
  assert.match(await say("GET / HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 400/, "without Host");
});

test("a port that is taken is told in words", async (t) => {
  const box = await Box.start(t);
  const port = Number(new URL(box.server.url).port);
  const { bus, config, channels, folder, people } = box;
  const second = new ApiServer({ port, webFolder: folder, version: "1", bus, config, channels, everybody: people });
  await assert.rejects(second.start(), {
    message: `cannot listen on 127.0.0.1, port ${port}: another program has it; choose another port`,
  });
  await second.stop();
});
