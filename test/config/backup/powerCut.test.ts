import assert from "node:assert/strict";
import test from "node:test";
import { isDeepStrictEqual } from "node:util";
import { defaultConfig, config as schema } from "../../../src/config/schema.ts";
import { Random } from "../../support/random.ts";
import { type PowerCut, SimulatedDisk } from "../support/disk.ts";
import { Box, fullConfig, fullUsers } from "./support/box.ts";

const SEEDS = 4;
/** Encryption takes its time, and this is not about it. */
const OPEN = { openUsers: true };

const old = {
  config: { ...fullConfig(), box: { name: "Old" }, time: defaultConfig().time },
  users: fullUsers.slice(0, 1),
};
const whole = { config: fullConfig(), users: fullUsers };

const first = await Box.start(undefined, OPEN);
await first.config.replace(whole.config);
await first.users.replace(whole.users);
const exported = await first.backups.export();
assert.ok(exported.ok);
const parts = { backup: exported.backup };
await first.config.replace(old.config);
await first.users.replace(old.users);
await first.stop();

/** A disk with the old box. */
function prepared(): SimulatedDisk {
  return first.disk.afterPowerCut(new Random(0));
}

/** Starts and imports; what was told of it. */
async function importOn(disk: SimulatedDisk): Promise<"done" | "refused" | "cut"> {
  try {
    const box = await Box.start(disk, OPEN);
    const result = await box.backups.import(parts);
    if (result.ok) return "done";
    assert.equal(result.reason, "failed", JSON.stringify(result));
    return "refused";
  } catch (error) {
    assert.ok(disk.cut, String(error as PowerCut));
    return "cut";
  }
}

async function stepsOf(): Promise<number> {
  const disk = prepared();
  const before = disk.steps;
  assert.equal(await importOn(disk), "done");
  return disk.steps - before;
}

test("a power cut at any step of an import leaves the whole old box or the whole new one", async () => {
  const steps = await stepsOf();
  const found = { old: 0, new: 0, forward: 0 };
  for (let step = 1; step <= steps + 1; step++) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const disk = prepared();
      disk.cutPowerAt(step);
      const told = await importOn(disk);
      const box = await Box.start(disk.afterPowerCut(new Random(step * 1000 + seed)), OPEN);
      const state = isDeepStrictEqual(box.everything, whole) ? "new" : "old";
      assert.deepEqual(box.everything, state === "new" ? whole : old, `step ${step}, seed ${seed}: a mix`);
      if (told === "done" && !disk.cut) assert.equal(state, "new", "an import that was confirmed is lost");
      found[state]++;
      if (box.logged.some((line) => line.includes("has been brought to its end"))) found.forward++;
      assert.deepEqual((await Box.start(box.disk, OPEN)).everything, box.everything, "the next start changes nothing");
    }
  }
  assert.ok(found.old > 50 && found.new > 50 && found.forward > 50, JSON.stringify(found));
});

test("a power cut while a start brings an import to its end, too", async () => {
  /** The first step at which the configuration is the new one and the users are the old ones. */
  const cutIn = async (): Promise<SimulatedDisk> => {
    const steps = await stepsOf();
    for (let step = 1; step <= steps; step++) {
      const disk = prepared();
      disk.cutPowerAt(step);
      await importOn(disk);
      const after = disk.afterPowerCut(new Random(1));
      const text = (name: string) => new TextDecoder().decode(after.contentOf(name));
      if (text("config.json").includes("Rack 7") && !text("users.json").includes("bert")) return after;
    }
    throw new Error("there is no such step");
  };
  const found = await cutIn();
  const half = found.afterPowerCut(new Random(0));
  const before = half.steps;
  assert.deepEqual((await Box.start(half, OPEN)).everything, whole);
  const steps = half.steps - before;
  for (let step = 1; step <= steps; step++) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const disk = found.afterPowerCut(new Random(0));
      disk.cutPowerAt(step);
      await Box.start(disk, OPEN).catch(() => undefined);
      const again = await Box.start(disk.afterPowerCut(new Random(step * 1000 + seed)), OPEN);
      assert.deepEqual(again.everything, whole, `step ${step}, seed ${seed}`);
    }
  }
});

for (const errno of ["ENOSPC", "EIO"]) {
  test(`${errno} at any step of an import: all or nothing, and the next start agrees`, async () => {
    const steps = await stepsOf();
    const disk = prepared();
    const first = disk.steps;
    await Box.start(disk, OPEN);
    const starting = disk.steps - first;
    let refused = 0;
    for (let step = 1; step <= steps - starting; step++) {
      const disk = prepared();
      const box = await Box.start(disk, OPEN);
      disk.failAt(step, errno);
      const result = await box.backups.import(parts);
      assert.deepEqual(box.everything, result.ok ? whole : old, `step ${step}`);
      if (!result.ok) {
        refused++;
        assert.ok(result.reason === "failed" && !result.unsettled, JSON.stringify(result));
      }
      // A journal that could not be forgotten must not undo what is changed later.
      const renamed = { ...box.config.current, box: { name: "Later" } };
      assert.ok((await box.config.replace(renamed)).ok);
      await box.stop();
      const again = await Box.start(disk, OPEN);
      assert.deepEqual(again.config.current, renamed, `step ${step}`);
      assert.deepEqual(again.users.list, result.ok ? whole.users : old.users);
    }
    assert.ok(refused >= 20, `refused ${refused} times`);
  });
}

