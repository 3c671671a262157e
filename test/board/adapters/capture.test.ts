import assert from "node:assert/strict";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { findVideoNode, V4l2Capture } from "../../../src/board/adapters/capture.ts";
import type { Tool, Watcher } from "../../../src/board/adapters/tool.ts";
import type { Output } from "../../../src/board/adapters/v4l2ctl.ts";
import { VirtualClock } from "../../support/virtualClock.ts";
import { adv7611Interlaced, hdmirx, queryFails, tc358743, tc358743Unplugged } from "./recordings.ts";
import { tree } from "./tree.ts";

const nodes = {
  "class/video4linux/video0/name": "rk_hdmirx\n",
  "class/video4linux/video1/name": "rkisp_mainpath\n",
  "class/video4linux/v4l-subdev2/name": "tc358743 7-000f\n",
  "class/video4linux/v4l-subdev10/name": "lt6911uxc 4-002b\n",
  "class/video4linux/v4l-subdev11/name": "lt6911uxc 5-002b\n",
};

test("a device is found by its name, where that is clear without its place on the bus", async (t) => {
  const root = await tree(t, nodes);
  assert.equal(await findVideoNode("rk_hdmirx", root), "/dev/video0");
  assert.equal(await findVideoNode("tc358743 7-000f", root), "/dev/v4l-subdev2");
  assert.equal(await findVideoNode("tc358743", root), "/dev/v4l-subdev2");
  assert.equal(await findVideoNode("lt6911uxc 5-002b", root), "/dev/v4l-subdev11");
  assert.equal(await findVideoNode("/dev/v4l/by-path/x", root), "/dev/v4l/by-path/x");
  await assert.rejects(findVideoNode("lt6911uxc", root), {
    code: "unavailable",
    message: /more than one .* "lt6911uxc": "lt6911uxc 4-002b", "lt6911uxc 5-002b"/,
  });
  await assert.rejects(findVideoNode("adv7611", root), { code: "unavailable" });
});

class FakeTool implements Tool {
  readonly runs: { args: readonly string[]; input: string | undefined }[] = [];
  readonly watchers: { args: readonly string[]; end: (stdout: string) => void; stopped: boolean }[] = [];
  output: Output = { stdout: "", stderr: "" };

  async run(args: readonly string[], input?: string): Promise<Output> {
    this.runs.push({ args, input });
    return this.output;
  }

  watch(args: readonly string[]): Watcher {
    let end = (_: string) => {};
    const ended = new Promise<Output>((resolve) => {
      end = (stdout) => resolve({ stdout, stderr: "" });
    });
    const entry = { args, end, stopped: false };
    this.watchers.push(entry);
    return {
      ended,
      stop: () => {
        entry.stopped = true;
        end("");
      },
    };
  }

  get last() {
    return this.watchers.at(-1) as (typeof this.watchers)[number];
  }
}

async function setUp(context: TestContext, device = "tc358743") {
  const tool = new FakeTool();
  const clock = new VirtualClock();
  const root = await tree(context, nodes);
  const capture = new V4l2Capture({ device, clock, tool, sysfs: root });
  context.after(() => capture.close());
  return { tool, clock, capture, root };
}

test("one run tells all: timings, power, sound and format", async (t) => {
  const { tool, capture } = await setUp(t);
  tool.output = { stdout: tc358743, stderr: "" };
  const status = await capture.status();
  assert.ok(typeof status.timings === "object" && status.timings.width === 1920);
  assert.deepEqual([status.power, status.audio], [true, { present: true, rate: 48000 }]);
  assert.deepEqual(status.format, { colourSpace: "ycbcr-422", range: "limited" });
  const args = ["-d", "/dev/v4l-subdev2", "--list-ctrls", "--get-subdev-fmt=0", "--query-dv-timings"];
  assert.deepEqual(tool.runs, [{ args, input: undefined }]);

  tool.output = { stdout: adv7611Interlaced, stderr: "" };
  assert.deepEqual((await capture.status()).audio, { present: undefined, rate: undefined });
});

test("a video device tells its pixel format", async (t) => {
  const { tool, capture } = await setUp(t, "rk_hdmirx");
  tool.output = { stdout: hdmirx, stderr: "" };
  assert.deepEqual((await capture.status()).format, { colourSpace: "rgb", range: "full" });
  assert.deepEqual(tool.runs[0]?.args.slice(0, 4), ["-d", "/dev/video0", "--list-ctrls", "--get-fmt-video"]);
});

