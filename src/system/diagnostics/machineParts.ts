/** Parts of the diagnostics bundle that tell of the machine: what the kernel says, and our own processes. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import systeminformation from "systeminformation";
import type { RunCommand } from "../command.ts";
import { type DiagnosticsPart, jsonPart } from "./diagnostics.ts";

/** Files of the kernel, each a part of its own: they cost nothing, and tell of memory, load, network and pressure. */
const PROC = [
  ...[
    "cmdline",
    "cpuinfo",
    "interrupts",
    "loadavg",
    "meminfo",
    "modules",
    "mounts",
    "net/dev",
    "net/igmp",
    "net/route",
  ],
  ...["net/snmp", "net/softnet_stat", "net/udp", "pressure/cpu", "pressure/io", "pressure/memory", "softirqs", "stat"],
  ...["swaps", "sys/kernel/tainted", "uptime", "version", "vmstat"],
];

/** Most of one file of the kernel, bytes. */
const PROC_MAX = 256 * 1024;

export interface MachinePartsOptions {
  run: RunCommand;
  proc?: string;
  facts?: Pick<typeof systeminformation, "cpu" | "fsSize" | "mem" | "networkInterfaces" | "osInfo" | "system">;
}

export function machineParts({
  run,
  proc = "/proc",
  facts = systeminformation,
}: MachinePartsOptions): DiagnosticsPart[] {
  return [
    jsonPart("machine/system.json", async () => {
      const [system, os, cpu, memory, disks, network] = await Promise.all([
        facts.system(),
        facts.osInfo(),
        facts.cpu(),
        facts.mem(),
        facts.fsSize(),
        facts.networkInterfaces(),
      ]);
      return { system, os, cpu, memory, disks, network };
    }),
    jsonPart("machine/processes.json", () => ownProcesses(proc)),
    { name: "machine/kernel-messages.txt", content: () => output(run, "dmesg", []) },
    { name: "machine/failed-units.txt", content: () => output(run, "systemctl", ["--no-pager", "--failed"]) },
    ...PROC.map(
      (path): DiagnosticsPart => ({
        name: `proc/${path.replaceAll("/", "-")}.txt`,
        content: async () => (await readFile(join(proc, path))).subarray(0, PROC_MAX),
      }),
    ),
  ];
}

async function output(run: RunCommand, program: string, args: readonly string[]): Promise<string> {
  const result = await run(program, args, { timeoutMs: 8000, outputMax: 1024 * 1024 });
  if (!result.ok) throw new Error(result.why);
  return result.stdout;
}

interface OwnProcess {
  pid: number;
  parent: number;
  state: string;
  threads: number;
  /** Jiffies of user and kernel time. */
  cpu: [number, number];
  /** Pages in memory. */
  resident: number;
  command: string;
}

/** The supervisor, what it has started, and the media processes, which may have another parent. */
export async function ownProcesses(proc = "/proc", pid = process.pid): Promise<OwnProcess[]> {
  const pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = (await Promise.all(pids.map((each) => readProcess(proc, each)))).filter((each) => each !== undefined);
  const ours = new Set([pid]);
  for (let before = 0; before !== ours.size; ) {
    before = ours.size;
    for (const each of all) if (ours.has(each.parent) || isMedia(each.command)) ours.add(each.pid);
  }
  return all.filter((each) => ours.has(each.pid));
}

function isMedia(command: string): boolean {
  return /^\S*\/(encode|transmit|output)\/\1( |$)/.test(command);
}

/** proc(5): the name in `stat` may hold anything, so what follows its last bracket counts. */
async function readProcess(proc: string, pid: number): Promise<OwnProcess | undefined> {
  try {
    const stat = await readFile(join(proc, String(pid), "stat"), "utf8");
    const command = await readFile(join(proc, String(pid), "cmdline"), "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const number = (n: number) => Number(fields[n - 3]);
    return {
      ...{ pid, parent: number(4), state: fields[0] ?? "", threads: number(20) },
      ...{ cpu: [number(14), number(15)], resident: number(24) },
      command: command.replaceAll("\0", " ").trim().slice(0, 1000),
    };
  } catch {
    // It has just ended.
    return undefined;
  }
}
