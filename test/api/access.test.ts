import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import Koa from "koa";
import {
  clearSessionCookie,
  deviceCookie,
  sessionCookie,
  setDeviceCookie,
  setSessionCookie,
} from "../../src/api/cookies.ts";
import { AccessBox, PASSWORD } from "../access/support/box.ts";
import { Box } from "./support/box.ts";
import { People } from "./support/people.ts";

type Json = Record<string, unknown>;

/** A browser that logs in to a box with a real access service: it keeps cookies, and sends what a page of the box sends. */
class Browser {
  readonly #box: Box;
  readonly cookies = new Map<string, string>();
  /** The Set-Cookie lines of the last answer. */
  lines: string[] = [];

  constructor(box: Box) {
    this.#box = box;
  }

  async call(method: string, path: string, body?: unknown) {
    const answer = await this.#box.call(method, path, body, this.#headers());
    this.lines = answer.headers.getSetCookie();
    for (const line of this.lines) {
      const [, name = "", value = "", rest = ""] = /^([^=]+)=([^;]*)(.*)$/.exec(line) ?? [];
      if (rest.includes("Max-Age=0")) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return { ...answer, body: answer.body as Json };
  }

  async refused(kind: string, method: string, path: string, body?: unknown) {
    return await this.#box.refused(kind, method, path, body, this.#headers());
  }

  async logIn(user = "admin", password = PASSWORD): Promise<this> {
    assert.equal((await this.call("POST", "/session", { user, password })).status, 200);
    return this;
  }

  #headers(): Record<string, string> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const own = { Origin: this.#box.server.url, "Steadycast-Request": "1", "User-Agent": "Browser/1" };
    return { Authorization: "", ...own, ...(cookie === "" ? {} : { Cookie: cookie }) };
  }
}

async function start(t: TestContext, { isSetUp = true } = {}) {
  const access = isSetUp ? await AccessBox.ready() : await AccessBox.start();
  const people = new People();
  const { access: service } = access;
  const box = await Box.start(t, {
    access: service,
    // The people beside those of the service read the OpenAPI document.
    everybody: {
      identify: (credentials) => service.identify(credentials) ?? people.identify(credentials),
      holds: (principal) => service.holds(principal),
      standing: (principal) => service.standing(principal),
    },
  });
  return { box, access, browser: () => new Browser(box) };
}

test("a box is set up in the browser", async (t) => {
  const { box, browser } = await start(t, { isSetUp: false });
  const page = browser();
  assert.deepEqual((await page.call("GET", "/session")).body, { setup: true, user: null });
  await page.refused("unauthenticated", "POST", "/session", { user: "admin", password: PASSWORD });
  await page.refused("unauthenticated", "POST", "/setup", { password: PASSWORD });
  const first = await page.call("POST", "/session", { user: "admin", password: "admin" });
  const user = { name: "admin", role: "admin", via: "setup", secondFactor: false, mustEnrol: false };
  assert.deepEqual(first.body, { setup: true, user: { ...user, expires: "2026-01-05T12:15:00.000Z" } });
  assert.equal(page.cookies.has("steadycast_device"), false);
  for (const { method, path, access } of box.server.routes) {
    if (access === "public" || access === "setup") continue;
    await page.refused("forbidden", method.toUpperCase(), path.replace(/:\w+/, "x"));
  }
  const weak = await page.refused("invalid", "POST", "/setup", { password: "password123" });
  assert.equal(weak.errors?.[0]?.pointer, "/password");
  const done = await page.call("POST", "/setup", { password: PASSWORD });
  const standing = { ...user, via: "session", expires: "2026-01-06T00:00:00.000Z" };
  assert.deepEqual(done.body, { setup: false, user: standing });
  assert.deepEqual((await page.call("GET", "/session")).body, done.body);
  assert.equal((await page.call("GET", "/users")).status, 200);
  await page.refused("forbidden", "POST", "/setup", { password: PASSWORD });
  assert.deepEqual(box.audited.map(({ what, result }) => `${what} ${result}`).slice(-2), [
    "setUp done",
    "setUp refused",
  ]);
});

