import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { AccessService } from "../../src/access/access.ts";
import { Bus } from "../../src/bus.ts";
import { loggedIn, PASSWORD } from "./support/box.ts";

test("with the real clock, disk and hashes: files for the owner alone, and sessions over a restart", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-access-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [data, runtime] = [join(folder, "data"), join(folder, "run")];
  mkdirSync(data);
  const make = () =>
    new AccessService({
      ...{ folder: data, runtimeFolder: runtime, bus: new Bus(), localNetworks: () => [] },
      settings: () => ({ idleMinutes: 30, sessionHours: 12, secondFactor: "nobody" }),
    });
  const access = make();
  await access.start();
  const first = loggedIn(await access.logIn({ user: "admin", password: "admin", address: "127.0.0.1" }));
  const { session, principal } = loggedIn(await access.setUp(first.principal, PASSWORD));
  await access.stop();

  assert.deepEqual(readdirSync(data).sort(), ["access.json", "access.last-good.json"]);
  assert.deepEqual(readdirSync(runtime), ["sessions.json"]);
  for (const path of [...readdirSync(data).map((name) => join(data, name)), join(runtime, "sessions.json")]) {
    assert.equal(statSync(path).mode & 0o777, 0o600, path);
  }
  const next = make();
  await next.start();
  assert.deepEqual(next.identify({ cookie: session, address: "127.0.0.1" }), principal);
  const entered = await next.logIn({ user: "admin", password: PASSWORD, address: "203.0.113.5" });
  assert.equal(entered.ok, true);
  await next.stop();
});
