import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import test from "node:test";
import { Bus } from "../../../src/bus.ts";
import { config as schema } from "../../../src/config/schema.ts";
import { extractSecrets } from "../../../src/config/secrets.ts";
import { commandRunner } from "../../../src/system/command.ts";
import { Diagnostics, type DiagnosticsOptions, jsonPart } from "../../../src/system/diagnostics/diagnostics.ts";
import { machineParts, ownProcesses } from "../../../src/system/diagnostics/machineParts.ts";
import { toText } from "../../../src/system/logs/line.ts";
import { LogService } from "../../../src/system/logs/logService.ts";
import { configSecrets, redactor } from "../../../src/system/logs/redactor.ts";
import { VirtualClock } from "../../support/virtualClock.ts";
import { untar } from "./untar.ts";

const make = (parts: DiagnosticsOptions["parts"], more: Partial<DiagnosticsOptions> = {}) =>
  new Diagnostics({ parts, redact: (text) => text, now: () => new Date("2026-11-22T07:20:40.123Z"), ...more });

async function unpacked(diagnostics: Diagnostics) {
  const stream = diagnostics.bundle();
  assert(stream !== undefined);
  return untar(await buffer(stream));
}

const text = (files: Map<string, Buffer>, name: string) => files.get(name)?.toString();

test("the parts come in one folder, as they were given", async () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) % 251);
  const { folder, files } = await unpacked(
    make([
      jsonPart("config.json", () => ({ a: [1] })),
      { name: "logs/u.txt", content: async () => "grün\n" },
      { name: "raw.bin", content: async () => bytes },
      { name: "empty.txt", content: async () => "" },
    ]),
  );
  assert.equal(folder, "steadycast-20261122T072040Z");
  assert.deepEqual([...files.keys()].sort(), ["config.json", "empty.txt", "logs/u.txt", "raw.bin"]);
  assert.equal(text(files, "config.json"), '{\n  "a": [\n    1\n  ]\n}\n');
  assert.equal(text(files, "logs/u.txt"), "grün\n");
  assert.deepEqual(files.get("raw.bin"), Buffer.from(bytes));
});

test("a part that fails or hangs is replaced by why, and the others come", async () => {
  const clock = new VirtualClock();
  const diagnostics = make(
    [
      { name: "a.txt", content: () => Promise.reject(new Error("no such bus")) },
      {
        name: "b.txt",
        content: () => {
          throw new Error("thrown at once");
        },
      },
      {
        name: "c.txt",
        content: () => {
          setImmediate(() => void clock.advance(10_000));
          return new Promise(() => {});
        },
      },
      { name: "d.txt", content: async () => "fine" },
    ],
    { clock },
  );
  const { files } = await unpacked(diagnostics);
  assert.deepEqual(Object.fromEntries([...files].map(([name, bytes]) => [name, String(bytes)])), {
    "a.txt.failed.txt": "There is no a.txt in here: no such bus\n",
    "b.txt.failed.txt": "There is no b.txt in here: thrown at once\n",
    "c.txt.failed.txt": "There is no c.txt in here: it did not come within 10 s\n",
    "d.txt": "fine",
  });
});

test("no part, and not all of them together, can be too long", async () => {
  const long = { content: async () => "x".repeat(5000) };
  const parts = [1, 2, 3].map((n) => ({ name: `${n}.txt`, ...long }));
  const { files } = await unpacked(make(parts, { partMax: 1000, totalMax: 1500 }));
  const note = (room: number) => `\n[cut here: it has 5000 bytes, and there was room for ${room}]\n`;
  assert.equal(text(files, "1.txt"), `${"x".repeat(1000)}${note(1000)}`);
  assert.ok((files.get("2.txt")?.length ?? 0) < 1000 && (files.get("3.txt")?.length ?? 0) < 100);
});

test("one bundle at a time; one that nobody wants any more makes room for the next", async () => {
  let asked = 0;
  let go = () => {};
  const parts = [
    { name: "a", content: () => new Promise<string>((resolve) => (go = () => resolve("a"))) },
    { name: "b", content: async () => `${++asked}` },
  ];
  const diagnostics = make(parts);
  const first = diagnostics.bundle();
  assert.equal(diagnostics.bundle(), undefined);
  const closed = new Promise((resolve) => first?.once("close", resolve));
  first?.destroy();
  await closed;
  go();
  const second = diagnostics.bundle();
  assert(second !== undefined);
  await new Promise(setImmediate);
  go();
  const { files } = untar(await buffer(second));
  assert.deepEqual([text(files, "a"), text(files, "b"), asked], ["a", "1", 1]);
  const third = diagnostics.bundle();
  assert(third !== undefined);
  third.destroy();
});

