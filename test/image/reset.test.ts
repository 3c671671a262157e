/**
 * A reset to factory settings by each of its ways, in one emulated box: after each the box is a new one, with the firmware
 * in its slots and its identity as before. What a power cut leaves at any other step, resetScripts.test.ts shows.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { PASSWORD } from "../support/login.ts";
import { buildImage, EmulatedBox, sleep } from "./support/emulatedBox.ts";
import { stepsBy } from "./support/steps.ts";

const KEYS = { up: 0, down: 1, left: 2, right: 3, ok: 4, back: 5, hole: 6 } as const;
const STATUS_RED = "/run/bench/gpio/leds/sim_gpio1/value";

interface View {
  title: string;
  rows: { text: string }[];
  selected?: number;
}

describe("a reset to factory settings", { timeout: 1_200_000 }, () => {
  /** Only where the box has been told of it: on its disk. */
  const secret = `secret-${randomBytes(8).toString("hex")}`;
  let box: EmulatedBox;
  let cookie = "";
  let identity = "";
  let slots = "";
  let network: unknown;
  const { step, show } = stepsBy(() => box.seconds);

  const run = async (command: string, seconds?: number): Promise<string> => {
    const { code, text } = await box.shell(command, seconds);
    assert.equal(code, 0, `${command}: ${text}`);
    return text.trim();
  };
  const call = (method: string, path: string, body?: unknown) =>
    box.api(method, path, body, { cookie, "sec-fetch-site": "same-origin" });
  const networkNow = async (): Promise<unknown> => JSON.parse(await run("steadycast config get /network --json"));
  const slotsNow = () => run("for s in a b; do head -c 4M /dev/disk/by-partlabel/slot-$s | sha256sum; done");
  /** Whether the disk of the box holds the secret anywhere. */
  const isOnDisk = () => spawnSync("grep", ["-qaF", secret, join(box.folder, "disk.qcow2")]).status === 0;
  const hold = (key: keyof typeof KEYS, isHeld: boolean) =>
    run(`echo pull-${isHeld ? "down" : "up"} >/run/bench/gpio/panel/sim_gpio${KEYS[key]}/pull`);

  before(async () => {
    box = new EmulatedBox(buildImage());
    await box.start();
    await box.shellReady();
    await box.apiReady();
    step("a new box");
    await run("echo what the other slot has | dd of=/dev/disk/by-partlabel/slot-b conv=notrunc,fsync status=none");
    identity = await run("cat /etc/machine-id");
    slots = await slotsNow();
    network = await networkNow();
  });
  after(async () => {
    await box?.remove();
    show();
  });

  /** Somebody takes the box for theirs. */
  async function take(): Promise<void> {
    // Its picture costs an emulated box most of what it has.
    await run("steadycast channel stop ch1");
    const entered = await box.api("POST", "/session", { user: "admin", password: "admin" });
    cookie = entered.cookies[0] ?? "";
    const { status, cookies, body } = await call("POST", "/setup", { password: PASSWORD });
    assert.equal(status, 200, JSON.stringify(body));
    cookie = cookies[0] ?? "";
    await run(`steadycast config set /box/name ${secret}`);
    const told = await run("steadycast config set /network/hostname rack7");
    const [, revision] = /revision (\d+)/i.exec(told) ?? [];
    if (/on trial/.test(told)) await run(`steadycast config confirm ${revision}`);
    await run(
      `for f in system/rauc system/slots system/journal; do mkdir -p /data/$f; echo ${secret} >/data/$f/x; done; sync`,
    );
    assert.ok(isOnDisk());
  }

  /** Waits for the box as it comes up again, and looks whether it is a new one. @param from where the boot begins on the console */
  async function isNew(from: number, expected: unknown, how: string): Promise<void> {
    await box.shows(/Reset to factory settings: done/, from, 180);
    step(`${how}: wiped`);
    await box.shellReady(from);
    await box.apiReady();
    step(`${how}: the API answers`);
    assert.deepEqual((await box.api("GET", "/session")).body, { setup: true, user: null });
    assert.equal((await box.api("POST", "/session", { user: "admin", password: PASSWORD })).status, 401);
    assert.doesNotMatch(await run("steadycast config get /box/name"), new RegExp(secret));
    assert.deepEqual(await networkNow(), expected);
    assert.equal(isOnDisk(), false, "what was there can still be read");
    assert.equal(await run("journalctl --list-boots --no-pager | grep -c '^ *-*[0-9]'"), "1");
    await run("[ ! -e /data/system/slots/x ]");
    assert.equal(await run("cat /etc/machine-id"), identity);
    assert.equal(await slotsNow(), slots);
    const state = await run("fw_printenv");
    assert.doesNotMatch(state, /WIPE/);
    assert.match(state, /BOOT_ORDER=A B/);
    assert.equal(
      await run("dd if=/dev/disk/by-partlabel/bootstate bs=64k skip=1 count=2 status=none | tr -d '\\0' | wc -c"),
      "0",
    );
    assert.equal(await run("systemctl --failed --no-legend --plain"), "");
  }

  test("ordered by the API, it leaves nothing but the network that was to be kept", async () => {
    await take();
    const kept = await networkNow();
    assert.notDeepEqual(kept, network);
    const wrong = await call("POST", "/power/factory-reset", { password: "wrong", keepNetwork: true });
    assert.equal(wrong.status, 403);
    const from = box.console.length;
    const answer = await call("POST", "/power/factory-reset", { password: PASSWORD, keepNetwork: true });
    assert.deepEqual([answer.status, answer.body], [202, { order: "factory-reset", inSeconds: 2 }]);
    await box.shows(/Steadycast: reset to factory settings/, from);
    await isNew(from, kept, "API");
  });

  test("by the button in the reset hole, and with a power cut as the wipe begins, it is complete", async () => {
    await take();
    let from = box.console.length;
    await hold("hole", true);
    const seen = await run(`for i in $(seq 60); do cat ${STATUS_RED}; sleep 0.1; done`);
    assert.match(seen.replaceAll("\n", ""), /01+0/, "the status light blinks");
    from = await box.shows(/Steadycast: reset to factory settings/, from);
    await box.shows(/Reset to factory settings: it was ordered/, from);
    await box.cut();
    step("reset hole: ordered, and power cut");
    from = box.console.length;
    await box.start();
    await isNew(from, network, "reset hole");
  });

  test("ordered at the front panel, it leaves nothing", async () => {
    await take();
    const view = async () => ((await call("GET", "/panel")).body as { view: View }).view;
    const press = async (key: keyof typeof KEYS) => {
      const before = JSON.stringify(await view());
      await hold(key, true);
      await sleep(100);
      await hold(key, false);
      // The menu follows within a refresh, however slow the box is.
      for (let looks = 0; looks < 50 && JSON.stringify(await view()) === before; looks++) await sleep(100);
    };
    const choose = async (text: string) => {
      for (let presses = 0; ; presses++) {
        const { rows, selected = 0 } = await view();
        if (rows[selected]?.text === text) break;
        assert.ok(presses < 60, `${text} is not in ${JSON.stringify(rows)}`);
        await press("down");
      }
      await press("ok");
    };
    const from = box.console.length;
    await choose("Menu");
    await choose("Factory reset");
    await choose("Yes");
    assert.equal((await view()).title, "Really reset?");
    await choose("Yes");
    await isNew(from, network, "front panel");
  });

  test("by the button in the reset hole, held as the box is switched on, it leaves nothing", async () => {
    await take();
    await box.cut();
    const from = box.console.length;
    await box.start(["-fw_cfg", `name=opt/steadycast/held,string=${KEYS.hole}`]);
    const at = await box.shows(/The button in the reset hole is held/, from);
    step("reset hole at the start: held");
    await box.shows(/The button in the reset hole was held for 10 s/, at);
    assert.doesNotMatch(box.console.slice(from), /Steadycast: reset to factory settings/);
    await isNew(from, network, "reset hole at the start");
  });
});
