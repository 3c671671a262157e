/** Updates by the API of the emulated box: what it refuses, the way to the other slot on air, and the way back from a bad one. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { SlotName } from "../../src/update/status.ts";
import { Continuity } from "./support/continuity.ts";
import { buildImage, type EmulatedBox } from "./support/emulatedBox.ts";
import {
  accepted,
  activate,
  type Bring,
  bundle,
  byStick,
  byUpload,
  byUrl,
  changedSlot,
  firmware,
  firmwareBecomes,
  firmwareHistory,
  flipped,
  install,
  panickingSlot,
  slotOf,
  truncated,
} from "./support/firmware.ts";
import { boxOnAir } from "./support/onAir.ts";
import { stepsBy } from "./support/steps.ts";

const SCRIPT = "0100755";

describe("updates", { timeout: 1_500_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-update-"));
  const file = (name: string) => join(folder, name);
  const began = performance.now();
  const { step, show } = stepsBy(() => (performance.now() - began) / 1000);
  let image = "";
  let next = "";
  let box: EmulatedBox;

  before(async () => {
    image = buildImage();
    next = join(buildImage("--version", "0.2.0"), "slot.ext4");
    bundle(next, "0.2.0", file("good.raucb"));
    step(`the bundle of 0.2.0 is made: ${(statSync(file("good.raucb")).size / 1e6).toFixed(0)} MB`);
    box = await boxOnAir(image);
    step("a box is on air with 0.1.0 in slot A");
  });
  after(async () => {
    await box?.remove();
    rmSync(folder, { recursive: true, force: true });
    show();
  });

  const state = async () => (await box.shell("fw_printenv BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT")).text.split("\n");
  /** Sectors that were written to a slot since the box was switched on. */
  const written = async (slot: string) =>
    Number(
      (
        await box.shell(
          `awk '{ print $7 }' /sys/class/block/$(basename $(realpath /dev/disk/by-partlabel/${slot}))/stat`,
        )
      ).text,
    );
  /** What an upload that failed could have left. */
  const large = async () => (await box.shell("find /data -xdev -type f -size +64k ! -path '/data/log/*' | sort")).text;
  const reasonOf = (body: unknown) => (body as { detail?: string }).detail ?? JSON.stringify(body);

  test("what is not for this box is refused with the reason, and nothing is written or left", async () => {
    // They are refused before their content matters.
    const small = file("small.img");
    writeFileSync(small, randomBytes(1 << 20));
    execFileSync("scripts/image/keys", [file("keys")]);
    bundle(small, "0.3.0", file("sound.raucb"));
    bundle(small, "0.3.0", file("stranger.raucb"), { STEADYCAST_KEYS: file("keys") });
    bundle(small, "0.3.0", file("other-box.raucb"), { STEADYCAST_COMPATIBLE: "steadycast-rk3588" });
    flipped(file("sound.raucb"), file("flipped.raucb"));
    truncated(file("sound.raucb"), file("truncated.raucb"), 600);
    writeFileSync(file("unsigned.raucb"), randomBytes(100_000));
    writeFileSync(file("large.img"), randomBytes(1 << 16));
    truncateSync(file("large.img"), 800 << 20);
    bundle(file("large.img"), "0.3.0", file("large.raucb"));
    rmSync(file("large.img"));
    const reasons: Record<string, RegExp> = {
      unsigned: /no signature/,
      stranger: /not by those whom this box trusts/,
      truncated: /signature|not all of it/,
      flipped: /damaged/,
      "other-box": /another kind of box/,
      large: /larger than a slot/,
    };
    const before = { state: await state(), large: await large() };
    for (const [name, reason] of Object.entries(reasons)) {
      const { status, body } = await box.upload("/firmware/bundle", file(`${name}.raucb`));
      step(`${name}: ${status} ${reasonOf(body)}`);
      assert.equal(status, 422, name);
      assert.match(reasonOf(body), reason, name);
      assert.match((await firmware(box)).trouble, reason, name);
      const [event] = await firmwareHistory(box);
      assert.equal(event?.what, "refused");
      assert.match(event?.detail ?? "", reason, name);
    }
    assert.equal((await firmware(box)).bundle, null);

    await box.upload("/firmware/bundle", file("sound.raucb"), { size: 2 ** 31, bytes: 1 << 20 }).catch(() => {});
    const huge = await firmwareBecomes(box, ({ trouble }) => /at most \d+ bytes/.test(trouble));
    step(`2 GiB announced: ${huge.trouble}`);

    const room = "df -B1 --output=avail /data | tail -n 1";
    assert.equal((await box.shell(`fallocate -l $(($(${room}) - 50000000)) /data/fill`, 120)).code, 0);
    const full = await box.upload("/firmware/bundle", file("good.raucb"));
    step(`disk full: ${full.status} ${reasonOf(full.body)}`);
    assert.equal(full.status, 507);
    assert.match(reasonOf(full.body), /there is room for/);
    await box.shell("rm /data/fill");

    await assert.rejects(box.upload("/firmware/bundle", file("good.raucb"), { bytes: 8 << 20 }));
    const { trouble } = await firmwareBecomes(box, ({ work }) => work === null);
    step(`upload cut off: ${trouble}`);
    assert.match(trouble, /cut before all was here/);
    assert.equal((await firmwareHistory(box))[0]?.what, "interrupted");

    assert.deepEqual({ state: await state(), large: await large() }, before);
    assert.equal(await written("slot-b"), 0);
  });

  test("an older version is installed only on explicit order", async () => {
    bundle(file("small.img"), "0.0.9", file("older.raucb"));
    const sent = await box.upload("/firmware/bundle", file("older.raucb"));
    assert.equal(sent.status, 201, reasonOf(sent.body));
    const order = await box.api("POST", "/firmware/install", { activation: { when: "now" } });
    step(`older: ${order.status} ${reasonOf(order.body)}`);
    assert.equal(order.status, 409);
    assert.match(reasonOf(order.body), /0\.0\.9 is older than 0\.1\.0/);
    // RAUC's handler holds to it, whoever asks.
    const direct = await box.shell("rauc install $(find /data -name 'bundle-*.raucb')", 120);
    assert.notEqual(direct.code, 0);
    assert.equal(await written("slot-b"), 0);
    assert.equal((await box.api("DELETE", "/firmware/bundle")).status, 204);
    assert.equal((await firmware(box)).bundle, null);
  });

  test("an update is installed on air without a continuity error, and is good in the other slot", async () => {
    const stream = Continuity.watch(box);
    await install(box, file("good.raucb"), { onStep: (what) => step(`0.2.0 is ${what}`) });
    const slot = await slotOf(box, "B");
    assert.deepEqual([slot.state, slot.version, slot.next], ["new", "0.2.0", false]);
    const at = box.console.length;
    await activate(box);
    const rebooted = await box.shows(/Steadycast: booting slot B, attempts left after this one: 2/, at);
    step(
      `slot B boots; ${stream.datagrams} datagrams, ${stream.errors.length} errors, at most ${stream.gap.toFixed(0)} ms apart`,
    );
    assert.deepEqual(stream.errors, []);
    assert.ok(stream.datagrams > 1000, `${stream.datagrams} datagrams`);
    const again = Continuity.watch(box);
    await isGood(rebooted, "B", "0.2.0");
    assert.deepEqual(await state(), ["BOOT_ORDER=B A", "BOOT_A_LEFT=3", "BOOT_B_LEFT=3"]);
    assert.ok(again.datagrams > 0);
    assert.deepEqual(again.errors, []);
    box.onDatagram(() => {});
    assert.deepEqual(
      (await firmwareHistory(box))
        .slice(0, 4)
        .map(({ what }) => what)
        .sort(),
      [...["activated", "good", "installed", "started"]],
    );
  });

  interface Bad {
    name: string;
    version: string;
    bring?: Bring;
    reason: RegExp;
    /** Until the box is back. */
    seconds: number;
  }

  /** Installs to slot A what is bad, and waits for the box to come back from it. */
  async function fallsBack({ name, version, bring = byUpload, reason, seconds }: Bad): Promise<void> {
    await install(box, file(name), { bring, onStep: (what) => step(`${version} is ${what}`) });
    let at = box.console.length;
    await activate(box);
    at = await box.shows(/Steadycast: booting slot A/, at);
    step(`slot A boots ${version}`);
    at = await box.shows(/Steadycast: booting slot B/, at, seconds);
    step("slot B boots again by itself");
    await box.shellReady(at);
    await box.apiReady();
    const status = await firmware(box);
    const slot = status.slots?.find((one) => one.name === "A");
    step(`the API says: ${status.trouble}`);
    assert.equal(status.version, "0.2.0");
    assert.deepEqual([slot?.state, slot?.version, slot?.next], ["bad", version, false]);
    assert.match(slot?.why ?? "", reason);
    assert.match(status.trouble, reason);
    const event = (await firmwareHistory(box)).find(({ what }) => what === "given-up");
    assert.deepEqual([event?.version, event?.slot], [version, "A"]);
    assert.match(event?.detail ?? "", reason);
  }

  test("from firmware whose channels cannot transmit the box comes back by itself", async () => {
    const broken = { content: "#!/bin/sh\nexit 1\n", mode: SCRIPT };
    // Its own health gate has a minute of patience: with its five it is the same.
    const gate = readFileSync("rootfs/usr/lib/steadycast/good", "utf8").replace("patience=300", "patience=60");
    const slot = changedSlot(next, file("mute.img"), "0.3.0", {
      "/usr/lib/steadycast/media/transmit/transmit": broken,
      "/usr/lib/steadycast/good": { content: gate, mode: SCRIPT },
    });
    bundle(slot, "0.3.0", file("mute.raucb"));
    rmSync(slot);
    await fallsBack({ name: "mute.raucb", version: "0.3.0", reason: /transmit/i, seconds: 600 });
  });

  test("from a kernel that panics, fetched by its URL, the box comes back by itself", async () => {
    // From here on nothing is told of the stream, and coding one takes from an emulated box most of what it has.
    assert.equal((await box.shell("steadycast config set /channels/0/enabled false")).code, 0);
    bundle(panickingSlot(next, file("panic.img")), "0.4.0", file("panic.raucb"));
    const from = box.console.length;
    await fallsBack({ name: "panic.raucb", version: "0.4.0", bring: byUrl, reason: /did not start/, seconds: 120 });
    assert.equal(box.console.slice(from).match(/Kernel panic/g)?.length, 3);
  });

  test("from a supervisor that ends at its start, brought on a stick, the box comes back by itself", async () => {
    const broken = { content: 'console.error("broken");\nprocess.exit(1);\n', mode: "0100644" };
    const slot = changedSlot(next, file("crash.img"), "0.5.0", { "/usr/lib/steadycast/dist/steadycast.js": broken });
    bundle(slot, "0.5.0", file("crash.raucb"));
    rmSync(slot);
    await fallsBack({
      name: "crash.raucb",
      version: "0.5.0",
      bring: byStick,
      reason: /supervisor ended/,
      seconds: 400,
    });
  });

  test("the box goes back to an older version on explicit order, and from there to the one before", async () => {
    const early = await box.api("POST", "/firmware/rollback", {});
    assert.equal(early.status, 409, "what was given up is nothing to roll back to");
    bundle(join(image, "slot.ext4"), "0.1.0", file("old.raucb"));
    await byUpload(box, file("old.raucb"));
    let at = box.console.length;
    await accepted(box.api("POST", "/firmware/install", { activation: { when: "now" }, downgrade: true }));
    at = await box.shows(/Steadycast: booting slot A/, at, 180);
    step("slot A boots 0.1.0");
    await isGood(at, "A", "0.1.0");
    at = box.console.length;
    await accepted(box.api("POST", "/firmware/rollback", {}));
    at = await box.shows(/Steadycast: booting slot B/, at);
    step("slot B boots 0.2.0");
    await isGood(at, "B", "0.2.0");
    const told = (await firmwareHistory(box)).map(({ what }) => what);
    assert.deepEqual(told.slice(0, told.indexOf("rolled-back") + 1), ["started", "rolled-back"]);
  });

  /** @param at where in the console its boot begins */
  async function isGood(at: number, name: SlotName, wanted: string): Promise<void> {
    await box.shellReady(at);
    await box.apiReady();
    const { version } = await firmwareBecomes(box, ({ slots }) =>
      Boolean(slots?.some((slot) => slot.name === name && slot.running && slot.state === "good")),
    );
    assert.equal(version, wanted);
    step(`${version} is good in slot ${name}`);
  }
});
