import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { seal } from "../../src/config/envelope.ts";
import { SECRET_MARK } from "../../src/config/schema.ts";
import { SimulatedDisk } from "./support/disk.ts";
import { named, started, temporaryFolder } from "./support/service.ts";

test("each change is a version with author and comment, newest first, across restarts", async () => {
  const disk = new SimulatedDisk();
  const service = await started("/data", disk);
  await service.replace(named("a"), { author: "anna", comment: "First" });
  await service.replace(named("b"), { author: "bert", comment: "" });
  await service.replace(named("b"), { author: "nobody", comment: "No change" });
  const listed = [
    [3, "bert", null, true],
    [2, "anna", "First", false],
    [1, null, null, false],
  ];
  for (const one of [service, await started("/data", disk)]) {
    const versions = await one.versions();
    assert.deepEqual(
      versions.map(({ revision, author, comment, current }) => [revision, author, comment, current]),
      listed,
    );
    assert.ok(versions.every(({ saved }) => !Number.isNaN(Date.parse(saved))));
    assert.deepEqual((await one.version(2))?.document, named("a"));
  }
});

test("fifty versions are kept", async () => {
  const disk = new SimulatedDisk();
  const service = await started("/data", disk);
  for (let n = 2; n <= 60; n++) await service.replace(named(`name ${n}`));
  const revisions = (await service.versions()).map(({ revision }) => revision);
  assert.deepEqual(
    revisions,
    Array.from({ length: 50 }, (_, n) => 60 - n),
  );
  assert.equal(disk.names("history").length, 50);
  assert.equal(await service.version(10), undefined);
});

test("versions are compared with each other and with what is in force", async () => {
  const service = await started("/data", new SimulatedDisk());
  await service.replace(named("a"));
  await service.replace({ ...named("b"), panel: { pin: "1234" } });
  assert.deepEqual(await service.differences(1, 2), [{ pointer: "/box/name", before: "Steadycast", after: "a" }]);
  assert.deepEqual(await service.differences(2), [
    { pointer: "/box/name", before: "a", after: "b" },
    { pointer: "/panel/pin", before: "", after: SECRET_MARK },
  ]);
  assert.equal(await service.differences(1, 9), undefined);
  assert.equal(await service.differences(9), undefined);
});

test("a version is brought back with its secrets, as a change like any other", async () => {
  const service = await started("/data", new SimulatedDisk());
  await service.replace({ ...named("a"), panel: { pin: "1234" } });
  await service.replace(named("b"));
  assert.equal(service.current.panel.pin, "");
  assert.equal((await service.version(2))?.document.panel.pin, SECRET_MARK);
  const plan = await service.planRestore(2);
  assert.deepEqual(
    plan?.differences.map(({ pointer }) => pointer),
    ["/box/name", "/panel/pin"],
  );
  const { tag } = service;
  assert.equal((await service.restore(2, { author: "anna" })).ok, true);
  assert.deepEqual([service.current.box.name, service.current.panel.pin, service.revision], ["a", "1234", 4]);
  const [newest] = await service.versions();
  assert.deepEqual([newest?.author, newest?.comment], ["anna", "restored revision 2"]);
  assert.deepEqual(await service.restore(9), { ok: false, reason: "unknown-revision" });
  assert.deepEqual(await service.restore(1, { ifTag: [tag] }), { ok: false, reason: "stale", revision: 4 });
});

test("damaged versions are reported and left out; a missing one of the present is added; orphans are swept", async (t) => {
  const folder = temporaryFolder(t);
  const service = await started(folder);
  for (const name of ["a", "b", "c", "d"]) await service.replace(named(name));
  const file = (name: string) => join(folder, "history", name);
  assert.equal(statSync(file("2.json")).mode & 0o777, 0o600);
  writeFileSync(file("2.json"), readFileSync(file("3.json")));
  writeFileSync(file("3.json"), "{");
  writeFileSync(file("5.json"), new Uint8Array(90));
  writeFileSync(file("7.deadbeef.tmp"), "x");
  writeFileSync(file("notes.txt"), "x");
  const again = await started(folder);
  assert.deepEqual(
    (await again.versions()).map(({ revision }) => revision),
    [5, 4, 1],
  );
  assert.deepEqual(
    again.problems().map(({ file: path, what }) => `${path} ${what.replace(/:.*/, "")}`),
    ["history/5.json is filled with zeros", "history/3.json is not JSON", "history/2.json holds revision 3"],
  );
  assert.deepEqual((await again.version(5))?.document, named("d"));
  assert.deepEqual(readdirSync(join(folder, "history")).sort(), ["1.json", "4.json", "5.json", "notes.txt"]);
  assert.deepEqual((await started(folder)).problems(), []);
});

test("a history that cannot be written hinders no change", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "history"), "");
  const service = await started(folder);
  assert.equal((await service.replace(named("a"))).ok, true);
  assert.match(service.problems().at(-1)?.action ?? "", /in force, but not in the history/);
  assert.deepEqual(await service.versions(), []);
  assert.deepEqual((await started(folder)).current, named("a"));
});

test("versions of an older schema are brought up to date when they are asked for", async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "history"), { recursive: true });
  const { box, inputs, panel, channels } = named("old");
  const document = { version: 1, box, inputs, panel, channels };
  writeFileSync(join(folder, "history", "7.json"), seal({ revision: 7, saved: "", document }));
  const service = await started(folder);
  assert.equal(service.revision, 8, "revisions count on from the history");
  assert.deepEqual((await service.version(7))?.document, named("old"));
});
