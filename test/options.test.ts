import assert from "node:assert/strict";
import { statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import test from "node:test";
import { RUNTIME_PATH_MAX } from "../src/media/paths.ts";
import { parseOptions, UsageError, usage } from "../src/options.ts";

function parse(...args: string[]) {
  const options = parseOptions(["--runtime", "/tmp/r", ...args]);
  assert.notEqual(options, "help");
  return options as Exclude<typeof options, "help">;
}

function refusal(...args: string[]): string {
  try {
    parse(...args);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return error.message;
  }
  assert.fail(`${args.join(" ")} was taken`);
}

test("the defaults are those of a PC", () => {
  assert.deepEqual(parse(), {
    port: 8080,
    address: "127.0.0.1",
    httpsPort: 8443,
    data: resolve("data"),
    runtime: "/tmp/r",
    interface: "lo",
    input: undefined,
    board: "virtual",
    orphanSeconds: 60,
    stamp: false,
    owns: false,
  });
});

test("it listens where it is told, by HTTPS or without", () => {
  assert.equal(parse("--address", "::").address, "::");
  assert.equal(parse("--https-port", "443").httpsPort, 443);
  assert.equal(parse("--https-port", "0").httpsPort, 0);
  assert.equal(parse("--https-port", "none").httpsPort, undefined);
});

test("the runtime folder is in memory", () => {
  const options = parseOptions([], { XDG_RUNTIME_DIR: "/usr" });
  assert(options !== "help");
  assert.match(options.runtime, /^\/(run\/steadycast|dev\/shm\/steadycast-\d+)$/);
  assert.equal(statfsSync(dirname(options.runtime)).type, 0x01021994);
});

test("help is told, and names every option", () => {
  assert.equal(parseOptions(["--help"]), "help");
  for (const option of [
    "port",
    "https-port",
    "address",
    "data",
    "runtime",
    "board",
    "input",
    "interface",
    "orphan-seconds",
    "stamp",
  ]) {
    assert.ok(usage.includes(`--${option}`), option);
  }
});

test("inputs become sources", () => {
  assert.equal(parse("--input", "test").input?.type, "test");
  assert.deepEqual(parse("--input", "clips/a b.mkv").input, { type: "file", path: resolve("clips/a b.mkv") });
  assert.deepEqual(parse("--input", "udp://@239.1.2.3:5000", "--interface", "eth0").input, {
    type: "ip",
    protocol: "udp",
    address: "239.1.2.3",
    port: 5000,
    interface: "eth0",
    programme: 0,
    latencyMs: 200,
  });
  const rtp = parse("--input", "rtp://:5004").input;
  assert.ok(rtp?.type === "ip" && rtp.protocol === "rtp" && rtp.address === "0.0.0.0");
  assert.deepEqual(parse("--input", "/dev/video1,hw:1,0").input, {
    type: "capture",
    videoDevice: "/dev/video1",
    audioDevice: "hw:1,0",
  });
});

test("what cannot be used is refused by name, limit and value", () => {
  assert.match(refusal("--port", "70000"), /--port must be 0 to 65535, is 70000/);
  assert.match(refusal("--https-port", "off"), /--https-port must be 0 to 65535 or none, is off/);
  assert.match(refusal("--address", "box.example"), /--address must be an IP address, is box.example/);
  assert.match(refusal("--port", "http"), /--port must be .*, is http/);
  assert.match(refusal("--orphan-seconds", "-1"), /orphan-seconds/);
  assert.match(refusal("--board", "../x"), /--board must be the name of a board file, is \.\.\/x/);
  assert.match(refusal("--input", "http://x/y"), /--input http:\/\/x\/y/);
  assert.match(refusal("--input", "udp://999.1.1.1:5000"), /address/);
  assert.match(refusal("--nonsense"), /nonsense/);
  const long = `/${"r".repeat(RUNTIME_PATH_MAX)}`;
  assert.match(refusal("--runtime", long), new RegExp(`at most ${RUNTIME_PATH_MAX} bytes`));
});