test("a disk that stays full half-way: the box says so, and the next start decides", async () => {
  let unsettled = 0;
  const steps = await stepsOf();
  for (let step = 1; step <= steps; step++) {
    const disk = prepared();
    const box = await Box.start(disk, OPEN);
    disk.failAt(step, "ENOSPC", 1000);
    const result = await box.backups.import(parts);
    if (!result.ok && result.reason === "failed" && result.unsettled) unsettled++;
    const again = await Box.start(disk.afterPowerCut(new Random(step)), OPEN);
    const state = isDeepStrictEqual(again.everything, whole) ? whole : old;
    assert.deepEqual(again.everything, state, `step ${step}: a mix`);
    if (result.ok) assert.equal(state, whole);
  }
  assert.ok(unsettled > 5, `unsettled ${unsettled} times`);
});

test("a journal of an import that is long over changes nothing", async () => {
  const disk = prepared();
  const box = await Box.start(disk, OPEN);
  assert.ok((await box.backups.import(parts)).ok);
  // The journal as it was during the import.
  const record = new SimulatedDisk();
  const { ImportJournal } = await import("../../../src/config/backup/journal.ts");
  const journal = new ImportJournal({ folder: "/data", files: record, now: () => new Date(0), report: () => {} });
  const keepers = [{ id: "configuration", before: old.config, after: whole.config }];
  await journal.begin({ began: "2026-03-01T02:30:00.000Z", onTrial: false, keepers });
  const later = { ...whole.config, box: { name: "Later" } };
  await box.config.replace(later);
  disk.damage("import.json", record.contentOf("import.json") as Uint8Array);
  const again = await Box.start(disk, OPEN);
  assert.deepEqual(again.config.current, later);
  assert.match(again.logged.join(), /its journal is dropped/);
});

test("what others change in the same moment is kept, and nothing is imported", async () => {
  const box = await Box.start(prepared(), OPEN);
  const theirs = { ...old.config, box: { name: "Theirs" } };
  const { check } = box.users;
  // Between the plan for the configuration, which comes first, and its change.
  box.users.check = (content) => {
    void box.config.replace(theirs);
    return check.call(box.users, content);
  };
  const result = await box.backups.import(parts);
  assert.deepEqual(result, { ok: false, reason: "stale", message: "the configuration has changed meanwhile" });
  assert.deepEqual(box.everything, { config: theirs, users: old.users });
});

/** An import that moves the box to another address, together with other users. */
async function movedBackup() {
  const box = await Box.start(prepared(), OPEN);
  const link = { type: "ethernet", name: "eth0", ipv4: { method: "static", address: "10.1.2.3" } };
  const network = schema.parse({ ...whole.config, network: { links: [link] } }).network;
  const moved = { config: { ...whole.config, network }, users: whole.users };
  await box.config.replace(moved.config, { local: true });
  await box.users.replace(moved.users);
  const result = await box.backups.export();
  assert.ok(result.ok);
  return { moved, backup: result.backup };
}

test("an import that can cut the admin off is taken back as a whole, unless it is confirmed", async () => {
  const { moved, backup } = await movedBackup();
  for (const end of ["confirm", "revert"] as const) {
    const box = await Box.start(prepared(), OPEN);
    const plan = await box.backups.import({ backup, plan: true });
    assert.ok(plan.ok && plan.canCutOff);
    const result = await box.backups.import({ backup, author: "anna" });
    assert.ok(result.ok && result.trial !== undefined, JSON.stringify(result));
    assert.deepEqual([result.trial.author, result.trial.confirmSeconds], ["anna", 120]);
    assert.deepEqual(box.everything, moved);
    const second = await box.backups.import(parts);
    assert.deepEqual([second.ok, "reason" in second && second.reason], [false, "conflict"]);
    await box.config[end](result.trial.revision);
    await box.backups.stop();
    assert.deepEqual(box.everything, end === "confirm" ? moved : old, end);
    await box.stop();
    const again = await Box.start(box.disk, OPEN);
    assert.deepEqual(again.everything, end === "confirm" ? moved : old, end);
    await again.stop();
  }
});

test("a power cut while an import is on trial, or is confirmed, leaves no mix", async () => {
  const { moved, backup } = await movedBackup();
  let confirmed = false;
  const work = async (disk: SimulatedDisk) => {
    const box = await Box.start(disk, OPEN);
    try {
      const result = await box.backups.import({ backup });
      if (result.ok && result.trial !== undefined) {
        confirmed = true;
        await box.config.confirm(result.trial.revision);
      }
      await box.backups.stop();
    } finally {
      // The timer of the trial.
      await box.stop().catch(() => undefined);
    }
  };
  const measured = prepared();
  await work(measured);
  const found = { old: 0, moved: 0 };
  for (let step = 1; step <= measured.steps; step++) {
    const disk = prepared();
    disk.cutPowerAt(step);
    confirmed = false;
    await work(disk).catch(() => undefined);
    const box = await Box.start(disk.afterPowerCut(new Random(step)), OPEN);
    const state = isDeepStrictEqual(box.everything, moved) ? "moved" : "old";
    assert.deepEqual(box.everything, state === "moved" ? moved : old, `step ${step}: a mix`);
    if (!confirmed) assert.equal(state, "old", `step ${step}: nobody has confirmed it`);
    found[state]++;
  }
  assert.ok(found.old > 20 && found.moved > 3, JSON.stringify(found));
});
