import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import test, { describe, type TestContext } from "node:test";
import { fakeSdk, fakeTree, repository, scratch, write } from "./support/trees.ts";

interface Outcome {
  status: number | null;
  /** What it says is missing, one a line. */
  missing: string[];
  stderr: string;
}

/** Runs build-image to see what it says is missing. */
function check(
  context: TestContext,
  tree: string,
  board: string,
  options: string[] = [],
  env: Record<string, string> = {},
): Outcome {
  const { status, stderr } = spawnSync(
    join(repository, "scripts/build-image"),
    ["--check", ...options, tree, board, scratch(context)],
    { encoding: "utf8", env: { ...process.env, STEADYCAST_GIGABYTES: "1", ...env } },
  );
  return {
    status,
    stderr,
    missing: stderr
      .split("\n")
      .filter((line) => line.startsWith("  - "))
      .map((line) => line.slice(4)),
  };
}

/** A program in the place of the host's, first in PATH. */
function instead(context: TestContext, name: string, script: string): Record<string, string> {
  const folder = scratch(context);
  write(join(folder, name), `#!/bin/sh\n${script}\n`);
  execFileSync("chmod", ["+x", join(folder, name)]);
  return { PATH: `${folder}:${process.env.PATH}` };
}

/** PATH with all that is there now but some programs. */
function without(context: TestContext, ...names: string[]): Record<string, string> {
  const folder = scratch(context);
  for (const from of (process.env.PATH ?? "").split(":").reverse()) {
    if (existsSync(from)) execFileSync("sh", ["-c", 'ln -sf "$1"/* "$2"/ 2>/dev/null || true', "sh", from, folder]);
  }
  for (const name of names) rmSync(join(folder, name), { force: true });
  return { PATH: folder };
}

