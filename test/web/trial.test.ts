import assert from "node:assert/strict";
import test from "node:test";
import type { Trial } from "../../src/config/trial.ts";
import { ApiError } from "../../web/api.ts";
import { newAddresses, secondsLeft, TrialWatch } from "../../web/trial.ts";

const trial: Trial = {
  ...{ revision: 4, author: "anna", comment: null, confirmSeconds: 120, remainingSeconds: 100, differences: [] },
  until: "2030-01-01T00:00:00.000Z",
};

/** A watch whose clock stands and whose box answers what the test says. */
function watched(t: { after(end: () => void): void }) {
  const box = { now: 1000, answer: (): { trial: Trial | null } => ({ trial: null }) };
  const watch = new TrialWatch(
    () => box.now,
    async () => box.answer(),
  );
  t.after(() => watch.forget());
  return { box, watch };
}

test("counts down from what the box told, and no further than 0", async (t) => {
  const { box, watch } = watched(t);
  box.answer = () => ({ trial });
  await watch.look();
  assert.equal(secondsLeft(watch.state, box.now), 100);
  assert.equal(secondsLeft(watch.state, box.now + 99_001), 1);
  assert.equal(secondsLeft(watch.state, box.now + 500_000), 0);
});

test("runs on while the box cannot be reached", async (t) => {
  const { box, watch } = watched(t);
  box.answer = () => ({ trial });
  await watch.look();
  box.now += 60_000;
  box.answer = () => {
    throw new ApiError("The box cannot be reached");
  };
  await watch.look();
  assert.equal(secondsLeft(watch.state, box.now), 40);
});

test("tells what became of it: decided by somebody, over time, or decided here", async (t) => {
  const { box, watch } = watched(t);
  const pending = async () => {
    box.answer = () => ({ trial });
    await watch.look();
    box.answer = () => ({ trial: null });
  };
  await pending();
  await watch.look();
  assert.equal(watch.state.outcome, "decided");
  await pending();
  assert.equal(watch.state.outcome, "");
  box.now += 100_000;
  await watch.look();
  assert.equal(watch.state.outcome, "expired");
  await pending();
  watch.decided("kept");
  await watch.look();
  assert.equal(watch.state.outcome, "kept");
});

test("what is assumed counts down until the box tells", async (t) => {
  const { box, watch } = watched(t);
  watch.assume({ ...trial, confirmSeconds: 60 });
  assert(watch.state.assumed);
  assert.equal(secondsLeft(watch.state, box.now), 60);
  box.answer = () => ({ trial });
  await watch.look();
  assert(!watch.state.assumed);
  assert.equal(secondsLeft(watch.state, box.now), 100);
});

test("an answer to an older question changes nothing", async (t) => {
  const { box, watch } = watched(t);
  box.answer = () => ({ trial });
  const look = watch.look();
  watch.forget();
  await look;
  assert.equal(watch.state.trial, null);
});

test("finds the addresses where the box should answer after a change", () => {
  const at = (pointer: string, after: unknown) => newAddresses([{ pointer, after }]);
  assert.deepEqual(at("/network/links/0/ipv4/address", "10.0.0.5"), ["10.0.0.5"]);
  assert.deepEqual(at("/network/links/0/ipv6/address", "fd00::5"), ["[fd00::5]"]);
  assert.deepEqual(at("/network/hostname", "studio"), ["studio.local"]);
  assert.deepEqual(at("/network/links/0/ipv4/gateway", "10.0.0.1"), []);
  assert.deepEqual(at("/network/mdns", false), []);
  const link = { type: "ethernet", name: "eth1", ipv4: { method: "static", address: "10.1.0.5", gateway: "10.1.0.1" } };
  assert.deepEqual(at("/network/links/1", { ...link, management: true, ipv6: { method: "auto", address: "::" } }), [
    "10.1.0.5",
  ]);
  assert.deepEqual(at("/network/links/1", { ...link, management: false }), []);
  assert.deepEqual(at("/network/links/1", { ...link, ipv4: { ...link.ipv4, method: "dhcp" } }), []);
  assert.deepEqual(newAddresses([{ pointer: "/network/links/1", before: link }]), []);
});
