import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Bench, bytesOf } from "./support/bench.ts";

const slotsOf = (bench: Bench) =>
  bench.update
    .status()
    .slots?.map(({ name, running, next, state, version, why }) =>
      [name, running ? "running" : "", next ? "next" : "", state, version, why].filter(Boolean).join(" "),
    );

test("a bundle that is sent is at hand, until another takes its place or it is removed", async (t) => {
  const bench = await Bench.start(t);
  assert.deepEqual(slotsOf(bench), ["A running next good 0.1.0", "B empty"]);
  const sent = await bench.send("0.2.0 two");
  assert.ok(sent.ok);
  const { received, ...bundle } = sent.bundle;
  assert.equal(received, "2026-01-01T12:00:00.000Z");
  assert.deepEqual(bundle, {
    ...{ version: "0.2.0", build: "two", compatible: "kind", notes: "Notes", size: 9, downgrade: false },
    origin: "upload",
  });
  assert.deepEqual(bench.update.status().bundle, sent.bundle);
  const [first] = bench.files();
  assert.equal(bench.files().length, 1);
  assert.ok((await bench.send("0.0.9 old")).ok);
  assert.notEqual(bench.files()[0], first);
  assert.equal(bench.files().length, 1);
  assert.equal(bench.update.status().bundle?.downgrade, true);
  await bench.restart();
  assert.equal(bench.update.status().bundle?.version, "0.0.9", "it outlives the supervisor");
  assert.deepEqual(await bench.update.bundles.remove(), { ok: true });
  assert.deepEqual([bench.update.status().bundle, bench.files()], [null, []]);
  assert.deepEqual(bench.history(), [
    "received 0.0.9 anna box.raucb (upload)",
    "received 0.2.0 anna box.raucb (upload)",
    "good 0.1.0 A box",
  ]);
});

test("a bundle that is refused leaves nothing behind but the reason, and the one before stays", async (t) => {
  const bench = await Bench.start(t);
  await bench.send("0.2.0 two");
  const before = bench.files();
  const refused = await bench.send("It is damaged");
  assert.deepEqual(refused, { ok: false, kind: "invalid", why: "It is damaged" });
  const large = await bench.send("x", bench.box.room + 1);
  assert.equal(!large.ok && large.kind, "too-large");
  const cut = await bench.send("0.3.0 three", 100);
  assert.deepEqual([!cut.ok && cut.kind, !cut.ok && cut.why], ["invalid", "It ended after 11 of 100 bytes"]);
  assert.deepEqual(bench.files(), before);
  assert.equal(bench.update.status().bundle?.version, "0.2.0");
  assert.equal(bench.update.status().trouble, "The bundle could not be taken: It ended after 11 of 100 bytes");
  assert.deepEqual(bench.history().slice(0, 3), [
    "interrupted anna box.raucb: It ended after 11 of 100 bytes",
    "failed anna box.raucb: A bundle for this box has at most 1048576 bytes",
    "refused anna box.raucb: It is damaged",
  ]);
  await bench.send("0.2.1 x");
  assert.equal(bench.update.status().trouble, "", "a new order clears it");
});

test("a bundle makes room for the next one where it must, and never for one that does not fit anyway", async (t) => {
  const bench = await Bench.start(t);
  await bench.send("0.2.0 two");
  bench.free = 10;
  const refused = await bench.send("x", bench.box.room + 1);
  assert.equal(!refused.ok && refused.kind, "too-large");
  assert.equal(bench.update.status().bundle?.version, "0.2.0");
  const full = await bench.send("0.3.0 threee");
  assert.equal(!full.ok && full.kind, "no-space");
  assert.deepEqual(bench.files(), []);
});

