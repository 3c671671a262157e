import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { BundleStatus, FirmwareStatus, SlotStatus } from "../../src/update/status.ts";
import { onSocket, problem } from "./support.ts";

const slot = (more: Partial<SlotStatus>): SlotStatus => ({
  ...{ name: "A", running: true, next: true, state: "good", version: "0.1.0", build: "abc", installed: null },
  ...{ attemptsLeft: 3, why: "" },
  ...more,
});

const status = (more: Partial<FirmwareStatus> = {}): FirmwareStatus => ({
  ...{ version: "0.1.0", build: "abc", bundle: null, work: null, activation: null, trouble: "" },
  slots: [
    slot({}),
    slot({ name: "B", running: false, next: false, state: "bad", version: "0.2.0", why: "it crashed" }),
  ],
  capabilities: { install: true, rollBack: false, why: "" },
  ...more,
});

const bundle: BundleStatus = {
  ...{ version: "0.2.0", build: "x", compatible: "k", notes: "", size: 5, downgrade: true },
  ...{ origin: "upload", received: "2026-01-01T00:00:00.000Z" },
};

test("tells the slots, what is at hand, what is done and what is wrong", async (t) => {
  const { box, call } = await onSocket(t);
  const work = {
    what: "install",
    percent: 40,
    step: "Copying",
    bytes: 0,
    totalBytes: null,
    cancellable: false,
  } as const;
  box.replies.set("GET /firmware", status({ bundle, work, trouble: "It was given up" }));
  for (const line of ["firmware", "firmware status"]) {
    const { code, out } = await call(line);
    assert.equal(code, 0);
    assert.match(
      out,
      /^Version +0\.1\.0 \(abc\)\nBundle +0\.2\.0, 5 bytes\nWork +Copying 40 %\nTrouble +It was given up\n/,
    );
    assert.match(out, /^A +good +0\.1\.0 +running +next$/m);
    assert.match(out, /^B +bad +0\.2\.0 +it crashed$/m);
  }
});

test("sends a file as it is, and says what the box says of it", async (t) => {
  const { box, call, folder } = await onSocket(t);
  const file = join(folder, "box 2.raucb");
  writeFileSync(file, "12345");
  box.replies.set("POST /firmware/bundle", bundle);
  const { code, out } = await call(["firmware", "upload", file]);
  assert.deepEqual(
    [code, out.split("\n", 1)[0]],
    [0, "Version 0.2.0 is on the box; it is older than the one that runs"],
  );
  const asked = box.asked("POST", "/firmware/bundle?name=box%202.raucb");
  assert.deepEqual([asked?.body, asked?.headers["content-length"]], [12345, "5"]);
  assert.equal(asked?.headers["content-type"], "application/octet-stream");
  box.replies.set("POST /firmware/bundle", (response) =>
    problem(response, { status: 422, title: "Not valid", detail: "It is damaged" }),
  );
  const refused = await call(["firmware", "upload", file]);
  assert.deepEqual([refused.code, refused.error], [1, "Not valid: It is damaged\n"]);
  assert.equal((await call(["firmware", "upload", join(folder, "none")])).code, 1);
});

test("orders installation and start, and waits for the end of the work", async (t) => {
  const { box, call } = await onSocket(t);
  box.replies.set("POST /firmware/install", status());
  let asked = 0;
  const work = {
    what: "install",
    percent: 40,
    step: "Copying",
    bytes: 0,
    totalBytes: null,
    cancellable: false,
  } as const;
  box.replies.set("GET /firmware", (response) => {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(status(++asked === 1 ? { work } : {})));
  });
  assert.equal((await call("firmware install --downgrade")).code, 0);
  assert.equal(asked, 2);
  const order = { activation: { when: "manual" }, downgrade: true };
  assert.deepEqual(box.asked("POST", "/firmware/install")?.body, order);
  await call("firmware install --at 2026-11-23T03:00:00+01:00");
  const at = { when: "at", at: "2026-11-23T03:00:00+01:00" };
  assert.deepEqual(box.asked("POST", "/firmware/install")?.body, { activation: at });
  box.replies.set("GET /firmware", status({ trouble: "It could not be installed" }));
  const failed = await call("firmware install --now");
  assert.deepEqual([failed.code, failed.error], [1, "It could not be installed\n"]);

  box.replies.set("POST /firmware/activate", status({ activation: { when: "next-boot" } }));
  assert.match((await call("firmware activate --next-boot")).out, /the other slot is started next/);
  assert.deepEqual(box.asked("POST", "/firmware/activate")?.body, { when: "next-boot" });
  for (const wrong of ["firmware activate", "firmware activate --now --next-boot"]) {
    assert.equal((await call(wrong)).code, 2);
  }
  box.replies.set("DELETE /firmware/activation", (response) => response.writeHead(204).end());
  assert.equal((await call("firmware activate --cancel")).code, 0);
  box.replies.set("POST /firmware/rollback", status());
  assert.equal((await call("firmware rollback")).code, 0);
  const at2 = "2026-01-01T00:00:00.000Z";
  box.replies.set("GET /firmware/history", {
    events: [{ at: at2, what: "good", version: "0.1.0", slot: "A", who: "box", detail: "" }],
  });
  assert.match((await call("firmware history")).out, /^2026-01-01T00:00:00.000Z +good +0\.1\.0 +A +box$/m);
});
