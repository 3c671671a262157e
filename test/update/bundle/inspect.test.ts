import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { after, before, describe } from "node:test";
import { commandRunner } from "../../../src/system/command.ts";
import { inspectBundle } from "../../../src/update/bundle/inspect.ts";
import { Bundles, KIND, overwrite, sizeOf } from "../support/bundles.ts";

const run = commandRunner();
const manifest = (more: string) => `[update]\ncompatible=${KIND}\n${more}\n[image.rootfs]\nfilename=rootfs.img\n`;

describe("a bundle", () => {
  let bundles: Bundles;
  let good: string;
  let conf: string;

  before(() => {
    bundles = new Bundles();
    good = bundles.make({ version: "0.2.0", notes: 'Two lines:\n* "one" \\ two\n\tand üml' });
    conf = join(bundles.folder, "rauc.conf");
    const keyring = `[keyring]\npath=${bundles.keyring}\ncheck-purpose=codesign\n`;
    writeFileSync(conf, `[system]\ncompatible=${KIND}\nbootloader=noop\nbundle-formats=-plain\n${keyring}`);
  });
  after(() => bundles.remove());

  const inspect = (file: string, { capacity = 1 << 30, signal = new AbortController().signal } = {}) =>
    inspectBundle(file, { run, conf, compatible: KIND, capacity }, () => {}, signal);
  const refused = async (file: string, why: RegExp, options = {}) => {
    const found = await inspect(file, options);
    assert.ok(!found.ok, "it was taken");
    assert.match(found.why, why);
  };

  test("that is whole, signed and for this box tells what it is", async () => {
    const steps: (number | null)[] = [];
    const options = { run, conf, compatible: KIND, capacity: 1 << 30 };
    const found = await inspectBundle(good, options, (percent) => steps.push(percent), new AbortController().signal);
    assert.ok(found.ok, JSON.stringify(found));
    const { build, ...told } = found.manifest;
    assert.match(build, /^[0-9a-f]{16}$/);
    const notes = 'Two lines:\n* "one" \\ two\n\tand üml';
    assert.deepEqual(told, { version: "0.2.0", compatible: KIND, notes, size: 300_000 });
    assert.deepEqual([steps[0], steps.at(-1)], [null, 100]);
  });

  test("of more than a chunk and a level of hashes is checked whole", async () => {
    const file = bundles.make({ version: "0.2.0", size: 3_000_000 });
    assert.ok((await inspect(file)).ok);
    await refused(bundles.flip(file, 2_900_000), /damaged/);
  });

  test("that is none, or only a part of one, is refused as such", async () => {
    const nothing = join(bundles.folder, "nothing.raucb");
    for (const content of [Buffer.alloc(0), Buffer.alloc(100_000, 7), Buffer.alloc(100_000)]) {
      writeFileSync(nothing, content);
      await refused(nothing, /not a bundle of firmware, or not all of it/);
    }
    const size = sizeOf(good);
    for (const left of [10, 4096, 100_000, size - 1000, size - 8, size - 1]) {
      await refused(bundles.cut(good, left), /not all of it|signature/);
    }
  });

  test("whose bits have changed is refused, wherever that is", async () => {
    const signature = bundles.signatureOf(good);
    for (const at of [0, 100, 5000, 200_000, signature - 4096 * 2, signature - 4097]) {
      await refused(bundles.flip(good, at), /damaged/);
    }
    // The stored hashes alone, by which the kernel goes.
    await refused(bundles.flip(good, signature - 4096 * 2 - 5), /damaged/);
    for (const at of [signature + 20, signature + 150, signature + 400, signature + 900]) {
      await refused(bundles.flip(good, at), /signature|trusts|manifest|RAUC|signed/i);
    }
  });

  test("that somebody else has signed is refused", async () => {
    await refused(bundles.make({ version: "0.2.0", stranger: true }), /not by those whom this box trusts/);
  });

  test("with the signature of another one is refused", async () => {
    const other = bundles.make({ version: "0.3.0" });
    const mixed = bundles.cut(other, sizeOf(other));
    overwrite(mixed, 0, Buffer.alloc(4096, 1));
    await refused(mixed, /damaged/);
  });

  test("for another kind of box is refused", async () => {
    const file = bundles.make({ version: "0.2.0", compatible: "steadycast-rk3588" });
    await refused(file, /another kind of box: for "steadycast-rk3588", and this one is steadycast-qemu-aarch64/);
  });

  test("with more firmware than a slot holds is refused", async () => {
    await refused(good, /larger than a slot: 300000 bytes, and there is room for 299999/, { capacity: 299_999 });
    assert.ok((await inspect(good, { capacity: 300_000 })).ok);
  });

  test("of an older format, without a version or a firmware is refused", async () => {
    await refused(bundles.raw(manifest("version=0.2.0")), /format|signature/i);
    await refused(bundles.raw(manifest("[bundle]\nformat=verity")), /which version/);
    const odd = manifest("version=1;rm -rf\n[bundle]\nformat=verity");
    await refused(bundles.raw(odd), /which version/);
  });

  test("is given up when that is wanted", async () => {
    const abort = new AbortController();
    abort.abort();
    await refused(good, /given up/, { signal: abort.signal });
  });
});
