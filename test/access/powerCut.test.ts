import assert from "node:assert/strict";
import test from "node:test";
import type { SimulatedDisk } from "../config/support/disk.ts";
import { Random } from "../support/random.ts";
import { AccessBox, PASSWORD } from "./support/box.ts";

const SEEDS = 6;

/** A disk on which there is the admin alone, whose log-in has been stored. */
async function prepared(): Promise<SimulatedDisk> {
  const box = await AccessBox.ready();
  await box.access.stop();
  return box.disk;
}

const changes = {
  "a new user": (box: AccessBox) => box.access.users.add({ name: "anna", role: "viewer", password: PASSWORD }),
  "a new password": (box: AccessBox) => box.access.users.change("admin", { password: "a quite new secret" }),
  "the factory reset": (box: AccessBox) => box.access.users.clear(),
} as const;

/** What can be seen of the users from outside. */
async function look(box: AccessBox): Promise<string> {
  const names = box.access.users
    .list()
    .map(({ name }) => name)
    .join();
  if (box.access.needsSetup) return "nobody";
  const old = await box.tryLogIn({});
  const next = await box.tryLogIn({ password: "a quite new secret" });
  return `${names}, the old password ${old}, a new one ${next}`;
}

for (const [name, change] of Object.entries(changes)) {
  test(`a power cut at any step of ${name} leaves the users of before or of after, and nothing to complain of`, async () => {
    const disk = await prepared();
    const trial = await AccessBox.start({ disk });
    const before = await look(trial);
    const from = disk.steps;
    await change(trial);
    const steps = disk.steps - from;
    const after = await look(trial);
    assert.notEqual(before, after);
    assert.ok(steps > 10, `${steps} steps`);
    const found = new Set<string>();
    for (let step = 1; step <= steps + 1; step++) {
      for (let seed = 0; seed < SEEDS; seed++) {
        const box = await AccessBox.start({ disk: await prepared() });
        box.disk.cutPowerAt(step);
        const told = await change(box).then(
          () => !box.disk.cut,
          () => false,
        );
        const again = await AccessBox.start({ disk: box.disk.afterPowerCut(new Random(step * 100 + seed)) });
        const is = await look(again);
        assert.ok(is === before || is === after, `step ${step}, seed ${seed}: ${is}`);
        if (told) assert.equal(is, after, `step ${step}, seed ${seed}: a change that was confirmed is lost`);
        assert.deepEqual(again.access.problems(), []);
        found.add(is);
      }
    }
    assert.equal(found.size, 2);
  });
}

test("a disk that fails at any step of a change: refused and old, or stored and new", async () => {
  for (const errno of ["ENOSPC", "EIO", "EROFS"]) {
    for (let step = 1; step <= 12; step++) {
      const box = await AccessBox.start({ disk: await prepared() });
      box.disk.failAt(step, errno);
      const done = await changes["a new user"](box).then(
        () => true,
        () => false,
      );
      assert.equal(box.access.users.get("anna") !== undefined, done, `${errno} at step ${step}`);
      assert.equal(await box.tryLogIn({}), "in");
      const again = await box.restarted();
      assert.equal(again.access.users.get("anna") !== undefined, done, `${errno} at step ${step}`);
    }
  }
});
