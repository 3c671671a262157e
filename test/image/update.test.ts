/** Updates of the emulated box by RAUC: what it refuses, the way to the other slot, and the way back from a bad one. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { buildImage, EmulatedBox } from "./support/emulatedBox.ts";

describe("updates", { timeout: 1_500_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-update-"));
  const bundles = join(folder, "bundles");
  let box: EmulatedBox;
  const steps: string[] = [];
  const step = (what: string) => steps.push(`${box.seconds.toFixed(1).padStart(6)} s  ${what}`);

  before(async () => {
    const image = buildImage();
    const next = join(buildImage("--version", "0.2.0"), "slot.ext4");
    execFileSync("mkdir", [bundles]);
    const bundle = (slot: string, version: string, name: string, env: NodeJS.ProcessEnv = {}) =>
      execFileSync("scripts/image/bundle", [slot, version, join(bundles, name), `Release ${version}`], {
        env: { ...process.env, ...env },
      });
    bundle(next, "0.2.0", "good.raucb");
    // Small ones: they are refused before their content matters.
    const small = join(folder, "small.img");
    writeFileSync(small, randomBytes(1 << 20));
    execFileSync("scripts/image/keys", [join(folder, "keys")]);
    bundle(small, "0.3.0", "stranger.raucb", { STEADYCAST_KEYS: join(folder, "keys") });
    bundle(small, "0.3.0", "other-box.raucb", { STEADYCAST_COMPATIBLE: "steadycast-rk3588" });
    bundle(small, "0.0.9", "older.raucb");
    bundle(small, "0.3.0", "flipped.raucb");
    const flipped = openSync(join(bundles, "flipped.raucb"), "r+");
    writeSync(flipped, Buffer.from([0xff, 0xfe]), 0, 2, 500_000);
    closeSync(flipped);
    copyFileSync(join(bundles, "older.raucb"), join(bundles, "truncated.raucb"));
    execFileSync("truncate", [
      "-s",
      String(statSync(join(bundles, "older.raucb")).size - 600),
      join(bundles, "truncated.raucb"),
    ]);
    writeFileSync(join(bundles, "unsigned.raucb"), Buffer.alloc(100_000, 7));
    const large = join(folder, "large.img");
    writeFileSync(large, randomBytes(1 << 16));
    execFileSync("truncate", ["-s", "800M", large]);
    bundle(large, "0.3.0", "large.raucb");
    /** A copy of the new slot with other files. */
    const changed = (name: string, files: Record<string, string | Buffer>): string => {
      const image = join(folder, name);
      execFileSync("cp", ["--reflink=auto", next, image]);
      const commands = Object.entries(files).flatMap(([path, content], i) => {
        const source = join(folder, `${name}.${i}`);
        writeFileSync(source, content);
        return [`rm ${path}`, `cd ${dirname(path)}`, `write ${source} ${basename(path)}`];
      });
      writeFileSync(join(folder, "commands"), `${commands.join("\n")}\n`);
      execFileSync("debugfs", ["-w", "-f", join(folder, "commands"), image], { stdio: "ignore" });
      return image;
    };
    const crashing = changed("crashing.ext4", {
      "/usr/lib/steadycast/dist/steadycast.js": 'console.error("broken");\nprocess.exit(1);\n',
      "/usr/lib/os-release": 'ID=steadycast\nVERSION_ID=0.3.0\nBUILD_ID=crashing\nPRETTY_NAME="Steadycast 0.3.0"\n',
    });
    bundle(crashing, "0.3.0", "crashing.raucb");
    const dead = changed("dead.ext4", { "/boot/Image": Buffer.alloc(1 << 20) });
    bundle(dead, "0.4.0", "dead.raucb");
    for (const file of [large, crashing, dead]) rmSync(file);

    box = new EmulatedBox(image, { extra: bundles });
    await box.start();
    await box.shellReady();
    await ready();
    step("version 0.1.0 is good in slot A");
  });
  after(async () => {
    await box?.remove();
    rmSync(folder, { recursive: true, force: true });
    console.log(steps.join("\n"));
  });

  /** Waits for the health gate. */
  async function ready(): Promise<void> {
    const gate = await box.shell(
      "mkdir -p /run/extra; mount -o ro /dev/vdb /run/extra; systemctl start steadycast-good",
      240,
    );
    assert.equal(gate.code, 0, gate.text);
  }
  const state = async () => (await box.shell("fw_printenv BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT")).text.split("\n");
  const version = async () => (await box.shell("sed -n s/^VERSION_ID=//p /usr/lib/os-release")).text;
  const install = (name: string) => box.shell(`rauc install /run/extra/${name}`, 400);

  test("bundles that are not for this box are refused with the reason, and nothing is written", async () => {
    const before = await state();
    assert.deepEqual(before, ["BOOT_ORDER=A B", "BOOT_A_LEFT=3", "BOOT_B_LEFT=3"]);
    const reasons: Record<string, RegExp> = {
      "unsigned.raucb": /signature|size|bundle/i,
      "stranger.raucb": /signature verification failed|certificate/i,
      "truncated.raucb": /signature|size/i,
      "flipped.raucb": /the bundle is damaged/,
      "other-box.raucb": /compatible/i,
      "older.raucb": /version 0.0.9 is older than 0.1.0/,
      "large.raucb": /the bundle is larger than a slot/,
    };
    const written = "dd if=/dev/disk/by-partlabel/slot-b bs=1M count=768 status=none | cksum";
    const empty = (await box.shell(written, 120)).text;
    for (const [name, reason] of Object.entries(reasons)) {
      const { code, text } = await install(name);
      const journal = await box.shell("journalctl -u rauc -n 12 --no-pager -o cat");
      step(`${name}: ${/LastError: (.*)/.exec(text)?.[1] ?? text.split("\n").pop()}`);
      assert.notEqual(code, 0, name);
      assert.match(`${text}\n${journal.text}`, reason, name);
      assert.deepEqual(await state(), before, name);
    }
    assert.equal((await box.shell(written, 120)).text, empty);
  });

  test("an update goes to the other slot, boots it, and is good there", async () => {
    const { code, text } = await install("good.raucb");
    assert.equal(code, 0, text);
    step("0.2.0 is installed");
    assert.deepEqual(await state(), ["BOOT_ORDER=B A", "BOOT_A_LEFT=3", "BOOT_B_LEFT=3"]);
    const at = box.console.length;
    await box.shell("systemctl --no-block reboot");
    await box.shows(/Steadycast: booting slot B, attempts left after this one: 2/, at);
    step("slot B boots");
    await box.shellReady(at);
    await ready();
    step("0.2.0 is good in slot B");
    assert.equal(await version(), "0.2.0");
    assert.deepEqual(await state(), ["BOOT_ORDER=B A", "BOOT_A_LEFT=3", "BOOT_B_LEFT=3"]);
  });

  test("a supervisor that ends at its start is given up for the slot before", async () => {
    const { code, text } = await install("crashing.raucb");
    assert.equal(code, 0, text);
    step("0.3.0, which crashes, is installed in slot A");
    let at = box.console.length;
    await box.shell("systemctl --no-block reboot");
    at = await box.shows(/Steadycast: booting slot A/, at);
    at = await box.shows(/Steadycast: booting slot B/, at, 400);
    step("slot B boots again by itself");
    await box.shellReady(at);
    await ready();
    assert.equal(await version(), "0.2.0");
    assert.match((await box.shell("cat /data/system/slots/given-up")).text, /\t0\.3\.0\tthe supervisor ended 4 times/);
    assert.deepEqual(await state(), ["BOOT_ORDER=B", "BOOT_A_LEFT=0", "BOOT_B_LEFT=3"]);
  });

  test("a kernel that cannot be booted is passed over at once", async () => {
    const { code, text } = await install("dead.raucb");
    assert.equal(code, 0, text);
    assert.deepEqual(await state(), ["BOOT_ORDER=A B", "BOOT_A_LEFT=3", "BOOT_B_LEFT=3"]);
    let at = box.console.length;
    await box.shell("systemctl --no-block reboot");
    at = await box.shows(/Steadycast: slot A cannot be booted/, at);
    at = await box.shows(/Steadycast: booting slot B/, at);
    step("slot A without a kernel is passed over");
    await box.shellReady(at);
    assert.equal(await version(), "0.2.0");
  });
});
