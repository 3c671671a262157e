import assert from "node:assert/strict";
import test from "node:test";
import { AccessBox, FAR, NEAR, PASSWORD } from "./support/box.ts";

test("a new box is set up with the default login, which can do that and nothing else", async () => {
  const box = await AccessBox.start();
  const { access } = box;
  assert.equal(access.needsSetup, true);
  const first = await box.logIn("admin", { password: "admin" });
  assert.deepEqual(box.who(first.session), {
    name: "admin",
    role: "admin",
    via: "setup",
    id: first.principal.id,
    address: NEAR,
  });
  assert.equal(first.device, undefined);
  const standing = access.standing(first.principal);
  assert.equal(standing.expires, new Date(box.now().getTime() + 15 * 60_000).toISOString());
  assert.equal(box.disk.contentOf("access.json"), undefined, "nothing is stored yet");

  const other = await box.logIn("admin", { password: "admin" });
  const done = await access.setUp(first.principal, PASSWORD);
  assert.ok(done.ok);
  assert.equal(access.needsSetup, false);
  assert.deepEqual(box.who(done.session), { ...done.principal, address: NEAR });
  assert.equal(done.principal.via, "session");
  assert.equal(done.principal.role, "admin");
  assert.equal(box.who(first.session), undefined);
  assert.equal(access.holds(other.principal), false, "all set-up sessions are over");
  const late = await access.setUp(other.principal, "another long password");
  assert.deepEqual(late, { ok: false, reason: "over" });
  assert.equal(await box.tryLogIn({ password: "admin" }), "refused");
  assert.equal(await box.tryLogIn({}), "in");
});

test("the default login works from the networks of the box only", async () => {
  const box = await AccessBox.start();
  const at = (address: string) => box.tryLogIn({ password: "admin", address });
  for (const near of [NEAR, "127.0.0.1", "::1", "169.254.9.9", "fe80::1%eth0", "2001:db8:1::7", "::ffff:192.168.1.9"]) {
    assert.equal(await at(near), "in", near);
  }
  for (const far of [FAR, "192.168.2.20", "2001:db8:2::7", "::ffff:203.0.113.5", "8.8.8.8", "nonsense"]) {
    assert.equal(await at(far), "refused", far);
  }
  const { session } = await box.logIn("admin", { password: "admin" });
  assert.equal(box.who(session, FAR), undefined, "nor does its session from elsewhere");
});

test("who is slow has to log in again, and guesses at the default login are slowed", async () => {
  const box = await AccessBox.start();
  const first = await box.logIn("admin", { password: "admin" });
  await box.clock.advance(15 * 60_000);
  assert.equal(box.who(first.session), undefined);
  assert.equal(box.access.holds(first.principal), false);
  const tries = await Promise.all(Array.from({ length: 20 }, () => box.tryLogIn({ password: "guess" })));
  assert.equal(tries.filter((result) => result === "refused").length, 5);
  assert.equal(tries.filter((result) => result === "throttled").length, 15);
});

test("a weak first password is refused with the reason, and the set-up goes on", async () => {
  const box = await AccessBox.start();
  const { principal } = await box.logIn("admin", { password: "admin" });
  for (const [password, words] of [
    ["admin", /must have 10 to 128 characters, has 5/],
    ["Password123", /many people have it/],
    ["x".repeat(129), /has 129/],
    ["Rack7-North", /name/],
  ] as const) {
    const result = await box.access.setUp(principal, password);
    assert.ok(!result.ok && result.reason === "weak", password);
    assert.match(result.message, words);
    assert.ok(!result.message.includes(password));
  }
  assert.equal((await box.access.setUp(principal, PASSWORD)).ok, true);
});

test("two who set the box up at once: one does, the other is told", async () => {
  const box = await AccessBox.start();
  const sessions = await Promise.all([1, 2, 3].map(() => box.logIn("admin", { password: "admin" })));
  const results = await Promise.all(
    sessions.map(({ principal }, i) => box.access.setUp(principal, `${PASSWORD} ${i}`)),
  );
  assert.deepEqual(results.map(({ ok }) => ok).sort(), [false, false, true]);
  assert.equal(box.access.users.list().length, 1);
});

test("with both copies damaged, the box says so loudly and is set up again from its own networks only", async () => {
  const box = await AccessBox.ready();
  await box.access.stop();
  box.disk.damage("access.json", new Uint8Array(300));
  const renewed = await AccessBox.start({ disk: box.disk, memory: box.memory, clock: box.clock });
  assert.equal(renewed.access.needsSetup, false, "the last good copy serves");
  assert.equal(await renewed.tryLogIn({}), "in");
  assert.equal(renewed.access.problems().length, 1);
  await renewed.access.stop();

  for (const name of ["access.json", "access.last-good.json"]) box.disk.damage(name, new TextEncoder().encode("{}"));
  const lost = await AccessBox.start({ disk: box.disk, memory: box.memory, clock: box.clock });
  assert.equal(lost.access.needsSetup, true);
  assert.deepEqual(
    lost.access.problems().map(({ file }) => file),
    ["access.json", "access.last-good.json"],
  );
  assert.ok(lost.logged.some((line) => line.includes("both copies of access.json are damaged")));
  assert.deepEqual(
    lost.audited.map(({ what, result }) => [what, result]),
    [["loseUsers", "failed"]],
  );
  assert.equal(await lost.tryLogIn({ password: "admin", address: FAR }), "refused");
  await lost.setUp();
  assert.equal(await lost.tryLogIn({}), "in");
});

test("the front panel gives the admin a new password and lets the others be", async () => {
  const box = await AccessBox.ready();
  await box.add("anna", "viewer");
  const [admin, anna] = [await box.logIn(), await box.logIn("anna")];
  await box.enrol(admin.principal);
  const { user, password } = await box.access.users.resetPassword();
  assert.equal(user, "admin");
  assert.match(password, /^([2-9a-km-z]{4}-){3}[2-9a-km-z]{4}$/);
  assert.equal(box.who(admin.session), undefined);
  assert.notEqual(box.who(anna.session), undefined);
  assert.equal(await box.tryLogIn({}), "refused");
  assert.equal(await box.tryLogIn({ password }), "in", "without the second factor");

  await box.add("boss", "admin");
  assert.equal((await box.access.users.remove("admin")).ok, true);
  const again = await box.access.users.resetPassword();
  assert.equal(await box.tryLogIn({ password: again.password }), "in", "an admin who was removed is made again");
  assert.ok(!JSON.stringify([box.audited, box.logged]).includes(again.password));
});

test("a factory reset forgets everybody", async () => {
  const box = await AccessBox.ready();
  const { session, device } = await box.logIn();
  await box.access.users.clear();
  assert.equal(box.access.needsSetup, true);
  assert.equal(box.who(session), undefined);
  await box.setUp();
  for (let i = 0; i < 5; i++) await box.tryLogIn({ password: "wrong password", address: FAR, device });
  assert.equal(await box.tryLogIn({ address: FAR, device }), "throttled", "a device of before is known no more");
});
