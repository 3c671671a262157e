import assert from "node:assert/strict";
import test from "node:test";
import { z } from "zod";
import { toPointer } from "../../src/config/json.ts";
import { type Config, config, defaultConfig, SECRET_MARK, set } from "../../src/config/schema.ts";
import { extractSecrets, injectSecrets, redact, restoreSecrets } from "../../src/config/secrets.ts";
import { declaredSettings } from "../../src/config/walk.ts";

const srt = (id: string, passphrase: string) => ({ type: "srt", id, address: "peer", port: 9000, passphrase });

/** A box with every kind of secret. */
function secretive(): Config {
  const [first] = defaultConfig().channels;
  return config.parse({
    ...defaultConfig(),
    panel: { pin: "271828" },
    backup: {
      passphrase: "correct horse battery",
      target: { type: "sftp", host: "nas", user: "box", password: "hunter2!" },
    },
    channels: [
      { ...first, outputs: [...(first?.outputs ?? []), srt("a", "first passphrase"), srt("b", "")] },
      { id: "ch2", name: "Second", outputs: [srt("c", "second passphrase")] },
    ],
  });
}

const POINTERS = [
  "/panel/pin",
  "/backup/passphrase",
  "/backup/target/password",
  "/channels/0/outputs/1/passphrase",
  "/channels/1/outputs/0/passphrase",
];

test("no secret setting takes the mark that stands for it, and every one may be empty", () => {
  const secrets = [...declaredSettings(config)].filter(({ meta }) => meta.secret);
  assert.deepEqual(secrets.map(({ path }) => toPointer(path)).sort(), [
    "/backup/passphrase",
    "/backup/target/password",
    "/backup/target/password",
    "/channels/*/outputs/*/passphrase",
    "/panel/pin",
  ]);
  for (const { path, schema } of secrets) {
    assert.equal(schema.safeParse(SECRET_MARK).success, false, `${toPointer(path)} takes the mark as a secret`);
    assert.equal(schema.safeParse("").success, true, toPointer(path));
  }
});

test("secrets that are set are marked, those that are not stay empty, and nothing else changes", () => {
  const document = secretive();
  const before = JSON.stringify(document);
  const { document: redacted, secrets } = extractSecrets(document);
  assert.deepEqual(redacted, redact(document));
  assert.deepEqual(Object.keys(secrets).sort(), [...POINTERS].sort());
  const text = JSON.stringify(redacted);
  for (const secret of Object.values(secrets)) assert.ok(!text.includes(secret), secret);
  assert.equal(text.split(SECRET_MARK).length - 1, POINTERS.length);
  assert.equal(JSON.stringify(document), before, "the document itself is left alone");
  assert.deepEqual(injectSecrets(redacted, secrets), document);
  assert.deepEqual(redact(defaultConfig()), defaultConfig());
});

test("secrets are only put where a mark is", () => {
  const { document, secrets } = extractSecrets(secretive());
  const forged = { ...secrets, "/box/name": "forged", "/channels/0/name": "forged", "/__proto__/x": "forged" };
  assert.deepEqual(injectSecrets(document, forged), secretive());
});

test("the mark brings the secret back, wherever its thing stands in the list now", () => {
  const current = secretive();
  const incoming = structuredClone(redact(current));
  incoming.channels.reverse();
  for (const channel of incoming.channels) channel.outputs.reverse();
  const { document, errors } = restoreSecrets(incoming, current);
  assert.deepEqual(errors, []);
  const back = structuredClone(document) as Config;
  back.channels.reverse();
  for (const channel of back.channels) channel.outputs.reverse();
  assert.deepEqual(back, current);
});

const anew: [what: string, change: (document: Config) => void, pointer: string, why?: string][] = [
  ["of a new thing", ({ channels }) => Object.assign(channels[1] ?? {}, { id: "new" }), POINTERS[4] as string],
  [
    "where none is set",
    ({ channels }) => Object.assign(channels[0]?.outputs[2] ?? {}, { passphrase: SECRET_MARK }),
    "/channels/0/outputs/2/passphrase",
  ],
  [
    "of another kind of thing",
    ({ backup }) =>
      Object.assign(backup, { target: { type: "http", url: "http://nas/", user: "", password: SECRET_MARK } }),
    "/backup/target/password",
  ],
  [
    "that would be sent to somebody else",
    ({ backup }) => Object.assign(backup.target, { host: "thief" }),
    "/backup/target/password",
    ", because the host is another one",
  ],
];
for (const [what, change, pointer, why = ""] of anew) {
  test(`a secret ${what} must be given anew`, () => {
    const current = secretive();
    const incoming = structuredClone(redact(current));
    change(incoming);
    assert.deepEqual(restoreSecrets(incoming, current).errors, [{ pointer, message: `must be given anew${why}` }]);
  });
}

test("secrets are found in documents that are not valid, and in every kind of schema", () => {
  const secret = z.string().meta(set("Secret", "none", { secret: true }));
  const schema = z.object({
    list: z.array(z.union([z.object({ name: z.string(), key: secret.optional() }), z.number()])),
    record: z.record(z.string(), z.object({ key: secret.nullable() })),
  });
  const document = { list: [{ name: "a", key: "x" }, 7, null], record: { __proto: { key: "y" }, no: 3 }, more: [] };
  const { document: redacted, secrets } = extractSecrets(document, schema);
  assert.deepEqual(secrets, { "/list/0/key": "x", "/record/__proto/key": "y" });
  assert.deepEqual(injectSecrets(redacted, secrets), document);
  for (const nonsense of [null, 7, [], { channels: 3 }, { channels: [{ outputs: [{ type: "srt" }, { type: 9 }] }] }]) {
    assert.deepEqual(restoreSecrets(nonsense, defaultConfig()), { document: nonsense, errors: [] });
  }
  const evil = restoreSecrets(JSON.parse('{"panel":{"__proto__":{"pin":"1"},"pin":"********"}}'), secretive());
  assert.ok(Object.hasOwn((evil.document as Config).panel, "__proto__"));
  assert.equal((evil.document as Config).panel.pin, "271828");
});
