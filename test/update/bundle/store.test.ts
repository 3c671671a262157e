import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { files } from "../../../src/config/files.ts";
import { BundleStore, type BundleStoreOptions } from "../../../src/update/bundle/store.ts";
import { PowerCut, SimulatedDisk } from "../../config/support/disk.ts";
import { Random } from "../../support/random.ts";

const MEGABYTE = 1 << 20;

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-store-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function make(folder: string, more: Partial<BundleStoreOptions> = {}): Promise<BundleStore> {
  const store = new BundleStore({ folder, free: async () => 1 << 30, reserve: 0, ...more });
  await store.start(undefined);
  return store;
}

async function* chunks(bytes: Buffer, size = 65_536): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const options = (size: number | null, max = 1 << 30) => ({
  ...{ size, max, tell: () => {} },
  signal: new AbortController().signal,
});

test("what comes is kept as it is, and nothing else", async (t) => {
  const folder = temporary(t);
  const store = await make(folder);
  const bytes = randomBytes(3 * MEGABYTE + 17);
  const told: number[] = [];
  const tell = (sum: number) => told.push(sum);
  const received = await store.receive(chunks(bytes), { ...options(bytes.length), tell, sum: true });
  assert.ok(received.ok);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  assert.deepEqual([received.size, received.sha256, told.at(-1)], [bytes.length, sha256, bytes.length]);
  const name = await store.keep(received.part);
  assert.deepEqual(readdirSync(folder), [name]);
  assert.ok(readFileSync(store.path(name)).equals(bytes));
  assert.equal(await store.sizeOf(name), bytes.length);
  await store.remove(name);
  assert.equal(await store.sizeOf(name), undefined);
});

test("no more is taken from the sender than is written", async (t) => {
  let [given, taken] = [0, 0];
  const create: typeof files.create = async (path) => {
    const file = await files.create(path);
    const write = async (bytes: Uint8Array) => {
      await file.write(bytes);
      taken++;
    };
    return { write, sync: () => file.sync(), close: () => file.close() };
  };
  const store = await make(temporary(t), { files: { ...files, create } });
  async function* source(): AsyncGenerator<Buffer> {
    for (let i = 0; i < 20; i++) {
      given++;
      assert.ok(given - taken <= 1, "the next part is asked for before the last one is written");
      yield Buffer.alloc(300_000);
    }
  }
  assert.ok((await store.receive(source(), options(6_000_000))).ok);
  assert.equal(taken, 20);
});

test("what does not end well leaves nothing behind", async (t) => {
  const folder = temporary(t);
  let free = 10_000_000;
  const store = await make(folder, { free: async () => free, reserve: 1_000_000 });
  const bytes = Buffer.alloc(100_000, 1);
  const refused = async (kind: string, source: AsyncIterable<Buffer>, how: ReturnType<typeof options>) => {
    const received = await store.receive(source, how);
    assert.ok(!received.ok);
    assert.equal(received.kind, kind, received.why);
    assert.deepEqual(readdirSync(folder), []);
    return received.why;
  };
  assert.match(await refused("too-large", chunks(bytes), options(100_000, 99_999)), /at most 99999 bytes/);
  await refused("too-large", chunks(bytes), options(null, 99_999));
  assert.match(await refused("cut-off", chunks(bytes), options(100_001)), /100000 of 100001/);
  assert.match(await refused("no-space", chunks(bytes), options(9_000_001)), /has 9000001 bytes.* room for 9000000/);
  async function* broken(): AsyncGenerator<Buffer> {
    yield bytes;
    throw Object.assign(new Error("aborted"), { code: "ECONNRESET" });
  }
  await refused("cut-off", broken(), options(200_000));
  async function* failing(): AsyncGenerator<Buffer> {
    yield bytes;
    throw new Error("the stick was pulled");
  }
  assert.match(await refused("failed", failing(), options(200_000)), /the stick was pulled/);
  const abort = new AbortController();
  async function* endless(): AsyncGenerator<Buffer> {
    for (let i = 0; ; i++) {
      if (i === 3) abort.abort();
      yield bytes;
    }
  }
  await refused("cancelled", endless(), { ...options(null), signal: abort.signal });
  // Others fill the disk meanwhile.
  async function* filling(): AsyncGenerator<Buffer> {
    for (let i = 0; i < 20; i++) {
      free -= MEGABYTE * 2;
      yield Buffer.alloc(MEGABYTE);
    }
  }
  free = 30 * MEGABYTE;
  await refused("no-space", filling(), options(20 * MEGABYTE));
});

