import assert from "node:assert/strict";
import test from "node:test";
import { config as schema } from "../../../src/config/schema.ts";
import { configSecrets, redactor } from "../../../src/system/logs/redactor.ts";

test("a secret is taken out wherever and however it is written", () => {
  const secret = 'pass"word & süß';
  const redact = redactor(() => [secret]);
  assert.equal(redact(`x${secret}x`), "x********x");
  assert.equal(redact(JSON.stringify({ a: secret })), '{"a":"********"}');
  assert.equal(redact(`http://h/?q=${encodeURIComponent(secret)}&x=1`), "http://h/?q=********&x=1");
  assert.equal(redact(`got ${Buffer.from(secret).toString("base64")}`).includes("cGFzcyJ3b3Jk"), false);
});

test("the longest secret goes first, and characters of patterns mean themselves", () => {
  const redact = redactor(() => ["a.c+e(f", "a.c+e(f)[g]"]);
  assert.equal(redact("a.c+e(f)[g]; a.c+e(f; abc+e(f"), "********; ********; abc+e(f");
});

test("a short one goes only as a word of its own, and one of three characters not at all", () => {
  const redact = redactor(() => ["4815", "abc", "", "********"]);
  assert.equal(redact("PIN 4815, port 48151, abc"), "PIN ********, port 48151, abc");
});

test("what is secret by its form goes without being known", () => {
  const redact = redactor(() => []);
  const cases = [
    ["token sc_0123456789abcdef used", "token ******** used"],
    ["Authorization: Bearer abcdef.ghijkl-0 sent", "Authorization: Bearer ******** sent"],
    ["Authorization: Basic YWRtaW46YWRtaW4=", "Authorization: Basic ********"],
    ["__Host-steadycast_session=xyz; a=b", "__Host-steadycast_session=********; a=b"],
    ["hash $argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", "hash ********"],
    ["srt://10.0.0.1:9000?passphrase=0123456789&mode=caller", "srt://10.0.0.1:9000?passphrase=********&mode=caller"],
    ["PUT https://bob:hunter2@nas/x", "PUT https://bob:********@nas/x"],
    ["-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\nafter", "********\nafter"],
    ["-----BEGIN RSA PRIVATE KEY-----\nMIIB", "********"],
  ];
  for (const [text = "", expected = ""] of cases) assert.equal(redact(text), expected);
  const harmless = "udp://@239.1.2.3:1234 2026-01-01T00:00:00.000Z [fe80::1%eth0]:80 rtp://239.0.0.1:5000 a@b";
  assert.equal(redact(harmless), harmless);
});

test("the secrets of the configuration are those that the schema marks, as it is now", () => {
  let current = schema.parse({ version: 3, panel: { pin: "90210" }, backup: { passphrase: "correct horse" } });
  const redact = redactor(configSecrets(() => current));
  assert.equal(redact("90210 correct horse battery"), "******** ******** battery");
  current = schema.parse({ version: 3, backup: { passphrase: "battery staple" } });
  assert.equal(redact("90210 correct horse battery staple"), "90210 correct horse ********");
});