test("one piece of work at a time; receiving can be ended, installing cannot", async (t) => {
  const bench = await Bench.start(t);
  let go = () => {};
  const waits = new Promise<void>((resolve) => {
    go = resolve;
  });
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("0.2");
    await waits;
    yield* bytesOf(".0 two");
  }
  const sending = bench.update.bundles.upload(slow(), 9, "slow", "anna");
  while (bench.update.status().work?.bytes !== 3) await new Promise(setImmediate);
  const { percent, totalBytes, cancellable } = bench.update.status().work ?? {};
  assert.deepEqual([percent, totalBytes, cancellable], [33, 9, true]);
  const other = await bench.send("0.2.0 two");
  assert.deepEqual(other, { ok: false, kind: "conflict", why: "A bundle is being received" });
  // What is looked for meanwhile is not what a removal waits for.
  await bench.clock.advance(5000);
  const removal = bench.update.bundles.remove();
  go();
  assert.deepEqual(await removal, { ok: true });
  assert.deepEqual([bench.files(), bench.update.status().trouble], [[], ""]);
  assert.equal((await sending).ok, false);

  await bench.send("0.2.0 two");
  let end = () => {};
  bench.box.whileInstalling = async (tell) => {
    tell(40, "Copying");
    await new Promise<void>((resolve) => {
      end = resolve;
    });
  };
  assert.deepEqual(await bench.update.install({ activation: { when: "manual" } }, "anna"), { ok: true });
  while (bench.update.status().work?.percent !== 40) await new Promise(setImmediate);
  assert.deepEqual(bench.update.status().work, {
    ...{ what: "install", percent: 40, step: "Copying", bytes: 0, totalBytes: null, cancellable: false },
  });
  for (const refused of [
    await bench.send("0.3.0 x"),
    await bench.update.bundles.remove(),
    await bench.update.install({ activation: { when: "now" } }, "anna"),
    await bench.update.activations.rollBack("anna"),
  ]) {
    assert.equal(!refused.ok && refused.kind, "conflict");
  }
  end();
  await bench.settled();
  assert.deepEqual(slotsOf(bench), ["A running next good 0.1.0", "B new 0.2.0"]);
});

test("an update is installed, started, and good; the one before is there to roll back to", async (t) => {
  const bench = await Bench.start(t);
  await bench.send("0.2.0 two");
  assert.ok((await bench.update.install({ activation: { when: "now" } }, "anna")).ok);
  await bench.settled();
  assert.deepEqual(bench.box.done, [
    "install 0.2.0 in B",
    "activate B",
    "restart: version 0.2.0 is started, ordered by anna",
  ]);
  assert.deepEqual([bench.update.status().bundle, bench.files()], [null, []]);
  await bench.reboot();
  assert.deepEqual(slotsOf(bench), ["A good 0.1.0", "B running next new 0.2.0"]);
  assert.equal(bench.update.status().activation, null);
  bench.box.isGood = true;
  await bench.clock.advance(6000);
  assert.deepEqual(slotsOf(bench), ["A good 0.1.0", "B running next good 0.2.0"]);
  assert.equal(bench.update.status().capabilities.rollBack, true);
  assert.ok((await bench.update.activations.rollBack("berta")).ok);
  await bench.reboot();
  bench.box.isGood = true;
  await bench.clock.advance(6000);
  assert.deepEqual(slotsOf(bench), ["A running next good 0.1.0", "B good 0.2.0"]);
  assert.deepEqual(bench.history(), [
    "started 0.1.0 A box",
    "rolled-back 0.1.0 A berta",
    "good 0.2.0 B box",
    "started 0.2.0 B box",
    "activated 0.2.0 B anna now",
    "installed 0.2.0 B anna",
    "received 0.2.0 anna box.raucb (upload)",
    "good 0.1.0 A box",
  ]);
});

test("an older version takes an order of its own", async (t) => {
  const bench = await Bench.start(t);
  await bench.send("0.0.9 old");
  const refused = await bench.update.install({ activation: { when: "manual" } }, "anna");
  assert.match(!refused.ok ? refused.why : "", /Version 0.0.9 is older than 0.1.0/);
  assert.deepEqual(bench.box.done, []);
  assert.ok((await bench.update.install({ activation: { when: "manual" }, downgrade: true }, "anna")).ok);
  await bench.settled();
  assert.deepEqual(bench.box.done, ["install 0.0.9 in B, older"]);
});

