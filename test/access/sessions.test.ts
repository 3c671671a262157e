import assert from "node:assert/strict";
import test from "node:test";
import { AccessBox, FAR, NEAR, PASSWORD } from "./support/box.ts";

const MINUTE = 60_000;

test("a session ends when it is idle for too long, or too old, as the settings have it now", async () => {
  const box = await AccessBox.ready();
  const [idle, used] = [await box.logIn(), await box.logIn()];
  for (let minute = 0; minute < 29; minute++) {
    await box.clock.advance(MINUTE);
    assert.notEqual(box.who(used.session), undefined);
  }
  assert.notEqual(box.who(idle.session), undefined);
  for (let minute = 0; minute < 30; minute++) {
    await box.clock.advance(MINUTE);
    box.who(used.session);
    box.access.holds(idle.principal);
    box.access.identify({ cookie: idle.session, address: NEAR, background: true });
  }
  assert.equal(box.who(idle.session), undefined, "to be looked at is no use, nor is what the page asks by itself");
  assert.equal(box.access.holds(idle.principal), false);
  for (let hour = 1; hour < 12; hour += 0.25) {
    box.who(used.session);
    await box.clock.advance(15 * MINUTE);
  }
  assert.notEqual(box.who(used.session), undefined);
  await box.clock.advance(MINUTE);
  assert.equal(box.who(used.session), undefined);
  assert.equal(used.expires.getTime(), Date.UTC(2026, 0, 6));

  const short = await box.logIn();
  box.settings.idleMinutes = 5;
  await box.clock.advance(5 * MINUTE);
  assert.equal(box.who(short.session), undefined);
});

test("sessions survive a restart of the supervisor, with their times, and not one of the box", async () => {
  const box = await AccessBox.ready();
  const { session, principal } = await box.logIn("admin", { agent: "Firefox" });
  const ended = await box.logIn();
  await box.clock.advance(10 * MINUTE);
  box.who(session);
  await box.access.logOut(ended.principal);
  const next = await box.restarted();
  assert.deepEqual(next.who(session, FAR), { ...principal, address: FAR });
  assert.equal(next.who(ended.session), undefined);
  await next.clock.advance(30 * MINUTE);
  assert.equal(next.who(session), undefined);

  const again = await next.logIn();
  const file = new TextDecoder().decode(next.memory.contentOf("sessions.json"));
  assert.ok(!file.includes(again.session), "the secret itself is not stored");
  const rebooted = await next.restarted({ boot: "boot-2" });
  assert.equal(rebooted.who(again.session), undefined);
});

test("a supervisor that was killed loses at most a minute of use, and never what was ended", async () => {
  const box = await AccessBox.ready();
  await box.add("anna", "viewer");
  const [admin, other, anna] = [await box.logIn(), await box.logIn(), await box.logIn("anna")];
  await box.access.endSession(admin.principal, other.principal.id);
  await box.clock.advance(29 * MINUTE);
  box.who(admin.session);
  await box.clock.advance(MINUTE);
  const { disk, memory, clock } = box;
  const next = await AccessBox.start({ disk, memory, clock });
  assert.notEqual(next.who(admin.session), undefined);
  assert.equal(next.who(other.session), undefined);
  assert.equal(next.who(anna.session), undefined);
});

test("a session that a new password ended does not come back with an old file of sessions", async () => {
  const box = await AccessBox.ready();
  await box.add("anna", "viewer");
  const [admin, anna] = [await box.logIn(), await box.logIn("anna")];
  const file = box.memory.contentOf("sessions.json");
  await box.access.users.change("anna", { password: "a quite new secret" });
  await box.access.stop();
  box.memory.damage("sessions.json", file ?? new Uint8Array());
  const next = await AccessBox.start({ disk: box.disk, memory: box.memory, clock: box.clock });
  assert.notEqual(next.who(admin.session), undefined);
  assert.equal(next.who(anna.session), undefined);
  assert.deepEqual(
    next.access.sessions(admin.principal).filter(({ user }) => user === "anna"),
    [],
  );
});

test("a file of sessions that is damaged or full costs a log-in and no more", async () => {
  const box = await AccessBox.ready();
  const { session } = await box.logIn();
  await box.access.stop();
  for (const text of ["", "{", "[]", '{"boot":"boot-1","sessions":[{}],"steps":{}}']) {
    box.memory.damage("sessions.json", new TextEncoder().encode(text));
    const next = await AccessBox.start({ disk: box.disk, memory: box.memory, clock: box.clock });
    assert.equal(next.who(session), undefined);
    assert.match(next.logged.join(), /everybody has to log in again/);
    next.memory.failAt(1, "ENOSPC", 100);
    const { session: later } = await next.logIn();
    assert.notEqual(next.who(later), undefined);
    next.memory.failAt(1, "ENOSPC", 0);
    await next.access.stop();
  }
  assert.deepEqual(box.memory.names(), ["sessions.json"]);
});

