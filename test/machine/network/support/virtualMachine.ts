/**
 * A small virtual machine with Debian's kernel, for what the kernel of this machine may not have: bonds and VLANs. It runs
 * systemd-networkd with files of the test; each port has a wire of its own, on which what it sends can be read afterwards.
 * Nothing of it needs root here.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { archive, type Entry } from "./cpio.ts";

const cache = fileURLToPath(new URL("../../../../build/vm/", import.meta.url));
/** Meta package of the kernel for virtual machines. */
const KERNEL = "linux-image-cloud-amd64";
/** In the order in which they can be loaded. */
const MODULES =
  "virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net"
    .concat(" llc stp mrp garp 8021q tls bonding")
    .split(" ");
const PROGRAMS = ["/lib/systemd/systemd-networkd", "/usr/bin/networkctl", "/usr/bin/dbus-daemon", "/bin/bash"];
/** Longest time for a run, ms: it takes some 30 s. */
const LIMIT = 90_000;

/** Why there is no such machine here, or false. */
export const cannotRun: string | false =
  process.platform === "linux" && process.arch === "x64" ? false : "the virtual machine is one for x86-64 hosts";

/** There is no service manager in the machine: this restarts the only service there is. */
const SYSTEMCTL = `#!/bin/bash
[ "$*" = "restart systemd-networkd.service" ] || exit 1
killall systemd-networkd 2>/dev/null && while pidof systemd-networkd >/dev/null; do sleep 0.1; done
/lib/systemd/systemd-networkd 2>/dev/null &
`;

export interface Frame {
  bytes: Buffer;
  /** Of the 802.1Q tag; undefined: untagged. */
  vlan: number | undefined;
  /** EtherType within the tag. */
  type: number;
  /** Destination of an IPv4 packet. */
  destination: string | undefined;
}

export interface Run {
  /** What the machine told on its console. */
  console: string;
  /** What went over the wire of each port, in both directions. */
  frames: Frame[][];
}

/**
 * Boots a machine with so many ports, eth0 and on, and ends when the script does.
 * @param files of systemd-networkd
 * @param script for bash, with what busybox has; runs when networkd does
 */
export async function runMachine(folder: string, ports: number, files: Entry[], script: string): Promise<Run> {
  const { image, modules } = kernel();
  const initrd = join(folder, "initrd");
  writeFileSync(initrd, gzipSync(archive(rootOf(modules, files, script)), { level: 1 }));
  const numbers = Array.from({ length: ports }, (_, i) => i);
  const dump = (i: number) => join(folder, `eth${i}.pcap`);
  const args = [
    ...["-accel", "tcg", "-m", "384", "-nodefaults", "-no-reboot", "-display", "none"],
    ...["-serial", "stdio", "-kernel", image, "-initrd", initrd],
    ...["-append", "console=ttyS0 quiet panic=-1 net.ifnames=0"],
    ...numbers.flatMap((i) => [
      ...["-netdev", `user,id=n${i},restrict=on`, "-device", `virtio-net-pci,netdev=n${i},romfile=`],
      ...["-object", `filter-dump,id=f${i},netdev=n${i},file=${dump(i)}`],
    ]),
  ];
  const child = spawn("qemu-system-x86_64", args, { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (part: string) => (text += part));
  const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT);
  const ended = new Promise((done, fail) => child.once("close", done).once("error", fail));
  const code = await ended.finally(() => clearTimeout(timer));
  assert.equal(code, 0, text);
  assert.match(text, /^the script ended with 0\r?$/m, text);
  return { console: text, frames: numbers.map((i) => framesOf(readFileSync(dump(i)))) };
}

/** Debian's kernel, fetched once and only unpacked. */
function kernel(): { image: string; modules: string } {
  const folder = join(cache, "kernel");
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const [name] =
      /linux-image-[\w.-]+-cloud-amd64/.exec(execFileSync("apt-cache", ["depends", KERNEL], { encoding: "utf8" })) ??
      [];
    assert.ok(name !== undefined, `Debian's ${KERNEL} is not known here`);
    const work = join(cache, `work-${process.pid}`);
    mkdirSync(work);
    execFileSync("apt-get", ["-q", "download", name], { cwd: work, stdio: ["ignore", "ignore", "pipe"] });
    const [file = ""] = readdirSync(work);
    execFileSync("dpkg-deb", ["-x", file, "unpacked"], { cwd: work });
    renameSync(join(work, "unpacked"), folder);
    rmSync(work, { recursive: true });
  }
  const [version = ""] = readdirSync(join(folder, "lib/modules"));
  return { image: join(folder, `boot/vmlinuz-${version}`), modules: join(folder, "lib/modules", version) };
}

