import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { describe } from "node:test";
import { external, read, repository, scratch, write } from "./support/trees.ts";

describe("our packages' makefiles", () => {
  /** What Buildroot would have of a variable, with some symbols set. */
  function expand(variable: string, symbols: string[], folder: string): string {
    const makefile = [
      `BR2_EXTERNAL_STEADYCAST_PATH = ${external}`,
      ...["TARGET_CC = box-gcc", "TARGET_CXX = box-g++", "TARGET_AR = box-ar", "INSTALL = install"],
      ...["TARGET_DIR = /target", "STAGING_DIR = /staging", "DL_DIR = /dl", "BR_PATH = /host/bin:/usr/bin"],
      ...symbols.map((name) => `${name} = y`),
      "include $(BR2_EXTERNAL_STEADYCAST_PATH)/external.mk",
      "$(file >$(OUT),$($(VARIABLE)))",
      "/build/x:;",
      "",
    ].join("\n");
    write(join(folder, "Makefile"), makefile);
    execFileSync("make", [
      "-s",
      "-f",
      join(folder, "Makefile"),
      `OUT=${join(folder, "out")}`,
      `VARIABLE=${variable}`,
      "-n",
      "/build/x",
    ]);
    return readFileSync(join(folder, "out"), "utf8").trim();
  }

  test("build what is selected", (context) => {
    const folder = scratch(context);
    const srt = ["BR2_PACKAGE_STEADYCAST_MEDIA_SRT"];
    assert.equal(expand("STEADYCAST_MEDIA_NINJA_OPTS", [], folder), "encode/encode transmit/transmit");
    assert.equal(expand("STEADYCAST_MEDIA_NINJA_OPTS", srt, folder), "encode/encode transmit/transmit output/output");
    assert.match(expand("STEADYCAST_MEDIA_CONF_OPTS", [], folder), /-Dsrt=disabled/);
    assert.match(expand("STEADYCAST_MEDIA_CONF_OPTS", srt, folder), /-Dsrt=enabled/);
    assert.match(expand("STEADYCAST_MEDIA_DEPENDENCIES", srt, folder), /\blibsrt\b/);
    assert.match(read("firmware/media/meson_options.txt"), /^option\('srt', type: 'feature'/m);
    assert.match(
      expand("STEADYCAST_DEPENDENCIES", ["BR2_PACKAGE_STEADYCAST_NODE_TREE"], folder),
      /\bhost-nodejs nodejs$/,
    );
    assert.doesNotMatch(expand("STEADYCAST_DEPENDENCIES", [], folder), /nodejs/);
  });

  test("give commands that a shell understands", (context) => {
    const folder = scratch(context);
    for (const symbols of [[], ["BR2_PACKAGE_STEADYCAST_MEDIA_SRT", "BR2_PACKAGE_STEADYCAST_NODE_TREE"]]) {
      for (const name of [
        "STEADYCAST_BUILD_CMDS",
        "STEADYCAST_INSTALL_TARGET_CMDS",
        "STEADYCAST_MEDIA_INSTALL_TARGET_CMDS",
      ]) {
        const commands = expand(name, symbols, folder);
        assert.ok(commands.length > 40, name);
        const { status, stderr } = spawnSync("sh", ["-n"], { input: commands, encoding: "utf8" });
        assert.equal(`${status} ${stderr}`, "0 ", commands);
        for (const [script = ""] of commands.matchAll(/scripts\/[\w./]+/g)) assert.ok(read(script).length > 0, script);
      }
    }
  });
});

/** Programs of [image] in scripts/packages.txt, which not every machine that tests has. */
const lacking = ["genimage", "mkimage", "mkenvimage", "mkfs.vfat", "mcopy", "rauc", "mksquashfs"].filter(
  (name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0,
);

describe("the post-image script", { skip: lacking.length > 0 ? `without ${lacking.join(", ")}` : false }, () => {
  function bytes(file: string, offset: number, length: number): Buffer {
    const buffer = Buffer.alloc(length);
    const handle = openSync(file, "r");
    readSync(handle, buffer, 0, length, offset);
    closeSync(handle);
    return buffer;
  }

  /** Names and first sectors of a GPT's partitions. */
  function partitions(disk: string): Map<string, number> {
    const table = bytes(disk, 1024, 128 * 16);
    const found = new Map<string, number>();
    for (let at = 0; at < table.length; at += 128) {
      const name = table.toString("utf16le", at + 56, at + 128).replace(/\0.*$/s, "");
      if (name !== "") found.set(name, Number(table.readBigUInt64LE(at + 32)));
    }
    return found;
  }

  for (const board of ["qemu_aarch64", "rk3588"] as const) {
    test(`makes the disk and the bundle of ${board}`, (context) => {
      const folder = scratch(context);
      mkdirSync(join(folder, "images"));
      writeFileSync(
        join(folder, "images/rootfs.ext4"),
        Buffer.concat([Buffer.from("slot"), randomBytes((1 << 20) - 4)]),
      );
      write(join(folder, "loader/idblock.bin"), "what the processor loads");
      write(join(folder, "loader/uboot.img"), "what that loads");
      write(join(folder, "notes"), "# All new\n\nand better\n");
      execFileSync(join(repository, "scripts/image/keys"), [join(folder, "keys")], { stdio: "ignore" });
      const env = {
        ...process.env,
        STEADYCAST_KEYS: join(folder, "keys"),
        STEADYCAST_LOADER: join(folder, "loader"),
        STEADYCAST_NOTES: join(folder, "notes"),
      };
      execFileSync(join(external, "board/post-image.sh"), [join(folder, "images"), board], { env });
      const disk = join(folder, "images/disk.img");
      const names = ["boot", "bootstate", "slot-a", "slot-b", "data"];
      assert.deepEqual([...partitions(disk).keys()], board === "rk3588" ? ["uboot", ...names] : names);
      assert.equal(bytes(disk, (partitions(disk).get("slot-a") ?? 0) * 512, 4).toString(), "slot");
      if (board === "rk3588") {
        assert.equal(bytes(disk, 32768, 24).toString(), "what the processor loads");
        assert.equal(partitions(disk).get("uboot"), 16384);
        assert.equal(bytes(disk, 16384 * 512, 15).toString(), "what that loads");
      }
      const { version } = JSON.parse(read("package.json")) as { version: string };
      const bundle = join(folder, "images", `steadycast-${board}-${version}.raucb`);
      const keyring = `[keyring]\npath=${join(folder, "keys/ca.pem")}\ncheck-purpose=codesign\n`;
      write(join(folder, "system.conf"), `[system]\ncompatible=x\nbootloader=noop\n\n${keyring}`);
      const info = execFileSync("rauc", [`--conf=${join(folder, "system.conf")}`, "info", bundle], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      });
      assert.match(info, new RegExp(`Compatible:\\s+'steadycast-${board.replace("_", "-")}'`));
      assert.match(info, /Description:\s+'# All new\n\nand better'/);
    });
  }

  test("says which file of the boot loader is not there", (context) => {
    const folder = scratch(context);
    write(join(folder, "rootfs.ext4"), "slot");
    const { status, stderr } = spawnSync(
      join(repository, "scripts/image/disk"),
      ["rk3568", join(folder, "rootfs.ext4"), folder],
      { encoding: "utf8" },
    );
    assert.equal(status, 1);
    assert.match(stderr, /rk3568 needs the boot loader's idblock\.bin/);
  });
});
