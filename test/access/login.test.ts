import assert from "node:assert/strict";
import test from "node:test";
import { AccessBox, CHEAP, FAR, loggedIn, NEAR, PASSWORD } from "./support/box.ts";

test("who is wrong, disabled or not there is refused with the same words", async () => {
  const box = await AccessBox.ready();
  await box.add("anna", "operator");
  assert.equal((await box.access.users.change("anna", { disabled: true })).ok, true);
  for (const request of [
    { user: "admin", password: "wrong password" },
    { user: "anna", password: PASSWORD },
    { user: "bob", password: PASSWORD },
    { user: "constructor", password: PASSWORD },
    { user: "", password: "" },
  ]) {
    assert.deepEqual(await box.access.logIn({ ...request, address: FAR, agent: "x" }), {
      ok: false,
      reason: "refused",
    });
    await box.clock.advance(3600_000);
  }
  const { principal } = await box.logIn(" Admin ");
  assert.equal(principal.name, "admin", "the case of the name does not matter");
  assert.equal(await box.tryLogIn({ password: PASSWORD.toUpperCase() }), "refused", "that of the password does");
});

test("a password counts however the keyboard composes its letters", async () => {
  const box = await AccessBox.start();
  await box.setUp("Bl\u00fcten im Fr\u00fchling");
  assert.equal(await box.tryLogIn({ password: "Blu\u0308ten im Fru\u0308hling" }), "in");
});

test("a hash of another cost is renewed at the next log-in", async () => {
  const box = await AccessBox.ready();
  const before = box.stored();
  const dearer = await box.restarted({ hashCost: { ...CHEAP, timeCost: 2 } });
  await dearer.logIn();
  await dearer.access.stop();
  assert.notEqual(dearer.stored(), before);
  assert.match(dearer.stored(), /m=8,t=2,p=1/);
  assert.doesNotMatch(dearer.stored(), /m=8,t=1,p=1/);
  const again = await dearer.restarted({ hashCost: { ...CHEAP, timeCost: 2 } });
  assert.equal(await again.tryLogIn({}), "in");
});

test("the second factor: the password alone is not enough, each code serves once, one step off is forgiven", async () => {
  const box = await AccessBox.ready();
  const { principal, device } = await box.logIn();
  const { secret } = await box.enrol(principal);
  assert.equal(box.access.standing(principal).secondFactor, true);
  assert.equal(await box.tryLogIn({}), "code-needed");
  assert.equal(await box.tryLogIn({ device, code: " " }), "code-needed");
  assert.equal(await box.tryLogIn({ device, password: "wrong password", code: box.code(secret, 1) }), "refused");
  assert.equal(
    await box.tryLogIn({ device, code: box.code(secret) }),
    "refused",
    "the code of the enrolment is used up",
  );
  await box.clock.advance(90_000);
  assert.equal(await box.tryLogIn({ device, code: box.code(secret, -2) }), "refused");
  assert.equal(await box.tryLogIn({ device, code: box.code(secret, 2) }), "refused");
  const one = box.code(secret, -1);
  assert.equal(await box.tryLogIn({ device, code: `${one.slice(0, 3)} ${one.slice(3)}` }), "in");
  assert.equal(await box.tryLogIn({ device, code: one }), "refused");
  assert.equal(await box.tryLogIn({ device, code: box.code(secret, 1) }), "in");
  await box.clock.advance(600_000);
  const code = box.code(secret);
  const both = await Promise.all([box.tryLogIn({ device, code }), box.tryLogIn({ device, code })]);
  assert.deepEqual(both.sort(), ["in", "refused"], "also of two at once");
  const later = await box.restarted();
  assert.equal(await later.tryLogIn({ device, code }), "refused", "also over a restart");
});

test("a recovery code serves once, also when the disk is full just then", async () => {
  const box = await AccessBox.ready();
  const { recoveryCodes } = await box.enrol((await box.logIn()).principal);
  assert.equal(new Set(recoveryCodes).size, 10);
  const [first = "", second = "", third = ""] = recoveryCodes;
  assert.match(first, /^([a-z2-7]{4}-){3}[a-z2-7]{4}$/);
  assert.equal(await box.tryLogIn({ code: first.toUpperCase().replaceAll("-", " ") }), "in");
  assert.equal(await box.tryLogIn({ code: first }), "refused");
  box.disk.failAt(1, "ENOSPC", 100);
  assert.equal(await box.tryLogIn({ code: second }), "in");
  assert.equal(await box.tryLogIn({ code: second }), "refused");
  box.disk.failAt(1, "ENOSPC", 0);
  assert.equal(await box.tryLogIn({ code: third }), "in");
  const left = () => box.access.users.get("admin")?.recoveryCodes;
  assert.equal(left(), 7, "what could not be stored is made up for");
  const { principal } = await box.logIn("admin", { code: recoveryCodes[3] });
  const renewed = await box.access.account.renewRecoveryCodes(principal, PASSWORD);
  assert.ok(renewed.ok);
  assert.equal(left(), 10);
  await box.clock.advance(3600_000);
  assert.equal(await box.tryLogIn({ code: recoveryCodes[4] }), "refused");
  assert.equal(await box.tryLogIn({ code: renewed.recoveryCodes[0] }), "in");
});

