/** Public keys of SSH, as ssh-keygen makes them and as people paste them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { explain } from "../../src/config/explain.ts";
import { publicKeyProblem } from "../../src/config/schema/publicKey.ts";
import { config, SCHEMA_VERSION } from "../../src/config/schema.ts";
import { Random } from "../support/random.ts";
import { temporaryFolder } from "./support/service.ts";

const ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDCrcDWPPQCHWDqjPIBUlG0XnIJLnKNzDrLAcM3S2Wx8";

/** Fields behind their length (RFC 4251, 5). */
const packed = (...fields: (string | Buffer)[]) =>
  Buffer.concat(
    fields.map((field) => {
      const bytes = Buffer.from(field);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return Buffer.concat([length, bytes]);
    }),
  ).toString("base64");

const bytes = (length: number, first = 4) => Buffer.alloc(length, 7).fill(first, 0, 1);

test("keys that ssh-keygen makes are taken, with their comments", (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, "key");
  const kinds = ["ed25519", "rsa -b 2048", "rsa -b 4096", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521"];
  for (const kind of kinds) {
    execFileSync("ssh-keygen", ["-q", "-t", ...kind.split(" "), "-N", "", "-C", "Müller, laptop 2", "-f", path]);
    const line = readFileSync(`${path}.pub`, "utf8").trimEnd();
    assert.match(line, /Müller, laptop 2$/);
    assert.equal(publicKeyProblem(line), "", kind);
    assert.equal(publicKeyProblem(line.replace(/ M.*/, "")), "", `${kind} without comment`);
    assert.match(publicKeyProblem(readFileSync(path, "utf8")), /^must be the public key/, kind);
    rmSync(path);
  }
});

test("keys of security tokens are taken", () => {
  const ecdsa = "sk-ecdsa-sha2-nistp256@openssh.com";
  const ed25519 = "sk-ssh-ed25519@openssh.com";
  assert.equal(publicKeyProblem(`${ecdsa} ${packed(ecdsa, "nistp256", bytes(65), "ssh:")}`), "");
  assert.equal(publicKeyProblem(`${ed25519} ${packed(ed25519, bytes(32), "ssh:")} yubi`), "");
  assert.match(publicKeyProblem(`${ed25519} ${packed(ed25519, bytes(32))}`), /cut off or damaged/);
});

const DAMAGED = /^must be a whole public key: this one is cut off or damaged$/;
const LINE = /^must be one line with an OpenSSH public key/;
const rsa = (bits: number) =>
  `ssh-rsa ${packed("ssh-rsa", bytes(3, 1), Buffer.concat([bytes(1, 0), bytes(bits / 8, 0x80)]))}`;

const refused: [what: string, line: string, why: RegExp][] = [
  ["nothing", "", LINE],
  ["two lines", `${ED25519} a\n${ED25519} b`, LINE],
  ["a line with its end", `${ED25519} a\n`, LINE],
  ["options before the key", `command="x" ${ED25519}`, LINE],
  ["a key alone", ED25519.split(" ")[1] ?? "", LINE],
  ["a type alone", "ssh-ed25519", LINE],
  [
    "an old type",
    `ssh-dss ${packed("ssh-dss", bytes(128))}`,
    /^must be a key of one of the types ssh-ed25519, ssh-rsa/,
  ],
  ["a certificate", `ssh-ed25519-cert-v01@openssh.com ${packed("x")}`, /one of the types/],
  ["a name of JavaScript's own", `constructor ${packed("constructor")}`, /one of the types/],
  ["a type that the key has not", `ssh-rsa ${ED25519.split(" ")[1]}`, DAMAGED],
  ["a key that is cut off", ED25519.slice(0, -8), DAMAGED],
  ["more than a key", `ssh-ed25519 ${packed("ssh-ed25519", bytes(32), "x")}`, DAMAGED],
  ["a point at infinity", `ecdsa-sha2-nistp256 ${packed("ecdsa-sha2-nistp256", "nistp256", bytes(65, 0))}`, DAMAGED],
  ["another curve", `ecdsa-sha2-nistp256 ${packed("ecdsa-sha2-nistp256", "nistp384", bytes(65))}`, DAMAGED],
  ["a short RSA key", rsa(1024), /^must have between 2048 and 16384 bits, this RSA key has 1024$/],
  ["an RSA key that is a bit too short", `ssh-rsa ${packed("ssh-rsa", bytes(3, 1), bytes(256, 0x40))}`, /has 2047$/],
];

for (const [what, line, why] of refused) {
  test(`${what} is refused`, () => assert.match(publicKeyProblem(line), why));
}

test("an RSA key of 2048 bits is enough", () => assert.equal(publicKeyProblem(rsa(2048)), ""));

test("no line is too strange to be judged", () => {
  const random = new Random(7);
  for (let i = 0; i < 3000; i++) {
    const at = random.below(ED25519.length);
    const line = ED25519.slice(0, at) + String.fromCharCode(random.below(256)) + ED25519.slice(at + random.below(4));
    const said = publicKeyProblem(line);
    assert.equal(typeof said, "string");
    // The last 32 bytes of the key may be any.
    if (at < 37 && line !== ED25519) assert.notEqual(said, "", line);
  }
});

const errorsOf = (ssh: unknown) => {
  const document = { version: SCHEMA_VERSION, ssh };
  const issues = config.safeParse(document).error?.issues ?? [];
  return explain(config, document, issues).map(({ pointer, message }) => `${pointer} ${message}`);
};

test("SSH is off by default, and cannot be on for nobody", () => {
  assert.deepEqual(config.parse({ version: SCHEMA_VERSION }).ssh, { enabled: false, keys: [] });
  assert.deepEqual(errorsOf({ enabled: true, keys: [ED25519] }), []);
  assert.deepEqual(errorsOf({ enabled: true }), [
    "/ssh/enabled must be off while there is no key: nobody could log in",
  ]);
});

test("a key cannot be set twice under two names, and not more than 16", () => {
  assert.deepEqual(errorsOf({ keys: [`${ED25519} one`, `${ED25519} two`] }), ["/ssh/keys/1 is set twice"]);
  const keys = Array.from({ length: 17 }, (_, i) => `ssh-ed25519 ${packed("ssh-ed25519", bytes(32, i))}`);
  assert.deepEqual(errorsOf({ keys }), ["/ssh/keys must have at most 16 entries, has 17"]);
  assert.deepEqual(errorsOf({ keys: keys.slice(0, 16) }), []);
});
