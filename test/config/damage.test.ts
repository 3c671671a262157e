import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Bus } from "../../src/bus.ts";
import { StoreError } from "../../src/config/durableFile.ts";
import { seal, unseal } from "../../src/config/envelope.ts";
import { defaultConfig } from "../../src/config/schema.ts";
import { Random } from "../support/random.ts";
import { make, named, started, temporaryFolder } from "./support/service.ts";

const CURRENT = "config.json";
const LAST_GOOD = "config.last-good.json";

/** A folder with revision 2, named "kept". */
async function prepared(t: TestContext): Promise<string> {
  const folder = temporaryFolder(t);
  const service = await started(folder);
  await service.replace(named("kept"));
  await service.stop();
  return folder;
}

const setAside = (folder: string) => readdirSync(folder).filter((name) => name.startsWith("config.damaged-"));

const damages: [what: string, make: (good: Buffer) => Uint8Array, said: RegExp][] = [
  ["empty", () => new Uint8Array(), /is empty/],
  ["filled with zeros", (good) => new Uint8Array(good.length), /is filled with zeros/],
  ["half written", (good) => good.subarray(0, good.length >> 1), /is not JSON/],
  ["half zeros", (good) => Buffer.concat([good.subarray(0, 512), Buffer.alloc(good.length - 512)]), /is not JSON/],
  ["not text", () => Uint8Array.of(0x80, 0xff, 0xfe), /is not UTF-8/],
  ["another JSON", () => Buffer.from("[1,2]"), /has no "document"/],
  ["deeply nested", () => Buffer.from("[".repeat(100_000)), /nested deeper/],
  ["one digit off", (good) => Buffer.from(good.toString().replace('"bitrate": 3000', '"bitrate": 2000')), /checksum/],
  [
    "with a foreign field",
    (good) => Buffer.from(good.toString().replace('"saved"', '"served"')),
    /unknown field "served"/,
  ],
  [
    "a sealed nonsense",
    () => seal({ revision: 9, saved: "", document: { version: 3, channels: 7 } }),
    /\/channels: must be a/,
  ],
  [
    "from a newer firmware",
    () => seal({ revision: 9, saved: "", document: { version: 4 } }),
    /version 4, made by a newer/,
  ],
  ["without a version", () => seal({ revision: 9, saved: "", document: {} }), /has no schema version/],
];

for (const [what, make, said] of damages) {
  test(`a file that is ${what} is set aside, the last good one is used, and it says so`, async (t) => {
    const folder = await prepared(t);
    const bad = make(readFileSync(join(folder, CURRENT)));
    writeFileSync(join(folder, CURRENT), bad);
    const service = await started(folder);
    assert.deepEqual(service.current, named("kept"));
    assert.equal(service.revision, 2);
    const [aside] = setAside(folder);
    assert.deepEqual(readFileSync(join(folder, aside ?? "")), Buffer.from(bad));
    const [problem, ...more] = service.problems();
    assert.deepEqual(more, []);
    assert.equal(problem?.file, CURRENT);
    assert.match(problem.what, said);
    assert.equal(problem.action, `set aside as ${aside}; ${LAST_GOOD} (revision 2) is used`);
    assert.ok(!Number.isNaN(Date.parse(problem.when)));

    const again = await started(folder);
    assert.deepEqual([again.current, again.problems()], [named("kept"), []], "the recovery is complete");
  });
}

for (const [what, prepare, use, name] of [
  ["the newest version of the history", () => undefined, /history\/2\.json \(revision 2\) is used$/, "kept"],
  [
    "the newest version that is whole",
    (folder: string) => writeFileSync(join(folder, "history/2.json"), "{"),
    /history\/1\.json \(revision 1\) is used$/,
    "Steadycast",
  ],
  [
    "without one the default",
    (folder: string) => rmSync(join(folder, "history"), { recursive: true }),
    /the default is used$/,
    "Steadycast",
  ],
] as const) {
  test(`when both copies are bad, both are set aside and ${what} is used`, async (t) => {
    const folder = await prepared(t);
    writeFileSync(join(folder, CURRENT), "{");
    writeFileSync(join(folder, LAST_GOOD), "");
    prepare(folder);
    const service = await started(folder);
    assert.deepEqual(service.current, named(name));
    assert.equal(setAside(folder).length, 2);
    const told = service.problems().filter(({ file }) => file === CURRENT || file === LAST_GOOD);
    assert.deepEqual(
      told.map(({ file, action }) => [file, use.test(action)]),
      [
        [CURRENT, true],
        [LAST_GOOD, true],
      ],
    );
    const again = await started(folder);
    assert.deepEqual([again.current, again.revision, again.problems()], [service.current, service.revision, []]);
  });
}

