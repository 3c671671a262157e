/**
 * Power cuts at 20 random moments of updates, and at 20 at which the configuration is being written: the box always comes
 * back, with one firmware as a whole and with one configuration as it was acknowledged. Each boot is the check of one cut and
 * the start of the next. Two boxes share the cuts. STEADYCAST_SEED gives the moments of an earlier run again, as far as the
 * machine is as fast.
 */
import assert from "node:assert/strict";
import { createHash, randomInt } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { firstOf } from "../../src/update/rauc/bootState.ts";
import { type FirmwareStatus, type SlotName, slotNames } from "../../src/update/status.ts";
import { readDisk } from "./support/disk.ts";
import { buildImage, EmulatedBox, sleep } from "./support/emulatedBox.ts";
import {
  accepted,
  activate,
  bundle,
  byUpload,
  firmware,
  firmwareBecomes,
  firmwareHistory,
} from "./support/firmware.ts";

type UpdateMoment = "receive" | "verify" | "install" | "activate" | "U-Boot" | "kernel" | "start" | "gate";
/** The configuration is changed all the time that the API answers: `config` is at nothing but such a change. */
type Moment = UpdateMoment | "config";

/** Of each box: a bundle that is there, and firmware that can be started, serve those that follow. */
const MOMENTS: readonly (readonly Moment[])[] = [
  [
    ...(["receive", "verify", "install", "config", "install", "U-Boot", "gate", "start"] as const),
    ...(["activate", "install", "receive", "config"] as const),
  ],
  [
    ...(["install", "activate", "kernel", "gate", "activate", "config", "install", "install"] as const),
    ...(["verify", "receive", "config", "receive"] as const),
  ],
];
/** Between two changes of the configuration: what else the box does must come to something, RAUC with the lowest priority. */
const PAUSE_MS = 1000;
/** About as long as the box takes for one. */
const CHANGE_MS = 250;
const VERSIONS = ["0.1.0", "0.2.0"] as const;
const seed = Number(process.env.STEADYCAST_SEED ?? randomInt(2 ** 31));

interface Release {
  version: string;
  size: number;
  sha256: string;
  bundle: string;
}