/** A configuration with a secret in every field that can hold one. */
const withSecrets = schema.parse({
  version: 3,
  panel: { pin: "73194628" },
  backup: {
    passphrase: 'Back"up\\ pass & phrase',
    target: { type: "sftp", host: "nas", user: "bob", password: "sftp-Geheimnis/ü", path: "." },
  },
  channels: [
    {
      id: "ch1",
      name: "One",
      outputs: [
        { type: "srt", id: "srt", mode: "caller", address: "10.0.0.1", port: 9000, passphrase: "srt-phrase-0123" },
      ],
    },
  ],
});
const otherTarget = schema.parse({
  version: 3,
  backup: { target: { type: "http", url: "https://nas/x", user: "bob", password: "http-Kennwort+1" } },
});

/** Pointers of the settings that the schema marks as secret, with numbers of lists left out. */
function secretSettings(): string[] {
  const found = new Set<string>();
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== "object" || node === null) return;
    const { secret, properties, items, anyOf, oneOf } = node as Record<string, unknown>;
    if (secret === true) found.add(path);
    for (const [name, child] of Object.entries((properties as object) ?? {})) walk(child, `${path}/${name}`);
    walk(items, path);
    for (const option of [...((anyOf as unknown[]) ?? []), ...((oneOf as unknown[]) ?? [])]) walk(option, path);
  };
  walk(schema.toJSONSchema({ io: "input", unrepresentable: "any" }), "");
  return [...found].sort();
}

test("no secret of the configuration is in the bundle, whatever part it got into and however it was written", async (t) => {
  const secrets = [withSecrets, otherTarget].flatMap((document) => Object.entries(extractSecrets(document).secrets));
  const covered = new Set(secrets.map(([pointer]) => pointer.replaceAll(/\/\d+/g, "")));
  assert.deepEqual([...covered].sort(), secretSettings(), "a secret setting is not tried here");

  for (const document of [withSecrets, otherTarget]) {
    const values = Object.values(extractSecrets(document).secrets);
    const folder = mkdtempSync(join(tmpdir(), "steadycast-diagnostics-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const bus = new Bus();
    const redact = redactor(configSecrets(() => document));
    const clock = new VirtualClock();
    const logs = new LogService({ folder, bus, redact, clock });
    await logs.start();
    for (const value of values) {
      bus.emit("log", { level: "error", source: "test", message: `connecting with ${value} failed` });
      bus.emit("log", { level: "error", source: "test", message: `bad answer to ${JSON.stringify({ a: value })}` });
    }
    await logs.stop();
    const log = async () => {
      let all = "";
      for await (const line of logs.all()) all += toText(line);
      return all;
    };
    const { files } = await unpacked(
      make(
        [
          // Worse than any real one: the configuration as it is.
          jsonPart("config.json", () => document),
          jsonPart("nested.json", () => ({ text: JSON.stringify(document) })),
          { name: "log.txt", content: log },
          {
            name: "url.txt",
            content: async () => values.map((value) => `srt://h?x=${encodeURIComponent(value)}`).join("\n"),
          },
          {
            name: "raw.bin",
            content: async () => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(values.join("\n"))]),
          },
          { name: "broken.txt", content: () => Promise.reject(new Error(`cannot log in with ${values.join(" ")}`)) },
        ],
        { redact },
      ),
    );
    assert.equal(files.size, 6);
    assert.match(text(files, "log.txt") ?? "", /connecting with \*{8} failed/);
    for (const [name, bytes] of files) {
      for (const value of values) {
        const forms = [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)];
        for (const form of forms) assert.ok(!bytes.includes(form), `${form} is in ${name}: ${bytes}`);
      }
    }
  }
});

test("the machine tells of itself and of our own processes, with nothing of the environment", async () => {
  process.env.STEADYCAST_TEST_SECRET = "never-in-a-bundle";
  const { files } = await unpacked(make(machineParts({ run: commandRunner() })));
  const system = JSON.parse(text(files, "machine/system.json") ?? "{}") as Record<string, unknown>;
  assert.deepEqual(Object.keys(system), ["system", "os", "cpu", "memory", "disks", "network"]);
  assert.match(text(files, "proc/meminfo.txt") ?? "", /^MemTotal: /);
  const processes = JSON.parse(text(files, "machine/processes.json") ?? "[]") as { pid: number; command: string }[];
  assert.ok(processes.some(({ pid, command }) => pid === process.pid && command.includes("node")));
  for (const bytes of files.values()) assert.ok(!bytes.includes("never-in-a-bundle"));
  assert.deepEqual(await ownProcesses("/proc", -1).then((list) => list.filter(({ pid }) => pid === 1)), []);
});