test("a disk that is full is told, and has its space back", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-store-"));
  t.after(() => {
    spawnSync("umount", [folder]);
    rmSync(folder, { recursive: true });
  });
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]);
  if (mounted.status !== 0) return t.skip("it takes root to mount a small disk");
  const pretending = await make(folder);
  const full = await pretending.receive(chunks(Buffer.alloc(3 * MEGABYTE)), options(null));
  assert.deepEqual([full.ok, !full.ok && full.kind, !full.ok && full.why], [false, "no-space", "The disk is full"]);
  assert.deepEqual(readdirSync(folder), []);
  const honest = new BundleStore({ folder, reserve: MEGABYTE });
  assert.ok((await honest.room()) <= MEGABYTE);
  const told = await honest.receive(chunks(Buffer.alloc(2 * MEGABYTE)), options(2 * MEGABYTE));
  assert.equal(!told.ok && told.kind, "no-space");
  assert.ok((await honest.receive(chunks(Buffer.alloc(MEGABYTE / 2)), options(MEGABYTE / 2))).ok);
});

test("at a start all but the bundle at hand is swept, and what is not ours stays", async (t) => {
  const folder = temporary(t);
  for (const name of ["bundle-00000001.part", "bundle-00000002.raucb", "bundle-00000003.raucb", "notes.txt"]) {
    writeFileSync(join(folder, name), "x");
  }
  const store = new BundleStore({ folder });
  assert.equal(await store.start("bundle-00000002.raucb"), true);
  assert.deepEqual(readdirSync(folder).sort(), ["bundle-00000002.raucb", "notes.txt"]);
  assert.equal(await store.start("bundle-00000009.raucb"), false);
  assert.deepEqual(readdirSync(folder), ["notes.txt"]);
});

test("after a power cut at any step there is the whole bundle or none", async () => {
  const bytes = randomBytes(5000);
  const receive = async (disk: SimulatedDisk): Promise<string | undefined> => {
    const store = new BundleStore({ folder: "/data/firmware", files: disk, free: async () => 1 << 30, reserve: 0 });
    await store.start(undefined);
    const received = await store.receive(chunks(bytes, 1500), options(bytes.length));
    if (!received.ok) throw new PowerCut(received.why);
    return await store.keep(received.part);
  };
  const whole = new SimulatedDisk();
  await receive(whole);
  const steps = whole.steps;
  assert.ok(steps > 5, `${steps}`);
  let [kept, lost] = [0, 0];
  for (let step = 1; step <= steps; step++) {
    for (let seed = 0; seed < 5; seed++) {
      const disk = new SimulatedDisk();
      disk.cutPowerAt(step);
      const name = await receive(disk).catch(() => undefined);
      const after = disk.afterPowerCut(new Random(step * 100 + seed));
      const store = new BundleStore({ folder: "/data/firmware", files: after });
      await store.start(name);
      const left = after.names();
      if (name !== undefined) assert.deepEqual(left, [name], "it was told to be kept");
      for (const one of left) assert.deepEqual(Buffer.from(after.contentOf(one) ?? []), bytes);
      if (left.length === 0) lost++;
      else kept++;
    }
  }
  assert.ok(lost > 10, `${kept} kept, ${lost} lost`);
});
