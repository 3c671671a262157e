import assert from "node:assert/strict";
import test from "node:test";
import type { PartContent } from "../../src/config/backup/part.ts";
import { AccessBox, NEAR, PASSWORD } from "./support/box.ts";

/** A box with an admin, a viewer with a second factor, and a token. */
async function full() {
  const box = await AccessBox.ready();
  await box.add("anna", "viewer");
  const { recoveryCodes } = await box.enrol((await box.logIn("anna")).principal);
  const made = await box.access.tokens.add((await box.logIn()).principal, { name: "script", role: "operator" });
  assert.ok(made.ok);
  return { box, recoveryCodes, token: made.token };
}

const copy = (content: PartContent): PartContent => JSON.parse(JSON.stringify(content)) as PartContent;

test("users, second factors and tokens come back on a box that was reset", async () => {
  const { box, recoveryCodes, token } = await full();
  const content = copy(box.access.backup.export());
  const before = box.access.users.list();
  const fresh = await AccessBox.ready();
  const { session } = await fresh.logIn();
  const { backup } = fresh.access;
  assert.deepEqual(backup.check(content), []);
  assert.deepEqual(backup.differences(content), [
    { pointer: "/users/admin/password", before: "********", after: "********" },
    {
      pointer: "/users/anna",
      after: { name: "anna", role: "viewer", disabled: false, created: "2026-01-05T12:00:00.000Z" },
    },
    { pointer: "/tokens", before: "0 tokens", after: "1 tokens" },
  ]);
  await backup.apply(content);
  assert.deepEqual(
    fresh.access.users.list().map((user) => ({ ...user, lastLogin: null })),
    before.map((user) => ({ ...user, lastLogin: null })),
  );
  assert.equal(fresh.who(session), undefined, "whoever was logged in has to do so again");
  assert.equal(fresh.access.identify({ bearer: token, address: NEAR })?.role, "operator");
  assert.equal(await fresh.tryLogIn({ user: "anna" }), "code-needed");
  assert.equal(await fresh.tryLogIn({ user: "anna", code: recoveryCodes[0] }), "in");

  assert.deepEqual(copy(backup.export()).open, content.open);
  const steps = fresh.disk.steps;
  await backup.apply(copy(backup.export()));
  assert.equal(fresh.disk.steps, steps, "what is in force already is not stored again");
});

test("the open part holds nothing to log in with, and without the secret one all stays as it is", async () => {
  const { box } = await full();
  const { open } = copy(box.access.backup.export());
  assert.deepEqual(open, {
    users: [
      { name: "admin", role: "admin", disabled: false, created: "2026-01-05T12:00:00.000Z" },
      { name: "anna", role: "viewer", disabled: false, created: "2026-01-05T12:00:00.000Z" },
    ],
  });
  const fresh = await AccessBox.ready();
  const { session } = await fresh.logIn();
  assert.deepEqual(fresh.access.backup.check({ open }), []);
  assert.deepEqual(fresh.access.backup.differences({ open }), []);
  assert.match(fresh.access.backup.notes({ open }).join(), /stay as they are/);
  await fresh.access.backup.apply({ open });
  assert.notEqual(fresh.who(session), undefined);
  assert.equal(fresh.access.users.list().length, 1);
});

test("a use of a token or a log-in is no change of what a backup holds", async () => {
  const { box, token } = await full();
  const before = JSON.stringify(box.access.backup.export());
  await box.clock.advance(7200_000);
  await box.logIn();
  box.access.identify({ bearer: token, address: NEAR });
  assert.equal(JSON.stringify(box.access.backup.export()), before);
});

test("what would shut everybody out, or is nonsense, is refused without telling secrets", async () => {
  const { box } = await full();
  const good = copy(box.access.backup.export()) as {
    open: { users: Record<string, unknown>[] };
    secret: Record<string, unknown>;
  };
  const [admin, anna] = good.open.users;
  const bad: PartContent[] = [
    { open: undefined },
    { open: { users: "all" }, secret: good.secret },
    { open: { users: [] }, secret: good.secret },
    { open: { users: [anna] }, secret: good.secret },
    { open: { users: [{ ...admin, disabled: true }, anna] }, secret: good.secret },
    { open: { users: [admin, admin] }, secret: good.secret },
    { open: { users: [admin, { ...anna, name: "constructor" }] }, secret: good.secret },
    { open: { users: [{ ...admin, extra: 1 }] }, secret: good.secret },
    { open: { users: [anna, { ...admin, name: "boss" }] }, secret: good.secret },
    { open: good.open, secret: { ...good.secret, users: { admin: { password: PASSWORD, totp: null, recovery: [] } } } },
    { open: good.open, secret: null },
    { open: good.open, secret: { users: {} } },
  ];
  const before = box.stored();
  for (const content of bad) {
    const errors = box.access.backup.check(content);
    assert.ok(errors.length > 0, JSON.stringify(content.open));
    assert.doesNotMatch(JSON.stringify(errors), /argon|ships/);
    assert.deepEqual(box.access.backup.check(good), []);
  }
  assert.equal(box.stored(), before);
});
