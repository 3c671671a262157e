import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { repository } from "./support/trees.ts";

/** Every script of the repository that a shell runs, by its first line. */
const scripts = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
  cwd: repository,
  encoding: "utf8",
})
  .split("\0")
  .filter((file) => file !== "" && statSync(join(repository, file), { throwIfNoEntry: false })?.isFile() === true)
  .filter((file) =>
    /^#!\s*\S*(\/env )?\S*\b(ba|da|)sh\b/.test(readFileSync(join(repository, file), "latin1").slice(0, 80)),
  );

/** SC1091: what a script reads on the box is not there to be read here. */
test("shellcheck has nothing to say of any script", () => {
  assert.ok(scripts.length > 20, `only ${scripts.length} scripts`);
  for (const known of ["scripts/setup", "rootfs/usr/lib/steadycast/data", "buildroot/board/post-build.sh"]) {
    assert.ok(scripts.includes(known), known);
  }
  const { status, stdout, stderr } = spawnSync("shellcheck", ["--format=gcc", "--exclude=SC1091", ...scripts], {
    cwd: repository,
    encoding: "utf8",
  });
  assert.equal(`${stdout}${stderr}`, "");
  assert.equal(status, 0);
});

test("every script can be run as it is", () => {
  for (const file of scripts) {
    assert.ok((statSync(join(repository, file)).mode & 0o111) !== 0, `${file} is not executable`);
  }
});
