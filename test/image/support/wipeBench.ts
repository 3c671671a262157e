/**
 * A place for the scripts that reset a box (rootfs/usr/lib/steadycast): the partitions are files, the kernel's folders are
 * made up, and of the programs only those that need a real disk, or that a power cut shall hit, stand in for the real ones.
 */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SIZE = 8 << 20;
const KEPT_AT = 64 << 10;
const LIBRARY = "rootfs/usr/lib/steadycast";
/** Found in the data partition as long as it has not been wiped. */
export const SECRET = "what-only-the-old-owner-knew";

const programs: Record<string, string> = {
  lsblk: "echo part",
  // Its device is a file here: what it drops reads as zeros.
  blkdiscard: `
    case " $* " in
      *" -s "*) exit 1 ;;
      *" -z "*) [ ! -e no-zeroes ] || exit 1 ;;
    esac
    echo "blkdiscard $*" >>log
    for device; do :; done
    truncate -s 0 "$device" && truncate -s ${SIZE} "$device"`,
  fw_setenv: `
    [ ! -e read-only ] || exit 1
    grep -v "^$1=" env >env.new || true
    [ -z "\${2-}" ] || echo "$1=$2" >>env.new
    mv env.new env`,
  // Time passes here alone.
  sleep: `
    [ -e sysfs/class/gpio/gpio521/value ] || exec /bin/sleep "$@"
    read -r time _ <uptime
    time=$((\${time%%.*} + 1))
    echo "$time.00 0.00" >uptime
    cat sysfs/class/gpio/gpio521/value >>lights
    [ "$time" -lt "$(cat release)" ] || echo 0 >sysfs/class/gpio/gpio518/value`,
};
/** Programs at which the power is cut: before each, and after each. */
const CUT = ["blkdiscard", "dd", "e2label", "fw_setenv", "mke2fs", "sync"];

export interface Outcome {
  status: number | null;
  /** Whether the power was cut. */
  isCut: boolean;
  text: string;
}