describe(`power cuts, seed ${seed}`, { timeout: 2_400_000, concurrency: MOMENTS.length }, () => {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-cuts-"));
  let image = "";
  let releases: Release[] = [];

  before(() => {
    image = buildImage();
    releases = VERSIONS.map((version) => {
      const slot = join(version === VERSIONS[0] ? image : buildImage("--version", version), "slot.ext4");
      const sha256 = createHash("sha256").update(readFileSync(slot)).digest("hex");
      const file = bundle(slot, version, join(folder, `${version}.raucb`));
      return { version, size: statSync(slot).size, sha256, bundle: file };
    });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [n, moments] of MOMENTS.entries()) {
    describe(`box ${n + 1}`, { concurrency: 1 }, () => {
      let cuts: Cuts;
      before(async () => {
        const log = join("build/test", `image-console-${n + 1}.log`);
        cuts = new Cuts(new EmulatedBox(image, { cpus: 1, log }), releases, randomOf(seed + n));
        await cuts.begin();
      });
      after(async () => await cuts?.box.remove());

      for (const [i, moment] of moments.entries()) {
        test(`${i + 1} of ${moments.length}: ${moment}`, async (t) => t.diagnostic(await cuts.once(moment)));
      }
    });
  }
});

/** One box and its cuts. */
class Cuts {
  readonly box: EmulatedBox;
  readonly #releases: readonly Release[];
  readonly #random: () => number;
  /** The last change of the configuration that was acknowledged, and the one that was sent last. */
  #acknowledged = 0;
  #sent = 0;
  #isChanging = false;
  /** Whether the box must tell what became of the update: not of an order that it had not taken yet. */
  #isOwed = true;
  /** Slots that can be started, and that nothing is written to: a power cut takes nothing from them. */
  #startable: SlotName[] = [];
  #changes: Promise<void> = Promise.resolve();

  constructor(box: EmulatedBox, releases: readonly Release[], random: () => number) {
    this.box = box;
    this.#releases = releases;
    this.#random = random;
  }

  /** Takes the new box for the test. */
  async begin(): Promise<void> {
    const { box } = this;
    await box.start();
    await box.shellReady();
    await box.apiReady(300);
    await box.setUp();
    // What it would code takes from an emulated box most of what it has.
    const off = await box.shell("steadycast config set /channels/0/enabled false");
    assert.equal(off.code, 0, off.text);
    await this.#settled();
  }

  /** Nothing is being done any more, and the firmware that runs is good. */
  async #settled(): Promise<FirmwareStatus> {
    return await firmwareBecomes(
      this.box,
      (one) => one.work === null && runningOf(one)?.state === "good" && runningOf(one)?.attemptsLeft === 3,
    );
  }

  /** Goes to a moment of an update, cuts the power at a random point of it, and checks what comes back. */
  async once(moment: Moment): Promise<string> {
    const { box } = this;
    this.#beginChanges();
    this.#isOwed = moment !== "config";
    const before = (await firmwareHistory(box))[0];
    const at = await this.#cutAt(moment);
    await this.#endChanges();
    const { expected, whole } = await this.#checkDisk();

    await box.start();
    await box.shellReady();
    assert.equal(await box.apiReady(300), 200);
    const { text: version } = await box.shell("sed -n s/^VERSION_ID=//p /usr/lib/os-release");
    assert.equal(version, expected, "the version that runs is the one that the boot state names");
    const config = await this.#checkConfig();

    // What was interrupted is told, and what was not goes on to its end.
    const status = await this.#settled();
    assert.equal(status.version, version);
    assert.doesNotMatch(status.trouble, /given up/, "nothing is wrong with the firmware");
    assert.deepEqual(
      this.#startable.filter((name) => !startableOf(status).includes(name)),
      [],
      "what could be started can be started still",
    );
    for (const { name, state } of status.slots ?? []) {
      assert.ok(whole.has(name) || state === "bad" || state === "empty", `slot ${name} is ${state}, and not whole`);
    }
    const [event] = await firmwareHistory(box);
    const isNew = JSON.stringify(event) !== JSON.stringify(before);
    if (moment === "config") return `${at}: ${config}`;
    assert.ok(!this.#isOwed || isNew || status.trouble !== "", "what became of the update is told");
    return `${at}: ${version} in ${runningOf(status)?.name}, ${config}; ${
      status.trouble === "" ? `${event?.what} ${event?.version}` : status.trouble
    }`;
  }

  // ---- the moments ---------------------------------------------------------------------------------------------------

  async #cutAt(moment: Moment): Promise<string> {
    const { box } = this;
    const status = await firmware(box);
    this.#startable = startableOf(status);
    const wanted = this.#releases.find(({ version }) => version !== status.version);
    if (wanted === undefined) throw new Error("There is nothing to install");
    switch (moment) {
      case "config": {
        const changes = this.#acknowledged + 1 + Math.floor(this.#random() * 5);
        await this.#until(async () => this.#acknowledged >= changes);
        const ms = await this.#after(1000);
        await this.#cut();
        return `after ${ms} ms`;
      }
      case "receive": {
        const bytes = Math.floor(this.#random() * statSync(wanted.bundle).size);
        const sent = box.upload("/firmware/bundle", wanted.bundle).catch(() => undefined);
        await this.#until(async () => (await this.#progress()).bytes >= bytes);
        await this.#cut();
        await sent;
        return `after ${(bytes / 1e6).toFixed(0)} MB`;
      }
      case "verify": {
        const sent = box.upload("/firmware/bundle", wanted.bundle).catch(() => undefined);
        await this.#until(async () => (await this.#progress()).what === "verify");
        const ms = await this.#after(5000);
        await this.#cut();
        await sent;
        return `after ${ms} ms`;
      }
      case "install": {
        if (status.bundle === null) await byUpload(box, wanted.bundle);
        const from = await this.#written();
        this.#startable = this.#startable.filter((name) => name === runningOf(status)?.name);
        await this.#install();
        const bytes = Math.floor(this.#random() * wanted.size);
        await this.#until(async () => (await this.#written()) - from >= bytes || (await this.#progress()).what === "");
        await this.#cut();
        return `after ${(bytes / 1e6).toFixed(0)} MB`;
      }
      case "activate": {
        await this.#haveOther(status, wanted);
        const order = box.api("POST", "/firmware/activate", { when: "now" }).catch(() => undefined);
        const ms = await this.#after(4000);
        await this.#cut();
        this.#isOwed = (await order)?.status === 202;
        return `after ${ms} ms`;
      }
      case "U-Boot":
        return await this.#inBoot(status, wanted, /Steadycast: boot script/, 700);
      case "kernel":
        return await this.#inBoot(status, wanted, /Booting Linux/, 2500);
      case "start":
        return await this.#inBoot(status, wanted, /Welcome to/, 20_000);
      case "gate": {
        const told = await this.#inBoot(status, wanted, /Welcome to/, 3000, async () => {
          await box.shellReady();
          await box.apiReady(300);
          await this.#checkConfig();
          this.#beginChanges();
        });
        return `${told} and an API that answers`;
      }
    }
  }

  /** Starts what is in the other slot, and cuts the power at most so long after the console has shown something. */
  async #inBoot(status: FirmwareStatus, wanted: Release, shown: RegExp, most: number, more = async () => {}) {
    await this.#haveOther(status, wanted);
    await this.#endChanges();
    const from = this.box.console.length;
    await activate(this.box);
    await this.box.shows(shown, from);
    await more();
    const ms = await this.#after(most);
    await this.#cut();
    return `${ms} ms after ${shown.source}`;
  }

  /** Firmware in the other slot that can be started. */
  async #haveOther(status: FirmwareStatus, wanted: Release): Promise<void> {
    if (this.#startable.length === slotNames.length) return;
    if (status.bundle === null) await byUpload(this.box, wanted.bundle);
    await this.#install();
    this.#startable = startableOf(await firmwareBecomes(this.box, ({ work }) => work === null));
    assert.deepEqual(this.#startable, [...slotNames]);
  }

  async #install(): Promise<void> {
    const order = { activation: { when: "manual" }, downgrade: true };
    await accepted(this.box.api("POST", "/firmware/install", order));
  }

  async #progress(): Promise<{ what: string; bytes: number }> {
    const { work } = await firmware(this.box);
    return { what: work?.what ?? "", bytes: work?.bytes ?? 0 };
  }

  /** Bytes that the disk has taken since the box was switched on. */
  async #written(): Promise<number> {
    const devices = (await this.box.qmp("query-blockstats")) as { device: string; stats: { wr_bytes: number } }[];
    return devices.find(({ device }) => device === "disk")?.stats.wr_bytes ?? 0;
  }

  async #until(is: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + 240_000;
    while (!(await is())) {
      if (performance.now() > end) throw new Error("The moment does not come");
      await sleep(50);
    }
  }

  async #after(most: number): Promise<number> {
    const ms = Math.floor(this.#random() * most);
    await sleep(ms);
    return ms;
  }

  /** In the middle of a change of the configuration, while it is changed. */
  async #cut(): Promise<void> {
    if (this.#isChanging && this.#sent === this.#acknowledged) {
      await this.#until(async () => this.#sent > this.#acknowledged);
      await this.#after(CHANGE_MS);
    }
    this.#isChanging = false;
    await this.box.cut();
  }

  // ---- the configuration ---------------------------------------------------------------------------------------------

  /** Changes several parts of the configuration together, again and again, as long as the box says that it has. */
  #beginChanges(): void {
    this.#isChanging = true;
    this.#changes = (async () => {
      while (this.#isChanging) {
        const n = this.#sent + 1;
        this.#sent = n;
        const answer = await this.box.api("POST", "/config/apply", { patch: changeOf(n) }).catch(() => undefined);
        // Whether it has this one shows when it is back.
        if (answer?.status !== 200) break;
        this.#acknowledged = n;
        await sleep(PAUSE_MS);
      }
      this.#isChanging = false;
    })();
  }

  async #endChanges(): Promise<void> {
    this.#isChanging = false;
    await this.#changes;
  }

  /** The configuration is the one that was acknowledged last, or one that was on its way. Says which. */
  async #checkConfig(): Promise<string> {
    const { status, body } = await this.box.api("GET", "/config");
    assert.equal(status, 200, JSON.stringify(body));
    const { access, power } = ((body as { config?: unknown }).config ?? body) as Record<
      string,
      Record<string, unknown>
    >;
    const found = { idleMinutes: access?.idleMinutes, rebootTime: power?.rebootTime };
    // One that was sent and not acknowledged may be there or not, but there is only one of these at a time.
    const candidates = [this.#acknowledged, this.#sent].map((n) => {
      const change = changeOf(n);
      return { idleMinutes: change.access.idleMinutes, rebootTime: change.power.rebootTime };
    });
    const which = candidates.findIndex((one) => JSON.stringify(one) === JSON.stringify(found));
    assert.notEqual(which, -1, `${JSON.stringify(found)} is none of ${JSON.stringify(candidates)}`);
    const problems = await this.box.api("GET", "/config/problems");
    assert.deepEqual(problems.body, { problems: [] });
    const onItsWay = this.#sent > this.#acknowledged ? `, and another that was ${which === 1 ? "" : "not "}kept` : "";
    const told = `${this.#acknowledged} changes acknowledged${onItsWay}`;
    if (which === 1) this.#acknowledged = this.#sent;
    this.#sent = this.#acknowledged;
    return told;
  }

  // ---- the disk ------------------------------------------------------------------------------------------------------

  /** The slot that the next boot takes holds one release, bit for bit. Gives its version, and all slots that do. */
  async #checkDisk(): Promise<{ expected: string; whole: Set<SlotName> }> {
    return await readDisk(this.box, (disk) => {
      const { state } = disk;
      assert.ok(state, "the boot state is valid");
      const inside = (slot: SlotName) =>
        this.#releases.find(({ size, sha256 }) => disk.slot(slot, size) === sha256)?.version;
      const next = firstOf(state) ?? "A";
      const expected = inside(next);
      assert.ok(expected !== undefined, `slot ${next}, which is next to boot, holds no release as a whole`);
      return { expected, whole: new Set(slotNames.filter((name) => inside(name) !== undefined)) };
    });
  }
}

function startableOf({ slots }: FirmwareStatus): SlotName[] {
  return (slots ?? []).filter(({ state }) => state === "good" || state === "new").map(({ name }) => name);
}

function runningOf({ slots }: FirmwareStatus) {
  return slots?.find((slot) => slot.running);
}

function changeOf(n: number) {
  const two = (value: number) => String(value).padStart(2, "0");
  return {
    access: { idleMinutes: 30 + (n % 1400) },
    power: { rebootTime: `${two(4 + (Math.floor(n / 60) % 20))}:${two(n % 60)}` },
  };
}

/** Mulberry32: numbers from 0 to 1, the same for the same seed. */
function randomOf(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
