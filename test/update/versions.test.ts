import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { compareVersions } from "../../src/update/versions.ts";
import { Random } from "../support/random.ts";

test("versions are in the order of sort -V", () => {
  const random = new Random(7);
  const part = () => random.pick(["0", "1", "2", "9", "10", "11", "007", "100", "99999999999999999999"]);
  const versions = new Set(["1.0.0~rc1", "1.0.0", "1.0.0-rc1", "1.0.0+2", "0.2.0", "0.10.0", "1.0.0a", "1.0.0.1"]);
  while (versions.size < 200) {
    const suffix = random.pick(["", "", "~rc1", "~rc2", "-1", "+git", "b", "-beta.2"]);
    versions.add(`${part()}.${part()}.${part()}${suffix}`);
  }
  const input = [...versions].sort(() => random.next() - 0.5);
  const sorted = execFileSync("sort", ["-V"], { input: input.join("\n"), encoding: "utf8", env: { LC_ALL: "C" } });
  assert.deepEqual([...input].sort(compareVersions), sorted.trim().split("\n"));
  assert.equal(compareVersions("0.1.0", "0.1.0"), 0);
  assert.ok(compareVersions("0.2.0", "0.10.0") < 0);
});
