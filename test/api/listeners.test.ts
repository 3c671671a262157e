import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { connect as connectTls, type SecureContextOptions, type TLSSocket } from "node:tls";
import type { TlsSource } from "../../src/api/listeners.ts";
import { fetchLocally } from "../support/login.ts";
import { Box } from "./support/box.ts";

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-listen-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function certificate(folder: string, name: string): SecureContextOptions {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const args = ["req", "-x509", ...curve, "-nodes", "-days", "2", "-subj", `/CN=${name}`, "-keyout", key, "-out", cert];
  execFileSync("openssl", args, { stdio: "ignore" });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

class Certificates implements TlsSource {
  #current: SecureContextOptions;
  #listeners = new Set<() => void>();

  constructor(first: SecureContextOptions) {
    this.#current = first;
  }

  context = () => this.#current;

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  replace(next: SecureContextOptions): void {
    this.#current = next;
    for (const listener of this.#listeners) listener();
  }

  get listeners(): number {
    return this.#listeners.size;
  }
}

interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  issuedTo: unknown;
}

function ask(url: string, headers: Record<string, string> = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const call = request(url, { headers, agent: false, rejectUnauthorized: false }, (answer) => {
      const issuedTo = (answer.socket as TLSSocket).getPeerCertificate().subject?.CN;
      answer.resume().on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, issuedTo }));
    });
    call.on("error", reject).end();
  });
}

test("HTTPS serves the same with a certificate that can be replaced at any time", async (t) => {
  const folder = temporary(t);
  const tls = new Certificates(certificate(folder, "first"));
  const box = await Box.start(t, { https: { port: 0, tls } });
  const url = box.server.secureUrl ?? "";
  assert.match(url, /^https:\/\/127\.0\.0\.1:\d+$/);
  const channels = `${url}/api/v1/channels`;
  const first = await ask(channels, { Authorization: "Bearer viewer" });
  assert.deepEqual([first.status, first.issuedTo], [200, "first"]);
  assert.match(String(first.headers["strict-transport-security"]), /^max-age=\d{7,}$/);
  const local = await ask(channels, { Host: "localhost", Authorization: "Bearer viewer" });
  assert.deepEqual([local.status, local.headers["strict-transport-security"]], [200, undefined]);
  assert.equal((await ask(channels, { Host: "evil.example" })).status, 421);
  const cookies = { "__Host-steadycast_session=viewer-session": 200, "steadycast_session=viewer-session": 401 };
  for (const [Cookie, status] of Object.entries(cookies))
    assert.equal((await ask(channels, { Cookie })).status, status);
  tls.replace(certificate(folder, "second"));
  assert.equal((await ask(channels)).issuedTo, "second");
  await box.server.stop();
  assert.equal(tls.listeners, 0);
});

test("HTTPS does not speak TLS 1.1, nor HTTP", async (t) => {
  const tls = new Certificates(certificate(temporary(t), "box"));
  const box = await Box.start(t, { https: { port: 0, tls } });
  const { port } = new URL(box.server.secureUrl ?? "");
  const shake = (maxVersion: "TLSv1.1" | "TLSv1.2") =>
    new Promise<string | null>((resolve, reject) => {
      const options = { port: Number(port), rejectUnauthorized: false, maxVersion, minVersion: "TLSv1" as const };
      const socket = connectTls({ ...options, ciphers: "DEFAULT@SECLEVEL=0" }, () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
      socket.on("error", reject);
    });
  assert.equal(await shake("TLSv1.2"), "TLSv1.2");
  await assert.rejects(shake("TLSv1.1"));
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
  assert.deepEqual(box.logged, []);
});

test("by HTTP other machines are sent to HTTPS, with all of their request", async (t) => {
  const tls = new Certificates(certificate(temporary(t), "box"));
  let own = true;
  const isLoopback = () => own;
  const box = await Box.start(t, { https: { port: 0, tls }, isLoopback });
  const bare = await Box.start(t, { isLoopback });
  own = false;
  const { port } = new URL(box.server.secureUrl ?? "");
  for (const [method, path] of [
    ["GET", "/"],
    ["POST", "/api/v1/session?x=1"],
  ] as const) {
    const answer = await fetch(`${box.server.url}${path}`, { method, redirect: "manual" });
    assert.deepEqual([answer.status, answer.headers.get("Location")], [308, `https://127.0.0.1:${port}${path}`]);
  }
  await bare.refused("forbidden", "GET", "/health");
  const health = `${box.server.secureUrl}/api/v1/health`;
  assert.equal((await ask(health, { Authorization: "Bearer viewer" })).status, 200);
  assert.equal((await ask(health)).status, 401);
});

test("programs on the box are admins over its socket, which nobody else may open", async (t) => {
  const folder = temporary(t);
  const socket = join(folder, "api.sock");
  // As a supervisor leaves it that was killed.
  writeFileSync(socket, "");
  const box = await Box.start(t, { socket });
  assert.equal(statSync(socket).mode & 0o777, 0o660);
  const order = await fetchLocally(folder, "/api/v1/channels/ch1/keyframe", { method: "POST" });
  assert.equal(order.status, 204, await order.text());
  assert.equal((await fetchLocally(folder, "/api/v1/config", { headers: { host: "anything at all" } })).status, 200);
  assert.deepEqual(box.audited, [
    {
      who: { name: "local", role: "admin", via: "local", address: "" },
      what: "requestKeyframe",
      target: "/api/v1/channels/ch1/keyframe",
      result: "done",
    },
  ]);
  await box.server.stop();
  assert.ok(!existsSync(socket));
});

test("when a port is taken, nothing listens", async (t) => {
  const folder = temporary(t);
  const socket = join(folder, "api.sock");
  const tls = new Certificates(certificate(folder, "box"));
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  t.after(() => other.close());
  const { port } = other.address() as { port: number };
  const box = new Box({ https: { port, tls }, socket });
  t.after(() => rmSync(box.folder, { recursive: true }));
  await assert.rejects(box.server.start(), new RegExp(`cannot listen on 127.0.0.1, port ${port}: another program`));
  assert.ok(!existsSync(socket));
  assert.throws(() => box.server.url);
});