export class WipeBench {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(join(folder, "bin"), { recursive: true });
    for (const name of new Set([...Object.keys(programs), ...CUT])) {
      const real = spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim();
      const body = programs[name] === undefined ? `"${real}" "$@"` : `( ${programs[name]}\n)`;
      const count = `cut() { n=$(($(cat count) + 1)); echo $n >count; [ $n != "$(cat cut)" ] || kill -9 0; }`;
      const whole = CUT.includes(name) ? `${count}\ncut\n${body}; status=$?\ncut\nexit $status` : body;
      writeFileSync(join(folder, "bin", name), `#!/bin/sh\ncd "${folder}"\n${whole}\n`);
      chmodSync(join(folder, "bin", name), 0o755);
    }
    const disk = join(folder, "sysfs/devices/vda");
    mkdirSync(join(disk, "vda5"), { recursive: true });
    mkdirSync(join(disk, "queue"));
    mkdirSync(join(folder, "sysfs/class/block"), { recursive: true });
    symlinkSync("../../devices/vda/vda5", join(folder, "sysfs/class/block/vda5"));
    symlinkSync("../../devices/vda", join(folder, "sysfs/class/block/vda"));
    const sectors = String(SIZE / 512);
    this.write("sysfs/devices/vda/size", String(2048 + SIZE / 512));
    this.write("sysfs/devices/vda/queue/write_zeroes_max_bytes", "65536");
    for (const [name, value] of Object.entries({ partition: "5", start: "2048", size: sectors })) {
      this.write(`sysfs/devices/vda/vda5/${name}`, value);
    }
    mkdirSync(join(folder, "runtime"));
    this.write("bootstate", Buffer.alloc(1 << 20));
    this.write("env", "BOOT_ORDER=A B\n");
    this.write("vda5", Buffer.alloc(SIZE));
    this.write("board.conf", "STEADYCAST_BOARD=bench\n");
  }

  write(name: string, content: string | Buffer): void {
    writeFileSync(join(this.folder, name), content);
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), "latin1");
  }

  has(name: string): boolean {
    return existsSync(join(this.folder, name));
  }

  /** Runs a script; the power is cut at the step that is given, if there are so many. */
  run(script: "data" | "hole" | "reset", cutAt = 0): Outcome {
    const path = (name: string) => join(this.folder, name);
    this.write("count", "0");
    this.write("cut", String(cutAt));
    this.write("cmdline", `root=/dev/x ${/^WIPE=1$/m.test(this.read("env")) ? "steadycast.wipe=1" : ""} ro\n`);
    const ran: SpawnSyncReturns<string> = spawnSync("setsid", ["--wait", "sh", join(LIBRARY, script)], {
      encoding: "utf8",
      env: {
        PATH: `${path("bin")}:/usr/sbin:/usr/bin:/sbin:/bin`,
        ...{ STEADYCAST_LIB: LIBRARY, STEADYCAST_SYSFS: path("sysfs"), STEADYCAST_BOARD_CONF: path("board.conf") },
        ...{ STEADYCAST_BOARDS: "firmware/boards", STEADYCAST_DATA: path("vda5"), STEADYCAST_WIPE: path("wipe") },
        ...{ STEADYCAST_BOOTSTATE: path("bootstate"), STEADYCAST_CMDLINE: path("cmdline") },
        ...{ STEADYCAST_OWNER: "0:0", STEADYCAST_RUNTIME: path("runtime"), STEADYCAST_UPTIME: path("uptime") },
      },
    });
    return { status: ran.status, isCut: ran.status !== 0 && cutAt > 0, text: `${ran.stdout}${ran.stderr}` };
  }

  /** What a start does: with it, what was only in memory is gone. */
  boot(cutAt = 0): Outcome {
    if (cutAt === 0 || !this.has("wipe/hole")) rmSync(join(this.folder, "wipe"), { recursive: true, force: true });
    return this.run("data", cutAt);
  }

  /** Gives the data partition a file system with a secret in it. */
  fill(): void {
    this.#tool("mke2fs", "-q", "-F", "-t", "ext4", "-L", "data", join(this.folder, "vda5"));
    this.put("secret", SECRET);
  }

  /** Puts a file into the data partition. */
  put(name: string, content: string): void {
    this.write("file", content);
    this.debugfs(`write ${join(this.folder, "file")} ${name}`);
  }

  /** A file of the data partition; undefined where there is none. */
  file(path: string): string | undefined {
    const { stdout, stderr } = this.#tool("debugfs", "-R", `cat ${path}`, join(this.folder, "vda5"));
    return /File not found/.test(stderr) ? undefined : stdout;
  }

  /** Does something to the file system, and tells what debugfs says to it. */
  debugfs(command: string): string {
    return this.#tool("debugfs", "-w", "-R", command, join(this.folder, "vda5")).stdout;
  }

  /** 0: the file system has no error. */
  check(): number | null {
    return spawnSync("e2fsck", ["-fn", join(this.folder, "vda5")]).status;
  }

  get label(): string {
    return this.#tool("e2label", join(this.folder, "vda5")).stdout.trim();
  }

  /** Whether the network that is kept, and all around it, is gone. */
  get isForgotten(): boolean {
    return !/[^\0]/.test(this.read("bootstate").slice(KEPT_AT));
  }

  damageKept(): void {
    const bytes = readFileSync(join(this.folder, "bootstate"));
    bytes[KEPT_AT + 520] = (bytes[KEPT_AT + 520] ?? 0) ^ 1;
    this.write("bootstate", bytes);
  }

  #tool(name: string, ...args: string[]) {
    const ran = spawnSync(name, args, { encoding: "utf8" });
    if (ran.status !== 0) throw new Error(`${name}: ${ran.stderr}`);
    return ran;
  }
}
