/**
 * Machines for tests of the network: each is a set of namespaces (network, mounts, processes, host name) of its own. All
 * that runs in one ends with the process that holds it, which ends with the test.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

/** How long a state may take to come, ms. Much more than it takes: a machine under load is no fault. */
const DEADLINE = 30_000;

const HOLD = `
set -e
mount -t tmpfs -o mode=755 none /run
mount -t sysfs -o ro none /sys
mkdir -p /run/dbus /run/systemd/network
ip link set lo up
echo held
exec cat
`;

/** Why machines cannot be made here, or false. */
export const cannotMake: string | false = (() => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "namespaces need root on Linux";
  const tried = spawnSync("unshare", ["-n", "-m", "-p", "-u", "-f", "--mount-proc", "nft", "list", "tables"]);
  return tried.status === 0 ? false : `no namespaces with nftables here: ${tried.error ?? tried.stderr}`;
})();

/** Waits until it gives something other than undefined and false; tells what was waited for when it does not. */
export async function eventually<T>(what: string, look: () => Promise<T> | T): Promise<Exclude<T, undefined | false>> {
  const end = Date.now() + DEADLINE;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (Date.now() > end) assert.fail(`waited in vain for ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

export class Machine {
  /** Of the process that holds the namespaces, as this one sees it. */
  readonly #pid: number;

  private constructor(pid: number) {
    this.#pid = pid;
  }

  static async make(t: TestContext): Promise<Machine> {
    const flags = ["-n", "-m", "-u", "-p", "-f", "--mount-proc", "--kill-child", "--propagation", "private"];
    const child = spawn("unshare", [...flags, "sh", "-c", HOLD], { stdio: ["pipe", "pipe", "inherit"] });
    t.after(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    });
    const [line] = await once(createInterface(child.stdout), "line");
    assert.equal(line, "held");
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
    return new Machine(Number(children.trim()));
  }

  /** Lays a cable from a port of this machine to one of another. */
  cable(port: string, other: Machine, otherPort: string): void {
    const peer = ["peer", "name", otherPort, "netns", String(other.#pid)];
    this.#net("ip", "link", "add", port, "type", "veth", ...peer);
  }

  /** Runs a command to its end; fails when that does. */
  run(...command: string[]): string {
    const { status, stdout, stderr } = this.try(...command);
    assert.equal(status, 0, `${command.join(" ")}: ${stderr}`);
    return stdout;
  }

  try(...command: string[]) {
    return spawnSync("nsenter", [...this.#enter, ...command], { encoding: "utf8", timeout: DEADLINE });
  }

  /** Starts what runs on; it ends with the machine. */
  start(...command: string[]): ChildProcess {
    return spawn("nsenter", [...this.#enter, ...command], { stdio: ["pipe", "pipe", "inherit"] });
  }

  /** Starts a service of the system, whose words are of no interest. */
  serve(...command: string[]): void {
    spawn("nsenter", [...this.#enter, ...command], { stdio: "ignore" });
  }

  /** Whether a connection to a port can be made, within a second. */
  reaches(address: string, port: number): boolean {
    const script = `exec 3<>/dev/tcp/${address}/${port}`;
    return this.try("timeout", "1", "bash", "-c", script).status === 0;
  }

  /** Sends a datagram. */
  send(address: string, port: number, text: string): void {
    this.run("bash", "-c", `printf %s '${text}' >/dev/udp/${address}/${port}`);
  }

  get #enter(): string[] {
    return ["-t", String(this.#pid), "-n", "-m", "-u", "-p", "--"];
  }

  #net(...command: string[]): void {
    const { status, stderr } = spawnSync("nsenter", ["-t", String(this.#pid), "-n", "--", ...command]);
    assert.equal(status, 0, `${command.join(" ")}: ${stderr}`);
  }
}

/** The box: systemd-networkd, its bus, and a small supervisor (supervisor.ts) with the real services. */
export class Box {
  readonly machine: Machine;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #answers: ((answer: unknown) => void)[] = [];
  /** What the supervisor told, such as `received hello`. */
  readonly told: string[] = [];

  private constructor(machine: Machine, child: ChildProcess) {
    this.machine = machine;
    this.#child = child;
    assert(child.stdout !== null);
    this.#lines = createInterface(child.stdout);
    this.#lines.on("line", (line) => {
      if (line.startsWith("{")) this.#answers.shift()?.((JSON.parse(line) as { answer: unknown }).answer);
      else this.told.push(line);
    });
  }

  /** @param config its configuration at first; only what is not the default */
  static async boot(machine: Machine, folder: string, config: unknown): Promise<Box> {
    const here = dirname(fileURLToPath(import.meta.url));
    machine.serve("dbus-daemon", `--config-file=${here}/bus.conf`, "--nofork", "--nopidfile");
    await eventually("the bus", () => machine.try("test", "-S", "/run/dbus/system_bus_socket").status === 0);
    machine.serve("/lib/systemd/systemd-networkd");
    await eventually("networkd", () => machine.try("networkctl", "--json=short", "list").stdout.includes("lo"));
    const program = `${here}/supervisor.ts`;
    const box = new Box(
      machine,
      machine.start(process.execPath, "--import", import.meta.resolve("tsx"), program, folder, JSON.stringify(config)),
    );
    await eventually("the supervisor", () => box.told.includes("started"));
    return box;
  }

  /** Has the supervisor do something; see there. */
  async ask<T>(order: Record<string, unknown>): Promise<T> {
    assert(this.#child.stdin !== null);
    const answer = new Promise<unknown>((done) => this.#answers.push(done));
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
    return (await answer) as T;
  }

  /** IPv4 addresses of a port as the kernel has them, with the length of the prefix. */
  addresses(port: string): string[] {
    const list = JSON.parse(this.machine.run("ip", "-j", "-4", "address", "show", "dev", port)) as {
      addr_info?: { local: string; prefixlen: number }[];
    }[];
    return list.flatMap((one) => (one.addr_info ?? []).map(({ local, prefixlen }) => `${local}/${prefixlen}`));
  }
}