/** The machine's root file system: programs of this machine with their libraries, modules, files and the script. */
function rootOf(modules: string, files: readonly Entry[], script: string): Entry[] {
  const here = dirname(fileURLToPath(import.meta.url));
  const libraries = PROGRAMS.flatMap((program) => {
    const listed = execFileSync("ldd", [program], { encoding: "utf8" });
    return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
  });
  const found = readdirSync(modules, { recursive: true, encoding: "utf8" });
  const moduleFiles = MODULES.map((name) => {
    const path = found.find((one) => one.endsWith(`/${name}.ko`));
    assert.ok(path !== undefined, `the kernel has no module ${name}`);
    return { path: `modules/${name}.ko`, content: readFileSync(join(modules, path)) };
  });
  const copies = [...new Set([...PROGRAMS, ...libraries])].map((path) => ({
    path: path.slice(1),
    content: readFileSync(realpathSync(path)),
    mode: 0o755,
  }));
  const init = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin
mount -t proc none /proc
mount -t devtmpfs none /dev
mount -t tmpfs -o mode=755 none /run
for module in ${MODULES.join(" ")}; do insmod /modules/$module.ko $([ $module = bonding ] && echo max_bonds=0); done
mount -t sysfs -o ro none /sys
mkdir -p /run/dbus /run/systemd/network /tmp
cp /files/*.net* /run/systemd/network
ip link set lo up
dbus-daemon --config-file=/bus.conf --nofork --nopidfile 2>/dev/null &
until [ -S /run/dbus/system_bus_socket ]; do sleep 0.1; done
systemctl restart systemd-networkd.service
until networkctl --json=short list 2>/dev/null | grep -q '"Name":"eth0"'; do sleep 0.1; done
bash /script
echo "the script ended with $?"
poweroff -f
`;
  return [
    ...copies,
    ...moduleFiles,
    ...files.map((file) => ({ ...file, path: `files/${file.path}` })),
    { path: "bin/busybox", content: readFileSync("/bin/busybox"), mode: 0o755 },
    { path: "bus.conf", content: readFileSync(join(here, "bus.conf")) },
    { path: "usr/bin/systemctl", content: SYSTEMCTL, mode: 0o755 },
    { path: "etc/passwd", content: "root:x:0:0::/:/bin/sh\nsystemd-network:x:998:998::/:/bin/sh\n" },
    { path: "etc/group", content: "root:x:0:\nsystemd-network:x:998:\n" },
    { path: "etc/machine-id", content: "0123456789abcdef0123456789abcdef\n" },
    { path: "init", content: init, mode: 0o755 },
    { path: "script", content: script },
    ...["proc", "sys", "dev", "run"].map((path) => ({ path })),
  ];
}

/** Ethernet frames of a file of libpcap: a header of 24 bytes, then records with headers of 16. */
function framesOf(pcap: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 24; at + 16 <= pcap.length; ) {
    const length = pcap.readUInt32LE(at + 8);
    const bytes = pcap.subarray(at + 16, at + 16 + length);
    at += 16 + length;
    if (bytes.length < 18) continue;
    // IEEE 802.1Q, 9.6: tag protocol identifier 0x8100, then priority and the VLAN ID in 12 bits.
    const tagged = bytes.readUInt16BE(12) === 0x8100;
    const type = bytes.readUInt16BE(tagged ? 16 : 12);
    const ip = tagged ? 18 : 14;
    const destination =
      type === 0x0800 && bytes.length >= ip + 20 ? [...bytes.subarray(ip + 16, ip + 20)].join(".") : undefined;
    frames.push({ bytes, vlan: tagged ? bytes.readUInt16BE(14) & 0xfff : undefined, type, destination });
  }
  return frames;
}