test("what is installed by hand is started when that is ordered, or taken back", async (t) => {
  const bench = await Bench.start(t);
  const empty = await bench.update.activations.activate({ when: "now" }, "anna");
  assert.equal(!empty.ok && empty.why, "Slot B holds nothing that can be started");
  await bench.send("0.2.0 two");
  await bench.update.install({ activation: { when: "manual" } }, "anna");
  await bench.settled();
  assert.equal(bench.update.status().activation, null);
  assert.ok((await bench.update.activations.activate({ when: "next-boot" }, "anna")).ok);
  assert.deepEqual(bench.update.status().activation, { when: "next-boot" });
  assert.deepEqual(slotsOf(bench), ["A running good 0.1.0", "B next new 0.2.0"]);
  assert.ok((await bench.update.activations.cancel("anna")).ok);
  assert.deepEqual(slotsOf(bench), ["A running next good 0.1.0", "B new 0.2.0"]);
  assert.equal(bench.update.status().activation, null);
  await bench.reboot();
  assert.deepEqual(slotsOf(bench), ["A running next good 0.1.0", "B new 0.2.0"]);
  assert.deepEqual(bench.update.status().trouble, "");
  const nothing = await bench.update.activations.cancel("anna");
  assert.equal(!nothing.ok && nothing.why, "Nothing is ordered for later");
  assert.ok((await bench.update.activations.activate({ when: "now" }, "anna")).ok);
  assert.match(bench.box.done.at(-1) ?? "", /^restart/);
});

