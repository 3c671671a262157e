/**
 * Whatever stands still is started again by what is above it: a media process by the supervisor, the supervisor by systemd,
 * systemd and the kernel by the hardware's watchdog. Of the first two, the stream on the wire shows nothing.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Continuity } from "./support/continuity.ts";
import { buildImage, type EmulatedBox, sleep } from "./support/emulatedBox.ts";
import { boxOnAir } from "./support/onAir.ts";
import { stepsBy } from "./support/steps.ts";

describe("the watchdog chain", { timeout: 1_200_000 }, () => {
  let box: EmulatedBox;
  let wire: Continuity;
  const { step, show } = stepsBy(() => box.seconds);

  before(async () => {
    box = await boxOnAir(buildImage());
    // Whoever asks here is nobody in particular.
    box.token = "";
    wire = Continuity.watch(box);
  });
  after(async () => {
    await box?.remove();
    show();
  });

  const text = async (command: string, seconds?: number) => (await box.shell(command, seconds)).text;
  const supervisor = () => text("systemctl show -p MainPID --value steadycast");
  const processOf = (role: string) => text(`pgrep -x ${role} -o`);
  const ask = (path: string) =>
    text(
      `exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET ${path} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3; timeout 60 cat <&3`,
      90,
    );

  /** Waits for the health gate. */
  async function isGood(): Promise<void> {
    const gate = await box.shell("systemctl start steadycast-good", 400);
    assert.equal(gate.code, 0, await text("journalctl -b -u steadycast-good --no-pager -o cat"));
  }

  async function until(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + seconds * 1000;
    while (!(await holds())) {
      if (performance.now() > end) {
        assert.fail(`${what} did not happen: ${await text("journalctl -b -n 40 --no-pager -o short-monotonic")}`);
      }
      await sleep(500);
    }
  }

  /** Does something to the box, waits for what follows, and holds that the stream did not show it. */
  async function unseen(what: string, act: () => Promise<void>): Promise<void> {
    wire.take();
    const began = box.seconds;
    await act();
    await until("that the box is well", 120, async () => (await ask("/api/v1/health")).includes(" 200 OK"));
    const { datagrams, errors, gap } = wire.take();
    const seconds = (box.seconds - began).toFixed(1);
    step(`${what}: well after ${seconds} s; ${datagrams} datagrams, ${errors.length} errors, gap ${gap.toFixed(0)} ms`);
    assert.deepEqual(errors, []);
    assert.ok(datagrams > 0);
  }

  /** The encoder need not be the same: on a busy machine an emulated one ends by itself now and then. */
  async function isAdopted(transmit: string): Promise<void> {
    assert.equal(await processOf("transmit"), transmit);
    const journal = await text("journalctl -b -u steadycast --no-pager -o cat | grep adopted");
    assert.match(journal, new RegExp(`ch1/transmit: adopted process ${transmit}`));
  }

  test("each watches the next, and the supervisor says that it is alive", async () => {
    const properties = "Type,NotifyAccess,WatchdogUSec,WatchdogSignal,KillMode,NRestarts,OOMPolicy";
    assert.deepEqual((await text(`systemctl show steadycast -p ${properties}`)).split("\n").sort(), [
      "KillMode=process",
      "NRestarts=0",
      "NotifyAccess=all",
      "OOMPolicy=continue",
      "Type=notify",
      "WatchdogSignal=9",
      "WatchdogUSec=1min",
    ]);
    assert.equal(await text("systemctl show -p RuntimeWatchdogUSec --value"), "1min");
    assert.match(await text("dmesg"), /i6300ESB/);
    const seen = () => text("systemctl show -p WatchdogTimestampMonotonic --value steadycast");
    const first = await seen();
    await until("a sign of life", 60, async () => (await seen()) !== first);
    step("the supervisor has given a sign of life");
    const trouble = "journalctl -b -u steadycast --no-pager -o cat | grep -i 'watchdog' || true";
    assert.equal(await text(trouble), "");
    // Those who live longer than the supervisor must not speak for it.
    const environments = "for pid in $(pgrep -x 'node|encode|transmit'); do tr '\\0' '\\n' </proc/$pid/environ; done";
    const inherited = await text(`${environments} | grep -c NOTIFY_SOCKET`);
    assert.equal(inherited, "1", "of Node itself, as it was started");
  });

  test("the box tells those who are on it that it is well, and others nothing", async () => {
    const answer = await ask("/api/v1/health");
    assert.match(answer, / 200 OK/);
    const { ok, checks } = JSON.parse(answer.slice(answer.indexOf("{"))) as { ok: boolean; checks: unknown[] };
    const names = ["api", "storage", "channel:ch1"];
    assert.deepEqual({ ok, checks }, { ok: true, checks: names.map((name) => ({ name, ok: true })) });
    assert.equal((await box.api("GET", "/health")).status, 401);
  });

  test("a supervisor that stands still is started again, and the stream runs on meanwhile", async () => {
    const before = await supervisor();
    const media = await processOf("transmit");
    await unseen("supervisor stopped", async () => {
      assert.equal((await box.shell(`kill -STOP ${before}`)).code, 0);
      await until("the watchdog's bite", 150, async () => !["0", before].includes(await supervisor()));
      step("systemd has started another supervisor");
    });
    assert.match(await text("journalctl -b -u steadycast --no-pager -o cat"), /Watchdog timeout/);
    await isAdopted(media);
  });

  test("a supervisor that is killed is started again, and the stream runs on meanwhile", async () => {
    const before = await supervisor();
    const media = await processOf("transmit");
    await unseen("supervisor killed", async () => {
      assert.equal((await box.shell(`kill -KILL ${before}`)).code, 0);
      await until("the restart", 60, async () => !["0", before].includes(await supervisor()));
    });
    await isAdopted(media);
  });

  for (const role of ["encode", "transmit"]) {
    test(`${role} is started again when it is killed, or stands still, and the stream shows no error`, async () => {
      for (const signal of ["KILL", "STOP"]) {
        const before = await processOf(role);
        await unseen(`${role}: SIG${signal}`, async () => {
          assert.equal((await box.shell(`kill -${signal} ${before}`)).code, 0);
          await until("the restart", 60, async () => !["", before].includes(await processOf(role)));
        });
      }
    });
  }

  // Each waits most of its time for the same minute to pass.
  describe("the hardware resets the box", { concurrency: 2 }, () => {
    test("when systemd stands still", async () => {
      const at = box.console.length;
      assert.equal((await box.shell("sync; echo 1 >/sys/fs/cgroup/init.scope/cgroup.freeze")).code, 0);
      step("systemd is frozen");
      await box.shows(/Steadycast: boot script/, at, 150);
      step("the box boots");
      await box.shellReady(at);
      await isGood();
      step("the slot is good");
      const journal = await text("journalctl -b -u steadycast --no-pager -o cat");
      assert.match(journal, /the box is up; it went down for: power cut, reset or watchdog/);
    });

    test("when the kernel stands still", async () => {
      const other = await boxOnAir(buildImage());
      try {
        const at = other.console.length;
        // It must not reboot by itself, which it does by its settings.
        const crash = "(sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &";
        await other.shell(`sync; echo 0 >/proc/sys/kernel/panic; ${crash}`);
        await other.shows(/Kernel panic|sysrq triggered crash/i, at, 30);
        const began = other.seconds;
        await other.shows(/Steadycast: boot script/, at, 150);
        step(`a kernel that panicked, and stayed so, is reset after ${(other.seconds - began).toFixed(1)} s`);
        await other.shows(/Welcome to/, at, 90);
      } finally {
        await other.remove();
      }
    });
  });
});
