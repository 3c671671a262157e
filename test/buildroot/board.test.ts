import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import test, { describe, type TestContext } from "node:test";
import { boards, external, read, repository, scratch, settings, write } from "./support/trees.ts";

describe("fragments of kernel and boot loader", () => {
  const fragmentsOf: Record<string, string[]> = {
    "kernel of rk3588": ["linux.fragment", "rockchip/linux.fragment", "rk3588/linux.fragment"],
    "kernel of rk3568": ["linux.fragment", "rockchip/linux.fragment", "rk3568/linux.fragment"],
    "boot loader of qemu_aarch64": ["uboot.fragment", "qemu_aarch64/uboot.fragment"],
    "boot loader of Rockchip's boards": ["uboot.fragment", "rockchip/uboot.fragment"],
  };

  for (const [what, files] of Object.entries(fragmentsOf)) {
    test(`${what}: nothing twice, nothing against another`, () => {
      const all = files.flatMap((file) => settings(read("buildroot/board", file)).map(([name]) => name));
      assert.ok(all.length > 10);
      assert.deepEqual(
        all.filter((name, index) => all.indexOf(name) !== index),
        [],
      );
      for (const name of all) assert.match(name, /^CONFIG_[A-Z0-9_]+$/);
    });
  }

  test("every fragment is named, and every one that is named is there", () => {
    const named = boards.flatMap((board) =>
      [
        ...read("buildroot/configs", `steadycast_${board}_defconfig`).matchAll(
          /\$\(BR2_EXTERNAL_STEADYCAST_PATH\)\/([^ "]+)/g,
        ),
      ].map((match) => match[1] ?? ""),
    );
    for (const file of named) assert.ok(existsSync(join(external, file)), file);
    const used = `${named.join(" ")} ${read("scripts/build-image")}`;
    const fragments = readdirSync(join(external, "board"), { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".fragment"),
    );
    assert.deepEqual(
      fragments.filter((file) => !used.includes(`board/${file}`)),
      [],
    );
  });

  test("what boards have in common is what the emulated box is tested with", () => {
    const tested = new Map(settings(read("firmware/kernel/bench.config")));
    for (const [name, value] of settings(read("buildroot/board/linux.fragment"))) {
      assert.equal(tested.get(name), value, name);
    }
  });

  test("the boot loader has every command that the boot script gives", () => {
    const symbols = new Map(
      ["uboot.fragment", "rockchip/uboot.fragment"].flatMap((file) => settings(read("buildroot/board", file))),
    );
    const symbolOf: Record<string, string> = {
      booti: "CMD_BOOTI",
      echo: "CMD_ECHO",
      "env export": "CMD_EXPORTENV",
      "env import": "CMD_IMPORTENV",
      "gpio ": "CMD_GPIO",
      "load ": "CMD_FS_GENERIC",
      "part ": "CMD_PART",
      "run ": "CMD_RUN",
      "sleep ": "CMD_SLEEP",
    };
    const script = read("firmware/boot/slots.cmd") + read("firmware/boot/rk3588.cmd");
    for (const [command, symbol] of Object.entries(symbolOf)) {
      assert.ok(script.includes(command), command);
      assert.equal(symbols.get(`CONFIG_${symbol}`), "y", symbol);
    }
  });
});

describe("scripts/image/fragments", () => {
  const run = (context: TestContext, config: string, fragment: string): string => {
    const folder = scratch(context);
    write(join(folder, "config"), config);
    write(join(folder, "fragment"), fragment);
    return spawnSync(join(repository, "scripts/image/fragments"), [join(folder, "config"), join(folder, "fragment")], {
      encoding: "utf8",
    }).stdout;
  };

  test("tells what a configuration lacks, and takes silence for `is not set`", (context) => {
    const config = 'CONFIG_A=y\nCONFIG_TEXT="x $y"\n# CONFIG_C is not set\n';
    assert.equal(
      run(context, config, 'CONFIG_A=y\nCONFIG_TEXT="x $y"\n# CONFIG_B is not set\n# CONFIG_C is not set\n'),
      "",
    );
    assert.equal(run(context, config, "CONFIG_A=m\nCONFIG_B=y\n"), "CONFIG_A=m\nCONFIG_B=y\n");
    assert.equal(run(context, config, "# CONFIG_A is not set\n"), "# CONFIG_A is not set\n");
  });
});

interface Line {
  bank: number;
  offset: number;
}

/** Every line of a board file. */
function linesOf(value: unknown): Line[] {
  if (Array.isArray(value)) return value.flatMap(linesOf);
  if (typeof value !== "object" || value === null) return [];
  const { chip, offset } = value as { chip?: unknown; offset?: unknown };
  if (typeof chip === "string" && typeof offset === "number")
    return [{ bank: Number(chip.replace("gpio", "")), offset }];
  return Object.values(value).flatMap(linesOf);
}

for (const board of boards) {
  describe(board, () => {
    test("has a boot script that says all that the common part asks for", () => {
      const head = read("firmware/boot", `${board}.cmd`);
      const common = read("firmware/boot/slots.cmd");
      const own = new Set([...common.matchAll(/setenv (sc_\w+)/g)].map((match) => match[1]));
      for (const loop of common.matchAll(/for (sc_\w+) in/g)) own.add(loop[1]);
      for (const found of common.match(/(?<=\$\{|run )sc_\w+/g) ?? []) {
        assert.ok(
          own.has(found) ||
            own.has(found) ||
            new RegExp(`^setenv ${found} `, "m").test(head) ||
            /^sc_(sector|number|saved)$/.test(found),
          found,
        );
      }
    });

    if (!board.startsWith("rk")) return;

    const model = JSON.parse(read("firmware/boards", `${board}.json`)) as { model: string; i2c: { adapter: string }[] };
    const overlay = read("buildroot/board", board, "front-panel.dtso");

    test("its device tree sets up just the lines and buses of the board file", () => {
      assert.equal(model.model, board);
      const pins = [...overlay.matchAll(/<(\d) (\d+) 0 &pcfg_\w+>/g)].map((match) => `${match[1]}/${match[2]}`);
      const wanted = [...new Set(linesOf(model).map((line) => `${line.bank}/${line.offset}`))];
      assert.ok(wanted.length > 10);
      assert.deepEqual(pins.toSorted(), wanted.toSorted());
      const named = [...overlay.matchAll(/&gpio(\d) \{\s*gpio-line-names = ([^;]*);/g)].flatMap(([, bank, names]) =>
        (names ?? "").split(",").flatMap((name, offset) => (name.trim() === '""' ? [] : [`${bank}/${offset}`])),
      );
      assert.deepEqual(named.toSorted(), wanted.toSorted());
      for (const { adapter } of model.i2c)
        assert.match(overlay, new RegExp(`^&${adapter} \\{\\n\\tstatus = "okay";`, "m"));
    });

    test("its boot script uses the status light of the board file", () => {
      const { leds } = JSON.parse(read("firmware/boards", `${board}.json`)) as {
        leds: { status: { red: unknown; green: unknown } };
      };
      const name = (light: unknown): string =>
        linesOf(light)
          .map((line) => `${String.fromCharCode(65 + line.bank)}${line.offset}`)
          .join();
      const head = read("firmware/boot", `${board}.cmd`);
      assert.match(
        head,
        new RegExp(`sc_tell_slot 'gpio clear ${name(leds.status.red)}; gpio set ${name(leds.status.green)}'`),
      );
      assert.match(
        head,
        new RegExp(`sc_tell_trouble 'gpio clear ${name(leds.status.green)}; gpio set ${name(leds.status.red)}'`),
      );
    });

    test("its overlay compiles, and is merged into what the kernel built", (context) => {
      const folder = scratch(context);
      const labels = [...new Set(overlay.match(/(?<=&)\w+/g))].filter((label) => !label.startsWith("box_"));
      const nodes = labels.map((label, index) => `\t${label}: node@${index} { };`).join("\n");
      write(join(folder, "base.dts"), `/dts-v1/;\n/ {\n${nodes}\n};\n`);
      mkdirSync(join(folder, "images"));
      execFileSync("dtc", ["-q", "-@", "-o", join(folder, "images/base.dtb"), join(folder, "base.dts")]);
      write(join(folder, "config"), 'BR2_PACKAGE_STEADYCAST_BASE_DTB="base.dtb"\n');
      const env = {
        ...process.env,
        BINARIES_DIR: join(folder, "images"),
        BR2_CONFIG: join(folder, "config"),
        HOST_DIR: "/usr",
      };
      execFileSync(join(external, "board/device-tree.sh"), [join(folder, "target"), board], { env });
      const merged = execFileSync("dtc", ["-q", "-I", "dtb", "-O", "dts", join(folder, "target/boot/box.dtb")], {
        encoding: "utf8",
      });
      assert.match(merged, /reset-hole"/);
      assert.match(merged, /rockchip,pins = </);

      write(join(folder, "config"), 'BR2_PACKAGE_STEADYCAST_BASE_DTB="other.dtb"\n');
      const failed = spawnSync(join(external, "board/device-tree.sh"), [join(folder, "target"), board], {
        env,
        encoding: "utf8",
      });
      assert.equal(failed.status, 1);
      assert.match(failed.stderr, /the kernel has built no other\.dtb/);
    });
  });
}

describe("packages", () => {
  test("have the versions of what they build", () => {
    const version = (name: string): string =>
      /^STEADYCAST\w*_VERSION = (.*)$/m.exec(read("buildroot/package", name, `${name}.mk`))?.[1] ?? "";
    assert.equal(version("steadycast"), (JSON.parse(read("package.json")) as { version: string }).version);
    assert.equal(version("steadycast-media"), /version: '(.*)'/.exec(read("firmware/media/meson.build"))?.[1]);
  });

  test("the users are those of sysusers.d", () => {
    const table =
      /define STEADYCAST_USERS\n([\s\S]*?)endef/.exec(read("buildroot/package/steadycast/steadycast.mk"))?.[1] ?? "";
    const rows = table
      .trim()
      .split("\n")
      .map((row) => row.trim().split(" "));
    const lines = read("rootfs/usr/lib/sysusers.d/steadycast.conf").split("\n");
    const groups = lines.flatMap((line) => /^g (\S+)/.exec(line)?.[1] ?? []);
    assert.deepEqual(
      rows.flatMap(([user, , group = ""]) => (user === "-" ? [group] : [])),
      groups,
    );
    const users = lines.flatMap((line) => {
      const [, name = "", home = "", shell = "-"] = /^u (\S+) - "[^"]*" (\S+) ?(\S+)?$/.exec(line) ?? [];
      const memberships = lines.flatMap((other) => (other.startsWith(`m ${name} `) ? [other.split(" ")[2] ?? ""] : []));
      // Buildroot's OpenSSH makes its own user.
      return name === "" || name === "sshd" ? [] : [[name, home, shell, memberships.toSorted()]];
    });
    assert.ok(users.length > 0);
    const made = rows.flatMap(([user = "", , , , , home, shell, more = ""]) =>
      user === "-" ? [] : [[user, home, shell, more.split(",").toSorted()]],
    );
    assert.deepEqual(made, users);
    // No password is right; one that begins with ! would lock the account, for sshd without PAM, too.
    for (const [user = "", , , , password] of rows) if (user !== "-") assert.equal(password, "*", user);
  });

  test("what sshd needs without PAM is there", () => {
    assert.match(read("rootfs/usr/lib/steadycast/sshd_config"), /^UsePAM no$/m);
    assert.ok(!existsSync(join(repository, "rootfs/etc/pam.d/sshd")));
    // Its folder is in /var, which is memory.
    assert.match(read("rootfs/etc/fstab"), /^tmpfs \/var tmpfs /m);
    assert.match(read("rootfs/usr/lib/tmpfiles.d/steadycast.conf"), /^d \/var\/empty 0755 root root$/m);
  });
});

describe("the post-build script", () => {
  test("makes the product of a root file system", (context) => {
    const folder = scratch(context);
    const target = join(folder, "target");
    for (const path of ["etc", "usr/lib/systemd/system"]) mkdirSync(join(target, path), { recursive: true });
    write(join(target, "etc/network/interfaces"), "auto lo\n");
    write(join(folder, "keys/ca.pem"), "certificates\n");
    const env = { ...process.env, STEADYCAST_KEYS: join(folder, "keys") };
    const run = (board: string): void => {
      execFileSync(join(external, "board/post-build.sh"), [target, board], { env });
    };
    run("qemu_aarch64");
    const release = readFileSync(join(target, "usr/lib/os-release"), "utf8");
    const { version } = JSON.parse(read("package.json")) as { version: string };
    assert.match(release, new RegExp(`^VERSION_ID=${version.replaceAll(".", "\\.")}$`, "m"));
    assert.match(release, /^BUILD_ID=[0-9a-f]{16}$/m);
    assert.match(readFileSync(join(target, "etc/rauc/system.conf"), "utf8"), /^compatible=steadycast-qemu-aarch64$/m);
    assert.equal(readFileSync(join(target, "etc/rauc/keyring.pem"), "utf8"), "certificates\n");
    assert.equal(readFileSync(join(target, "etc/fw_env.config"), "utf8"), read("firmware/disk/fw_env.config"));
    assert.equal(existsSync(join(target, "etc/network/interfaces")), false);
    assert.equal(readlinkSync(join(target, "etc/systemd/system/systemd-firstboot.service")), "/dev/null");
    assert.ok((statSync(join(target, "usr/lib/steadycast/data")).mode & 0o111) !== 0);

    // The same again, as a build that goes on does: the same content has the same identity.
    run("qemu_aarch64");
    assert.equal(readFileSync(join(target, "usr/lib/os-release"), "utf8"), release);
    write(join(target, "etc/other"), "x");
    run("qemu_aarch64");
    assert.notEqual(readFileSync(join(target, "usr/lib/os-release"), "utf8"), release);
  });

  test("tells the supervisor which board it runs on", (context) => {
    const folder = scratch(context);
    const target = join(folder, "target");
    mkdirSync(join(target, "etc"), { recursive: true });
    mkdirSync(join(target, "usr/lib/systemd/system"), { recursive: true });
    mkdirSync(join(folder, "images"));
    const labels = [...new Set(read("buildroot/board/rk3568/front-panel.dtso").match(/(?<=&)\w+/g))].filter(
      (label) => !label.startsWith("box_"),
    );
    write(
      join(folder, "base.dts"),
      `/dts-v1/;\n/ {\n${labels.map((label) => `\t${label}: ${label.replaceAll("_", "-")} { };`).join("\n")}\n};\n`,
    );
    execFileSync("dtc", ["-q", "-@", "-o", join(folder, "images/base.dtb"), join(folder, "base.dts")]);
    write(join(folder, "config"), 'BR2_PACKAGE_STEADYCAST_BASE_DTB="base.dtb"\n');
    write(join(folder, "keys/ca.pem"), "certificates\n");
    execFileSync(join(external, "board/post-build.sh"), [target, "rk3568"], {
      env: {
        ...process.env,
        STEADYCAST_KEYS: join(folder, "keys"),
        BINARIES_DIR: join(folder, "images"),
        BR2_CONFIG: join(folder, "config"),
        HOST_DIR: "/usr",
      },
    });
    assert.match(readFileSync(join(target, "usr/lib/steadycast/board.conf"), "utf8"), /^STEADYCAST_BOARD=rk3568$/m);
    assert.ok(existsSync(join(target, "boot/box.dtb")));
    // Devices of the encoders, which the unit that all boxes share keeps closed.
    const dropIns = readdirSync(join(target, "usr/lib/systemd/system/steadycast.service.d"));
    const service = dropIns
      .map((file) => readFileSync(join(target, "usr/lib/systemd/system/steadycast.service.d", file), "utf8"))
      .join("");
    assert.match(service, /^DeviceAllow=\/dev\/mpp_service rw$/m);
    assert.match(service, /^Environment=GST_REGISTRY=\/run\/steadycast\/\S+ GST_REGISTRY_UPDATE=yes$/m);
    assert.match(
      readFileSync(join(target, "usr/lib/udev/rules.d/71-steadycast-rockchip.rules"), "utf8"),
      /mpp_service/,
    );
  });

  test("every unit that the presets enable is there, or systemd's or D-Bus's", () => {
    const known = /^(systemd-(networkd|resolved|timesyncd)\.service|dbus\.(service|socket))$/;
    for (const [, unit = ""] of read("rootfs/usr/lib/systemd/system-preset/10-steadycast.preset").matchAll(
      /^enable (\S+)$/gm,
    )) {
      assert.ok(known.test(unit) || existsSync(join(repository, "rootfs/usr/lib/systemd/system", unit)), unit);
    }
  });
});