test("a time that is ordered holds over a restart, and is taken back", async (t) => {
  const bench = await Bench.start(t);
  await bench.send("0.2.0 two");
  for (const at of ["2025-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]) {
    const refused = await bench.update.install({ activation: { when: "at", at } }, "anna");
    assert.equal(!refused.ok && refused.kind, "invalid");
  }
  const at = "2026-01-01T14:00:00+01:00";
  assert.ok((await bench.update.install({ activation: { when: "at", at } }, "anna")).ok);
  await bench.settled();
  assert.deepEqual(bench.update.status().activation, { when: "at", at });
  bench.time += 30 * 60_000;
  await bench.restart();
  await bench.clock.advance(20 * 60_000);
  assert.deepEqual(bench.box.done, ["install 0.2.0 in B"], "not before the time");
  assert.ok((await bench.update.activations.cancel("anna")).ok);
  await bench.clock.advance(60 * 60_000);
  assert.deepEqual(bench.box.done, ["install 0.2.0 in B"]);
  bench.time = Date.parse("2026-01-01T12:59:00Z") - bench.clock.now();
  assert.ok((await bench.update.activations.activate({ when: "at", at }, "anna")).ok);
  await bench.clock.advance(70_000);
  await bench.settled();
  assert.deepEqual(bench.box.done.slice(1), ["activate B", "restart: version 0.2.0 is started, ordered by anna"]);
});

test("a time that passed while the box was off is left to the next boot when it is long ago", async (t) => {
  for (const [lateMinutes, restarts] of [
    [10, true],
    [60, false],
  ] as const) {
    const bench = await Bench.start(t);
    await bench.send("0.2.0 two");
    await bench.update.install({ activation: { when: "at", at: "2026-01-01T13:00:00Z" } }, "anna");
    await bench.settled();
    await bench.update.stop();
    bench.time += (60 + lateMinutes) * 60_000;
    bench.box.reboot();
    bench.box.isGood = true;
    await bench.start();
    await bench.clock.advance(6000);
    await bench.settled();
    assert.deepEqual(bench.box.done.slice(1, 2), ["activate B"]);
    assert.equal(bench.box.done.length === 3, restarts);
    assert.equal(/The box was off at .* the next boot does it/.test(bench.update.status().trouble), !restarts);
    await bench.reboot();
    assert.match(slotsOf(bench)?.[1] ?? "", /^B running next new 0.2.0/);
  }
});

test("a slot that was given up is told with its reason, as a fault until the next order", async (t) => {
  const bench = await Bench.start(t);
  await bench.send("0.2.0 two");
  await bench.update.install({ activation: { when: "now" } }, "anna");
  await bench.settled();
  // It comes up, is found bad by the health gate, and the slot before boots.
  bench.box.left.B = 0;
  bench.box.order = ["A"];
  const why = "the supervisor ended 4 times at its start";
  bench.box.givenUp = [{ at: "2026-01-01T12:00:30.000Z", version: "0.2.0", why }];
  await bench.reboot();
  bench.box.isGood = true;
  assert.deepEqual(slotsOf(bench), ["A running next good 0.1.0", `B bad 0.2.0 ${why}`]);
  assert.equal(bench.history()[0], `given-up 0.2.0 B box ${why}`);
  const message = `Version 0.2.0 in slot B was given up: ${why}`;
  assert.equal(bench.update.status().trouble, message);
  const since = "2026-01-01T12:00:30.000Z";
  assert.deepEqual(bench.update.faults(), [{ id: "firmware:given-up", severity: "warning", message, since }]);
  assert.equal(bench.update.status().capabilities.rollBack, false);
  const refused = await bench.update.activations.activate({ when: "now" }, "anna");
  assert.equal(!refused.ok && refused.why, `Slot B holds nothing that can be started: ${why}`);
  await bench.restart();
  await bench.reboot();
  assert.equal(bench.history().filter((event) => event.startsWith("given-up")).length, 1, "it is told once");
  assert.equal(bench.update.faults().length, 1);
  await bench.send("0.3.0 three");
  await bench.update.install({ activation: { when: "manual" } }, "anna");
  await bench.settled();
  assert.deepEqual([bench.update.faults(), slotsOf(bench)?.[1]], [[], "B new 0.3.0"]);
});

test("a slot that does not even come up is given up, and not tried at each boot", async (t) => {
  const bench = await Bench.start(t);
  await bench.send("0.2.0 two");
  await bench.update.install({ activation: { when: "now" } }, "anna");
  await bench.settled();
  await bench.update.stop();
  // Its kernel cannot be loaded: the boot script goes on to the next in the same boot.
  bench.box.left.B = 2;
  bench.box.boot++;
  await bench.start();
  assert.equal(bench.box.done.at(-1), "activate A");
  const why = "It did not start: slot A came up in its place";
  assert.deepEqual(slotsOf(bench), ["A running next good 0.1.0", `B bad 0.2.0 ${why}`]);
  assert.equal(bench.history()[0], `given-up 0.2.0 B box ${why}`);
});

/** A box whose update is good: 0.2.0 runs in slot B. */
async function updated(t: TestContext): Promise<Bench> {
  const bench = await Bench.start(t);
  await bench.send("0.2.0 two");
  await bench.update.install({ activation: { when: "now" } }, "anna");
  await bench.settled();
  await bench.reboot();
  bench.box.isGood = true;
  await bench.clock.advance(6000);
  assert.deepEqual(slotsOf(bench), ["A good 0.1.0", "B running next good 0.2.0"]);
  return bench;
}

/** The power goes between an order to start the other slot and the doing. */
async function cutBeforeActivation(bench: Bench, order: () => Promise<unknown>): Promise<void> {
  bench.box.activate = async () => new Promise(() => {});
  void order();
  while (bench.update.status().work?.what !== "activate") await new Promise(setImmediate);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await bench.reboot();
}

test("a power cut is told, whatever was under way", async (t) => {
  const bench = await Bench.start(t);
  await bench.send("0.2.0 two");
  const end = new Promise<void>(() => {});
  bench.box.whileInstalling = () => end;
  await bench.update.install({ activation: { when: "now" } }, "anna");
  while (bench.box.inside.B === null) await new Promise(setImmediate);
  bench.box.installing = false;
  await bench.reboot();
  assert.deepEqual(slotsOf(bench), ["A running next good 0.1.0", "B bad 0.2.0 It was written only in part"]);
  assert.equal(bench.history()[0], "interrupted 0.2.0 B anna The box went down while it was being installed");
  assert.match(bench.update.status().trouble, /0.2.0 is not installed/);
  assert.equal(bench.update.status().bundle?.version, "0.2.0", "the bundle is at hand still");
  bench.box.whileInstalling = async () => {};
  await bench.update.install({ activation: { when: "manual" } }, "anna");
  await bench.settled();
  assert.deepEqual(slotsOf(bench)?.[1], "B new 0.2.0");

  await cutBeforeActivation(bench, () => bench.update.activations.activate({ when: "now" }, "anna"));
  assert.match(bench.history()[0] ?? "", /^interrupted 0.2.0 B box The power went before/);
  assert.deepEqual(slotsOf(bench)?.[1], "B new 0.2.0");
});

test("a power cut before a slot is made the next to start is not held against what it holds", async (t) => {
  const bench = await updated(t);
  await cutBeforeActivation(bench, () => bench.update.activations.rollBack("anna"));
  assert.match(bench.history()[0] ?? "", /^interrupted 0.1.0 A box The power went before/);
  assert.deepEqual(slotsOf(bench), ["A good 0.1.0", "B running next good 0.2.0"]);
  assert.deepEqual(bench.update.faults(), []);
});

test("a slot that a power cut has left half-written is not started, whatever the slots tell of it", async (t) => {
  const lost = { version: "", build: "", installed: null, whole: true };
  const before = { version: "0.1.0", build: "one", installed: null, whole: true };
  const ended = { version: "0.3.0", build: "three", installed: "2026-01-01T13:00:00.000Z", whole: true };
  for (const told of [lost, before, ended]) {
    const bench = await updated(t);
    await bench.send("0.3.0 three");
    bench.box.whileInstalling = () => new Promise(() => {});
    await bench.update.install({ activation: { when: "manual" } }, "anna");
    while (bench.box.inside.A?.whole !== false) await new Promise(setImmediate);
    bench.box.installing = false;
    bench.box.inside.A = told;
    await bench.reboot();
    assert.deepEqual(slotsOf(bench)?.[0], "A bad 0.3.0 It was written only in part");
    assert.equal((await bench.update.activations.rollBack("anna")).ok, false);
    assert.equal((await bench.update.activations.activate({ when: "now" }, "anna")).ok, false);
    await bench.restart();
    assert.deepEqual(slotsOf(bench)?.[0], "A bad 0.3.0 It was written only in part");
    bench.box.whileInstalling = async () => {};
    await bench.update.install({ activation: { when: "manual" } }, "anna");
    await bench.settled();
    assert.deepEqual(slotsOf(bench)?.[0], "A new 0.3.0");
  }
});

test("what nobody knows of, and the boot state does not list, is not started", async (t) => {
  const bench = await Bench.start(t);
  bench.box.inside.B = { version: "", build: "", installed: null, whole: true };
  await bench.restart();
  assert.deepEqual(slotsOf(bench)?.[1], "B bad Nobody knows whether it was written as a whole");
  bench.box.order = ["A", "B"];
  bench.box.left.B = 3;
  await bench.restart();
  assert.deepEqual(slotsOf(bench)?.[1], "B good", "it was good, or it would not be tried");
});

test("a supervisor that is started anew goes on with an installation", async (t) => {
  for (const ended of [false, true]) {
    const bench = await Bench.start(t);
    await bench.send("0.2.0 two");
    let end = () => {};
    bench.box.whileInstalling = () =>
      new Promise((resolve) => {
        end = resolve;
      });
    await bench.update.install({ activation: { when: "next-boot" } }, "anna");
    while (!bench.box.installing) await new Promise(setImmediate);
    await bench.update.stop();
    const first = end;
    if (ended) first();
    await new Promise(setImmediate);
    const starting = bench.start();
    await new Promise((resolve) => setTimeout(resolve, 20));
    first();
    await starting;
    if (!ended) assert.equal(bench.update.status().work?.what, "install");
    await new Promise((resolve) => setTimeout(resolve, 20));
    end();
    await bench.settled();
    assert.deepEqual(slotsOf(bench), ["A running good 0.1.0", "B next new 0.2.0"], String(ended));
    assert.equal(bench.history().filter((event) => event.startsWith("installed")).length, 1);
  }
});

test("what fails is told, and the other slot is as it was when nothing was written", async (t) => {
  const bench = await Bench.start(t);
  await bench.send("0.2.0 two");
  bench.box.installFails = "the bundle is damaged";
  await bench.update.install({ activation: { when: "now" } }, "anna");
  await bench.settled();
  assert.equal(bench.update.status().trouble, "Version 0.2.0 could not be installed: the bundle is damaged");
  assert.equal(bench.history()[0], "failed 0.2.0 B anna the bundle is damaged");
  assert.deepEqual(slotsOf(bench), ["A running next good 0.1.0", "B empty"]);
  bench.box.installFails = "";
  bench.box.activateFails = "RAUC does not answer";
  await bench.update.install({ activation: { when: "now" } }, "anna");
  await bench.settled();
  assert.equal(bench.update.status().trouble, "Slot B could not be made the next to start: RAUC does not answer");
  assert.deepEqual([bench.update.status().activation, slotsOf(bench)?.[1]], [null, "B new 0.2.0"]);
  bench.box.unable = "RAUC is not there";
  const refused = await bench.send("0.3.0 x");
  assert.deepEqual(refused, { ok: false, kind: "conflict", why: "RAUC is not there" });
  assert.deepEqual(bench.update.status().capabilities, { install: false, rollBack: false, why: "RAUC is not there" });
});

test("sticks tell their bundles, and one is taken from there", async (t) => {
  const bench = await Bench.start(t);
  assert.deepEqual(await bench.update.bundles.onSticks(), []);
  mkdirSync(join(bench.usb, "STICK", "folder.raucb"), { recursive: true });
  writeFileSync(join(bench.usb, "STICK", "box.raucb"), "0.2.0 two");
  writeFileSync(join(bench.usb, "STICK", "._box.raucb"), "x");
  writeFileSync(join(bench.usb, "STICK", "notes.txt"), "x");
  const [found, ...more] = await bench.update.bundles.onSticks();
  assert.deepEqual(more, []);
  assert.deepEqual([found?.stick, found?.file, found?.size], ["STICK", "box.raucb", 9]);
  const foreign = Buffer.from("../../etc/passwd").toString("base64url");
  assert.equal(await bench.update.bundles.takeFromStick(foreign, "anna"), undefined);
  assert.deepEqual(await bench.update.bundles.takeFromStick(found?.id ?? "", "anna"), { ok: true });
  const { bundle } = await bench.settled();
  assert.deepEqual([bundle?.version, bundle?.origin], ["0.2.0", "usb"]);
});

test("news come at most four times a second, and the last one always", async (t) => {
  const bench = await Bench.start(t);
  await bench.clock.advance(1000);
  bench.news = [];
  await bench.send(`0.2.0 ${"x".repeat(4000)}`);
  assert.equal(bench.news.length, 1);
  await bench.clock.advance(300);
  assert.equal(bench.news.length, 2);
  assert.equal(bench.news[1]?.bundle?.version, "0.2.0");
  assert.equal(bench.news[1]?.work, null);
});

test("the history has the last 200", async (t) => {
  const bench = await Bench.start(t);
  for (let i = 0; i < 205; i++) await bench.send(`no ${i}`);
  const events = bench.update.history();
  assert.equal(events.length, 200);
  assert.equal(events[0]?.detail, "box.raucb: no 204");
  await bench.restart();
  assert.deepEqual(bench.update.history(), events);
});