test("a user sees and ends their own sessions, an admin all", async () => {
  const box = await AccessBox.ready();
  await box.add("anna", "operator");
  const { access } = box;
  const admin = await box.logIn("admin", { agent: "Firefox" });
  const anna = await box.logIn("anna", { agent: "x".repeat(500), address: FAR });
  await box.clock.advance(5 * MINUTE);
  box.who(anna.session, NEAR);
  assert.deepEqual(access.sessions(anna.principal), [
    {
      ...{ id: anna.principal.id, user: "anna", address: NEAR, agent: "x".repeat(200), current: true },
      ...{ created: "2026-01-05T12:00:00.000Z", lastSeen: "2026-01-05T12:05:00.000Z" },
      expires: "2026-01-06T00:00:00.000Z",
    },
  ]);
  // That of the set-up, too.
  assert.deepEqual(
    access.sessions(admin.principal).map(({ user }) => user),
    ["admin", "admin", "anna"],
  );
  assert.deepEqual(await access.endSession(anna.principal, admin.principal.id), { ok: false, reason: "unknown" });
  assert.deepEqual(await access.endSession(admin.principal, "nonsense"), { ok: false, reason: "unknown" });
  assert.notEqual(box.who(admin.session), undefined);
  assert.deepEqual(await access.endSession(admin.principal, anna.principal.id), { ok: true });
  assert.equal(box.who(anna.session), undefined);
  assert.doesNotMatch(JSON.stringify(access.sessions(admin.principal)), new RegExp(admin.session));
});

test("the seventeenth session of a user ends the one unused for the longest, and 256 are the most in all", async () => {
  const box = await AccessBox.ready();
  const own = [];
  for (let n = 0; n < 16; n++) {
    own.push(await box.logIn());
    await box.clock.advance(1000);
  }
  box.who(own[0]?.session ?? "");
  own.push(await box.logIn());
  const alive = own.map(({ session }) => box.who(session) !== undefined);
  assert.deepEqual(
    alive,
    own.map((_, n) => n !== 1),
  );
  for (let n = 0; n < 20; n++) await box.add(`user${n}`, "viewer");
  for (let n = 0; n < 20; n++) for (let m = 0; m < 16; m++) await box.logIn(`user${n}`);
  const last = await box.logIn();
  assert.equal(box.access.sessions(last.principal).length, 256);
  const next = await box.restarted();
  assert.notEqual(next.who(last.session), undefined);
});

test("a new password ends the other sessions, and a change by an admin all of them", async () => {
  const box = await AccessBox.ready();
  const { users, account } = box.access;
  await box.add("anna", "operator");
  const enter = async () => [await box.logIn("anna"), await box.logIn("anna")] as const;
  const [here, elsewhere] = await enter();
  const change = (current: string, password: string) => account.changePassword(here.principal, current, password);
  assert.deepEqual(await change("wrong password", "a quite new secret"), { ok: false, reason: "refused" });
  assert.equal((await change(PASSWORD, "short")).ok, false);
  assert.notEqual(box.who(elsewhere.session), undefined);
  assert.deepEqual(await change(PASSWORD, "a quite new secret"), { ok: true });
  assert.notEqual(box.who(here.session), undefined);
  assert.equal(box.who(elsewhere.session), undefined);
  assert.equal(await box.tryLogIn({ user: "anna" }), "refused");
  const next = await box.restarted();
  assert.notEqual(next.who(here.session), undefined, "the one that stays does so over a restart");
  await box.access.start();

  assert.equal((await users.change("anna", { password: PASSWORD })).ok, true);
  assert.equal(box.who(here.session), undefined);
  for (const change of [{ role: "viewer" }, { disabled: true }] as const) {
    const sessions = await enter();
    assert.equal((await users.change("anna", change)).ok, true);
    for (const { session, principal } of sessions) {
      assert.equal(box.who(session), undefined, JSON.stringify(change));
      assert.equal(box.access.holds(principal), false);
    }
  }
  await users.change("anna", { disabled: false });
  const [first] = await enter();
  await users.change("anna", { disabled: false, role: "viewer" });
  assert.notEqual(box.who(first.session), undefined, "what changes nothing ends nothing");
  await users.remove("anna");
  await box.add("anna", "admin");
  assert.equal(box.who(first.session), undefined, "a new user of the same name is somebody else");
});
