import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { describe } from "node:test";
import {
  boards,
  defconfigOf,
  external,
  fakeTree,
  readKconfig,
  repository,
  scratch,
  settings,
  write,
} from "./support/trees.ts";

const kindOf = (board: string): "upstream" | "vendor" => (board.startsWith("rk") ? "vendor" : "upstream");

/** What a tree drops of a defconfig when it loads it as Buildroot does. It may warn of nothing that is selected. */
function droppedBy(tree: string, board: string, output: string, defconfig = defconfigOf(board)): string {
  const { status, stderr } = spawnSync(
    "make",
    ["-s", "-C", tree, `BR2_EXTERNAL=${external}`, `O=${output}`, `steadycast_${board}_defconfig`],
    { encoding: "utf8" },
  );
  assert.equal(status, 0, stderr);
  assert.doesNotMatch(stderr, /unmet direct dependencies/);
  try {
    execFileSync(join(repository, "scripts/image/fragments"), [join(output, ".config"), defconfig], {
      encoding: "utf8",
    });
    return "";
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

/** Files of a folder of our external tree, with their text. */
function textsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"));
}

describe("Kconfig of the external tree", () => {
  test("loads without a complaint, and each symbol of ours is declared once", (context) => {
    const kconfig = readKconfig(fakeTree(context, "vendor", "2024.02"));
    assert.deepEqual(kconfig.problems, []);
    const ours = Object.entries(kconfig.symbols).filter(([, symbol]) => symbol.file.startsWith(external));
    assert.ok(ours.length >= 8);
    for (const [name] of ours) assert.match(name, /^BR2_PACKAGE_STEADYCAST/);
    const texts = textsBelow(join(external, "package")).join("\n");
    for (const [name] of ours) {
      const declared = texts.match(new RegExp(`^\\s*(menu)?config ${name}$`, "gm")) ?? [];
      assert.equal(declared.length, 1, name);
    }
  });

  test("selects nothing that no tree has", (context) => {
    const kconfig = readKconfig(fakeTree(context, "upstream", "2026.05"));
    for (const [name, symbol] of Object.entries(kconfig.symbols)) {
      if (!symbol.file.startsWith(external)) continue;
      for (const [target] of symbol.selects) assert.ok(target in kconfig.symbols, `${name} selects ${target}`);
    }
  });

  test("our makefiles, scripts and defconfigs name no symbol of ours that is not declared, and leave none unused", (context) => {
    const declared = new Set(
      Object.entries(readKconfig(fakeTree(context, "upstream", "2026.05")).symbols)
        .filter(([, symbol]) => symbol.file.startsWith(external))
        .map(([name]) => name),
    );
    const uses = [...textsBelow(external), readFileSync(join(repository, "scripts/build-image"), "utf8")].join("\n");
    const named = new Set(uses.match(/\bBR2_PACKAGE_STEADYCAST\w*/g) ?? []);
    assert.deepEqual(
      [...named].filter((name) => !declared.has(name)),
      [],
    );
    const code = [
      ...textsBelow(join(external, "configs")),
      ...["steadycast", "steadycast-media"].map((name) =>
        readFileSync(join(external, "package", name, `${name}.mk`), "utf8"),
      ),
      ...textsBelow(join(external, "board")),
    ].join("\n");
    // What is there for the package of its name alone is used by Buildroot itself; the other half of a choice by not being.
    const byName = new Set(["BR2_PACKAGE_STEADYCAST_MEDIA"]);
    assert.deepEqual(
      [...declared].filter((name) => !code.includes(name) && !byName.has(name)),
      [],
    );
  });

  for (const board of boards) {
    test(`${board}: what is selected has what it depends on`, (context) => {
      const defconfig = defconfigOf(board);
      const kconfig = readKconfig(fakeTree(context, kindOf(board), "2026.05"), defconfig);
      assert.deepEqual(kconfig.loaded[defconfig]?.unmet, []);
      assert.deepEqual(kconfig.problems, []);
    });

    test(`${board}: builds for the board that its name says`, () => {
      const values = new Map(settings(readFileSync(defconfigOf(board), "utf8")));
      assert.equal(values.get("BR2_PACKAGE_STEADYCAST_BOARD"), `"${board}"`);
      assert.equal(values.get("BR2_ROOTFS_POST_SCRIPT_ARGS"), '"$(BR2_PACKAGE_STEADYCAST_BOARD)"');
      assert.ok(existsSync(join(repository, "firmware/boot", `${board}.cmd`)));
    });

    test(`${board}: says nothing twice`, () => {
      const names = settings(readFileSync(defconfigOf(board), "utf8")).map(([name]) => name);
      assert.deepEqual(
        names.filter((name, index) => names.indexOf(name) !== index),
        [],
      );
    });

    test(`${board}: a tree takes every line of its defconfig`, (context) => {
      assert.equal(droppedBy(fakeTree(context, kindOf(board), "2026.05"), board, scratch(context)), "");
    });
  }

  test("what a toolchain or a processor lacks takes ours away, and not only what they depend on", (context) => {
    const tree = fakeTree(context, "upstream", "2026.05");
    const symbols = join(tree, "symbols.in");
    const text = readFileSync(symbols, "utf8");
    // What nobody is asked for gets a prompt, by which a defconfig can take it away.
    const given = /^(config (BR2_\w+)\n\tbool)(?=\n\tdefault y)/gm;
    const lacks = [...text.matchAll(given)].map(([, , name]) => `# ${name} is not set`);
    assert.ok(lacks.length >= 7);
    write(symbols, text.replaceAll(given, '$1 "given"'));
    lacks.push("BR2_STATIC_LIBS=y", "# BR2_TOOLCHAIN_BUILDROOT_CXX is not set");
    lacks.push("# BR2_TOOLCHAIN_BUILDROOT_GLIBC is not set");
    const whole = readFileSync(defconfigOf("qemu_aarch64"), "utf8");
    const wholes = [whole, whole.replace("BR2_PACKAGE_STEADYCAST=y", "BR2_PACKAGE_STEADYCAST_MEDIA=y")];
    const folder = scratch(context);
    const defconfigs = wholes.flatMap((lines, part) =>
      lacks.map((lack, index) => {
        const file = join(folder, `${part}-${index}`);
        const [[name = ""] = []] = settings(lack);
        write(file, `${lines.replace(new RegExp(`^${name}=.*\n`, "m"), "")}${lack}\n`);
        return { file, lack };
      }),
    );
    const { loaded } = readKconfig(tree, ...defconfigs.map(({ file }) => file));
    for (const { file, lack } of defconfigs) {
      assert.ok(loaded[file]?.config.includes(`${lack}\n`), lack);
      const ours = loaded[file]?.unmet.filter(([selector]) => selector.startsWith("BR2_PACKAGE_STEADYCAST"));
      assert.deepEqual(ours, [], lack);
    }
  });

  test("a warning of what is selected is found out", (context) => {
    const tree = fakeTree(context, "upstream", "2026.05");
    const symbols = join(tree, "symbols.in");
    const other = 'config BR2_PACKAGE_NFTABLES\n\tbool "package_nftables"\n';
    const text = readFileSync(symbols, "utf8");
    assert.ok(text.includes(other));
    write(symbols, text.replace(other, `${other}\tdepends on BR2_STATIC_LIBS\n`));
    assert.throws(() => droppedBy(tree, "qemu_aarch64", scratch(context)), /unmet direct dependencies/);
  });

  test("a line that a tree does not know is found out, and one whose dependency is gone", (context) => {
    const tree = fakeTree(context, "upstream", "2026.05");
    const output = scratch(context);
    const more = join(output, "defconfig");
    write(more, `${readFileSync(defconfigOf("qemu_aarch64"), "utf8")}BR2_PACKAGE_NO_SUCH_THING=y\n`);
    assert.equal(droppedBy(tree, "qemu_aarch64", output, more), "BR2_PACKAGE_NO_SUCH_THING=y\n");
    const symbols = join(tree, "symbols.in");
    const without = readFileSync(symbols, "utf8").replace(
      'config BR2_INIT_SYSTEMD\n\tbool "init_systemd"\n',
      "config BR2_INIT_SYSTEMD\n\tbool\n",
    );
    assert.notEqual(without, readFileSync(symbols, "utf8"));
    write(symbols, without);
    assert.match(droppedBy(tree, "qemu_aarch64", output), /^BR2_PACKAGE_STEADYCAST=y$/m);
  });

  test("SRT is there where the tree has libsrt, and only there", (context) => {
    const upstream = readKconfig(fakeTree(context, "upstream", "2026.05"), defconfigOf("qemu_aarch64"));
    assert.doesNotMatch(
      upstream.loaded[defconfigOf("qemu_aarch64")]?.config ?? "",
      /^BR2_PACKAGE_STEADYCAST_MEDIA_SRT=y$/m,
    );
    const vendor = readKconfig(fakeTree(context, "vendor", "2024.02"), defconfigOf("rk3588"));
    assert.match(vendor.loaded[defconfigOf("rk3588")]?.config ?? "", /^BR2_PACKAGE_STEADYCAST_MEDIA_SRT=y$/m);
  });

  const real = process.env.BUILDROOT_DIR;
  for (const [name, skip] of [
    ["a stand-in for it", false],
    ["the tree at BUILDROOT_DIR", real === undefined ? "BUILDROOT_DIR names no tree" : false],
  ] as const) {
    test(`upstream's Buildroot takes every line of its defconfigs, and all that ours selects: ${name}`, {
      skip,
    }, (context) => {
      const standIn = fakeTree(context, "upstream", "2026.05");
      const tree = name === "a stand-in for it" ? standIn : (real ?? "");
      assert.ok(existsSync(join(tree, "Makefile")), `${tree} is no Buildroot tree`);
      for (const board of boards.filter((each) => kindOf(each) === "upstream")) {
        const output = scratch(context);
        assert.equal(droppedBy(tree, board, output), "");
        const config = new Map(settings(readFileSync(join(output, ".config"), "utf8")));
        // Its fw_setenv would come before that of libubootenv.
        assert.notEqual(config.get("BR2_PACKAGE_UBOOT_TOOLS_FWPRINTENV"), "y");
        for (const [symbol, { file, selects }] of Object.entries(readKconfig(standIn).symbols)) {
          if (!file.startsWith(external) || config.get(symbol) !== "y") continue;
          for (const [target, condition] of selects) {
            if (condition === "y") assert.equal(config.get(target), "y", `${symbol} selects ${target}`);
          }
        }
      }
    });
  }
});
