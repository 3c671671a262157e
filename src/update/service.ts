/**
 * The firmware of the box: bundles are received, checked, installed to the slot that does not run, and started when that is
 * wanted. One piece of work at a time. What is under way is remembered, so that a power cut at any moment is told, and
 * leaves either the old firmware or the new one.
 */
import type { Bus } from "../bus.ts";
import type { StoreProblem } from "../config/durableFile.ts";
import type { FilePort } from "../config/files.ts";
import { systemTimers, type Timers } from "../config/timers.ts";
import type { Fault } from "../system/fault.ts";
import { Activations } from "./activations.ts";
import { BundleStore } from "./bundle/store.ts";
import { Bundles } from "./bundles.ts";
import { Desk } from "./desk.ts";
import { type Findings, settle } from "./findings.ts";
import { Installations, type InstallWish } from "./installations.ts";
import { FirmwareMemory } from "./memory.ts";
import { inWords, type Taken } from "./results.ts";
import type { Slots } from "./slots.ts";
import type { FirmwareEvent, FirmwareStatus, SlotName } from "./status.ts";

export interface UpdateServiceOptions {
  slots: Slots;
  bus: Bus;
  /** Of the data partition. */
  folder: string;
  /** Where USB sticks are mounted. */
  usb: string;
  timers?: Timers;
  now?(): Date;
  files?: FilePort;
  store?: BundleStore;
}

/** How often it is looked whether an activation is due, and whether the firmware has been found good, ms. */
const LOOK_MS = 5000;

export class UpdateService {
  readonly bundles: Bundles;
  readonly activations: Activations;
  readonly #installations: Installations;
  readonly #desk: Desk;
  readonly #timers: Timers;
  #looking: Promise<void> = Promise.resolve();
  #cancelLook = () => {};

  constructor({
    slots,
    bus,
    folder,
    usb,
    timers = systemTimers,
    now = () => new Date(),
    files,
    store,
  }: UpdateServiceOptions) {
    this.#timers = timers;
    const report = ({ file, what, action }: StoreProblem) => desk.log("warning", `${file} ${what}: ${action}`);
    const memory = new FirmwareMemory({ folder, report, files });
    const desk = new Desk({ slots, bus, timers, memory, now });
    this.#desk = desk;
    const bundleStore =
      store ?? new BundleStore({ folder: `${folder}/firmware`, ...(files === undefined ? {} : { files }) });
    this.bundles = new Bundles(desk, bundleStore, usb);
    this.activations = new Activations(desk);
    this.#installations = new Installations(desk, this.bundles, this.activations);
  }

  /** Finds out what runs, what was interrupted, and what has become of what was ordered. Never rejects. */
  async start(): Promise<void> {
    this.#desk.open();
    await this.#desk.memory.start();
    await this.bundles.start();
    await this.#desk.read();
    await this.#settle();
    const { work } = this.#desk.memory.current;
    if (work?.what === "receive") await this.bundles.interrupted(work.who);
    if (work?.what === "install") await this.#installations.resume(work);
    this.#look();
    this.#desk.changed();
  }

  /** Ends what is being received; an installation goes on without us. */
  async stop(): Promise<void> {
    this.#desk.close();
    this.#cancelLook();
    await this.bundles.stop();
    await this.#looking;
  }

  status(): FirmwareStatus {
    return this.#desk.status();
  }

  /** As `status`, with slots that have just been looked at. */
  async look(): Promise<FirmwareStatus> {
    return await this.#desk.look();
  }

  /** Newest first. */
  history(): FirmwareEvent[] {
    return [...this.#desk.memory.current.events].reverse();
  }

  faults(): Fault[] {
    const { fault } = this.#desk.memory.current;
    return fault === null ? [] : [{ id: "firmware:given-up", severity: "warning", ...fault }];
  }

  /** The slot that runs; undefined where there are none. */
  get slot(): SlotName | undefined {
    return this.#desk.running;
  }

  /** Installs the bundle at hand in the background. */
  async install(wish: InstallWish, who: string): Promise<Taken> {
    return await this.#installations.install(wish, who);
  }

  #look(): void {
    this.#cancelLook = this.#timers.after(LOOK_MS, () => {
      this.#looking = this.activations
        .due()
        .then(() => this.#findGood())
        .catch((error: unknown) => this.#desk.log("error", inWords(error)))
        .finally(() => {
          if (this.#desk.isOpen) this.#look();
        });
    });
  }

  async #settle(): Promise<void> {
    const { slots, memory, reading, release, now } = this.#desk;
    const evidence = await slots.evidence().catch(() => ({ good: false, givenUp: [] }));
    const found: Findings | undefined = settle({
      ...{ reading, evidence, memory: memory.current, release, now: now().toISOString() },
    });
    if (found === undefined) return;
    for (const { what, version, slot, detail } of found.events) {
      const level = what === "given-up" ? "error" : "info";
      this.#desk.log(level, `${what}: ${version} in slot ${slot ?? "?"} ${detail}`.trim());
    }
    // A slot that cannot even be loaded would be tried at each boot.
    if (found.settleOn !== undefined) {
      await slots.activate(found.settleOn).catch(() => {});
      await this.#desk.read();
    }
    await memory.change(found.change, ...found.events);
    this.#desk.changed();
  }

  async #findGood(): Promise<void> {
    const { slots, memory, running } = this.#desk;
    if (running === undefined || memory.current.slots[running]?.state === "good") return;
    const { good } = await slots.evidence();
    if (!good) return;
    await this.#desk.read();
    await this.#settle();
  }
}
