/** The slots of the box: RAUC writes and marks them, U-Boot's boot script starts them. */
import { open, readdir, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { systemTimers, type Timers } from "../../config/timers.ts";
import type { RunCommand } from "../../system/command.ts";
import { inspectBundle, sectionsOf } from "../bundle/inspect.ts";
import type { Evidence, Inspection, InstallOrder, Outcome, Reading, SlotReading, Slots, Tell } from "../slots.ts";
import { type SlotName, slotNames } from "../status.ts";
import { type BootState, firstOf, parseBootState, STATE_SIZE } from "./bootState.ts";
import { RaucClient, type RaucSlot, type RaucStatus } from "./client.ts";

export interface RaucPaths {
  conf: string;
  osRelease: string;
  /** Links to the partitions by their names. */
  partitions: string;
  /** What the kernel tells of block devices. */
  sysBlock: string;
  /** What udev has found on block devices. */
  udevData: string;
  bootId: string;
  /** The kernel's command line. */
  commandLine: string;
  /** Where the health gate leaves what it has found. */
  record: string;
  /** Between us and RAUC's handler. */
  told: string;
}

export const RAUC_PATHS: RaucPaths = {
  conf: "/etc/rauc/system.conf",
  osRelease: "/usr/lib/os-release",
  partitions: "/dev/disk/by-partlabel",
  sysBlock: "/sys/class/block",
  udevData: "/run/udev/data",
  bootId: "/proc/sys/kernel/random/boot_id",
  commandLine: "/proc/cmdline",
  record: "/data/system/slots",
  told: "/run/steadycast-update",
};

export interface RaucSlotsOptions {
  run: RunCommand;
  restart(reason: string): Promise<Outcome>;
  paths?: RaucPaths;
  timers?: Timers;
}

const LOOK_MS = 1000;
const FRESH_MS = 500;
const SECTOR = 512;
const PARTITIONS: Record<SlotName, string> = { A: "slot-a", B: "slot-b" };

export class RaucSlots implements Slots {
  readonly #run: RunCommand;
  readonly #client: RaucClient;
  readonly #paths: RaucPaths;
  readonly #timers: Timers;
  readonly #restart: RaucSlotsOptions["restart"];
  /** As RAUC told it last. */
  #known: RaucStatus | undefined;
  #knownAt = Number.NEGATIVE_INFINITY;

  constructor({ run, restart, paths = RAUC_PATHS, timers = systemTimers }: RaucSlotsOptions) {
    this.#run = run;
    this.#paths = paths;
    this.#timers = timers;
    this.#restart = restart;
    this.#client = new RaucClient(run, paths.conf === RAUC_PATHS.conf ? undefined : paths.conf);
  }

  async refusal(): Promise<string> {
    // What has just been read need not be asked again.
    const isFresh = this.#timers.now() - this.#knownAt < FRESH_MS;
    const status = isFresh && this.#known !== undefined ? this.#known : await this.#status();
    if ("failed" in status) return `RAUC, which installs firmware, does not answer: ${status.failed}`;
    return status.booted === null ? "This system was not started from a slot" : "";
  }

  async release(): Promise<{ version: string; build: string }> {
    const text = await readFile(this.#paths.osRelease, "utf8").catch(() => "");
    const value = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1] ?? "";
    return { version: value("VERSION_ID"), build: value("BUILD_ID") };
  }

  async read(): Promise<Reading | null> {
    const status = await this.#status();
    if ("failed" in status || status.booted === null || status.slots.length !== 2) return null;
    const boot = (await readFile(this.#paths.bootId, "utf8").catch(() => "")).trim();
    const state = await this.#bootState();
    const slots: SlotReading[] = [];
    for (const slot of status.slots) slots.push(await this.#reading(slot, status, state));
    return { boot, slots };
  }

  async capacity(): Promise<number> {
    const size = await readFile(join(await this.#sysOf("A"), "size"), "utf8");
    return Number(size) * SECTOR;
  }

  async inspect(file: string, tell: Tell, signal: AbortSignal): Promise<Inspection> {
    const { conf } = this.#paths;
    const text = await readFile(conf, "utf8").catch(() => "");
    const compatible = sectionsOf(text).get("system")?.get("compatible") ?? "";
    const options = { run: this.#run, conf, compatible, capacity: await this.capacity() };
    return await inspectBundle(file, options, tell, signal);
  }

  async install(order: InstallOrder, tell: Tell): Promise<Outcome> {
    const { told } = this.#paths;
    const leave = join(told, "downgrade");
    await rm(join(told, "refused"), { force: true }).catch(() => {});
    const before = (await this.#other())?.slot_status?.installed;
    try {
      if (order.downgrade) await writeFile(leave, "");
      const begun = await this.#client.install(order.file);
      if (!begun.ok) return begun;
      const done = await this.follow(order, tell);
      const after = (await this.#other())?.slot_status?.installed;
      if (done.ok && before != null && before.timestamp === after?.timestamp && before.count === after.count) {
        return { ok: false, why: "RAUC ended before it had written anything" };
      }
      return done;
    } finally {
      await rm(leave, { force: true }).catch(() => {});
    }
  }

  async isInstalling(): Promise<boolean> {
    const work = await this.#client.work();
    return "installing" in work && work.installing;
  }

  async follow({ version, size }: Omit<InstallOrder, "file">, tell: Tell): Promise<Outcome> {
    const target = await this.#other();
    const written = target === undefined ? async () => 0 : await this.#writtenSince(target.name);
    for (let failures = 0; ; ) {
      const work = await this.#client.work();
      if ("failed" in work) {
        if (++failures > 10) return { ok: false, why: `RAUC does not answer any more: ${work.failed}` };
      } else if (work.installing) {
        failures = 0;
        // RAUC 1.8 does not tell how far the copying is; the kernel tells what it has written.
        const percent = Math.min(99, Math.floor(((await written()) / size) * 100));
        tell(percent > 0 ? percent : null, work.step === "" ? "Installing" : work.step);
      } else if (work.lastError !== "") return { ok: false, why: await this.#reason(work.lastError) };
      else break;
      await new Promise<void>((resolve) => this.#timers.after(LOOK_MS, resolve));
    }
    // A service that was started anew has no error to tell: what counts is what it has noted of the slot.
    const found = (await this.#other())?.slot_status;
    if (found?.status === "ok" && found.bundle?.version === version) return { ok: true };
    return { ok: false, why: await this.#reason("RAUC ended before all was written") };
  }

  async activate(slot: SlotName): Promise<Outcome> {
    const status = await this.#status();
    if ("failed" in status) return { ok: false, why: status.failed };
    const id = status.slots.find(({ name }) => name === slot)?.id;
    if (id === undefined) return { ok: false, why: `There is no slot ${slot}` };
    return await this.#client.activate(id);
  }

  async restart(reason: string): Promise<Outcome> {
    return await this.#restart(reason);
  }

  async evidence(): Promise<Evidence> {
    const { record } = this.#paths;
    const { build } = await this.release();
    const names = await readdir(record).catch((): string[] => []);
    const text = await readFile(join(record, "given-up"), "utf8").catch(() => "");
    const givenUp = text.split("\n").flatMap((line) => {
      const [at = "", version = "", why = ""] = line.split("\t");
      return why === "" || Number.isNaN(Date.parse(at)) ? [] : [{ at: new Date(at).toISOString(), version, why }];
    });
    return { good: build !== "" && names.includes(`good-${build}`), givenUp };
  }

  /** RAUC tells nothing of its slots while it installs: then what is known without it. */
  async #status(): Promise<RaucStatus | { failed: string }> {
    const status = await this.#client.status();
    if (!("failed" in status)) {
      this.#known = status;
      this.#knownAt = this.#timers.now();
      return status;
    }
    if (!(await this.isInstalling())) return status;
    const line = await readFile(this.#paths.commandLine, "utf8").catch(() => "");
    const booted = /(?:^|\s)rauc\.slot=([AB])(?:\s|$)/.exec(line)?.[1] as SlotName | undefined;
    const known: RaucStatus = this.#known ?? {
      ...{ booted: booted ?? null, primary: null },
      slots: slotNames.map((name, i) => ({
        ...{ id: `rootfs.${i}`, name, bootname: name, boot_status: null },
        state: name === booted ? "booted" : "inactive",
      })),
    };
    const slots = known.slots.map((slot) =>
      slot.name === known.booted ? slot : { ...slot, slot_status: { ...slot.slot_status, status: "installing" } },
    );
    return { ...known, slots };
  }

  async #other(): Promise<RaucSlot | undefined> {
    const status = await this.#status();
    return "failed" in status ? undefined : status.slots.find(({ name }) => name !== status.booted);
  }

  async #reading(slot: RaucSlot, status: RaucStatus, state: BootState | undefined): Promise<SlotReading> {
    const { name, slot_status: noted } = slot;
    const running = name === status.booted;
    const isNext = state === undefined ? slot.id === status.primary : firstOf(state) === name;
    const release = running ? await this.release() : undefined;
    const isNoted = noted?.status != null;
    const isWhole = running || (isNoted ? noted.status === "ok" : await this.#hasFileSystem(name));
    return {
      ...{ name, running, next: isNext },
      listed: state === undefined ? slot.boot_status === "good" : state.order.includes(name),
      attemptsLeft: state === undefined ? (slot.boot_status === "good" ? 3 : 0) : state.left[name],
      content: isWhole ? "whole" : isNoted ? "part" : "empty",
      version: release?.version ?? noted?.bundle?.version ?? "",
      build: release?.build ?? noted?.bundle?.build ?? "",
      installed: timeOf(noted?.installed?.timestamp),
    };
  }

  async #bootState(): Promise<BootState | undefined> {
    try {
      const file = await open(join(this.#paths.partitions, "bootstate"), "r");
      try {
        const sector = Buffer.alloc(STATE_SIZE);
        await file.read(sector, 0, STATE_SIZE, 0);
        return parseBootState(sector);
      } finally {
        await file.close();
      }
    } catch {
      return undefined;
    }
  }

  /** What was never installed by RAUC came from the factory, or is empty. */
  async #hasFileSystem(name: SlotName): Promise<boolean> {
    try {
      const { rdev } = await stat(join(this.#paths.partitions, PARTITIONS[name]));
      const [major, minor] = [(rdev >> 8) & 0xfff, (rdev & 0xff) | ((rdev >> 12) & 0xfff00)];
      const found = await readFile(join(this.#paths.udevData, `b${major}:${minor}`), "utf8");
      return /^E:ID_FS_TYPE=./m.test(found);
    } catch {
      return false;
    }
  }

  async #sysOf(name: SlotName): Promise<string> {
    const device = await realpath(join(this.#paths.partitions, PARTITIONS[name]));
    return join(this.#paths.sysBlock, basename(device));
  }

  /** Tells the bytes that the medium has taken for this slot from now on. */
  async #writtenSince(name: SlotName): Promise<() => Promise<number>> {
    const path = join(await this.#sysOf(name).catch(() => ""), "stat");
    // The seventh figure: sectors written (Documentation/block/stat.rst).
    const written = async (): Promise<number> => {
      const text = await readFile(path, "utf8").catch(() => "");
      return Number(text.trim().split(/\s+/)[6] ?? 0) * SECTOR;
    };
    const before = await written();
    return async () => (await written()) - before;
  }

  /** RAUC says only that its handler has refused; the handler has left the reason. */
  async #reason(said: string): Promise<string> {
    const refused = await readFile(join(this.#paths.told, "refused"), "utf8").catch(() => "");
    return refused.trim() === "" ? said : refused.trim();
  }
}

function timeOf(text: string | undefined): string | null {
  if (text === undefined || Number.isNaN(Date.parse(text))) return null;
  return new Date(text).toISOString();
}
