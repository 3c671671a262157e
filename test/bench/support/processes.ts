/** What processes use, from /proc. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** USER_HZ, which is 100 on every architecture that Linux runs on here. */
const TICKS_PER_S = 100;

function fields(pid: number | "self", file: string): Map<string, string> {
  const lines = readFileSync(`/proc/${pid}/${file}`, "utf8").split("\n");
  return new Map(lines.map((line) => [line.split(":")[0] ?? "", line.slice(line.indexOf(":") + 1).trim()]));
}

function kilobytes(pid: number, file: string, field: string): number {
  const value = fields(pid, file).get(field);
  if (value === undefined) throw new Error(`/proc/${pid}/${file} has no ${field}`);
  return Number.parseInt(value, 10);
}

/** Its part of the memory: pages that n processes share count 1/n each. kB. */
export function proportionalMemory(pid: number): number {
  return kilobytes(pid, "smaps_rollup", "Pss");
}

/** Resident memory in kB, open files and threads. */
export function resources(pid: number): { rss: number; fds: number; threads: number } {
  return {
    rss: kilobytes(pid, "status", "VmRSS"),
    fds: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
  };
}

/** Processor time so far: of the whole process in ticks of 10 ms, and of each of its threads in ns. */
interface ProcessorTime {
  seconds: number;
  threads: Map<string, number>;
}

function processorTime(pid: number): ProcessorTime {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const seconds = (Number(words[11]) + Number(words[12])) / TICKS_PER_S;
  const threads = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [ns] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    threads.set(thread, Number(ns));
  }
  return { seconds, threads };
}

/** Exact while the threads stay the same; else the kernel's sum, which has those that ended but only every 10 ms. */
function difference(before: ProcessorTime, after: ProcessorTime): number {
  const same =
    before.threads.size === after.threads.size && [...before.threads.keys()].every((id) => after.threads.has(id));
  if (!same) return after.seconds - before.seconds;
  const sum = (threads: Map<string, number>) => [...threads.values()].reduce((total, ns) => total + ns, 0);
  return (sum(after.threads) - sum(before.threads)) / 1e9;
}

/** Measures for `seconds`: % of one core that each of these processes uses. */
export async function processorLoad(pids: readonly number[], seconds: number): Promise<number[]> {
  const began = performance.now();
  const before = pids.map(processorTime);
  await sleep(seconds * 1000);
  const after = pids.map(processorTime);
  const passed = (performance.now() - began) / 1000;
  return after.map((time, i) => (100 * difference(before[i] as ProcessorTime, time)) / passed);
}

/** Seconds that all cores together have worked and that the hypervisor took away, since the machine started. */
export function machineTime(): { busy: number; stolen: number } {
  const [, user, nice, system, , , irq, softIrq, steal] = (readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "")
    .split(/ +/)
    .map(Number) as number[];
  const sum = (...ticks: (number | undefined)[]) => ticks.reduce<number>((total, each) => total + (each ?? 0), 0);
  return { busy: sum(user, nice, system, irq, softIrq) / TICKS_PER_S, stolen: sum(steal) / TICKS_PER_S };
}
