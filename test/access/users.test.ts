import assert from "node:assert/strict";
import test from "node:test";
import { AccessBox, PASSWORD } from "./support/box.ts";

const refused = (reason: string) => ({ ok: false, reason });

test("the last admin who can log in can't be removed, disabled or demoted, also not by two at once", async () => {
  const box = await AccessBox.ready();
  const { users } = box.access;
  await box.add("anna", "operator");
  assert.deepEqual(await users.remove("admin"), refused("last-admin"));
  assert.deepEqual(await users.change("admin", { disabled: true }), refused("last-admin"));
  assert.deepEqual(await users.change("admin", { role: "operator" }), refused("last-admin"));
  await box.add("boss", "admin");
  const results = await Promise.all([users.remove("admin"), users.change("boss", { role: "viewer" })]);
  assert.deepEqual(results, [{ ok: true }, refused("last-admin")]);
  assert.deepEqual(await users.change("anna", { role: "admin" }), { ok: true });
  assert.deepEqual(await users.change("boss", { disabled: true }), { ok: true });
  assert.deepEqual(
    await users.change("anna", { disabled: true }),
    refused("last-admin"),
    "who is disabled does not count",
  );
});

test("users are listed without what they log in with, and 64 are the most", async () => {
  const box = await AccessBox.ready();
  const { users } = box.access;
  const { principal } = await box.logIn();
  await box.enrol(principal);
  await box.add("anna", "viewer");
  assert.deepEqual(users.list(), [
    {
      ...{ name: "admin", role: "admin", disabled: false, secondFactor: true, recoveryCodes: 10 },
      ...{ created: "2026-01-05T12:00:00.000Z", lastLogin: "2026-01-05T12:00:00.000Z" },
    },
    {
      ...{ name: "anna", role: "viewer", disabled: false, secondFactor: false, recoveryCodes: 0 },
      ...{ created: "2026-01-05T12:00:00.000Z", lastLogin: null },
    },
  ]);
  assert.deepEqual(await users.add({ name: "anna", role: "admin", password: PASSWORD }), refused("exists"));
  for (let n = 2; n < 64; n++) await box.add(`user${n}`, "viewer");
  assert.deepEqual(await users.add({ name: "more", role: "viewer", password: PASSWORD }), refused("too-many"));
  for (const result of [users.remove("nobody"), users.change("nobody", {}), users.removeTotp("nobody")]) {
    assert.deepEqual(await result, refused("unknown"));
  }
});

test("the first user of a box must be an admin", async () => {
  const box = await AccessBox.start();
  const add = (role: "viewer" | "admin") => box.access.users.add({ name: "anna", role, password: PASSWORD });
  assert.deepEqual(await add("viewer"), refused("last-admin"));
  assert.equal(box.access.needsSetup, true);
  assert.deepEqual(await add("admin"), { ok: true });
  assert.equal(box.access.needsSetup, false);
});

test("an admin takes a lost second factor away", async () => {
  const box = await AccessBox.ready();
  await box.add("anna", "viewer");
  await box.enrol((await box.logIn("anna")).principal);
  assert.equal(await box.tryLogIn({ user: "anna" }), "code-needed");
  assert.deepEqual(await box.access.users.removeTotp("anna"), { ok: true });
  assert.equal(await box.tryLogIn({ user: "anna" }), "in");
});

test("log-ins are written once an hour at the most, and with the next change", async () => {
  const box = await AccessBox.ready();
  await box.logIn();
  const steps = box.disk.steps;
  for (let n = 0; n < 20; n++) {
    await box.clock.advance(60_000);
    await box.logIn();
  }
  assert.equal(box.disk.steps, steps);
  const [user] = box.access.users.list();
  assert.equal(user?.lastLogin, "2026-01-05T12:20:00.000Z");
  await box.add("anna", "viewer");
  assert.match(box.stored(), /"lastLogin": "2026-01-05T12:20:00.000Z"/);
  await box.clock.advance(3600_000);
  await box.logIn();
  assert.ok(box.disk.steps > steps);
  await box.clock.advance(60_000);
  await box.logIn();
  const next = await box.restarted();
  assert.equal(next.access.users.get("admin")?.lastLogin, "2026-01-05T13:21:00.000Z", "and when the supervisor stops");
});

test("what may not be a password: common ones with and without trimmings, names, sameness", async () => {
  const box = await AccessBox.ready();
  const why = async (password: string, name = "anna") => {
    const result = await box.access.users.add({ name, role: "viewer", password });
    if (result.ok) await box.access.users.remove(name);
    return result.ok ? "" : result.reason === "weak" ? result.message : result.reason;
  };
  const common = [
    "1234567890",
    "qwertyuiop",
    "PASSWORD123",
    "basketball",
    "Basketball2026!",
    "1q2w3e4r5t",
    "pass-word-2026",
  ];
  for (const password of common) assert.match(await why(password), /many people have it/, password);
  assert.match(await why("annemarie2026", "annemarie"), /name/);
  assert.match(await why("Steadycast!"), /name/);
  assert.match(await why("aaaaaaaaaaaa"), /same few/);
  assert.match(await why("ababababababab"), /same few/);
  assert.equal(await why("short pwd"), "must have 10 to 128 characters, has 9");
  assert.equal(await why("🎬".repeat(9)), "must have 10 to 128 characters, has 9");
  const good = [
    "tall ships in fog",
    `${"x".repeat(60)}yz1${"x".repeat(65)}`,
    "8402957361",
    "Ünïcödé pässwörd",
    "correct horse battery staple",
  ];
  for (const password of good) assert.equal(await why(password), "", password);
});
