import assert from "node:assert/strict";
import test from "node:test";
import type { FirmwareStatus, SlotStatus } from "../../src/update/status.ts";
import { AbsenceWatch } from "../../web/absence.ts";
import { FakeFirmware, installedB, slotA } from "../browser/support/fakeFirmware.ts";

const base = new FakeFirmware().status;
const status = (
  a: Partial<SlotStatus>,
  b: Partial<SlotStatus>,
  rest: Partial<FirmwareStatus> = {},
): FirmwareStatus => ({
  ...base,
  slots: [
    { ...slotA, ...a },
    { ...installedB, ...b },
  ],
  ...rest,
});
const work: FirmwareStatus["work"] = {
  ...{ what: "activate", percent: null, step: "", bytes: 0, totalBytes: null, cancellable: false },
};
const before = status({}, {});
const atNextBoot = status({ next: false }, { next: true }, { activation: { when: "next-boot" } });
const onB = (state: SlotStatus["state"]) =>
  status({ running: false, next: false }, { running: true, next: true, state }, { version: "1.1.0" });
const fellBack = status({}, { state: "bad", why: "channel “One” did not transmit" });

/** A watch of a box that tells what the test says. */
function watched(t: { after(end: () => void): void }) {
  const box: { status: FirmwareStatus | null; now: number } = { status: before, now: 1000 };
  const watch = new AbsenceWatch(
    async () => box.status,
    () => box.now,
  );
  t.after(() => watch.forget());
  return { box, watch };
}

/** The box goes, and comes back so. */
async function reboots({ box, watch }: ReturnType<typeof watched>, after: FirmwareStatus | null): Promise<void> {
  watch.lost();
  assert.equal(watch.state.away?.gone, true);
  box.status = after;
  await watch.back();
}

test("another firmware on trial, then found good", async (t) => {
  const all = watched(t);
  all.watch.take(before);
  all.watch.expectWhenInstalled();
  all.watch.take({ ...before, work });
  assert.deepEqual([all.watch.state.away?.version, all.watch.state.away?.gone], ["1.1.0", false]);
  await reboots(all, onB("new"));
  assert.deepEqual(all.watch.state, { away: null, outcome: { kind: "trying", version: "1.1.0", back: "1.0.0" } });
  all.watch.take(onB("good"));
  assert.deepEqual(all.watch.state.outcome, { kind: "good", version: "1.1.0" });
});

test("a firmware on trial that is given up takes the box away once more", async (t) => {
  const all = watched(t);
  all.watch.take(before);
  all.watch.expect("firmware");
  await reboots(all, onB("new"));
  await reboots(all, fellBack);
  assert.deepEqual(all.watch.state.outcome, {
    ...{ kind: "given-up", version: "1.1.0", back: "1.0.0", why: "channel “One” did not transmit" },
  });
  all.watch.dismiss();
  assert.equal(all.watch.state.outcome, null);
});

test("a firmware that never came up", async (t) => {
  const all = watched(t);
  all.watch.take(before);
  all.watch.expect("firmware");
  await reboots(all, before);
  assert.deepEqual(all.watch.state.outcome, { kind: "not-started", version: "1.1.0", back: "1.0.0" });
});

test("a reboot that starts what was ordered for it", async (t) => {
  const all = watched(t);
  all.watch.take(atNextBoot);
  const version = () => all.watch.state.away?.version;
  assert.equal(version(), undefined);
  all.watch.expect("reboot");
  assert.equal(version(), "1.1.0");
  await reboots(all, onB("good"));
  assert.deepEqual(all.watch.state.outcome, { kind: "good", version: "1.1.0" });
});

test("a reboot of the same firmware, and of one that tells nothing", async (t) => {
  const all = watched(t);
  all.watch.take(before);
  all.watch.expect("reboot");
  await reboots(all, before);
  assert.deepEqual(all.watch.state.outcome, { kind: "up", version: "1.0.0" });
  all.watch.expect("reboot");
  await reboots(all, null);
  assert.deepEqual(all.watch.state, { away: null, outcome: null });
});

test("two builds of one version are told apart", async (t) => {
  const all = watched(t);
  const same = { version: "1.0.0" };
  all.watch.take(status({}, same));
  all.watch.expect("firmware");
  assert.equal(all.watch.state.away?.version, "1.0.0 (20261120)");
  await reboots(all, status({ running: false }, { ...same, running: true, state: "good" }));
  assert.deepEqual(all.watch.state.outcome, { kind: "good", version: "1.0.0 (20261120)" });
});

test("a connection that was gone for a moment is no reboot", async (t) => {
  const all = watched(t);
  all.watch.take(before);
  all.watch.expect("firmware");
  await reboots(all, atNextBoot);
  assert.deepEqual([all.watch.state.away?.gone, all.watch.state.outcome], [false, null]);
});

test("an order that could not be done is over", (t) => {
  const { watch } = watched(t);
  watch.take(before);
  watch.expect("firmware");
  watch.take({ ...before, trouble: "The slot could not be activated" });
  assert.equal(watch.state.away, null);
});

test("an installation that has failed starts nothing, whatever is ordered later", (t) => {
  const { watch } = watched(t);
  watch.take(before);
  watch.expectWhenInstalled();
  watch.take({ ...before, trouble: "The disk is full" });
  watch.take(atNextBoot);
  assert.equal(watch.state.away, null);
});

test("a box that goes soon after another page has ordered a start goes for that", async (t) => {
  const all = watched(t);
  all.watch.take(before);
  all.watch.take({ ...before, work });
  all.watch.take(atNextBoot);
  assert.equal(all.watch.state.away, null);
  all.box.now += 59_000;
  await reboots(all, onB("good"));
  assert.deepEqual(all.watch.state.outcome, { kind: "good", version: "1.1.0" });
});

test("a box that goes long after is a lost connection, and what runs when it is back is told all the same", async (t) => {
  const { box, watch } = watched(t);
  watch.take(atNextBoot);
  box.now += 61_000;
  watch.lost();
  assert.equal(watch.state.away, null);
  box.status = atNextBoot;
  await watch.back();
  assert.deepEqual(watch.state, { away: null, outcome: null });
  watch.lost();
  // Each try to connect that fails is a loss as well.
  watch.lost();
  box.status = fellBack;
  await watch.back();
  assert.match(JSON.stringify(watch.state.outcome), /"given-up"/);
});

test("a loss of the connection without an order is none of this", async (t) => {
  const { watch } = watched(t);
  watch.take(before);
  watch.lost();
  await watch.back();
  assert.deepEqual(watch.state, { away: null, outcome: null });
});
