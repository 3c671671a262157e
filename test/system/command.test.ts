import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { commandRunner } from "../../src/system/command.ts";
import { VirtualClock } from "../support/virtualClock.ts";

const run = commandRunner();
const shell = (script: string, options = {}) => run("/bin/sh", ["-c", script], options);

test("what a command says and how it ends is told", async () => {
  assert.deepEqual(await shell("cat; echo $LC_ALL $MORE", { input: "in ", env: { MORE: "x" } }), {
    ...{ ok: true, stdout: "in C x\n", truncated: false },
  });
  assert.deepEqual(await shell("echo out; echo wrong >&2; exit 3"), {
    ...{ ok: false, code: 3, why: "/bin/sh: exit code 3: wrong", stdout: "out\n", stderr: "wrong\n" },
  });
  const none = await run("/no/such/program", []);
  assert.equal(!none.ok && none.why, "/no/such/program: there is no such program");
});

test("one that does not end is ended with all that it started", async () => {
  const clock = new VirtualClock();
  const slow = commandRunner(clock);
  // The child of the shell holds the pipe open when only the shell is killed.
  const running = slow("/bin/sh", ["-c", "sleep 600 & echo $!; wait"], { timeoutMs: 5000 });
  const before = process.hrtime.bigint();
  let pid = 0;
  while (pid === 0) {
    await new Promise((done) => setTimeout(done, 5));
    assert.ok(process.hrtime.bigint() - before < 20_000_000_000n);
    pid = await sleepingChild();
  }
  await clock.advance(5000);
  const result = await running;
  assert.equal(!result.ok && result.why, "/bin/sh: did not end within 5000 ms");
  assert.equal(Number(result.stdout.trim() || pid), pid);
  while (await isAlive(pid)) await new Promise((done) => setTimeout(done, 5));
});

test("one that says too much is ended, and what was read is given", async () => {
  const result = await shell("yes 0123456789", { outputMax: 10_000 });
  assert.ok(result.ok && result.truncated);
  assert.equal(result.stdout.length, 10_000);
});

/** The `sleep 600` below this process. */
async function sleepingChild(): Promise<number> {
  const own = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, "utf8");
  for (const shellPid of own.trim().split(" ")) {
    const path = `/proc/${shellPid}/task/${shellPid}/children`;
    for (const pid of (await readFile(path, "utf8").catch(() => "")).trim().split(" ")) {
      const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      if (line === "sleep\u0000600\u0000") return Number(pid);
    }
  }
  return 0;
}

async function isAlive(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return status !== "" && !/^State:\s+Z/m.test(status);
}
