/** The command line as it is shipped, a process of its own, against the real API on its socket. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before, type TestContext } from "node:test";
import { buildCli } from "../../../scripts/build.ts";
import { auditRoutes } from "../../../src/api/routes/audit.ts";
import { Bench, event } from "../../access/audit/support.ts";
import { Box } from "../../api/support/box.ts";

const folder = mkdtempSync(join(tmpdir(), "steadycast-cli-"));
const program = join(folder, "steadycast-cli.mjs");

before(() => buildCli(program));
after(() => rmSync(folder, { recursive: true }));

async function start(t: TestContext) {
  const audit = await Bench.start();
  const socket = join(mkdtempSync(join(folder, "run-")), "api.sock");
  const box = await Box.start(t, { socket, audit: audit.log, routes: auditRoutes(audit.log) });
  /** Runs a line of the shell, in which `steadycast` is the command line. */
  const shell = async (line: string, input = "") => {
    const child = spawn("sh", ["-c", `steadycast() { node ${program} --socket ${socket} "$@"; }\n${line}`]);
    const texts = { out: "", error: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (texts.out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (texts.error += text));
    child.stdin.on("error", () => undefined).end(input);
    const [code] = (await once(child, "close")) as [number];
    return { code, ...texts };
  };
  return { box, audit, shell };
}

test("a setting is read, changed and read again, and the audit log tells of it", async (t) => {
  const { box, shell } = await start(t);
  assert.deepEqual(await shell("steadycast config get /channels/ch1/video/bitrate"), {
    code: 0,
    out: "3000\n",
    error: "",
  });
  const set = await shell("steadycast config set /channels/ch1/video/bitrate 2500 --comment quieter");
  assert.equal(set.code, 0, set.error);
  assert.match(set.out, /^Done, revision 2\n$/);
  assert.equal(box.config.current.channels[0]?.video.bitrate, 2500);
  assert.match((await shell("steadycast config history")).out, /^2 \* .* quieter$/m);
  assert.match((await shell("steadycast config diff 1 2")).out, /^\/channels\/0\/video\/bitrate: 3000 → 2500$/m);
  const audit = await shell("steadycast audit");
  assert.match(audit.out, /^1 .* local +local +applyConfig +done .*quieter/m);
  assert.equal((await shell("steadycast audit check")).out, "All 1 records are as they were written.\n");
});

test("what is wrong is told by field, and nothing changes", async (t) => {
  const { box, shell } = await start(t);
  const { code, out, error } = await shell("steadycast config set /channels/ch1/video/bitrate 7");
  assert.deepEqual([code, out], [1, ""]);
  assert.match(error, /\/channels\/0\/video\/bitrate \(Bitrate\): must be between 100 and 60000 kbit\/s, is 7/);
  assert.equal(box.config.revision, 1);
});

test("pipes: documents out and in, and a reader that has heard enough", async (t) => {
  const { box, shell } = await start(t);
  const renamed = await shell(
    `steadycast config get --json | sed 's/"name": "Steadycast"/"name": "Studio"/' | steadycast config apply -`,
  );
  assert.equal(renamed.code, 0, renamed.error);
  assert.equal(box.config.current.box.name, "Studio");
  const plan = await shell("steadycast config plan - --patch --json", '{"box":{"name":"Other"}}');
  assert.deepEqual((JSON.parse(plan.out) as { sections: string[] }).sections, ["box"]);
});

test("a reader that has heard enough", async (t) => {
  const { audit, shell } = await start(t);
  for (let n = 1; n <= 900; n++) audit.log.record(event(n));
  const whole = await shell("steadycast audit export | wc -l");
  assert.deepEqual([whole.out.trim(), whole.error], ["900", ""]);
  const cut = await shell("{ steadycast audit export; echo $? >&2; } | head -c 20");
  assert.deepEqual([cut.out.length, cut.error], [20, "0\n"]);
});

test("status and orders to channels", async (t) => {
  const { box, shell } = await start(t);
  const { code, out, error } = await shell(
    "steadycast status && steadycast channel restart ch1 && steadycast channel stop ch1",
  );
  assert.equal(code, 0, error);
  assert.match(out, /^ch1 +Channel 1 +live/m);
  assert.deepEqual(box.channels.orders, ["restart ch1"]);
  assert.equal(box.config.current.channels[0]?.enabled, false);
  const none = await shell("steadycast channel restart ch9");
  assert.equal(none.code, 1);
  assert.match(none.error, /There is no channel "ch9"/);
});

test("a box that is not there, and a wrong command line", async (t) => {
  const { box, shell } = await start(t);
  await box.server.stop();
  assert.equal((await shell("steadycast status")).code, 3);
  assert.equal((await shell("steadycast nonsense")).code, 2);
  const help = await shell("steadycast --help");
  assert.match(help.out, /config set <pointer> <value>/);
});
