/** Stand-ins for Buildroot's trees, and what our external tree says. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../../..", import.meta.url));
export const external = join(repository, "buildroot");
export const boards = ["qemu_aarch64", "rk3588", "rk3568"] as const;

export const read = (...path: string[]): string => readFileSync(join(repository, ...path), "utf8");
export const defconfigOf = (board: string): string => join(external, "configs", `steadycast_${board}_defconfig`);

/** A folder that goes when the test ends. */
export function scratch(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "steadycast-buildroot-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** A tree of upstream's Buildroot, or of the SoC vendor's in its SDK, that knows the symbols which ours name. */
export function fakeTree(context: TestContext, kind: "upstream" | "vendor", version: string): string {
  const tree = join(scratch(context), "buildroot");
  cpSync(join(repository, "test/buildroot/tree"), tree, { recursive: true });
  write(join(tree, "Makefile"), read("test/buildroot/tree/Makefile").replace("@VERSION@", version));
  const sources = ["symbols.in", ...(kind === "vendor" ? ["vendor.in"] : [])].map((file) => `source "${tree}/${file}"`);
  write(join(tree, "Config.in"), [...sources, 'source "$BR2_EXTERNAL_STEADYCAST_PATH/Config.in"', ""].join("\n"));
  if (kind === "vendor") {
    for (const name of ["rockchip-mpp", "rockchip-rga", "gstreamer1-rockchip"]) {
      write(join(tree, "package/rockchip", name, "Config.in"), "");
    }
    write(join(tree, "package/libsrt/Config.in"), 'config BR2_PACKAGE_LIBSRT\n\tbool "libsrt"\n');
    write(join(tree, "linux/Config.in"), 'config BR2_LINUX_KERNEL_CUSTOM_LOCAL\n\tbool "local"\n');
  }
  return tree;
}

/** The SDK around a vendor's tree: kernel and the boot loader that has been made. */
export function fakeSdk(tree: string, board: "rk3588" | "rk3568"): void {
  const sdk = dirname(tree);
  write(join(sdk, "kernel/Makefile"), "VERSION = 6\nPATCHLEVEL = 1\n");
  write(join(sdk, "kernel/drivers/video/rockchip/mpp/Kconfig"), "");
  const dts = /^BR2_LINUX_KERNEL_INTREE_DTS_NAME="(.*)"$/m.exec(readFileSync(defconfigOf(board), "utf8"))?.[1];
  write(join(sdk, "kernel/arch/arm64/boot/dts", `${dts}.dts`), "");
  write(join(sdk, "u-boot/idblock.bin"), "");
  write(join(sdk, "u-boot/uboot.img"), "");
  write(
    join(sdk, "u-boot/.config"),
    read("buildroot/board/uboot.fragment") + read("buildroot/board/rockchip/uboot.fragment"),
  );
}

export interface KconfigSymbol {
  type: string;
  depends: string;
  /** Symbols that `depends` names. */
  names: string[];
  /** What it selects, and on what condition. */
  selects: [string, string][];
  file: string;
}

export interface Kconfig {
  symbols: Record<string, KconfigSymbol>;
  /** By defconfig: the whole configuration, and what selects what without what that depends on. */
  loaded: Record<string, { config: string; unmet: [string, string, string][] }>;
  problems: string[];
}

/** Reads a tree with our external one, and the defconfigs that are given. */
export function readKconfig(tree: string, ...defconfigs: string[]): Kconfig {
  const text = execFileSync(
    "/usr/bin/python3",
    [join(repository, "test/buildroot/support/kconfig.py"), join(tree, "Config.in"), ...defconfigs],
    {
      encoding: "utf8",
      env: { ...process.env, CONFIG_: "", BR2_EXTERNAL_STEADYCAST_PATH: external },
      maxBuffer: 1 << 26,
    },
  );
  return JSON.parse(text) as Kconfig;
}

/** Lines of a defconfig or fragment: symbol and value, `undefined` where it "is not set". */
export function settings(text: string): [string, string | undefined][] {
  return text.split("\n").flatMap((line): [string, string | undefined][] => {
    const set = /^([A-Z]\w*)=(.*)$/i.exec(line);
    const unset = /^# ([A-Z]\w*) is not set$/i.exec(line);
    if (set !== null) return [[set[1] ?? "", set[2]]];
    return unset === null ? [] : [[unset[1] ?? "", undefined]];
  });
}
