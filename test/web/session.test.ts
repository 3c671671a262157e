import assert from "node:assert/strict";
import test from "node:test";
import type { Standing } from "../../src/access/results.ts";
import { nextSession, type SessionState } from "../../web/session.ts";

const anna: Standing = {
  ...{ name: "anna", role: "admin", via: "session", secondFactor: false, mustEnrol: false },
  expires: "2030-01-01T00:00:00.000Z",
};
const unknown: SessionState = { phase: "unknown", reachable: true };
const inside: SessionState = { phase: "in", user: anna };
const nobody = { setup: false, user: null };

test("nobody at the start is no session that has ended", () => {
  assert.deepEqual(nextSession(unknown, nobody), { phase: "out", setup: false, ended: false });
  assert.deepEqual(nextSession(unknown, { setup: true, user: null }), { phase: "out", setup: true, ended: false });
});

test("a session that is over is told as ended, for as long as nobody logs in", () => {
  const out = nextSession(inside, nobody);
  assert.deepEqual(out, { phase: "out", setup: false, ended: true });
  assert.equal(nextSession(out, nobody), out);
});

test("the default login may only set the box up, and a user comes in", () => {
  assert.deepEqual(nextSession(unknown, { setup: true, user: { ...anna, via: "setup" } }), { phase: "setup" });
  assert.deepEqual(nextSession({ phase: "setup" }, { setup: false, user: anna }), inside);
});

test("another role is taken over while one is logged in", () => {
  const lower = { ...anna, role: "viewer" as const };
  assert.deepEqual(nextSession(inside, { setup: false, user: lower }), { phase: "in", user: lower });
});
