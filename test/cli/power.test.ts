import assert from "node:assert/strict";
import test from "node:test";
import { onSocket } from "./support.ts";

test("the box is rebooted and shut down", async (t) => {
  const { call, box } = await onSocket(t);
  for (const [order, does] of Object.entries({ reboot: "reboots", shutdown: "shuts down" })) {
    box.replies.set(`POST /power/${order}`, { order, inSeconds: 2 });
    assert.deepEqual(await call(order), { code: 0, out: `The box ${does} in 2 s\n`, error: "" });
    assert.ok(box.asked("POST", `/power/${order}`));
  }
});

test("a factory reset is for those who say so, and asks for no password on the box", async (t) => {
  const { call, box } = await onSocket(t);
  const path = "/power/factory-reset";
  box.replies.set(`POST ${path}`, { order: "factory-reset", inSeconds: 2 });
  assert.equal((await call("factory-reset")).code, 2);
  assert.equal(box.asked("POST", path), undefined);
  const done = { code: 0, out: "The box reboots in 2 s and is reset\n", error: "" };
  assert.deepEqual(await call("factory-reset --yes"), done);
  assert.deepEqual(box.asked("POST", path)?.body, { password: "", keepNetwork: false });
  assert.deepEqual(await call("factory-reset --yes --keep-network"), done);
  assert.deepEqual(box.asked("POST", path)?.body, { password: "", keepNetwork: true });
  box.replies.set(`POST ${path}`, (response) => response.writeHead(204).end());
  assert.equal((await call("factory-reset --yes")).out, "The box is reset\n");
});
