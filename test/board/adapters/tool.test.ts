import assert from "node:assert/strict";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { SystemTool } from "../../../src/board/adapters/tool.ts";
import { VirtualClock } from "../../support/virtualClock.ts";
import { tree } from "./tree.ts";

/** A program for the test, in the shell's language. */
async function program(context: TestContext, script: string): Promise<string> {
  const path = join(await tree(context, {}), "tool");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

test("a command's output is given, also when it fails", async (t) => {
  const tool = new SystemTool(await program(t, 'echo "$LC_ALL $*"; cat; echo bad >&2; exit 255'));
  assert.deepEqual(await tool.run(["-d", "x y"], "input\n"), { stdout: "C -d x y\ninput\n", stderr: "bad\n" });
});

test("a program that is not there is unavailable", async () => {
  await assert.rejects(new SystemTool("/no/such/tool").run([]), { name: "BusError", code: "unavailable" });
  const watcher = new SystemTool("/no/such/tool").watch([]);
  assert.doesNotMatch((await watcher.ended).stdout, /./);
});

test("a command that does not end is killed, and the next one runs when it is gone", async (t) => {
  const clock = new VirtualClock();
  const tool = new SystemTool(await program(t, '[ "$1" = hang ] && exec sleep 600; echo done'), clock);
  const hanging = assert.rejects(tool.run(["hang"]), { code: "timeout", message: /did not end within 10000 ms/ });
  await clock.advance(10_000);
  await hanging;
  // Until the kernel has let go of it, others are refused at once.
  for (;;) {
    const result = await tool.run([]).catch((error: Error) => error);
    if (!(result instanceof Error)) {
      assert.equal(result.stdout, "done\n");
      break;
    }
    assert.match(result.message, /did not end/);
    await new Promise(setImmediate);
  }
});

test("a watcher runs until it ends by itself or is stopped", async (t) => {
  const tool = new SystemTool(await program(t, '[ "$1" = wait ] && exec sleep 600; echo "source_change: $1"'));
  assert.equal((await tool.watch(["now"]).ended).stdout, "source_change: now\n");
  const waiting = tool.watch(["wait"]);
  waiting.stop();
  assert.equal((await waiting.ended).stdout, "");
});
