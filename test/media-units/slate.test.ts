import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { type ChannelConfig, channel, defaultConfig } from "../../src/config/schema.ts";
import { CommandError, runCommand } from "../../src/media/command.ts";
import { ChannelPaths } from "../../src/media/paths.ts";
import type { EncodeSpec } from "../../src/media/protocol.ts";
import { SlateClips, type SlateOptions } from "../../src/media/slate.ts";
import { encodeSpec } from "../../src/media/specs.ts";

const base = defaultConfig("lo").channels[0] as ChannelConfig;

function specOf(patch: Record<string, unknown> = {}): EncodeSpec {
  const paths = new ChannelPaths("/run/steadycast", "ch1");
  return encodeSpec(channel.parse({ ...structuredClone(base), ...patch }), { platform: "pc", paths, stamp: false });
}

/** An encoder that writes its spec as the clip, and counts. */
function setUp(t: TestContext, run?: SlateOptions["run"]) {
  const folder = mkdtempSync(join(tmpdir(), "slate-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const calls: { args: readonly string[]; nice: number | undefined }[] = [];
  const clips = new SlateClips({
    folder: join(folder, "slates"),
    encode: ["/usr/bin/encode"],
    run: async (program, args, options) => {
      calls.push({ args, nice: options.nice });
      if (run !== undefined) return await run(program, args, options);
      writeFileSync(args[2] as string, readFileSync(args[1] as string));
      return "";
    },
  });
  return { folder, clips, calls, files: () => readdirSync(join(folder, "slates")) };
}

test("a clip is made once per setting, in the background, and found again", async (t) => {
  const { clips, calls, files } = setUp(t);
  assert.deepEqual(await clips.find("ch1", specOf()), { path: "", current: false });
  const path = await clips.make("ch1", specOf());
  assert.deepEqual(await clips.find("ch1", specOf()), { path, current: true });
  assert.deepEqual(files(), [path.split("/").at(-1)]);
  const [call] = calls;
  assert.equal(call?.args[0], "--clip");
  assert.equal(call?.args[3], "2");
  assert.ok((call?.nice ?? 0) > 0);
  const made = JSON.parse(readFileSync(path, "utf8")) as EncodeSpec;
  assert.equal(made.source, null);
  assert.equal(made.preview, null);
});

test("until the new clip is there the old one serves; then it goes", async (t) => {
  const { clips, files } = setUp(t);
  const old = await clips.make("ch1", specOf());
  const other = await clips.make("ch10", specOf());
  const changed = specOf({ loss: { text: "Back soon" } });
  assert.deepEqual(await clips.find("ch1", changed), { path: old, current: false });
  const path = await clips.make("ch1", changed);
  await clips.prune("ch1", path);
  assert.deepEqual(files().sort(), [path, other].map((one) => one.split("/").at(-1)).sort());
  await clips.prune("ch1");
  assert.deepEqual(files(), [other.split("/").at(-1)]);
});

test("a picture that the user replaced makes a new clip", async (t) => {
  const { clips, folder } = setUp(t);
  const image = join(folder, "slate.png");
  writeFileSync(image, "one");
  const spec = specOf({ loss: { image } });
  await clips.make("ch1", spec);
  assert.equal((await clips.find("ch1", spec)).current, true);
  utimesSync(image, 1, 1);
  assert.equal((await clips.find("ch1", spec)).current, false);
});

test("a clip that cannot be made leaves nothing behind and hinders no other", async (t) => {
  let fail = true;
  const { clips, files } = setUp(t, async (_program, args) => {
    writeFileSync(args[2] as string, "half");
    if (fail) throw new CommandError("encode: exit code 6");
    return "";
  });
  await assert.rejects(clips.make("ch1", specOf()), /exit code 6/);
  assert.deepEqual(files(), []);
  fail = false;
  await clips.make("ch1", specOf());
  assert.equal(files().length, 1);
});

test("a command is bounded in time and says why it failed", async () => {
  assert.equal(await runCommand("printf", ["done"], { timeoutMs: 5000 }), "done");
  await assert.rejects(runCommand("sleep", ["60"], { timeoutMs: 50 }), /sleep: not done within 50 ms/);
  await assert.rejects(runCommand("sh", ["-c", "echo oh no >&2; exit 3"], { timeoutMs: 5000 }), /exit code 3: oh no/);
  await assert.rejects(runCommand("/nonexistent", [], { timeoutMs: 5000 }), (error) => error instanceof CommandError);
  const long = await runCommand("sh", ["-c", "yes | head -c 1000000"], { timeoutMs: 5000 });
  assert.equal(long.length, 8192);
});
