/**
 * The machine under the product: cores, memory, storage, network. The box shall hardly notice that it is watched, so
 * that nothing here starts a process except for the list of file systems, which is read rarely: cores and network come
 * straight from the kernel, because systeminformation runs a shell for each of them.
 */
import { readdir, readFile } from "node:fs/promises";
import { loadavg, uptime } from "node:os";
import { join } from "node:path";
import systeminformation from "systeminformation";
import type { Clock } from "../ports.ts";
import type { MachineReadings, NetworkReading, StorageReading, WearReading } from "./readings.ts";

/** Storage fills and wears slowly: read this often, ms. */
const STORAGE_INTERVAL = 10 * 60_000;
/** More interfaces than any box has. */
const MOST_INTERFACES = 32;

export interface MachineOptions {
  clock: Clock;
  /** Where the kernel's file systems are. */
  proc?: string;
  sys?: string;
  /** What systeminformation tells. */
  facts?: Facts;
}

export interface Facts {
  mem(): Promise<{ total: number; available: number }>;
  fsSize(): Promise<{ mount: string; size: number; used: number; available: number }[]>;
}

interface Ticks {
  all: number;
  idle: number;
}

export class Machine {
  readonly #clock: Clock;
  readonly #proc: string;
  readonly #sys: string;
  readonly #facts: Facts;
  #ticks: Ticks[] = [];
  #counters = new Map<string, Counters>();
  #countedAt = 0;
  #storage: StorageReading[] = [];
  #wear: WearReading[] = [];
  #storageAt: number | undefined;
  #storageBusy = false;

  constructor({ clock, proc = "/proc", sys = "/sys", facts = systeminformation }: MachineOptions) {
    this.#clock = clock;
    this.#proc = proc;
    this.#sys = sys;
    this.#facts = facts;
  }

  /** Rates and loads are those since the call before. Never throws: what cannot be read is null or left out. */
  async read(): Promise<MachineReadings> {
    const now = this.#clock.now();
    if (this.#storageAt === undefined || now - this.#storageAt >= STORAGE_INTERVAL) await this.#readStorage(now);
    const [cpu, memory, network] = await Promise.all([this.#cpu(), this.#memory(), this.#network(now)]);
    const [one = 0, five = 0, fifteen = 0] = loadavg();
    return {
      cpu,
      load: [one, five, fifteen],
      memory,
      uptime: Math.round(uptime()),
      storage: this.#storage,
      wear: this.#wear,
      network,
    };
  }

  /** From /proc/stat, proc(5). */
  async #cpu(): Promise<MachineReadings["cpu"]> {
    const text = await contents(join(this.#proc, "stat"));
    const ticks = [...(text ?? "").matchAll(/^cpu\d* +(.*)$/gm)].map(([, columns = ""]) => ticksOf(columns));
    const before = this.#ticks;
    this.#ticks = ticks;
    // The first line is all cores together. Cores come and go where they can be switched off.
    if (ticks.length === 0 || before.length !== ticks.length) return null;
    const [total = 0, ...cores] = ticks.map((now, i) => busyPart(now, before[i] ?? now));
    return { total, cores };
  }

  async #memory(): Promise<MachineReadings["memory"]> {
    const found = await this.#facts.mem().catch(() => undefined);
    return found === undefined ? null : { total: found.total, available: found.available };
  }

  /** From /proc/net/dev, proc(5), and /sys/class/net. */
  async #network(now: number): Promise<NetworkReading[]> {
    const counters = countersOf((await contents(join(this.#proc, "net", "dev"))) ?? "");
    const before = this.#counters;
    const seconds = (now - this.#countedAt) / 1000;
    this.#counters = counters;
    this.#countedAt = now;
    const rate = (later: number, earlier: number | undefined) =>
      // A counter that went back is one of an interface that was made anew.
      earlier === undefined || later < earlier || seconds <= 0 ? null : Math.round(((later - earlier) * 8) / seconds);
    return Promise.all(
      [...counters].slice(0, MOST_INTERFACES).map(async ([name, c]) => {
        const state = (await contents(join(this.#sys, "class/net", name, "operstate")))?.trim() ?? "unknown";
        // The kernel gives Mbit/s, -1 where the driver does not know.
        const speed = state === "up" ? Number(await contents(join(this.#sys, "class/net", name, "speed"))) : 0;
        return {
          name,
          state,
          speed: speed > 0 ? speed * 1e6 : null,
          receiveRate: rate(c.received, before.get(name)?.received),
          sendRate: rate(c.sent, before.get(name)?.sent),
          receiveErrors: c.receiveErrors,
          sendErrors: c.sendErrors,
          receiveDropped: c.receiveDropped,
          sendDropped: c.sendDropped,
        };
      }),
    );
  }

  async #readStorage(now: number): Promise<void> {
    this.#storageAt = now;
    this.#wear = await wearOf(this.#sys);
    if (this.#storageBusy) return;
    // A file system that hangs keeps its list back, and nothing else.
    this.#storageBusy = true;
    void this.#facts
      .fsSize()
      .then((list) => {
        this.#storage = list.map(({ mount, size, used, available }) => ({ path: mount, size, used, available }));
      })
      .catch(() => {
        this.#storage = [];
      })
      .finally(() => {
        this.#storageBusy = false;
      });
  }
}

interface Counters {
  received: number;
  receiveErrors: number;
  receiveDropped: number;
  sent: number;
  sendErrors: number;
  sendDropped: number;
}

async function contents(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

/** Columns: user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user already. */
function ticksOf(columns: string): Ticks {
  const numbers = columns.split(" ").slice(0, 8).map(Number);
  return { all: numbers.reduce((sum, n) => sum + n, 0), idle: (numbers[3] ?? 0) + (numbers[4] ?? 0) };
}

/** % with one decimal. The kernel's idle time may go back a little. */
function busyPart(now: Ticks, before: Ticks): number {
  const all = now.all - before.all;
  if (all <= 0) return 0;
  return Math.min(100, Math.max(0, Math.round(1000 * (1 - (now.idle - before.idle) / all)) / 10));
}

function countersOf(text: string): Map<string, Counters> {
  const found = new Map<string, Counters>();
  for (const [, name = "", columns = ""] of text.matchAll(/^\s*([^\s|]+):\s*(\d.*)$/gm)) {
    if (name === "lo") continue;
    const n = columns.trim().split(/\s+/).map(Number);
    found.set(name, {
      received: n[0] ?? 0,
      receiveErrors: n[2] ?? 0,
      receiveDropped: n[3] ?? 0,
      sent: n[8] ?? 0,
      sendErrors: n[10] ?? 0,
      sendDropped: n[11] ?? 0,
    });
  }
  return found;
}

/** Wear of the machine's eMMCs; SD cards tell none. */
async function wearOf(sys: string): Promise<WearReading[]> {
  const found: WearReading[] = [];
  const hosts = join(sys, "class/mmc_host");
  for (const host of await names(hosts)) {
    for (const device of (await names(join(hosts, host))).filter((name) => name.startsWith(`${host}:`))) {
      const file = async (name: string) => (await contents(join(hosts, host, device, name)))?.trim() ?? "";
      // Estimates for both kinds of its memory: 1 is up to 10 % used, … 11 is more than all; 0 is not told.
      const worst = Math.max(...(await file("life_time")).split(/\s+/).map(Number));
      if (!(worst >= 1 && worst <= 11)) continue;
      const spare = ([null, "normal", "warning", "urgent"] as const)[Number(await file("pre_eol_info"))];
      found.push({ device, lifeUsed: worst * 10, spare: spare ?? null });
    }
  }
  return found;
}

async function names(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}
