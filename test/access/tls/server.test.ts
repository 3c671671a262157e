/** A real HTTPS server with the box's certificate, and openssl and Node as its clients. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, createServer, get, type RequestOptions } from "node:https";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { TlsBench } from "./support.ts";

async function serve(t: TestContext) {
  const bench = await TlsBench.start();
  const { service } = bench;
  const server = createServer(service.context(), (_request, response) => response.end("hello"));
  service.onChange(() => server.setSecureContext(service.context()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { bench, service, port: (server.address() as AddressInfo).port };
}

async function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect");
  return socket;
}

/** What openssl says of a connection. */
async function sClient(port: number, ...args: string[]): Promise<{ code: number; text: string }> {
  const child = spawn("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, ...args], { stdio: "pipe" });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (part: string) => (text += part));
  child.stdin.end();
  const [code] = (await once(child, "close")) as [number];
  return { code, text };
}

test("TLS 1.2 and 1.3 work, older versions are refused", async (t) => {
  const { port } = await serve(t);
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const socket = await handshake({ port, minVersion: version, maxVersion: version });
    assert.equal(socket.getProtocol(), version);
    assert.match(socket.getCipher().name, /GCM|CHACHA20|TLS_/);
    socket.destroy();
  }
  for (const version of ["TLSv1", "TLSv1.1"] as const) {
    const old = { port, minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" } as const;
    await assert.rejects(handshake(old), { code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" });
  }
});

test("openssl agrees: versions, ciphers, and the certificate's names", async (t) => {
  const { port, service } = await serve(t);
  for (const version of ["-tls1", "-tls1_1"]) {
    const { code, text } = await sClient(port, version, "-cipher", "DEFAULT@SECLEVEL=0");
    assert.notEqual(code, 0);
    assert.match(text, /alert protocol version/);
  }
  for (const version of ["-tls1_2", "-tls1_3"]) {
    const { code, text } = await sClient(port, version);
    assert.equal(code, 0, text);
    assert.match(text, new RegExp(`New, ${version === "-tls1_2" ? "TLSv1\\.2" : "TLSv1\\.3"}, Cipher is `));
    assert.match(text, /Server public key is 256 bit/);
    assert.match(text, /self-signed certificate/);
  }
  for (const weak of ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "NULL", "aNULL"]) {
    const { code } = await sClient(port, "-tls1_2", "-cipher", `${weak}:@SECLEVEL=0`);
    assert.notEqual(code, 0, `${weak} was taken`);
  }
  // Whoever trusts the certificate itself has nothing more to complain of.
  const ca = String(service.context().cert);
  for (const servername of ["box", "box.local", "localhost"]) {
    (await handshake({ port, ca, servername, rejectUnauthorized: true })).destroy();
  }
  await assert.rejects(handshake({ port, ca, servername: "other", rejectUnauthorized: true }), {
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
  });
});

test("a change of the certificate is for new connections, and drops no old one", async (t) => {
  const { port, service } = await serve(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false, maxCachedSessions: 0 });
  t.after(() => agent.destroy());
  const call = async (options: RequestOptions = { agent }) => {
    const request = get({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
    const [response] = await once(request, "response");
    const socket = request.socket as TLSSocket;
    const { fingerprint256 } = socket.getPeerCertificate();
    response.resume();
    await once(response, "end");
    return { reused: request.reusedSocket, fingerprint: `SHA256:${fingerprint256}` };
  };
  const first = service.info()?.fingerprint;
  assert.deepEqual(await call(), { reused: false, fingerprint: first });
  await service.selfSign();
  const second = service.info()?.fingerprint;
  assert.notEqual(second, first);
  assert.deepEqual(await call(), { reused: true, fingerprint: first });
  const fresh = new Agent({ rejectUnauthorized: false, maxCachedSessions: 0 });
  assert.deepEqual(await call({ agent: fresh }), { reused: false, fingerprint: second });
});
