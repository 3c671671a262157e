/** RAUC's real service on a bus of its own, with slots that are files and U-Boot's tools that are scripts. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandRunner, type RunCommand } from "../../../src/system/command.ts";
import type { RaucPaths } from "../../../src/update/rauc/raucSlots.ts";
import { KIND } from "./bundles.ts";

const PRINT = `#!/bin/sh
grep "^$1=" "$(dirname "$0")/env"
`;
const SET = `#!/bin/sh
env=$(dirname "$0")/env
grep -v "^$1=" "$env" >"$env.new"
printf '%s=%s\\n' "$1" "$2" >>"$env.new"
mv "$env.new" "$env"
`;

/** Why it cannot run here, "" when it can. */
export function missing(): string {
  if (process.getuid?.() !== 0) return "it takes root to mount bundles";
  return existsSync("/dev/loop-control") ? "" : "it takes loop devices to mount bundles";
}

export class RaucBus {
  readonly folder = mkdtempSync(join(tmpdir(), "steadycast-rauc-"));
  readonly run: RunCommand;
  readonly paths: RaucPaths;
  readonly #processes: ChildProcess[] = [];
  readonly #env: Record<string, string>;

  constructor(keyring: string) {
    const at = (name: string) => join(this.folder, name);
    for (const name of ["partitions", "sys/slot-a.img", "sys/slot-b.img", "udev", "record", "told", "data"]) {
      mkdirSync(at(name), { recursive: true });
    }
    writeFileSync(at("env"), "BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=3\n");
    for (const [name, text] of Object.entries({ fw_printenv: PRINT, fw_setenv: SET })) {
      writeFileSync(at(name), text);
      chmodSync(at(name), 0o755);
    }
    for (const slot of ["a", "b"]) {
      execFileSync("truncate", ["-s", "4M", at(`slot-${slot}.img`)]);
      symlinkSync(at(`slot-${slot}.img`), at(`partitions/slot-${slot}`));
      writeFileSync(at(`sys/slot-${slot}.img/size`), "8192\n");
    }
    writeFileSync(at("os-release"), 'ID=steadycast\nVERSION_ID=0.1.0\nBUILD_ID=one\nPRETTY_NAME="x"\n');
    writeFileSync(at("boot-id"), "boot-1\n");
    writeFileSync(at("cmdline"), "root=PARTLABEL=slot-a rootwait ro rauc.slot=A console=ttyAMA0\n");
    writeFileSync(at("handler"), "#!/bin/sh\nexit 0\n");
    chmodSync(at("handler"), 0o755);
    const slots = ["a", "b"].flatMap((slot, i) => [
      ...[`[slot.rootfs.${i}]`, `device=${at(`slot-${slot}.img`)}`, "type=raw", `bootname=${slot.toUpperCase()}`],
    ]);
    const conf = [
      ...["[system]", `compatible=${KIND}`, "bootloader=uboot", `data-directory=${at("data")}`],
      ...[`mountprefix=${at("mnt")}`, "activate-installed=false"],
      ...["[keyring]", `path=${keyring}`, "check-purpose=codesign", "[handlers]", `pre-install=${at("handler")}`],
      ...slots,
    ];
    writeFileSync(at("system.conf"), conf.join("\n"));
    this.paths = {
      ...{ conf: at("system.conf"), osRelease: at("os-release"), partitions: at("partitions"), sysBlock: at("sys") },
      ...{
        udevData: at("udev"),
        bootId: at("boot-id"),
        commandLine: at("cmdline"),
        record: at("record"),
        told: at("told"),
      },
    };
    this.#env = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${at("bus")}`, PATH: `${this.folder}:${process.env.PATH}` };
    const run = commandRunner();
    this.run = (program, args, options) => run(program, args, { ...options, env: this.#env });
  }

  async start(): Promise<void> {
    const at = (name: string) => join(this.folder, name);
    const rules = [
      ...['user="*"', 'own="*"', 'send_destination="*"', 'send_type="method_call"', 'send_type="signal"'],
      ...["method_call", "signal", "method_return", "error"].map((type) => `receive_type="${type}"`),
    ];
    const policy = `<policy context="default">${rules.map((rule) => `<allow ${rule}/>`).join("")}</policy>`;
    const listen = `<listen>unix:path=${at("bus")}</listen><auth>EXTERNAL</auth>`;
    const conf = `<busconfig><type>system</type>${listen}${policy}</busconfig>`;
    writeFileSync(at("bus.conf"), conf);
    await this.#begin("dbus-daemon", [`--config-file=${at("bus.conf")}`, "--nofork", "--print-address"]);
    await this.startRauc();
  }

  async startRauc(): Promise<void> {
    this.#spawn("rauc", ["-c", this.paths.conf, "service", "--override-boot-slot=A"]);
    for (;;) {
      const { ok } = await this.run("busctl", ["--system", "status", "de.pengutronix.rauc"]);
      if (ok) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async killRauc(): Promise<void> {
    const rauc = this.#processes.pop();
    if (rauc === undefined) return;
    const ended = once(rauc, "exit");
    rauc.kill("SIGKILL");
    await ended;
    for (const name of ["mnt/bundle"]) {
      if (existsSync(join(this.folder, name))) this.#unmount(join(this.folder, name));
    }
  }

  /** What RAUC asks before it writes. */
  handler(text: string): void {
    writeFileSync(join(this.folder, "handler"), `#!/bin/sh\n${text}\n`);
  }

  get env(): string[] {
    return readFileSync(join(this.folder, "env"), "utf8").trim().split("\n").sort();
  }

  async stop(): Promise<void> {
    await this.killRauc();
    for (const one of this.#processes.splice(0)) {
      const ended = once(one, "exit");
      one.kill();
      await ended;
    }
    rmSync(this.folder, { recursive: true });
  }

  #spawn(program: string, args: string[]): ChildProcess {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"], env: { ...process.env, ...this.#env } });
    this.#processes.push(child);
    return child;
  }

  async #begin(program: string, args: string[]): Promise<void> {
    const { stdout } = this.#spawn(program, args);
    if (stdout !== null) await once(stdout, "data");
  }

  #unmount(path: string): void {
    try {
      execFileSync("umount", [path], { stdio: "ignore" });
    } catch {
      // It was not mounted.
    }
  }
}
