/**
 * The slots of a box on a PC: real bundles are checked as on the box, and "installed" into the data folder. A restart starts
 * the box in this process again, with the slots as the boot script would choose.
 */
import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { access, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { DurableJsonFile, type StoreProblem } from "../config/durableFile.ts";
import type { RunCommand } from "../system/command.ts";
import { inspectBundle } from "./bundle/inspect.ts";
import { firstOf } from "./rauc/bootState.ts";
import { failed } from "./results.ts";
import type { Evidence, Inspection, InstallOrder, Outcome, Reading, SlotReading, Slots, Tell } from "./slots.ts";
import { type SlotName, slotNames } from "./status.ts";

/** As the emulated box has it, bytes. */
const CAPACITY = 768 * 1024 * 1024;

const slotName = z.enum(slotNames);
const content = z.object({
  version: z.string(),
  build: z.string(),
  installed: z.string().nullable(),
  whole: z.boolean(),
});
const state = z.object({
  running: slotName,
  order: z.array(slotName),
  left: z.object({ A: z.number(), B: z.number() }),
  slots: z.object({ A: content.nullable(), B: content.nullable() }),
});
type State = z.infer<typeof state>;

export interface VirtualSlotsOptions {
  /** Of the data partition. */
  folder: string;
  run: RunCommand;
  /** Of this program. */
  version: string;
  compatible?: string;
  /** Of those whose bundles are taken, PEM. */
  keyring: string;
  /** Starts the box again. */
  restart(reason: string): void;
  report(problem: StoreProblem): void;
  capacity?: number;
}

export class VirtualSlots implements Slots {
  readonly #options: VirtualSlotsOptions;
  readonly #folder: string;
  readonly #file: DurableJsonFile<State>;
  /** Each start of the box is a boot. */
  readonly #boot = randomUUID();
  #revision = 0;
  #state: State | undefined;

  constructor(options: VirtualSlotsOptions) {
    this.#options = options;
    this.#folder = join(options.folder, "virtual-slots");
    this.#file = new DurableJsonFile<State>({
      ...{ folder: this.#folder, name: "slots", report: options.report },
      check: (document) => {
        const parsed = state.safeParse(document);
        return parsed.success ? { ok: true, document: parsed.data } : { ok: false, what: "is no state of slots" };
      },
    });
  }

  async refusal(): Promise<string> {
    const { run, keyring } = this.#options;
    const rauc = await run("rauc", ["--version"]);
    if (!rauc.ok) return "The program rauc, which checks bundles, is not on this machine";
    const readable = await access(keyring, constants.R_OK).then(
      () => true,
      () => false,
    );
    return readable ? "" : `There is no keyring ${keyring} (scripts/image/keys makes one for development)`;
  }

  async release(): Promise<{ version: string; build: string }> {
    const { running, slots } = await this.#loaded();
    const { version = "", build = "" } = slots[running] ?? {};
    return { version, build };
  }

  async read(): Promise<Reading | null> {
    const { running, order, left, slots } = await this.#loaded();
    const next = firstOf({ order, left });
    const found = slotNames.map((name): SlotReading => {
      const inside = slots[name];
      return {
        ...{ name, running: name === running, next: name === next, listed: order.includes(name) },
        attemptsLeft: left[name],
        content: inside === null ? "empty" : inside.whole ? "whole" : "part",
        version: inside?.version ?? "",
        build: inside?.build ?? "",
        installed: inside?.installed ?? null,
      };
    });
    return { boot: this.#boot, slots: found };
  }

  async capacity(): Promise<number> {
    return this.#options.capacity ?? CAPACITY;
  }

  async inspect(file: string, tell: Tell, signal: AbortSignal): Promise<Inspection> {
    const { run, keyring, compatible = "steadycast-qemu-aarch64" } = this.#options;
    await mkdir(this.#folder, { recursive: true });
    const conf = join(this.#folder, "rauc.conf");
    await writeFile(conf, raucConf(compatible, keyring));
    return await inspectBundle(file, { run, conf, compatible, capacity: await this.capacity() }, tell, signal);
  }

  async install(order: InstallOrder, tell: Tell): Promise<Outcome> {
    const { running } = await this.#loaded();
    const target = running === "A" ? "B" : "A";
    const { version, build } = order;
    const slots = (whole: boolean) => {
      const installed = whole ? new Date().toISOString() : null;
      return { ...(this.#state as State).slots, [target]: { version, build, installed, whole } };
    };
    await this.#change({ order: [running], left: { ...this.#left, [target]: 0 }, slots: slots(false) });
    tell(null, `Copying the bundle to slot ${target}`);
    try {
      await copyFile(order.file, join(this.#folder, `slot-${target.toLowerCase()}.raucb`));
    } catch (error) {
      return failed(error);
    }
    await this.#change({ slots: slots(true) });
    return { ok: true };
  }

  async isInstalling(): Promise<boolean> {
    return false;
  }

  async follow(): Promise<Outcome> {
    return { ok: false, why: "Nothing is being installed" };
  }

  async activate(slot: SlotName): Promise<Outcome> {
    const { order } = await this.#loaded();
    await this.#change({
      order: [slot, ...order.filter((name) => name !== slot)],
      left: { ...this.#left, [slot]: 3 },
    });
    return { ok: true };
  }

  async restart(reason: string): Promise<Outcome> {
    this.#options.restart(reason);
    return { ok: true };
  }

  /** What runs here has proved itself by coming so far. */
  async evidence(): Promise<Evidence> {
    return { good: true, givenUp: [] };
  }

  get #left(): State["left"] {
    return (this.#state as State).left;
  }

  async #loaded(): Promise<State> {
    if (this.#state !== undefined) return this.#state;
    const stored = await this.#file.read();
    this.#revision = stored?.revision ?? 0;
    const first = { version: this.#options.version, build: "", installed: null, whole: true };
    const found = stored?.document ?? {
      ...{ running: "A" as const, order: ["A" as const], left: { A: 3, B: 0 }, slots: { A: first, B: null } },
    };
    // As the boot script chooses.
    const running = firstOf(found) ?? found.running;
    this.#state ??= { ...found, running };
    return this.#state;
  }

  async #change(change: Partial<State>): Promise<void> {
    const document = { ...(await this.#loaded()), ...change };
    this.#state = document;
    await this.#file.write({ revision: ++this.#revision, saved: new Date().toISOString(), document });
  }
}

function raucConf(compatible: string, keyring: string): string {
  return [
    ...["[system]", `compatible=${compatible}`, "bootloader=noop", "bundle-formats=-plain"],
    ...["[keyring]", `path=${keyring}`, "check-purpose=codesign", "use-bundle-signing-time=true", ""],
  ].join("\n");
}
