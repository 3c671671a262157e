import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { TlsBackupPart } from "../../../src/access/tls/backupPart.ts";
import { ownNames } from "../../../src/access/tls/issue.ts";
import { files } from "../../../src/config/files.ts";
import { commandRunner } from "../../../src/system/command.ts";
import { Random } from "../../support/random.ts";
import { Authority, ecKey, edKey, openssl, pem, rsaKey, TlsBench } from "./support.ts";

const DAY_MS = 86_400_000;
const root = new Authority("Example Root");
const middle = new Authority("Example Middle", root);
after(() => {
  root.remove();
  middle.remove();
});

const certificateOf = (bench: TlsBench) => String(bench.service.context().cert ?? "");

test("at the first start the box makes itself a certificate that browsers can be told to trust", async () => {
  const bench = await TlsBench.start();
  const info = bench.service.info();
  assert.ok(info !== undefined);
  assert.deepEqual(
    [info.origin, info.selfSigned, info.subject, info.issuer, info.key, info.chain, info.pending, info.valid],
    ["self-signed", true, "CN=box", "CN=box", "EC P-256", 1, false, true],
  );
  assert.deepEqual(info.names, ["box", "box.local", "localhost", "127.0.0.1", "2001:DB8:0:0:0:0:0:7"]);
  assert.deepEqual(info.missing, []);
  assert.match(info.fingerprint, /^SHA256:([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  const days = (Date.parse(info.to) - Date.parse(info.from)) / DAY_MS;
  assert.ok(days <= 825 && days > 800, `${days} days`);
  const certificate = new X509Certificate(certificateOf(bench));
  assert.equal(certificate.ca, false);
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"], "for servers");
  assert.deepEqual(bench.logged, []);
});

test("the next start finds the same certificate", async () => {
  const first = await TlsBench.start();
  const second = await TlsBench.start(first.disk);
  assert.deepEqual(second.service.context(), first.service.context());
  assert.deepEqual(second.logged, []);
});

test("on a real disk only its owner can read it, and no key lies about", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-tls-"));
  t.after(() => rmSync(folder, { recursive: true }));
  await TlsBench.start(undefined, { folder, files });
  const names = readdirSync(folder).sort();
  assert.deepEqual(names, ["tls.json", "tls.last-good.json"]);
  for (const name of names) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
});

test("the system's own names are used when none are given", async () => {
  const own = await TlsBench.start(undefined, { names: ownNames });
  assert.ok(own.service.info()?.names.includes("localhost"));
  assert.ok(own.service.info()?.names.includes("127.0.0.1"));
});

test("a self-signed certificate is renewed before its end with the same key, and when the clock was wrong", async () => {
  const bench = await TlsBench.start();
  const told: string[] = [];
  bench.service.onChange(() => told.push(certificateOf(bench)));
  const first = certificateOf(bench);
  bench.later = 700 * DAY_MS;
  await bench.clock.advance(3_600_000);
  await bench.service.stop();
  assert.deepEqual(told, [], "there is time yet");
  const later = await TlsBench.start(bench.disk, { now: () => new Date(Date.now() + 795 * DAY_MS) });
  const key = (text: string) => createPublicKey(text).export({ type: "spki", format: "pem" });
  assert.notEqual(certificateOf(later), first);
  assert.equal(key(certificateOf(later)), key(first));
  const back = await TlsBench.start(bench.disk, { now: () => new Date(Date.now() - 30 * DAY_MS) });
  assert.notEqual(certificateOf(back), certificateOf(later));
});

test("on order there is a new key and the names of today", async () => {
  const bench = await TlsBench.start();
  const before = bench.service.context();
  bench.names = ["studio", "198.51.100.9", "not a name; rm -rf /", "a,DNS:evil.example"];
  assert.deepEqual(bench.service.info()?.missing, ["studio", "198.51.100.9"]);
  await bench.service.selfSign();
  assert.notEqual(bench.service.context().key, before.key);
  assert.deepEqual(bench.service.info()?.names, ["studio", "198.51.100.9"]);
  assert.deepEqual(bench.service.info()?.missing, []);
});

for (const [kind, make] of [
  ["EC P-256", ecKey],
  ["RSA 2048", () => rsaKey(2048)],
  ["Ed25519", edKey],
] as const) {
  test(`an uploaded chain with a key (${kind}) is used, and survives a restart`, async () => {
    const bench = await TlsBench.start();
    let changes = 0;
    bench.service.onChange(() => changes++);
    const key = make();
    const certificate = `Bag Attributes\n  friendlyName: box\n${middle.sign(key)}\n${middle.certificate}`;
    assert.deepEqual(await bench.service.upload({ certificate, key: pem(key) }), { ok: true });
    assert.equal(changes, 1);
    const info = bench.service.info();
    assert.deepEqual(
      [info?.origin, info?.selfSigned, info?.key, info?.chain, info?.names],
      ["uploaded", false, kind, 2, ["box"]],
    );
    assert.match(info?.issuer ?? "", /CN=Example Middle/);
    assert.deepEqual(info?.missing, bench.names.slice(1));
    const again = await TlsBench.start(bench.disk);
    assert.deepEqual(again.service.context(), bench.service.context());
    await again.service.selfSign();
    assert.equal(again.service.info()?.origin, "self-signed");
  });
}

test("what cannot be used is refused in words, and nothing changes", async () => {
  const bench = await TlsBench.start();
  const before = bench.service.context();
  const key = ecKey();
  const good = middle.sign(key);
  const rsa = rsaKey(1024);
  const encrypted = key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "hush" }) as string;
  const old = rsaKey(2048).export({
    type: "pkcs1",
    format: "pem",
    cipher: "aes-128-cbc",
    passphrase: "hush",
  }) as string;
  const cases: [what: string, certificate: string, key: string | undefined, field: string, message: RegExp][] = [
    ["no certificate", "hello", pem(key), "certificate", /must be in PEM format/],
    ["a damaged certificate", good.replace(/^MII/m, "MIX"), pem(key), "certificate", /cannot be read/],
    ["the key among the certificates", good + pem(key), pem(key), "certificate", /must not hold the private key/],
    ["too many", good.repeat(11), pem(key), "certificate", /at most 10 certificates/],
    ["too long", good + "x".repeat(70_000), pem(key), "certificate", /at most 65536 characters/],
    ["no key", good, "hello", "key", /must be in PEM format/],
    ["a damaged key", good, pem(key).replace(/\n.{8}/, "\nAAAAAAAA"), "key", /cannot be read/],
    ["an encrypted key", good, encrypted, "key", /must not be encrypted/],
    ["an encrypted key of the old kind", good, old, "key", /must not be encrypted/],
    ["the key of another", good, pem(ecKey()), "key", /does not belong to the certificate/],
    ["none of our keys", good, undefined, "certificate", /belongs to none of the keys of this box/],
    ["a short RSA key", middle.sign(rsa), pem(rsa), "key", /2048 to 8192 bits when it is RSA, has 1024/],
    [
      "the chain in the wrong order",
      middle.certificate + good,
      pem(key),
      "certificate",
      /must begin with the box's own/,
    ],
    [
      "a chain with a gap",
      good + root.certificate,
      pem(key),
      "certificate",
      /certificate 2 did not issue certificate 1/,
    ],
    [
      "a client's certificate",
      middle.sign(key, { extensions: ["extendedKeyUsage=clientAuth"] }),
      pem(key),
      "certificate",
      /not for servers/,
    ],
    ["a signature with SHA-1", middle.sign(key, { digest: "sha1" }), pem(key), "certificate", /too weak/],
  ];
  for (const [what, certificate, keyPem, field, message] of cases) {
    const result = await bench.service.upload({ certificate, key: keyPem });
    assert.ok(!result.ok, `${what} was taken`);
    assert.equal(result.error.field, field, what);
    assert.match(result.error.message, message, what);
    assert.doesNotMatch(result.error.message, /BEGIN (EC |RSA |)PRIVATE KEY-----\n/);
  }
  const short = { certificate: middle.sign(key, { days: 1 }), key: pem(key) };
  bench.later = 2 * DAY_MS;
  const expired = await bench.service.upload(short);
  assert.match(expired.ok ? "" : expired.error.message, /^expired on .*; the clock of the box says /);
  bench.later = -2 * DAY_MS;
  const early = await bench.service.upload(short);
  assert.match(early.ok ? "" : early.error.message, /^is not valid before /);
  assert.deepEqual(bench.service.context(), before);
});

