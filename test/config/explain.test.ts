import assert from "node:assert/strict";
import test from "node:test";
import { explain } from "../../src/config/explain.ts";
import { mergePatch } from "../../src/config/json.ts";
import { config, defaultConfig } from "../../src/config/schema.ts";

/** The errors of the default configuration whose channel is patched so. */
function errorsOf(patch: unknown) {
  const document = { version: 3, channels: [mergePatch(defaultConfig().channels[0], patch)] };
  const parsed = config.safeParse(document);
  assert.equal(parsed.success, false, "it is accepted");
  return explain(config, document, parsed.error.issues).map((error) => ({
    ...error,
    pointer: error.pointer.replace("/channels/0", ""),
  }));
}

const srt = (more: object) => ({ outputs: [{ type: "srt", id: "s", port: 9000, ...more }] });

const cases: [patch: unknown, pointer: string, message: string][] = [
  [{ video: { bitrate: 9 } }, "/video/bitrate", "must be between 100 and 60000 kbit/s, is 9"],
  [{ video: { bitrate: 900.5 } }, "/video/bitrate", "must be a whole number between 100 and 60000 kbit/s, is 900.5"],
  [{ video: { bitrate: "9" } }, "/video/bitrate", 'must be a whole number between 100 and 60000 kbit/s, is "9"'],
  [{ video: { width: 129 } }, "/video/width", "must be a multiple of 2 between 128 and 3840 px, is 129"],
  [{ video: { profile: "best" } }, "/video/profile", 'must be one of "baseline", "main", "high", is "best"'],
  [{ video: 7 }, "/video", "must be an object, is 7"],
  [{ audio: {} }, "/audio", "must be a list, is an object"],
  [{ audio: [{ bitrate: 100 }] }, "/audio/0/bitrate", "must be one of 64, 96, 128, 160, 192, 256, 320, is 100"],
  [
    { audio: [{ language: "EN" }] },
    "/audio/0/language",
    'must be a language code of three letters (ISO 639-2), is "EN"',
  ],
  [{ audio: Array(9).fill({}) }, "/audio", "must have at most 8 entries, has 9"],
  [{ name: "" }, "/name", "must have between 1 and 60 characters, has 0"],
  [{ name: 7 }, "/name", "must be text, is 7"],
  [{ name: null }, "/name", "is required"],
  [{ enabled: "yes" }, "/enabled", 'must be true or false, is "yes"'],
  [{ source: { type: "tape" } }, "/source/type", 'must be one of "input", "test", "file", "ip", "capture", is "tape"'],
  [{ source: { type: "ip", address: "host", pattern: null } }, "/source/address", 'must be an IPv4 address, is "host"'],
  [{ source: { width: 100 } }, "/source/width", "must be a multiple of 2 between 128 and 3840 px, is 100"],
  [{ outputs: [{ type: "udp", id: "a", address: "1.2.3.4" }] }, "/outputs/0/port", "is required"],
  [{ video: { "a/b": 1 } }, "/video/a~1b", "is not a known setting"],
  [{ id: "Ch 1" }, "/id", 'must be lower-case letters, digits and hyphens, is "Ch 1"'],
  [
    { transport: { bitrate: 3000 } },
    "/transport/bitrate",
    "must be at least 3491 kbit/s for 3000 kbit/s of video with its sound and tables, is 3000",
  ],
];

for (const [patch, pointer, message] of cases) {
  test(`${JSON.stringify(patch).slice(0, 60)}: ${message}`, () => {
    const errors = errorsOf(patch);
    assert.ok(
      errors.some((error) => error.pointer === pointer && error.message === message),
      JSON.stringify(errors, null, 1),
    );
  });
}

test("limit and value are given for machines as well", () => {
  assert.deepEqual(errorsOf({ video: { bitrate: 9 } })[0], {
    pointer: "/video/bitrate",
    message: "must be between 100 and 60000 kbit/s, is 9",
    limit: { type: "integer", minimum: 100, maximum: 60000, unit: "kbit/s" },
    value: 9,
  });
  assert.deepEqual(errorsOf({ transport: { bitrate: 3000 } })[0]?.limit, { minimum: 3491 });
});

test("all errors are told, up to fifty", () => {
  assert.deepEqual(
    errorsOf({ video: { bitrate: 9, gop: 0, more: 1 }, loss: { holdMs: -1 } }).map(({ pointer }) => pointer),
    ["/video/bitrate", "/video/gop", "/video/more", "/loss/holdMs"],
  );
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`unknown${n}`, 1]));
  assert.equal(errorsOf(many).length, 50);
});

test("a secret is not repeated, and a long value is cut", () => {
  const secret = JSON.stringify(errorsOf(srt({ passphrase: "short" })));
  assert.match(secret, /10 to 79/);
  assert.doesNotMatch(secret, /short/);
  assert.doesNotMatch(JSON.stringify(errorsOf(srt({ passphrase: 123456 }))), /123456/);
  assert.ok(JSON.stringify(errorsOf({ name: "x".repeat(100_000) })).length < 500);
});