test("a second factor counts from its first code on, and the password is wanted for every change of it", async () => {
  const box = await AccessBox.ready();
  const { account } = box.access;
  const { principal } = await box.logIn();
  const other = await box.logIn();
  assert.deepEqual(await account.activateTotp(principal, "123456"), { ok: false, reason: "not-begun" });
  assert.deepEqual(await account.beginTotp(principal, "wrong password"), { ok: false, reason: "refused" });
  const begun = await account.beginTotp(principal, PASSWORD);
  assert.ok(begun.ok);
  assert.match(begun.uri, /^otpauth:\/\/totp\/Steadycast%20Rack%207%20North:admin\?/);
  assert.equal(await box.tryLogIn({}), "in", "not yet");
  assert.deepEqual(await account.activateTotp(principal, "000000"), { ok: false, reason: "wrong-code" });
  const code = box.code(begun.secret);
  assert.deepEqual(await account.activateTotp(other.principal, code), { ok: false, reason: "not-begun" });
  assert.equal((await account.activateTotp(principal, code)).ok, true);
  assert.equal(await box.tryLogIn({}), "code-needed");
  assert.deepEqual(await account.removeTotp(principal, "wrong password"), { ok: false, reason: "refused" });
  assert.deepEqual(await account.removeTotp(principal, PASSWORD), { ok: true });
  assert.equal(await box.tryLogIn({}), "in");
  assert.deepEqual(await account.renewRecoveryCodes(principal, PASSWORD), { ok: false, reason: "no-totp" });

  const late = await account.beginTotp(principal, PASSWORD);
  assert.ok(late.ok);
  await box.clock.advance(600_000);
  const tooLate = await account.activateTotp(principal, box.code(late.secret));
  assert.deepEqual(tooLate, { ok: false, reason: "not-begun" });
});

test("who must have a second factor by the settings is told so until they have one", async () => {
  const box = await AccessBox.ready();
  await box.add("anna", "viewer");
  const [admin, anna] = [await box.logIn(), await box.logIn("anna")];
  const must = () => [admin, anna].map(({ principal }) => box.access.standing(principal).mustEnrol);
  assert.deepEqual(must(), [false, false]);
  box.settings.secondFactor = "admins";
  assert.deepEqual(must(), [true, false]);
  box.settings.secondFactor = "everyone";
  assert.deepEqual(must(), [true, true]);
  await box.enrol(anna.principal);
  assert.deepEqual(must(), [true, false]);
});

test("the audit log hears of log-ins without a secret, and of a thousand failures in a few words", async () => {
  const box = await AccessBox.ready();
  await box.tryLogIn({ user: "My Secret Password", password: "typed in the wrong field", address: FAR });
  await box.tryLogIn({ password: "nearly tall ships", address: FAR });
  const told = box.audited.map(({ who, what, target, result }) => [
    who.name,
    who.via,
    who.address,
    what,
    target,
    result,
  ]);
  assert.deepEqual(told, [
    ["admin", "setup", NEAR, "logIn", "setup", "done"],
    ["admin", "session", NEAR, "logIn", "admin", "done"],
    ["nobody", "session", FAR, "logIn", "unknown user", "refused"],
    ["admin", "session", FAR, "logIn", "admin", "refused"],
  ]);
  await Promise.all(
    Array.from({ length: 500 }, (_, n) => box.tryLogIn({ user: `u${n}`, password: "x", address: `10.0.${n >> 3}.1` })),
  );
  assert.equal(box.audited.length, 22);
  await box.clock.advance(60_000);
  await box.tryLogIn({ password: "x", address: "10.9.9.9" });
  assert.match(box.audited.at(-1)?.detail ?? "", /before that, \d+ more that are not listed/);
  const text = JSON.stringify([box.audited, box.logged]).toLowerCase();
  for (const secret of [PASSWORD, "my secret password", "wrong field", "nearly"]) assert.ok(!text.includes(secret));
});

test("the password is asked for again before grave things, with a limit of its own", async () => {
  const box = await AccessBox.ready();
  const { principal } = await box.logIn();
  const ask = (password: string) => box.access.confirmPassword(principal, password);
  assert.deepEqual(await ask(PASSWORD), { ok: true });
  const wrong = await Promise.all(Array.from({ length: 20 }, (_, n) => ask(`wrong password ${n}`)));
  assert.equal(wrong.filter((result) => !result.ok && result.reason === "refused").length, 5);
  assert.ok(wrong.every(({ ok }) => !ok));
  assert.deepEqual(await ask(PASSWORD), { ok: false, reason: "throttled", retryAfterSeconds: 1 });
  assert.equal(await box.tryLogIn({}), "in", "which is not that of the log-in");
  await box.clock.advance(1000);
  assert.deepEqual(await ask(PASSWORD), { ok: true });
  const local = { name: "local", role: "admin", via: "local", id: "", address: "" } as const;
  assert.deepEqual(await box.access.confirmPassword(local, ""), { ok: true });
  const setup = { ...local, name: "admin", via: "setup" } as const;
  assert.deepEqual(await box.access.confirmPassword(setup, PASSWORD), { ok: false, reason: "refused" });
});

test("a user who is changed while the password is being looked at does not slip in", async () => {
  const box = await AccessBox.ready();
  await box.add("anna", "viewer");
  const late = box.access.logIn({ user: "anna", password: PASSWORD, address: NEAR });
  const removed = box.access.users.remove("anna");
  const result = await late;
  await removed;
  assert.ok(!result.ok || box.who(loggedIn(result).session) === undefined);
});