test("a signing request has a key of its own, which waits for its certificate", async () => {
  const bench = await TlsBench.start();
  const before = bench.service.context();
  const request = await bench.service.request("box.example.com", ["box", "192.0.2.4", "*.example.org"]);
  const text = openssl("req", "-verify", "-noout", "-text", "-in", fileWith(request));
  assert.match(text, /Subject: CN = box\.example\.com/);
  assert.match(text, /DNS:box\.example\.com, DNS:box, IP Address:192\.0\.2\.4, DNS:\*\.example\.org/);
  assert.deepEqual(bench.service.context(), before, "the old certificate is used meanwhile");
  assert.equal(bench.service.info()?.pending, true);

  const later = await TlsBench.start(bench.disk);
  await later.service.selfSign();
  const other = ecKey();
  assert.deepEqual(await later.service.upload({ certificate: middle.sign(other), key: pem(other) }), { ok: true });
  assert.equal(later.service.info()?.pending, true, "other changes do not lose it");
  const certificate = middle.sign(request, { extensions: ["subjectAltName=DNS:box.example.com"] });
  assert.deepEqual(await later.service.upload({ certificate: certificate + middle.certificate }), { ok: true });
  assert.equal(later.service.info()?.pending, false);
  assert.deepEqual(later.service.info()?.names, ["box.example.com"]);
  // Renewed by the authority with the same key.
  assert.deepEqual(await later.service.upload({ certificate: middle.sign(request) }), { ok: true });
});

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-tls-"));
  after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "file.pem");
  writeFileSync(path, text);
  return path;
}

