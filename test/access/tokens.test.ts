import assert from "node:assert/strict";
import test from "node:test";
import type { Principal } from "../../src/access/principal.ts";
import type { NewToken } from "../../src/access/tokens.ts";
import { AccessBox, NEAR, PASSWORD } from "./support/box.ts";

const DAY = 24 * 3600_000;

async function make(box: AccessBox, principal: Principal, token: Partial<NewToken> = {}) {
  const result = await box.access.tokens.add(principal, { name: "script", role: "viewer", ...token });
  if (!result.ok) throw new Error(result.reason);
  return result;
}

const who = (box: AccessBox, bearer: string) => box.access.identify({ bearer, address: NEAR });

test("a token stands for its owner, within its role, scopes and time", async () => {
  const box = await AccessBox.ready();
  const { principal } = await box.logIn();
  const expires = new Date(box.now().getTime() + DAY);
  const { token, info } = await make(box, principal, { role: "operator", scopes: ["status", "status"], expires });
  assert.match(token, /^sc_[0-9A-Za-z]{49}$/);
  assert.deepEqual(info, {
    ...{ id: info.id, name: "script", owner: "admin", role: "operator", scopes: ["status"] },
    ...{ created: "2026-01-05T12:00:00.000Z", expires: "2026-01-06T12:00:00.000Z", lastUsed: null },
  });
  const found = who(box, token);
  assert.deepEqual(found, {
    name: "admin",
    role: "operator",
    via: "token",
    id: info.id,
    address: NEAR,
    scopes: ["status"],
  });
  assert.ok(found);
  assert.equal(box.access.holds(found), true);
  assert.equal(box.access.standing(found).expires, info.expires);
  for (const wrong of ["", "sc_", token.slice(0, -1), `${token.slice(0, -1)}!`, `x${token}`, token.toLowerCase()]) {
    assert.equal(who(box, wrong), undefined, wrong);
  }
  assert.equal(box.access.identify({ bearer: "sc_x", cookie: (await box.logIn()).session, address: NEAR }), undefined);
  const next = await box.restarted();
  assert.notEqual(who(next, token), undefined);
  await next.clock.advance(DAY);
  assert.equal(who(next, token), undefined);
  assert.equal(next.access.holds(found), false);
  assert.ok(!next.stored().includes(token.slice(3, 40)));
});

test("a token has no more than its owner has now, and goes with them", async () => {
  const box = await AccessBox.ready();
  const { users } = box.access;
  await box.add("anna", "operator");
  const { principal } = await box.logIn("anna");
  assert.deepEqual(await box.access.tokens.add(principal, { name: "x", role: "admin" }), { ok: false, reason: "role" });
  const { token } = await make(box, principal, { role: "operator" });
  const before = who(box, token);
  await users.change("anna", { role: "viewer" });
  assert.equal(who(box, token)?.role, "viewer");
  assert.ok(before && !box.access.holds(before), "a stream with more ends");
  await users.change("anna", { disabled: true });
  assert.equal(who(box, token), undefined);
  await users.change("anna", { disabled: false });
  assert.equal(who(box, token), undefined, "for good");
  const again = await make(box, (await box.logIn("anna")).principal);
  await users.remove("anna");
  assert.equal(who(box, again.token), undefined);
  await box.add("anna", "viewer");
  assert.equal(who(box, again.token), undefined);
});

test("only who has logged in makes tokens, within a year, and 64 at the most", async () => {
  const box = await AccessBox.ready();
  const { tokens } = box.access;
  const { principal } = await box.logIn();
  const { token } = await make(box, principal, { role: "admin" });
  const program = who(box, token);
  assert.ok(program);
  const local = { name: "local", role: "admin", via: "local", id: "local", address: "" } as const;
  for (const one of [program, local]) {
    assert.deepEqual(await tokens.add(one, { name: "x", role: "viewer" }), { ok: false, reason: "no-user" });
  }
  for (const ms of [0, -1, 367 * DAY, Number.NaN]) {
    const expires = new Date(box.now().getTime() + ms);
    const result = await tokens.add(principal, { name: "x", role: "viewer", expires });
    assert.deepEqual(result, { ok: false, reason: "expiry" });
  }
  for (let n = 1; n < 64; n++) await make(box, principal, { expires: new Date(box.now().getTime() + 366 * DAY) });
  const full = await tokens.add(principal, { name: "x", role: "viewer" });
  assert.deepEqual(full, { ok: false, reason: "too-many" });
  await box.clock.advance(366 * DAY);
  await make(box, (await box.logIn()).principal);
  assert.equal(tokens.list(principal).length, 2, "expired ones make room");
});

test("one's own tokens are seen and removed, by an admin all", async () => {
  const box = await AccessBox.ready();
  const { tokens } = box.access;
  await box.add("anna", "viewer");
  const [admin, anna] = [(await box.logIn()).principal, (await box.logIn("anna")).principal];
  const [admins, annas] = [await make(box, admin), await make(box, anna)];
  assert.deepEqual(tokens.list(anna), [annas.info]);
  assert.deepEqual(tokens.list(admin), [admins.info, annas.info]);
  assert.deepEqual(await tokens.remove(anna, admins.info.id), { ok: false, reason: "unknown" });
  assert.deepEqual(await tokens.remove(admin, annas.info.id), { ok: true });
  assert.equal(who(box, annas.token), undefined);
  assert.notEqual(who(box, admins.token), undefined);
});

test("the use of a token is told to the hour, and hardly ever written", async () => {
  const box = await AccessBox.ready();
  const { principal } = await box.logIn();
  const { token } = await make(box, principal);
  await box.clock.advance(90 * 60_000);
  who(box, token);
  await box.clock.advance(1000);
  const steps = box.disk.steps;
  for (let n = 0; n < 100; n++) {
    await box.clock.advance(60_000);
    who(box, token);
  }
  assert.equal(box.disk.steps, steps);
  assert.equal(box.access.tokens.list(principal)[0]?.lastUsed, "2026-01-05T15:00:00.000Z");
  const next = await box.restarted();
  assert.equal(next.access.tokens.list(principal)[0]?.lastUsed, "2026-01-05T15:00:00.000Z");
  assert.equal(await next.tryLogIn({ password: PASSWORD }), "in");
});