test("a missing file is not a first start when there is a last good one", async (t) => {
  const folder = await prepared(t);
  rmSync(join(folder, CURRENT));
  const service = await started(folder);
  assert.deepEqual(service.current, named("kept"));
  assert.equal(service.problems()[0]?.what, "is missing");
  assert.deepEqual(readFileSync(join(folder, CURRENT)), readFileSync(join(folder, LAST_GOOD)));
});

test("a first start has no problems and stores the default, for its owner alone", async (t) => {
  const folder = join(temporaryFolder(t), "data", "config");
  const service = await started(folder);
  assert.deepEqual([service.current, service.revision, service.problems()], [defaultConfig(), 1, []]);
  assert.deepEqual(readdirSync(folder).sort(), [CURRENT, LAST_GOOD, "history"]);
  assert.deepEqual(readdirSync(join(folder, "history")), ["1.json"]);
  assert.equal(execFileSync("stat", ["-c", "%a", join(folder, CURRENT)], { encoding: "utf8" }).trim(), "600");
});

test("a damaged last good copy is renewed and told", async (t) => {
  const folder = await prepared(t);
  writeFileSync(join(folder, LAST_GOOD), "\0\0\0");
  const service = await started(folder);
  assert.deepEqual(service.current, named("kept"));
  assert.match(service.problems()[0]?.what ?? "", /zeros/);
  assert.deepEqual(readFileSync(join(folder, CURRENT)), readFileSync(join(folder, LAST_GOOD)));
});

test("five damaged files are kept", async (t) => {
  const folder = await prepared(t);
  for (let n = 0; n < 8; n++) {
    writeFileSync(join(folder, CURRENT), `damage ${n}`);
    await started(folder);
  }
  const contents = setAside(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  assert.deepEqual(
    contents.sort(),
    [3, 4, 5, 6, 7].map((n) => `damage ${n}`),
  );
});

test("orphans of a write are swept, files of others are not", async (t) => {
  const folder = await prepared(t);
  for (const name of ["config.0badcafe.tmp", "other.0badcafe.tmp", "notes.txt"]) writeFileSync(join(folder, name), "x");
  await started(folder);
  assert.deepEqual(readdirSync(folder).sort(), [CURRENT, LAST_GOOD, "history", "notes.txt", "other.0badcafe.tmp"]);
});

test("a file edited by hand counts when its checksum line is gone and it is valid, and it says so", async (t) => {
  const folder = await prepared(t);
  const edit = (text: string) => text.replace(/ {2}"checksum".*\n/, "").replace('"kept"', '"edited"');
  writeFileSync(join(folder, CURRENT), edit(readFileSync(join(folder, CURRENT), "utf8")));
  const service = await started(folder);
  assert.deepEqual(service.current, named("edited"));
  assert.equal(service.revision, 3);
  assert.equal(service.problems()[0]?.what, "was edited by hand");
  const again = await started(folder);
  assert.deepEqual([again.revision, again.current, again.problems()], [3, named("edited"), []]);

  const wrong = edit(readFileSync(join(folder, CURRENT), "utf8")).replace('"bitrate": 3000', '"bitrate": 9');
  writeFileSync(join(folder, CURRENT), wrong);
  const refused = await started(folder);
  assert.deepEqual(refused.current, named("edited"));
  const what = "is not valid: /channels/0/video/bitrate: must be between 100 and 60000 kbit/s, is 9";
  assert.equal(refused.problems()[0]?.what, what);
});

test("white space is no damage", async (t) => {
  const folder = await prepared(t);
  const file: unknown = JSON.parse(readFileSync(join(folder, CURRENT), "utf8"));
  writeFileSync(join(folder, CURRENT), `\ufeff\r\n${JSON.stringify(file, null, "\t")}`);
  const service = await started(folder);
  assert.deepEqual([service.current, service.problems()], [named("kept"), []]);
});

test("no damage goes unnoticed: what opens is a document that was stored", () => {
  const sealed = Buffer.from(seal({ revision: 2, saved: "2026-01-01T00:00:00.000Z", document: named("kept") }));
  const other = Buffer.from(seal({ revision: 3, saved: "2026-01-02T00:00:00.000Z", document: named("next") }));
  const random = new Random(1);
  const stored = [named("kept"), named("next")].map((document) => JSON.stringify(document));
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.from(sealed);
    const at = random.below(bytes.length);
    switch (random.below(4)) {
      case 0:
        bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
        break;
      case 1:
        bytes.fill(0, at, Math.min(bytes.length, at + random.below(600)));
        break;
      case 2:
        other.copy(bytes, at, at, at + random.below(600));
        break;
      default:
        bytes.copy(bytes, at, random.below(bytes.length));
    }
    const opened = unseal(random.chance(0.2) ? bytes.subarray(0, at) : bytes);
    if (opened.ok) assert.ok(stored.includes(JSON.stringify(opened.stored.document)), `round ${round}`);
  }
});