/** What of the programs that Buildroot asks for this machine has not. */
const lacking = ["rsync", "cpio", "bc", "file", "unzip", "wget", "bzip2", "patch"].filter(
  (name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0,
);
/** Stands in for them, so that the rest is what is tested. */
function tools(context: TestContext): Record<string, string> {
  const folder = scratch(context);
  for (const name of lacking) {
    write(join(folder, name), "#!/bin/sh\n");
    execFileSync("chmod", ["+x", join(folder, name)]);
  }
  return { PATH: `${folder}:${process.env.PATH}` };
}

describe("what build-image says is missing", () => {
  test("nothing, of a good tree of upstream's", (context) => {
    const outcome = check(context, fakeTree(context, "upstream", "2026.05.1"), "qemu_aarch64", [], tools(context));
    assert.deepEqual([outcome.status, outcome.missing], [0, []], outcome.stderr);
  });

  for (const board of ["rk3588", "rk3568"] as const) {
    test(`nothing, of a good SDK for ${board}`, (context) => {
      const tree = fakeTree(context, "vendor", "2024.02");
      fakeSdk(tree, board);
      const outcome = check(context, tree, board, [], tools(context));
      assert.deepEqual([outcome.status, outcome.missing], [0, []], outcome.stderr);
    });
  }

  test("a tree, where there is none", (context) => {
    const { status, missing } = check(context, "/nonexistent", "qemu_aarch64", [], tools(context));
    assert.deepEqual([status, missing], [1, ["a Buildroot tree at /nonexistent"]]);
  });

  for (const [kind, board, version, wanted] of [
    ["upstream", "qemu_aarch64", "2026.02.3", "Buildroot 2026.05 or newer"],
    ["vendor", "rk3588", "2021.11", "the SoC vendor's Buildroot 2024.02 or newer"],
  ] as const) {
    test(`a newer tree than ${version} for ${board}`, (context) => {
      const tree = fakeTree(context, kind, version);
      if (kind === "vendor") fakeSdk(tree, "rk3588");
      const { status, missing } = check(context, tree, board, [], tools(context));
      assert.deepEqual([status, missing], [1, [`${wanted}: ${tree} is ${version}`]]);
    });
  }

  test("the SoC vendor's packages, kernel and boot loader, of upstream's tree", (context) => {
    const { status, missing } = check(context, fakeTree(context, "upstream", "2026.05"), "rk3568", [], tools(context));
    assert.equal(status, 1);
    for (const part of [
      "rockchip-mpp",
      "rockchip-rga",
      "gstreamer1-rockchip",
      "BR2_LINUX_KERNEL_CUSTOM_LOCAL",
      "libsrt",
      "kernel",
      "idblock.bin",
      "uboot.img",
    ]) {
      assert.equal(missing.filter((line) => line.includes(part)).length >= 1, true, `${part} in ${missing.join("\n")}`);
    }
  });

  test("another version of the kernel, and what the boot loader was made without", (context) => {
    const tree = fakeTree(context, "vendor", "2024.02");
    fakeSdk(tree, "rk3588");
    const sdk = dirname(tree);
    write(join(sdk, "kernel/Makefile"), "VERSION = 5\nPATCHLEVEL = 10\n");
    const config = readFileSync(join(sdk, "u-boot/.config"), "utf8");
    write(join(sdk, "u-boot/.config"), config.replace("CONFIG_ENV_IS_NOWHERE=y\n", "CONFIG_ENV_IS_IN_MMC=y\n"));
    const { missing, stderr } = check(context, tree, "rk3588", [], tools(context));
    assert.equal(missing.length, 2, stderr);
    assert.match(missing[0] ?? "", /^the SDK's kernel 6\.1 at .*: this is 5\.10$/);
    assert.match(stderr, /boot loader[\s\S]*CONFIG_ENV_IS_NOWHERE=y[\s\S]*# CONFIG_ENV_IS_IN_MMC is not set/);
  });

  test("programs of the host, by name, and Node.js by its version", (context) => {
    const tree = fakeTree(context, "upstream", "2026.05");
    const path = without(context, "rsync", "cpio");
    const { missing } = check(context, tree, "qemu_aarch64", [], path);
    assert.ok(missing.includes("the program rsync") && missing.includes("the program cpio"), missing.join("\n"));
    const old = instead(context, "node", "echo v18.20.4");
    assert.deepEqual(
      check(context, tree, "qemu_aarch64", [], { PATH: `${old.PATH?.split(":")[0]}:${tools(context).PATH}` }).missing,
      ["Node.js 20.19 or newer: this is 18.20.4"],
    );
  });

  test("room on the disk", (context) => {
    const { missing } = check(context, fakeTree(context, "upstream", "2026.05"), "qemu_aarch64", [], {
      ...tools(context),
      STEADYCAST_GIGABYTES: "9999999",
    });
    assert.match(missing.join("\n"), /^9999999 GB on the disk of .*: there are \d+$/);
  });

  test("an unknown board is told at once", (context) => {
    const { status, stderr } = check(context, "/nonexistent", "rk3399");
    assert.equal(status, 2);
    assert.match(stderr, /there is no board rk3399/);
  });
});

test("build-image builds, and lists what it has built", (context) => {
  const tree = fakeTree(context, "upstream", "2026.05");
  const build = (output: string): Buffer[] => {
    const { status, stdout, stderr } = spawnSync(
      join(repository, "scripts/build-image"),
      [tree, "qemu_aarch64", output],
      {
        encoding: "utf8",
        env: { ...process.env, STEADYCAST_GIGABYTES: "1", ...tools(context) },
      },
    );
    assert.equal(status, 0, stderr);
    assert.equal(stdout, `${output}/images\n`);
    assert.match(readFileSync(join(output, "images/keys"), "utf8"), /\/build\/keys$/m);
    return ["sbom.cdx.json", "licences.tar.gz"].map((file) => readFileSync(join(output, "images", file)));
  };
  const first = build(scratch(context));
  assert.match(String(first[0]), /"bom-ref": "buildroot:one"[\s\S]*"bom-ref": "pkg:npm\/koa@/);
  assert.deepEqual(build(scratch(context)), first);

  // A tree that does not know one of the lines builds nothing.
  write(
    join(tree, "symbols.in"),
    readFileSync(join(tree, "symbols.in"), "utf8").replace("config BR2_REPRODUCIBLE", "config BR2_OTHERWISE"),
  );
  const output = scratch(context);
  const { status, stderr } = spawnSync(join(repository, "scripts/build-image"), [tree, "qemu_aarch64", output], {
    encoding: "utf8",
    env: { ...process.env, STEADYCAST_GIGABYTES: "1", ...tools(context) },
  });
  assert.equal(status, 1);
  assert.match(stderr, /does not know, or does not allow:\nBR2_REPRODUCIBLE=y\n/);
  assert.equal(existsSync(join(output, "images")), false);
});

test("build-image tells how it is called", () => {
  const run = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(join(repository, "scripts/build-image"), args, { encoding: "utf8" });
    return `${status} ${stdout}${stderr}`;
  };
  assert.match(
    run("--help"),
    /^0 Builds the firmware[\s\S]*build-image \[--check\] \[--release KEYS\] BUILDROOT_DIR BOARD \[OUTPUT\]/,
  );
  assert.match(run("/tree"), /^2 Builds the firmware/);
  assert.match(run("--colour"), /^2 .*unknown option --colour/);
});

describe("keys of a release", () => {
  /** A certificate of its own, and what it signs with. */
  function makeKeys(folder: string, name: string): void {
    execFileSync("mkdir", ["-p", folder]);
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        `/CN=${name}`,
        "-days",
        "2",
        "-keyout",
        "sign.key",
        "-out",
        "sign.pem",
      ],
      { cwd: folder, stdio: "ignore" },
    );
    copyFileSync(join(folder, "sign.pem"), join(folder, "ca.pem"));
  }

  test("are taken from anywhere outside the repository", (context) => {
    const keys = scratch(context);
    makeKeys(keys, "Steadycast release");
    const outcome = check(
      context,
      fakeTree(context, "upstream", "2026.05"),
      "qemu_aarch64",
      ["--release", keys],
      tools(context),
    );
    assert.deepEqual(outcome.missing, []);
  });

  test("are not development's, nor in the repository, nor a half", (context) => {
    const tree = fakeTree(context, "upstream", "2026.05");
    const development = scratch(context);
    execFileSync(join(repository, "scripts/image/keys"), [development], { stdio: "ignore" });
    assert.deepEqual(check(context, tree, "qemu_aarch64", ["--release", development], tools(context)).missing, [
      `release keys: ${development}/ca.pem is a development key`,
      `release keys: ${development}/sign.pem is a development key`,
    ]);

    const within = join(repository, "build/test/release-keys");
    makeKeys(within, "Steadycast release");
    context.after(() => rmSync(within, { recursive: true, force: true }));
    assert.match(
      check(context, tree, "qemu_aarch64", ["--release", within], tools(context)).missing.join("\n"),
      /outside the repository/,
    );

    const half = scratch(context);
    makeKeys(half, "Steadycast release");
    rmSync(join(half, "sign.key"));
    assert.deepEqual(check(context, tree, "qemu_aarch64", ["--release", half], tools(context)).missing, [
      `the release key's ${half}/sign.key`,
    ]);

    const strange = scratch(context);
    makeKeys(strange, "Steadycast release");
    const other = scratch(context);
    makeKeys(other, "Somebody");
    copyFileSync(join(other, "ca.pem"), join(strange, "ca.pem"));
    assert.match(
      check(context, tree, "qemu_aarch64", ["--release", strange], tools(context)).missing.join("\n"),
      /vouches for/,
    );
  });
});
