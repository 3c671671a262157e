import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { after, afterEach, before, beforeEach, describe } from "node:test";
import { systemTimers } from "../../../src/config/timers.ts";
import { RaucSlots } from "../../../src/update/rauc/raucSlots.ts";
import { Bundles, KIND } from "../support/bundles.ts";
import { missing, RaucBus } from "../support/raucBus.ts";

/** Looks more often than the box does. */
const timers = { ...systemTimers, after: (ms: number, call: () => void) => systemTimers.after(ms / 50, call) };

// The kernel here may have no dm-verity: these bundles are plain, which RAUC itself reads in the same way.
const manifest = (version: string) =>
  `[update]\ncompatible=${KIND}\nversion=${version}\n[image.rootfs]\nfilename=rootfs.img\n`;

describe("RAUC's slots", { skip: missing() || false }, () => {
  let bundles: Bundles;
  let file: string;
  let bus: RaucBus;
  let slots: RaucSlots;
  const restarts: string[] = [];
  before(() => {
    bundles = new Bundles();
    file = bundles.raw(manifest("0.2.0"));
  });
  after(() => bundles.remove());
  beforeEach(async () => {
    bus = new RaucBus(bundles.keyring);
    await bus.start();
    const restart = async (reason: string) => {
      restarts.push(reason);
      return { ok: true } as const;
    };
    slots = new RaucSlots({ run: bus.run, paths: bus.paths, timers, restart });
  });
  afterEach(() => bus.stop());

  const order = (more = {}) => ({ file, version: "0.2.0", build: "two", size: 5000, downgrade: false, ...more });
  const other = async () => (await slots.read())?.slots.find(({ running }) => !running);

  test("are read, with what runs and what is empty", async () => {
    assert.equal(await slots.refusal(), "");
    assert.deepEqual(await slots.release(), { version: "0.1.0", build: "one" });
    assert.equal(await slots.capacity(), 4 << 20);
    const reading = await slots.read();
    assert.equal(reading?.boot, "boot-1");
    const common = { attemptsLeft: 3, listed: true, installed: null };
    assert.deepEqual(reading?.slots, [
      { ...common, name: "A", running: true, next: true, content: "whole", version: "0.1.0", build: "one" },
      { ...common, name: "B", running: false, next: false, content: "empty", version: "", build: "" },
    ]);
  });

  test("the other one is written, and started only when that is ordered", async () => {
    const steps: string[] = [];
    assert.deepEqual(await slots.install(order(), (_percent, step) => steps.push(step)), { ok: true });
    const found = await other();
    assert.deepEqual(
      [found?.name, found?.content, found?.version, found?.next, found?.listed],
      ["B", "whole", "0.2.0", false, false],
    );
    assert.ok(Date.parse(found?.installed ?? "") > Date.now() - 60_000);
    assert.deepEqual(bus.env, ["BOOT_A_LEFT=3", "BOOT_B_LEFT=0", "BOOT_ORDER=A"]);
    assert.equal(await slots.isInstalling(), false);
    assert.deepEqual(await slots.activate("B"), { ok: true });
    assert.deepEqual(bus.env, ["BOOT_A_LEFT=3", "BOOT_B_LEFT=3", "BOOT_ORDER=B A"]);
    assert.equal((await other())?.next, true);
    assert.deepEqual(await slots.activate("A"), { ok: true });
    assert.deepEqual(bus.env, ["BOOT_A_LEFT=3", "BOOT_B_LEFT=3", "BOOT_ORDER=A B"]);
  });

  test("the reason of a refusal is that of the handler, and nothing is written", async () => {
    const { told } = bus.paths;
    bus.handler(`echo "version 0.2.0 is too old" >${told}/refused\nexit 10`);
    const refused = await slots.install(order(), () => {});
    assert.deepEqual(refused, { ok: false, why: "version 0.2.0 is too old" });
    assert.equal((await other())?.content, "empty");
    assert.deepEqual(bus.env, ["BOOT_A_LEFT=3", "BOOT_B_LEFT=3", "BOOT_ORDER=A B"]);
    // A reason of before is not told again.
    bus.handler("exit 1");
    const other2 = await slots.install(order(), () => {});
    assert.ok(!other2.ok);
    assert.match(other2.why, /handler/i);
    const none = await slots.install(order({ file: "/nowhere" }), () => {});
    assert.ok(!none.ok);
    assert.match(none.why, /nowhere|No such file|bundle/i);
  });

  test("an older version is permitted for one installation, by the order alone", async () => {
    const leave = join(bus.paths.told, "downgrade");
    bus.handler(`[ -e ${leave} ] || exit 10\ncp ${leave} ${bus.folder}/seen`);
    assert.equal((await slots.install(order(), () => {})).ok, false);
    assert.equal((await slots.install(order({ downgrade: true }), () => {})).ok, true);
    assert.ok(existsSync(join(bus.folder, "seen")));
    assert.equal(existsSync(leave), false);
  });

  test("a service that ends halfway has not installed, whoever takes its place", async () => {
    bus.handler("sleep 60");
    const installing = slots.install(order(), () => {});
    while (!(await slots.isInstalling())) await new Promise((resolve) => setTimeout(resolve, 10));
    await bus.killRauc();
    await bus.startRauc();
    const done = await installing;
    assert.deepEqual(done, { ok: false, why: "RAUC ended before all was written" });
  });

  test("how far the writing is tells the kernel, and an installation can be followed by who has not begun it", async () => {
    bus.handler(`while [ ! -e ${bus.folder}/go ]; do sleep 0.05; done`);
    const stat = join(bus.paths.sysBlock, "slot-b.img", "stat");
    const line = (sectors: number) => writeFileSync(stat, `1 0 8 0 5 0 ${sectors} 0 0 0 0\n`);
    line(100);
    const first = slots.install(order({ size: 5120 }), () => {});
    while (!(await slots.isInstalling())) await new Promise((resolve) => setTimeout(resolve, 10));
    const busy = (await slots.read())?.slots.map(({ name, running, content }) => ({ name, running, content }));
    assert.deepEqual(busy, [
      { name: "A", running: true, content: "whole" },
      { name: "B", running: false, content: "part" },
    ]);
    assert.equal(await slots.refusal(), "");
    const told: (number | null)[] = [];
    // Of a supervisor that has just started, too.
    const follower = new RaucSlots({ run: bus.run, paths: bus.paths, timers, restart: async () => ({ ok: true }) });
    assert.equal((await follower.read())?.slots.find(({ running }) => running)?.version, "0.1.0");
    const following = follower.follow({ version: "0.2.0", build: "", size: 5120, downgrade: false }, (percent) => {
      told.push(percent);
      line(105);
      if (percent === 50) writeFileSync(join(bus.folder, "go"), "");
    });
    assert.deepEqual([await first, await following], [{ ok: true }, { ok: true }]);
    assert.deepEqual([told[0], told.at(-1)], [null, 50]);
  });

  test("what the health gate has left is read, and what makes no sense in it is not", async () => {
    const { record } = bus.paths;
    assert.deepEqual(await slots.evidence(), { good: false, givenUp: [] });
    writeFileSync(join(record, "good-other"), "");
    assert.equal((await slots.evidence()).good, false);
    writeFileSync(join(record, "good-one"), "");
    writeFileSync(join(record, "given-up"), "2026-01-01T00:00:00Z\t0.2.0\tit crashed\nnonsense\n\t\t\n");
    const givenUp = [{ at: "2026-01-01T00:00:00.000Z", version: "0.2.0", why: "it crashed" }];
    assert.deepEqual(await slots.evidence(), { good: true, givenUp });
  });

  test("a machine without the service has no slots, and says why nothing can be installed", async () => {
    await bus.killRauc();
    assert.match(await slots.refusal(), /^RAUC, which installs firmware, does not answer: /);
    assert.equal(await slots.read(), null);
  });

  test("what came from the factory is told from an empty slot by its file system", async () => {
    // Of a file, which is no device.
    mkdirSync(bus.paths.udevData, { recursive: true });
    writeFileSync(join(bus.paths.udevData, "b0:0"), "S:x\nE:ID_FS_TYPE=ext4\n");
    assert.equal((await other())?.content, "whole");
    assert.equal(readFileSync(join(bus.paths.udevData, "b0:0"), "utf8").length > 0, true);
  });
});