test("log-in, log-out, and the cookies of both", async (t) => {
  const { browser } = await start(t);
  const page = await browser().logIn();
  assert.match(page.lines[0] ?? "", /^steadycast_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  assert.match(
    page.lines[1] ?? "",
    /^steadycast_device=[\w.-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=15552000$/,
  );
  const old = page.cookies.get("steadycast_session") ?? "";
  await page.logIn();
  const [device, session] = [page.cookies.get("steadycast_device"), page.cookies.get("steadycast_session")];
  assert.notEqual(session, old);
  const { sessions } = (await page.call("GET", "/sessions")).body as { sessions: Json[] };
  assert.equal(sessions.length, 2, "that of the set-up and this one: the one before has ended");
  assert.deepEqual(
    sessions.map(({ current, agent }) => [current, agent]),
    [
      [false, ""],
      [true, "Browser/1"],
    ],
  );
  assert.equal((await page.call("DELETE", "/session")).status, 204);
  assert.deepEqual([...page.cookies.keys()], ["steadycast_device"]);
  assert.deepEqual((await page.call("GET", "/session")).body, { setup: false, user: null });
  await page.refused("unauthenticated", "GET", "/account");
  assert.equal((await page.call("DELETE", "/session")).status, 204);
  await page.logIn();
  assert.equal(page.cookies.get("steadycast_device"), device, "a known device stays the same");
});

test("over HTTPS the cookies are bound to the host, and others are not looked at", async (t) => {
  const app = new Koa({ proxy: true });
  app.use((ctx) => {
    if (ctx.path === "/set") {
      setSessionCookie(ctx, "abc");
      setDeviceCookie(ctx, "d.e");
    }
    if (ctx.path === "/clear") clearSessionCookie(ctx);
    ctx.body = [sessionCookie(ctx) ?? null, deviceCookie(ctx) ?? null];
  });
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const ask = (path: string, secure: boolean, cookie = "") =>
    fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, {
      headers: { Cookie: cookie, ...(secure ? { "X-Forwarded-Proto": "https" } : {}) },
    });
  const set = await ask("/set", true);
  assert.deepEqual(set.headers.getSetCookie(), [
    "__Host-steadycast_session=abc; Path=/; HttpOnly; SameSite=Strict; Secure",
    "__Host-steadycast_device=d.e; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=15552000",
  ]);
  const cleared = (await ask("/clear", true)).headers.getSetCookie();
  assert.deepEqual(cleared, ["__Host-steadycast_session=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0"]);
  const both = "a=b; __Host-steadycast_session=one; steadycast_session=two; steadycast_device=x y";
  assert.deepEqual(await (await ask("/", true, both)).json(), ["one", null]);
  assert.deepEqual(await (await ask("/", false, both)).json(), ["two", null]);
});

test("wrong log-ins are 401, then 429 with the time to wait; what was typed is never repeated", async (t) => {
  const { browser } = await start(t);
  const page = browser();
  const wrong = { user: "some user", password: "some password", code: "some code" };
  const told: string[] = [];
  for (let n = 0; n < 5; n++) {
    told.push(JSON.stringify(await page.refused("unauthenticated", "POST", "/session", wrong)));
  }
  const slow = await page.refused("too-many", "POST", "/session", wrong);
  assert.equal(slow.headers.get("Retry-After"), "1");
  const long = { user: "some user".repeat(10), password: "some password".repeat(30), code: "some code".repeat(10) };
  const invalid = await page.refused("invalid", "POST", "/session", long);
  assert.deepEqual(
    invalid.errors?.map(({ pointer }) => pointer),
    ["/user", "/password", "/code"],
  );
  told.push(JSON.stringify(invalid), JSON.stringify(await page.refused("invalid", "POST", "/session", [wrong])));
  told.push(
    JSON.stringify(await page.refused("invalid", "POST", "/session", { ...wrong, password: ["some password"] })),
  );
  assert.doesNotMatch(told.join(), /some (user|password|code)/);
});

test("one's own password and second factor", async (t) => {
  const { access, browser } = await start(t);
  const page = await browser().logIn();
  const account = (await page.call("GET", "/account")).body;
  assert.deepEqual([account.name, account.secondFactor, account.recoveryCodes], ["admin", false, 0]);
  const { secret, uri } = (await page.call("POST", "/account/totp", { password: PASSWORD })).body as Record<
    string,
    string
  >;
  assert.match(uri ?? "", /^otpauth:/);
  await page.refused("forbidden", "POST", "/account/totp", { password: "wrong password" });
  await page.refused("invalid", "PUT", "/account/totp", { code: "000000" });
  const active = await page.call("PUT", "/account/totp", { code: access.code(secret ?? "") });
  const [first = ""] = active.body.recoveryCodes as string[];
  await page.refused("conflict", "PUT", "/account/totp", { code: access.code(secret ?? "") });

  const other = browser();
  await other.refused("code-needed", "POST", "/session", { user: "admin", password: PASSWORD });
  const entered = await other.call("POST", "/session", { user: "admin", password: PASSWORD, code: first });
  assert.equal((entered.body.user as Json).secondFactor, true);
  const renewed = await other.call("POST", "/account/recovery-codes", { password: PASSWORD });
  assert.equal((renewed.body.recoveryCodes as string[]).length, 10);

  await page.refused("forbidden", "PUT", "/account/password", {
    current: "wrong password",
    password: "a quite new secret",
  });
  const weak = await page.refused("invalid", "PUT", "/account/password", { current: PASSWORD, password: "admin12345" });
  assert.doesNotMatch(JSON.stringify(weak), /admin12345/);
  const change = { current: PASSWORD, password: "a quite new secret" };
  assert.equal((await page.call("PUT", "/account/password", change)).status, 204);
  await other.refused("unauthenticated", "GET", "/account");
  assert.equal((await page.call("DELETE", "/account/totp", { password: change.password })).status, 204);
  await page.refused("conflict", "POST", "/account/recovery-codes", { password: change.password });
  await other.logIn("admin", change.password);
});

test("who must have a second factor reaches only the account until they have", async (t) => {
  const { access, browser } = await start(t);
  const page = await browser().logIn();
  access.settings.secondFactor = "admins";
  assert.equal(((await page.call("GET", "/session")).body.user as Json).mustEnrol, true);
  for (const path of ["/config", "/users", "/tokens", "/channels"]) await page.refused("forbidden", "GET", path);
  const { secret } = (await page.call("POST", "/account/totp", { password: PASSWORD })).body as { secret: string };
  await page.call("PUT", "/account/totp", { code: access.code(secret) });
  assert.equal((await page.call("GET", "/users")).status, 200);
});

test("sessions and tokens are listed, made and ended", async (t) => {
  const { access, box, browser } = await start(t);
  await access.add("anna", "operator");
  const [admin, anna] = [await browser().logIn(), await browser().logIn("anna")];
  const made = await anna.call("POST", "/tokens", { name: "script", role: "viewer", scopes: ["access"] });
  assert.equal(made.status, 201);
  const { token, ...info } = made.body as { token: string; id: string };
  assert.deepEqual((await admin.call("GET", "/tokens")).body, { tokens: [info] });
  const bearer = { Authorization: `Bearer ${token}` };
  assert.equal((await box.call("GET", "/account", undefined, bearer)).status, 200);
  await box.refused("forbidden", "GET", "/channels", undefined, bearer);
  await box.refused("forbidden", "POST", "/tokens", { name: "more", role: "viewer" }, bearer);
  await box.refused(
    "forbidden",
    "PUT",
    "/account/password",
    { current: PASSWORD, password: "a quite new secret" },
    bearer,
  );
  await anna.refused("invalid", "POST", "/tokens", { name: "script", role: "admin" });
  const past = { name: "script", role: "viewer", expires: "2026-01-05T11:00:00.000Z" };
  assert.equal((await anna.refused("invalid", "POST", "/tokens", past)).errors?.[0]?.pointer, "/expires");
  await anna.refused("invalid", "POST", "/tokens", { name: "script", role: "viewer", scopes: ["everything"] });

  const { sessions } = (await admin.call("GET", "/sessions")).body as { sessions: { id: string; user: string }[] };
  const annas = sessions.find(({ user }) => user === "anna")?.id;
  const admins = sessions.find(({ user }) => user === "admin")?.id;
  await anna.refused("not-found", "DELETE", `/sessions/${admins}`);
  assert.equal((await admin.call("DELETE", `/sessions/${annas}`)).status, 204);
  await anna.refused("unauthenticated", "GET", "/account");
  assert.equal((await admin.call("DELETE", `/tokens/${info.id}`)).status, 204);
  await admin.refused("not-found", "DELETE", `/tokens/${info.id}`);
  await box.refused("unauthenticated", "GET", "/account", undefined, bearer);
  const told = JSON.stringify([box.audited, access.audited, box.logged]);
  assert.ok(told.includes("script") && !told.includes(token) && !told.includes(PASSWORD));
});

test("an admin looks after users, and the audit log is told what without any secret", async (t) => {
  const { box, browser } = await start(t);
  const page = await browser().logIn();
  const anna = { name: "anna", role: "operator", password: "a quite new secret" };
  const added = await page.call("POST", "/users", anna);
  assert.deepEqual([added.status, added.headers.get("Location")], [201, "/api/v1/users/anna"]);
  assert.deepEqual((await page.call("GET", "/users/anna")).body, added.body);
  await page.refused("conflict", "POST", "/users", anna);
  for (const name of ["Anna", "", "x".repeat(33), "local", "a b", "../x"]) {
    const { errors } = await page.refused("invalid", "POST", "/users", { ...anna, name });
    assert.equal(errors?.[0]?.pointer, "/name");
  }
  const other = await browser().logIn("anna", anna.password);
  await other.refused("forbidden", "GET", "/users");
  const changed = await page.call("PATCH", "/users/anna", { role: "viewer", password: PASSWORD });
  assert.equal(changed.body.role, "viewer");
  await other.refused("unauthenticated", "GET", "/account");
  await page.refused("conflict", "PATCH", "/users/admin", { password: "a quite new secret" });
  await page.refused("conflict", "PATCH", "/users/admin", { role: "viewer" });
  await page.refused("conflict", "DELETE", "/users/admin");
  await page.refused("invalid", "PATCH", "/users/anna", { name: "bob" });
  for (const method of ["GET", "PATCH", "DELETE"]) {
    await page.refused("not-found", method, "/users/bob", method === "PATCH" ? {} : undefined);
  }
  assert.equal((await page.call("DELETE", "/users/anna/totp")).status, 204);
  assert.equal((await page.call("DELETE", "/users/anna")).status, 204);
  const { users } = (await page.call("GET", "/users")).body as { users: Json[] };
  assert.deepEqual(
    users.map(({ name }) => name),
    ["admin"],
  );

  const diffs = box.audited.filter(({ result }) => result === "done").map(({ what, diff }) => [what, diff]);
  assert.deepEqual(diffs, [
    ["addUser", [{ pointer: "/users/anna", after: { role: "operator", password: "********" } }]],
    [
      "changeUser",
      [
        { pointer: "/users/anna/role", before: "operator", after: "viewer" },
        { pointer: "/users/anna/password", before: "********", after: "********" },
      ],
    ],
    ["removeSecondFactorOf", undefined],
    ["removeUser", [{ pointer: "/users/anna", before: { role: "viewer", password: "********" } }]],
  ]);
  assert.doesNotMatch(JSON.stringify([box.audited, box.logged]), /quite new secret|tall ships/);
});

test("a disk that is full refuses a new user, and lets those in who are there", async (t) => {
  const { access, browser } = await start(t);
  const page = await browser().logIn();
  access.disk.failAt(1, "ENOSPC", 1000);
  const anna = { name: "anna", role: "viewer", password: "a quite new secret" };
  const { detail } = await page.refused("storage", "POST", "/users", anna);
  assert.match(detail, /the disk is full/);
  await access.clock.advance(3700_000);
  await browser().logIn();
});
