import assert from "node:assert/strict";
import test from "node:test";
import { type Check, DurableJsonFile, type StoreProblem } from "../../src/config/durableFile.ts";
import { type Migration, migrate, migrations } from "../../src/config/migrations.ts";
import { SCHEMA_VERSION } from "../../src/config/schema.ts";
import { SimulatedDisk } from "./support/disk.ts";

const steps: Migration[] = [
  { from: 1, note: "size becomes width", change: ({ size, ...rest }) => ({ ...rest, width: size }) },
  { from: 2, note: "width in centimetres", change: (old) => ({ ...old, width: (old.width as number) * 100 }) },
];

test("a document goes through every step from its version on", () => {
  const old = Object.freeze({ version: 1, size: 2 });
  assert.deepEqual(migrate(old, steps, 3), {
    ok: true,
    document: { version: 3, width: 200 },
    from: 1,
    notes: ["size becomes width", "width in centimetres"],
  });
  assert.deepEqual(migrate({ version: 2, width: 3 }, steps, 3), {
    ok: true,
    document: { version: 3, width: 300 },
    from: 2,
    notes: ["width in centimetres"],
  });
  const present = { version: 3, width: 1 };
  const same = migrate(present, steps, 3);
  assert.ok(same.ok && same.document === present && same.from === 3);
});

test("what cannot be migrated is refused with the reason", () => {
  const reason = (document: unknown, target = 3) => {
    const result = migrate(document, steps, target);
    return result.ok ? "ok" : result.reason;
  };
  assert.equal(reason({ version: 4 }), "newer");
  assert.equal(reason({ version: 3 }, 4), "failed", "a step is missing");
  for (const version of [undefined, "1", 0, -1, 1.5, null]) assert.equal(reason({ version }), "no-version");
  for (const document of [null, 7, "x", [], undefined]) assert.equal(reason(document), "no-version");
  const throwing: Migration = { from: 1, note: "", change: () => assert.fail("cannot") };
  assert.equal(migrate({ version: 1 }, [throwing], 2).ok, false);
});

test("there is a step for every version before the present one", () => {
  assert.deepEqual(
    migrations.map(({ from }) => from),
    Array.from({ length: SCHEMA_VERSION - 1 }, (_, n) => n + 1),
  );
});

/** A firmware that knows the schema up to a version. */
function firmware(disk: SimulatedDisk, version: number) {
  const problems: StoreProblem[] = [];
  const check: Check<object> = (document) => {
    const result = migrate(document, steps, version);
    if (!result.ok) return { ok: false, what: result.message };
    return { ok: true, document: result.document as object, ...(result.from === version ? {} : { from: result.from }) };
  };
  const report = (problem: StoreProblem): void => void problems.push(problem);
  return { file: new DurableJsonFile({ folder: "/", name: "config", check, report, files: disk }), problems };
}

test("an update migrates and keeps the old document; an older firmware that comes back finds it", async () => {
  const disk = new SimulatedDisk();
  const old = { revision: 5, saved: "", document: { version: 1, size: 2 } };
  await firmware(disk, 1).file.write(old);

  const update = firmware(disk, 3);
  const migrated = await update.file.read();
  const comment = "brought up to date from schema version 1";
  assert.deepEqual(migrated, { revision: 6, saved: "", comment, document: { version: 3, width: 200 } });
  assert.equal(update.file.settled, false, "it wants to be written");
  await update.file.write(migrated);
  assert.deepEqual(update.problems, []);
  assert.deepEqual(disk.names(), ["config.json", "config.last-good.json", "config.version-1.json"]);

  const back = firmware(disk, 1);
  const found = await back.file.read();
  assert.deepEqual(found, old);
  assert.deepEqual(
    back.problems.map(({ file, what }) => [file, /version 3, made by a newer firmware/.test(what)]),
    [
      ["config.json", true],
      ["config.last-good.json", true],
    ],
  );
  assert.match(back.problems[0]?.action ?? "", /set aside as .*; config.version-1.json \(revision 5\) is used/);
});
