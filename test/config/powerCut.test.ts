import assert from "node:assert/strict";
import test from "node:test";
import { StoreError } from "../../src/config/durableFile.ts";
import { defaultConfig } from "../../src/config/schema.ts";
import { Random } from "../support/random.ts";
import { PowerCut, SimulatedDisk } from "./support/disk.ts";
import { named, started } from "./support/service.ts";

const SEEDS = 12;

/** A disk with revision 2, named "old", and how many steps the change to "new" takes. */
async function prepared(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const service = await started("/data", disk);
  await service.replace(named("old"));
  await service.stop();
  return disk;
}

async function stepsOf(work: (disk: SimulatedDisk) => Promise<unknown>): Promise<number> {
  const disk = await prepared();
  const before = disk.steps;
  await work(disk);
  return disk.steps - before;
}

const change = async (disk: SimulatedDisk): Promise<boolean> => {
  const service = await started("/data", disk);
  const result = await service.replace(named("new"));
  return result.ok;
};

test("a power cut at any step of a change leaves the old configuration or the new one", async () => {
  const steps = await stepsOf(change);
  assert.ok(steps > 15, `only ${steps} steps`);
  const found = { old: 0, new: 0 };
  for (let step = 1; step <= steps + 1; step++) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const disk = await prepared();
      disk.cutPowerAt(step);
      const confirmed = await change(disk).catch((error: unknown) => {
        assert.ok(error instanceof StoreError && error.cause instanceof PowerCut, String(error));
        return false;
      });
      const after = disk.afterPowerCut(new Random(step * 1000 + seed));
      const service = await started("/data", after);
      const { name } = service.current.box;
      assert.ok(name === "old" || name === "new", `step ${step}, seed ${seed}: ${name}`);
      if (confirmed && !disk.cut)
        assert.equal(name, "new", `step ${step}, seed ${seed}: a change that was confirmed is lost`);
      found[name]++;
      assert.deepEqual(service.current, named(name));
      assert.equal(service.revision, name === "old" ? 2 : 3);
      assert.deepEqual(service.problems(), [], "a power cut during a write damages nothing");
      assert.deepEqual(after.names(), ["config.json", "config.last-good.json"], "no orphan is left");
      assert.deepEqual(after.contentOf("config.json"), after.contentOf("config.last-good.json"));
      assert.equal((await service.replace(named("next"))).ok, true);
    }
  }
  assert.ok(found.old > 20 && found.new > 20, JSON.stringify(found));
});

test("the simulated disk does lose what is not synced", async () => {
  let lost = 0;
  for (let seed = 0; seed < 40; seed++) {
    const disk = await prepared();
    disk.lying = true;
    assert.equal(await change(disk), true);
    const service = await started("/data", disk.afterPowerCut(new Random(seed)));
    const { name } = service.current.box;
    assert.ok(["old", "new", defaultConfig().box.name].includes(name), `never a mix, but found ${name}`);
    if (name !== "new") lost++;
  }
  assert.ok(lost > 5, `only ${lost} of 40 lost`);
});

test("a power cut at any step of a recovery loses nothing more", async () => {
  const recover = async (disk: SimulatedDisk) => {
    disk.damage("config.json", new Uint8Array(700));
    return await started("/data", disk);
  };
  const steps = await stepsOf(recover);
  for (let step = 1; step <= steps + 1; step++) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const disk = await prepared();
      disk.cutPowerAt(step);
      await recover(disk);
      const after = disk.afterPowerCut(new Random(step * 1000 + seed));
      const service = await started("/data", after);
      assert.deepEqual(service.current, named("old"), `step ${step}, seed ${seed}`);
      assert.equal(service.revision, 2);
      const damaged = after.names().filter((name) => name.startsWith("config.damaged-"));
      assert.ok(
        damaged.length <= 2 && service.problems().length <= 1,
        `${damaged} ${JSON.stringify(service.problems())}`,
      );
    }
  }
});

test("a power cut at any step of the first start leaves the default", async () => {
  const fresh = new SimulatedDisk();
  await started("/data", fresh);
  for (let step = 1; step <= fresh.steps + 1; step++) {
    for (let seed = 0; seed < SEEDS; seed++) {
      const disk = new SimulatedDisk();
      disk.cutPowerAt(step);
      await started("/data", disk);
      const service = await started("/data", disk.afterPowerCut(new Random(step * 1000 + seed)));
      assert.deepEqual(service.current, defaultConfig());
      assert.deepEqual(service.problems(), []);
    }
  }
});

for (const errno of ["ENOSPC", "EIO", "EROFS"]) {
  test(`${errno} at any step of a change: refused and old, or stored and new, and the next try works`, async () => {
    const steps = await stepsOf(change);
    let refused = 0;
    for (let step = 1; step <= steps; step++) {
      const disk = await prepared();
      const service = await started("/data", disk);
      const before = [disk.contentOf("config.json"), disk.contentOf("config.last-good.json")];
      disk.failAt(step, errno);
      let name = "new";
      try {
        await service.replace(named("new"));
      } catch (error) {
        assert.ok(error instanceof StoreError, String(error));
        const reasons: Record<string, string> = { ENOSPC: "disk-full", EROFS: "read-only", EIO: "failed" };
        assert.equal(error.reason, reasons[errno]);
        assert.deepEqual([disk.contentOf("config.json"), disk.contentOf("config.last-good.json")], before);
        name = "old";
        refused++;
      }
      assert.deepEqual(service.current, named(name), `step ${step}`);
      assert.equal(service.revision, name === "old" ? 2 : 3);
      const again = await started("/data", disk);
      assert.deepEqual(again.current, named(name), `step ${step}`);
      assert.equal((await service.replace(named("later"))).ok, true);
      assert.deepEqual((await started("/data", disk)).current, named("later"));
    }
    assert.ok(refused >= 9, `refused ${refused} times of ${steps}`);
  });
}