test("why there are no timings", async (t) => {
  const { tool, capture } = await setUp(t);
  const faults = { "Link has been severed": "no-link", "No locks available": "no-lock" };
  for (const [words, fault] of Object.entries({ ...faults, "Numerical result out of range": "out-of-range" })) {
    tool.output = { stdout: tc358743Unplugged, stderr: queryFails(words) };
    const { timings, power } = await capture.status();
    assert.deepEqual([timings, power], [fault, false]);
  }
  tool.output = { stdout: tc358743Unplugged, stderr: queryFails("Remote I/O error") };
  await assert.rejects(capture.status(), { name: "BusError", code: "nack" });
  tool.output = { stdout: tc358743Unplugged, stderr: queryFails("Inappropriate ioctl for device") };
  await assert.rejects(capture.status(), { name: "BusError", code: "unavailable" });
});

test("a device that has gone is unavailable, and found again under another number", async (t) => {
  const { tool, capture, root } = await setUp(t);
  tool.output = { stdout: "", stderr: "Cannot open device /dev/v4l-subdev2, exiting.\n" };
  await assert.rejects(capture.status(), { code: "unavailable", message: /"?tc358743"?: Cannot open device/ });
  await rename(join(root, "class/video4linux/v4l-subdev2"), join(root, "class/video4linux/v4l-subdev3"));
  tool.output = { stdout: tc358743, stderr: "" };
  await capture.status();
  assert.equal(tool.runs.at(-1)?.args[1], "/dev/v4l-subdev3");
});

test("EDIDs go and come in hexadecimal; a driver may have none yet, or none at all", async (t) => {
  const { tool, capture } = await setUp(t);
  const edid = Uint8Array.from({ length: 128 }, (_, i) => i);
  await capture.writeEdid(edid);
  const [write] = tool.runs;
  assert.equal(write?.args.at(-1), "--set-edid=pad=0,file=-");
  assert.equal(Buffer.from(write?.input?.replaceAll(" ", "") ?? "", "hex").compare(edid), 0);

  tool.output = { stdout: (write?.input ?? "").replace(/((?:.. ){15}..) /g, "$1\n"), stderr: "" };
  assert.deepEqual(await capture.readEdid(2), edid);
  assert.equal(tool.runs.at(-1)?.args.at(-1), "--get-edid=pad=0,startblock=0,blocks=2,format=hex");
  tool.output = { stdout: "", stderr: "VIDIOC_G_EDID: failed: No data available\n" };
  assert.deepEqual(await capture.readEdid(2), new Uint8Array());
  tool.output = { stdout: "", stderr: "VIDIOC_G_EDID: failed: Inappropriate ioctl for device\n" };
  assert.equal(await capture.readEdid(2), undefined);
  tool.output = { stdout: "", stderr: "VIDIOC_S_EDID: failed: Argument list too long\n" };
  await assert.rejects(capture.writeEdid(edid), { code: "unavailable", message: /VIDIOC_S_EDID fails \(E2BIG\)/ });
  tool.output = { stdout: "", stderr: "EDID not set due to checksum errors\n" };
  await assert.rejects(capture.writeEdid(edid), { code: "unavailable", message: /checksum errors/ });
});

const change = "12.000100: event 0, pending 0: source_change: pad/input=0 changes: 1\n";

/** Waits until the capture has started so many watchers: each finds its device in files first. */
async function watchers(tool: FakeTool, count: number): Promise<void> {
  while (tool.watchers.length < count) await new Promise(setImmediate);
}

test("a watcher is started again after each event, and stopped with its last listener", async (t) => {
  const { tool, capture, clock } = await setUp(t);
  let events = 0;
  const end = capture.watch(() => events++);
  await watchers(tool, 1);
  assert.deepEqual(tool.last.args, ["-d", "/dev/v4l-subdev2", "--wait-for-event=source_change=0"]);
  for (let n = 1; n <= 5; n++) {
    tool.last.end(change);
    await watchers(tool, n + 1);
    assert.equal(events, n);
  }
  end();
  assert.ok(tool.last.stopped);
  const again = capture.watch(() => events++);
  await watchers(tool, 7);
  capture.close();
  assert.ok(tool.last.stopped);
  again();
  await clock.advance(10_000);
  assert.deepEqual([tool.watchers.length, events], [7, 5]);
});

test("a watcher that can't watch is tried again every five seconds; one that lived long, at once", async (t) => {
  const { tool, capture, clock } = await setUp(t);
  let events = 0;
  capture.watch(() => events++);
  await watchers(tool, 1);
  tool.last.end("");
  await clock.advance(4999);
  assert.equal(tool.watchers.length, 1);
  await clock.advance(1);
  await watchers(tool, 2);
  await clock.advance(300_000);
  tool.last.end("");
  await watchers(tool, 3);
  assert.equal(events, 0);
});