test("a full disk: refused, nothing changed, and stored when there is room again", async (t) => {
  const folder = temporaryFolder(t);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    t.skip("mounting a small disk takes root; a full disk is simulated as well");
    return;
  }
  try {
    await fillUp(folder);
  } finally {
    execFileSync("umount", [folder]);
  }
});

async function fillUp(folder: string): Promise<void> {
  const service = await started(folder);
  await service.replace(named("kept"));
  const fill = join(folder, "fill");
  const before = readFileSync(join(folder, CURRENT));
  assert.throws(() => writeFileSync(fill, Buffer.alloc(1 << 20)), { code: "ENOSPC" });
  const full = (error: unknown) => error instanceof StoreError && error.reason === "disk-full";
  await assert.rejects(service.replace(named("new")), full);
  assert.deepEqual([service.current, service.revision], [named("kept"), 2]);
  assert.deepEqual(readFileSync(join(folder, CURRENT)), before);
  assert.deepEqual(readdirSync(folder).sort(), [CURRENT, LAST_GOOD, "fill", "history"]);

  writeFileSync(join(folder, CURRENT), new Uint8Array());
  writeFileSync(fill, Buffer.alloc(1 << 16));
  assert.throws(() => writeFileSync(fill, Buffer.alloc(1 << 20)), { code: "ENOSPC" });
  const recovered = await started(folder);
  assert.deepEqual(recovered.current, named("kept"), "a full disk does not stand in the way of a recovery");
  assert.match(recovered.problems().at(-1)?.what ?? "", /disk is full/);

  rmSync(fill);
  const stored = await recovered.replace(named("new"));
  assert.deepEqual([stored.ok, stored.ok && stored.revision], [true, 3]);
  assert.deepEqual((await started(folder)).current, named("new"));
}

test("a folder that cannot be used: the default is on air, changes are refused, and it says so", async (t) => {
  const parent = temporaryFolder(t);
  writeFileSync(join(parent, "file"), "");
  const service = await started(join(parent, "file", "config"));
  assert.deepEqual(service.current, defaultConfig());
  assert.match(service.problems()[0]?.what ?? "", /the folder cannot be used/);
  await assert.rejects(service.replace(named("new")), StoreError);
  assert.deepEqual(service.current, defaultConfig());
});

test("an unreadable file is set aside like any damaged one", async (t) => {
  const folder = await prepared(t);
  rmSync(join(folder, CURRENT));
  mkdirSync(join(folder, CURRENT));
  chmodSync(join(folder, CURRENT), 0o700);
  const service = await started(folder);
  assert.deepEqual(service.current, named("kept"));
  assert.match(service.problems()[0]?.what ?? "", /cannot be read/);
});

test("problems are also told on the bus", async (t) => {
  const folder = await prepared(t);
  writeFileSync(join(folder, CURRENT), "");
  const bus = new Bus();
  const lines: string[] = [];
  bus.on("log", ({ level, source, message }) => lines.push(`${level} ${source} ${message}`));
  await make(folder, bus).start();
  assert.match(lines.join("\n"), /^warning config config.json is empty: set aside as .*revision 2\) is used$/);
});
