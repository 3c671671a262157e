import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { once } from "node:events";
import test, { after, type TestContext } from "node:test";
import { connect } from "node:tls";
import type { TlsInfo } from "../../src/access/tls/service.ts";
import { tlsRoutes } from "../../src/api/routes/tls.ts";
import { Authority, ecKey, pem, TlsBench } from "../access/tls/support.ts";
import { Box } from "./support/box.ts";

const authority = new Authority("Example Root");
after(() => authority.remove());

async function start(t: TestContext) {
  const bench = await TlsBench.start();
  const box = await Box.start(t, { routes: tlsRoutes(bench.service) });
  return { bench, box, info: async () => (await box.call("GET", "/tls")).body as TlsInfo };
}

test("an own certificate is shown, kept in the audit log by its fingerprint, and its key never told", async (t) => {
  const { box, info } = await start(t);
  const before = await info();
  assert.equal(before.origin, "self-signed");
  const key = pem(ecKey());
  const certificate = authority.sign(createPrivateKey(key));
  const answer = await box.call("PUT", "/tls", { certificate, key });
  assert.equal(answer.status, 200);
  const shown = await info();
  assert.deepEqual(answer.body, shown);
  assert.equal(shown.origin, "uploaded");
  assert.deepEqual(box.audited[0]?.diff, [
    { pointer: "/fingerprint", before: before.fingerprint, after: shown.fingerprint },
  ]);
  assert.doesNotMatch(JSON.stringify([shown, box.audited, box.logged]), /PRIVATE|BEGIN/);
  const back = await box.call("POST", "/tls/self-signed");
  assert.equal((back.body as TlsInfo).origin, "self-signed");
});

test("what cannot be used is refused at its field, without repeating the key", async (t) => {
  const { box, info } = await start(t);
  const before = await info();
  const key = pem(ecKey());
  const other = await box.refused("invalid", "PUT", "/tls", { certificate: authority.sign(ecKey()), key });
  assert.deepEqual(other.errors, [{ pointer: "/key", detail: "does not belong to the certificate" }]);
  for (const [body, pointer] of [
    [{}, "/certificate"],
    [{ certificate: "x" }, "/certificate"],
    [{ certificate: authority.certificate, key: 7 }, "/key"],
    [{ certificate: authority.certificate, key: "x".repeat(70_000) }, "/key"],
    [{ certificate: authority.certificate, key, more: 1 }, "/more"],
  ] as const) {
    const problem = await box.refused("invalid", "PUT", "/tls", body);
    assert.equal(problem.errors?.[0]?.pointer, pointer);
    assert.doesNotMatch(JSON.stringify(problem), /PRIVATE|xxx/);
  }
  assert.deepEqual(await info(), before);
});

test("a signing request, and the certificate for it without a key", async (t) => {
  const { box, info } = await start(t);
  const request = await box.call("POST", "/tls/csr", { commonName: "box.example.com", names: ["192.0.2.1"] });
  assert.match(String(request.body), /^-----BEGIN CERTIFICATE REQUEST-----\n/);
  assert.equal((await info()).pending, true);
  assert.equal(box.audited[0]?.detail, "for box.example.com, 192.0.2.1");
  const certificate = authority.sign(String(request.body));
  const answer = await box.call("PUT", "/tls", { certificate });
  assert.deepEqual([answer.status, (answer.body as TlsInfo).pending], [200, false]);
  for (const [body, pointer] of [
    [{ commonName: "a/CN=b" }, "/commonName"],
    [{ commonName: "x".repeat(65) }, "/commonName"],
    [{ commonName: "box", names: ["a,DNS:b"] }, "/names/0"],
    [{ commonName: "box", names: Array(41).fill("a") }, "/names"],
  ] as const) {
    const problem = await box.refused("invalid", "POST", "/tls/csr", body);
    assert.equal(problem.errors?.[0]?.pointer, pointer);
  }
});

test("the API's own server shows another certificate from the next connection on", async (t) => {
  const bench = await TlsBench.start();
  const box = await Box.start(t, { https: { port: 0, tls: bench.service }, routes: tlsRoutes(bench.service) });
  const port = Number(new URL(box.server.secureUrl ?? "").port);
  const shown = async () => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return `SHA256:${fingerprint256}`;
  };
  const before = await shown();
  assert.equal(before, bench.service.info()?.fingerprint);
  await box.call("POST", "/tls/self-signed");
  assert.notEqual(await shown(), before);
  assert.equal(await shown(), bench.service.info()?.fingerprint);
});

test("without openssl it says so", async (t) => {
  const bench = await TlsBench.start(undefined, { run: async () => ({ ok: false, why: "there is no such program" }) });
  const box = await Box.start(t, { routes: tlsRoutes(bench.service) });
  for (const [method, path, body] of [
    ["GET", "/tls", undefined],
    ["POST", "/tls/self-signed", undefined],
    ["POST", "/tls/csr", { commonName: "box" }],
  ] as const) {
    await box.refused("unavailable", method, path, body);
  }
});

test("only admins see it", async (t) => {
  const { box } = await start(t);
  await box.as("operator").refused("forbidden", "GET", "/tls");
  await box.as("operator").refused("forbidden", "POST", "/tls/self-signed");
  await box.as("nobody").refused("unauthenticated", "PUT", "/tls", {});
});