test("without openssl there is no HTTPS, and the log says why; the next look finds it", async () => {
  let there = false;
  const run = commandRunner();
  const bench = await TlsBench.start(undefined, {
    run: (program, args, options) =>
      there ? run(program, args, options) : Promise.resolve({ ok: false, why: "openssl: there is no such program" }),
  });
  assert.equal(bench.service.info(), undefined);
  assert.equal(bench.service.context().cert, undefined);
  assert.match(bench.logged[0]?.message ?? "", /openssl failed: openssl: there is no such program/);
  there = true;
  const changed = new Promise<void>((done) => void bench.service.onChange(done));
  await bench.clock.advance(3_600_000);
  await changed;
  assert.equal(bench.service.info()?.origin, "self-signed");
});

test("a damaged file: its copy is used; both: a new certificate", async () => {
  const bench = await TlsBench.start();
  const before = bench.service.context();
  bench.disk.damage("tls.json", new Uint8Array(100));
  const second = await TlsBench.start(bench.disk);
  assert.deepEqual(second.service.context(), before);
  assert.match(second.logged[0]?.message ?? "", /tls\.json is filled with zeros/);
  for (const name of ["tls.json", "tls.last-good.json"]) bench.disk.damage(name, new Uint8Array(100));
  const third = await TlsBench.start(bench.disk);
  assert.equal(third.service.info()?.origin, "self-signed");
  assert.notEqual(third.service.context().key, before.key);
});

test("a power cut at any step of an upload leaves the old pair or the new one", async () => {
  const key = ecKey();
  const upload = { certificate: middle.sign(key), key: pem(key) };
  const { disk } = await TlsBench.start();
  const kept = disk.names().map((name) => [name, disk.contentOf(name) as Uint8Array] as const);
  const prepared = async () => {
    const bench = new TlsBench();
    for (const [name, content] of kept) bench.disk.damage(name, content);
    await bench.service.start();
    return bench;
  };
  const found = new Set<string>();
  let steps = 1;
  for (let step = 1; step <= steps; step++) {
    for (let seed = 0; seed < 5; seed++) {
      const bench = await prepared();
      const before = bench.disk.steps;
      bench.disk.cutPowerAt(step);
      await bench.service.upload(upload).catch(() => undefined);
      if (!bench.disk.cut) break;
      steps = Math.max(steps, bench.disk.steps - before + 1);
      const later = await TlsBench.start(bench.disk.afterPowerCut(new Random(step * 10 + seed)));
      found.add(later.service.info()?.origin ?? "none");
      assert.deepEqual(later.logged, []);
      const own = new X509Certificate(certificateOf(later));
      assert.ok(own.checkPrivateKey(createPrivateKey(String(later.service.context().key))));
    }
  }
  assert.deepEqual([...found].sort(), ["self-signed", "uploaded"]);
});

test("a backup brings certificate and key to another box; without its secrets it changes nothing", async () => {
  const from = await TlsBench.start();
  const key = ecKey();
  await from.service.upload({ certificate: middle.sign(key), key: pem(key) });
  await from.service.request("box", []);
  const content = new TlsBackupPart(from.service).export();
  assert.doesNotMatch(JSON.stringify(content.open), /PRIVATE/);
  const json = JSON.parse(JSON.stringify(content)) as typeof content;

  const to = await TlsBench.start();
  const part = new TlsBackupPart(to.service);
  const before = to.service.context();
  const { open } = json;
  assert.deepEqual(part.check({ open }), []);
  assert.equal(part.notes({ open }).length, 1);
  assert.deepEqual(part.differences({ open }), []);
  await part.apply({ open });
  assert.deepEqual(to.service.context(), before);

  assert.deepEqual(part.check(json), []);
  assert.deepEqual(part.notes(json), []);
  assert.deepEqual(
    part.differences(json).map(({ pointer }) => pointer),
    ["/certificate"],
  );
  assert.doesNotMatch(JSON.stringify(part.differences(json)), /PRIVATE/);
  await part.apply(json);
  assert.deepEqual(to.service.context(), from.service.context());
  assert.equal(to.service.info()?.pending, true);
  const { steps } = to.disk;
  await part.apply(json);
  assert.equal(to.disk.steps, steps, "what is in force already is not written again");

  const other = { open, secret: { key: pem(ecKey()) } };
  assert.match(part.check(other)[0]?.message ?? "", /key of another certificate/);
  for (const wrong of [null, 7, [], { certificate: 1 }, { certificate: "x" }]) {
    assert.equal(part.check({ open: wrong, secret: {} }).length, 1);
  }
});
