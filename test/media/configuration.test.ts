/** The configuration is damaged while the supervisor is away: it starts on the last good one and says so, on air all along. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { Station, smallChannel } from "./support/station.ts";
import { assertUnbroken, summary, Wire } from "./support/wire.ts";

const damages: [string, (bytes: Buffer) => Buffer][] = [
  ["truncated", () => Buffer.alloc(0)],
  ["filled with zeros", (bytes) => Buffer.alloc(bytes.length)],
  ["half written", (bytes) => bytes.subarray(0, bytes.length >> 1)],
  [
    "a bit flipped",
    (bytes) => Buffer.from(bytes).fill((bytes[bytes.length >> 1] ?? 0) ^ 1, bytes.length >> 1, (bytes.length >> 1) + 1),
  ],
];

test("the configuration file is damaged", async (t) => {
  const station = await Station.start(t, [smallChannel("239.255.6.40", 16_040)]);
  await station.patch({ name: "Hotel news" });
  const file = join(station.box.folder, "data/config.json");
  const wire = await Wire.watch(t, "239.255.6.40", 16_040);
  for (const [what, damage] of damages) {
    await station.box.stop("SIGKILL");
    await writeFile(file, damage(await readFile(file)));
    await station.box.start();
    const { name } = await station.settled("live");
    assert.equal(name, "Hotel news", `${what}: not the last good configuration`);
    const { problems } = (await station.call("GET", "/config/problems")) as { problems: unknown[] };
    assert(problems.length > 0, `${what}: nothing is said of it`);
  }
  const report = await wire.report();
  t.diagnostic(summary(report));
  assertUnbroken(report, { gapMs: 40 });
});
