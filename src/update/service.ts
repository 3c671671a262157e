/**
 * The firmware of the box: bundles are received, checked, installed to the slot that does not run, and started when that is
 * wanted. One piece of work at a time. What is under way is remembered, so that a power cut at any moment is told, and
 * leaves either the old firmware or the new one.
 */
import { createReadStream } from "node:fs";
import type { Bus } from "../bus.ts";
import type { StoreProblem } from "../config/durableFile.ts";
import type { FilePort } from "../config/files.ts";
import { systemTimers, type Timers } from "../config/timers.ts";
import type { Fault } from "../system/fault.ts";
import { isWeb, nameOf, openUrl } from "./bundle/fetching.ts";
import { BundleStore, type Received } from "./bundle/store.ts";
import { usbBundles } from "./bundle/usb.ts";
import { type Findings, settle } from "./findings.ts";
import { FirmwareMemory, type Memory, type StoredBundle } from "./memory.ts";
import { slotStatuses } from "./slotStatus.ts";
import type { Outcome, Reading, Slots, Tell } from "./slots.ts";
import type {
  Activation,
  BundleOrigin,
  BundleStatus,
  FirmwareEvent,
  FirmwareStatus,
  SlotName,
  UsbBundle,
  WorkStatus,
} from "./status.ts";
import { compareVersions } from "./versions.ts";

export type Refusal = { ok: false; kind: "conflict" | "invalid" | "too-large" | "no-space"; why: string };
export type Taken = { ok: true } | Refusal;
export type Uploaded = { ok: true; bundle: BundleStatus } | Refusal;

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

export interface InstallWish {
  activation: Activation;
  downgrade?: boolean | undefined;
}

/** News at most this often, ms. */
const NEWS_MS = 250;
/** How often it is looked whether an activation is due, and whether the firmware has been found good, ms. */
const LOOK_MS = 5000;
/** A reading that is older is not told any more, ms. */
const FRESH_MS = 5000;
/** How long an answer waits for a newer reading, ms. */
const PATIENCE_MS = 2000;
/** An activation that is so late is not worth another outage: the next boot does it, ms. */
const LATE_MS = 15 * 60_000;

export class UpdateService {
  readonly #slots: Slots;
  readonly #bus: Bus;
  readonly #usb: string;
  readonly #timers: Timers;
  readonly #now: () => Date;
  readonly #memory: FirmwareMemory;
  readonly #store: BundleStore;
  #work: WorkStatus | null = null;
  /** Ends what is received or checked. */
  #abort = new AbortController();
  #background: Promise<unknown> = Promise.resolve();
  #reading: Reading | null = null;
  #looking: Promise<void> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #release = { version: "", build: "" };
  #refusal = "";
  #cancelLook = () => {};
  #cancelNews: (() => void) | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #running = false;

  constructor({ slots, bus, folder, usb, timers, now, files, store }: UpdateServiceOptions) {
    this.#slots = slots;
    this.#bus = bus;
    this.#usb = usb;
    this.#timers = timers ?? systemTimers;
    this.#now = now ?? (() => new Date());
    const report = ({ file, what, action }: StoreProblem) => this.#log("warning", `${file} ${what}: ${action}`);
    this.#memory = new FirmwareMemory({ folder, report, files });
    this.#store = store ?? new BundleStore({ folder: `${folder}/firmware`, ...(files === undefined ? {} : { files }) });
  }

  /** Finds out what runs, what was interrupted, and what has become of what was ordered. Never rejects. */
  async start(): Promise<void> {
    this.#running = true;
    await this.#memory.start();
    const { bundle } = this.#memory.current;
    const kept = await this.#store.start(bundle?.file).catch((error: unknown) => {
      this.#log("error", `the folder of bundles cannot be used: ${inWords(error)}`);
      return false;
    });
    if (bundle !== null && (!kept || (await this.#store.sizeOf(bundle.file)) !== bundle.size)) {
      await this.#store.remove(bundle.file);
      await this.#memory.change({ bundle: null });
    }
    await this.#read();
    await this.#settle();
    await this.#resume();
    this.#look();
    this.#changed();
  }

  /** Ends what is being received; an installation goes on without us. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelLook();
    this.#cancelNews?.();
    this.#cancelNews = undefined;
    this.#abort.abort();
    if (this.#work?.what !== "install") await this.#background;
  }

  status(): FirmwareStatus {
    const { bundle, activation, trouble } = this.#memory.current;
    const slots = slotStatuses(this.#reading, this.#memory.current);
    const other = slots?.find(({ running }) => !running);
    return {
      ...this.#release,
      slots,
      bundle: bundle === null ? null : this.#bundleStatus(bundle),
      work: this.#work,
      activation: activation?.order ?? null,
      trouble,
      capabilities: {
        install: slots !== null && this.#refusal === "",
        rollBack: other?.state === "good",
        why: this.#refusal !== "" ? this.#refusal : slots === null ? "This machine has no slots for firmware" : "",
      },
    };
  }

  /** As `status`, with slots that have just been looked at. */
  async look(): Promise<FirmwareStatus> {
    if (this.#work !== null || this.#timers.now() - this.#readAt <= FRESH_MS) return this.status();
    this.#looking ??= this.#read().finally(() => {
      this.#looking = undefined;
    });
    // A box that is busy tells what it knows rather than nothing.
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#timers.after(PATIENCE_MS, resolve);
    });
    await Promise.race([this.#looking, late]);
    cancel();
    return this.status();
  }

  /** Newest first. */
  history(): FirmwareEvent[] {
    return [...this.#memory.current.events].reverse();
  }

  faults(): Fault[] {
    const { fault } = this.#memory.current;
    return fault === null ? [] : [{ id: "firmware:given-up", severity: "warning", ...fault }];
  }

  /** The slot that runs; undefined where there are none. */
  get slot(): SlotName | undefined {
    return this.#reading?.slots.find(({ running }) => running)?.name;
  }

  /** Most bytes that a bundle can have. */
  async largest(): Promise<number> {
    return await this.#slots.capacity().catch(() => 0);
  }

  // ---- bundles -------------------------------------------------------------------------------------------------------

  /** Takes a bundle as it comes; returns when it has been checked, too. */
  async upload(source: AsyncIterable<Uint8Array>, size: number, title: string, who: string): Promise<Uploaded> {
    const refusal = this.#busy() ?? (await this.#unable()) ?? this.#busy();
    if (refusal !== undefined) return refusal;
    const done = this.#receive("upload", async () => ({ ok: true, source, size, title }), who, undefined);
    this.#background = done;
    return await done;
  }

  /** Fetches a bundle in the background. */
  async fetch(url: string, sha256: string | undefined, who: string): Promise<Taken> {
    if (!isWeb(new URL(url)))
      return { ok: false, kind: "invalid", why: "The URL must be http or https, without a user" };
    const refusal = this.#busy() ?? (await this.#unable()) ?? this.#busy();
    if (refusal !== undefined) return refusal;
    const open = async (signal: AbortSignal): Promise<Source> => {
      const opened = await openUrl(url, signal);
      if (!opened.ok) return opened;
      return { ok: true, source: opened.body, size: opened.size, title: opened.name };
    };
    this.#background = this.#receive("url", open, who, sha256?.toLowerCase(), nameOf(new URL(url)));
    return { ok: true };
  }

  async usbBundles(): Promise<UsbBundle[]> {
    return await usbBundles(this.#usb);
  }

  /** Takes a bundle from a stick in the background; undefined: it is not there. */
  async takeFromUsb(id: string, who: string): Promise<Taken | undefined> {
    const found = (await this.usbBundles()).find((one) => one.id === id);
    if (found === undefined) return undefined;
    const refusal = this.#busy() ?? (await this.#unable()) ?? this.#busy();
    if (refusal !== undefined) return refusal;
    const path = `${this.#usb}/${found.stick}/${found.file}`;
    const open = async (): Promise<Source> => {
      const source = createReadStream(path, { highWaterMark: 256 * 1024 });
      return { ok: true, source, size: found.size, title: `${found.stick}/${found.file}` };
    };
    this.#background = this.#receive("usb", open, who, undefined, found.file);
    return { ok: true };
  }

  /** Removes the bundle at hand, or ends the receiving of one. */
  async removeBundle(): Promise<Taken> {
    if (this.#work !== null) {
      if (!this.#work.cancellable) return conflict("The firmware is being installed: that is not given up halfway");
      const work = this.#background;
      this.#abort.abort();
      await work;
      return { ok: true };
    }
    await this.#forgetBundle();
    return { ok: true };
  }

  async #receive(
    origin: BundleOrigin,
    open: (signal: AbortSignal) => Promise<Source>,
    who: string,
    sha256: string | undefined,
    expected = "",
  ): Promise<Uploaded> {
    // What ended the one before.
    if (this.#running && this.#abort.signal.aborted) this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.#begin({ what: "receive", percent: null, step: "Receiving", bytes: 0, totalBytes: null, cancellable: true });
    await this.#memory.change({ trouble: "", work: { ...NO_WORK, what: "receive", who } });
    const opened = await open(signal).catch((error: unknown): Source => ({ ok: false, why: inWords(error) }));
    if (!opened.ok) return await this.#notReceived("failed", opened.why, expected, who);
    const { source, size, title } = opened;
    const max = await this.largest();
    // Rather a new bundle than none: the old one makes room where it must.
    if (size !== null && size <= max && size > (await this.#store.room().catch(() => 0))) await this.#forgetBundle();
    const received = await this.#store.receive(source, {
      ...{ size, max, signal, sum: sha256 !== undefined },
      tell: (bytes) => {
        const percent = size === null || size === 0 ? null : Math.floor((bytes / size) * 100);
        this.#progress({ bytes, totalBytes: size, percent, step: `Receiving ${title}` });
      },
    });
    if (!received.ok) return await this.#notReceived(received.kind, received.why, title, who);
    return await this.#check(received, { origin, title, sha256, who });
  }

  async #check(
    { part, size, sha256 }: Extract<Received, { ok: true }>,
    {
      origin,
      title,
      sha256: wanted,
      who,
    }: { origin: BundleOrigin; title: string; sha256: string | undefined; who: string },
  ): Promise<Uploaded> {
    const { signal } = this.#abort;
    this.#begin({ what: "verify", percent: null, step: "Checking", bytes: size, totalBytes: size, cancellable: true });
    const tell: Tell = (percent, step) => this.#progress({ percent, step });
    const found =
      wanted !== undefined && wanted !== sha256
        ? { ok: false as const, why: `Its SHA-256 is ${sha256}, not the one that was given` }
        : await this.#slots.inspect(this.#store.path(part), tell, signal).catch((error: unknown) => failed(error));
    if (!found.ok) {
      await this.#store.remove(part);
      return await this.#notReceived(signal.aborted ? "cancelled" : "refused", found.why, title, who);
    }
    let file: string;
    try {
      file = await this.#store.keep(part);
    } catch (error) {
      await this.#store.remove(part);
      return await this.#notReceived("failed", inWords(error), title, who);
    }
    const old = this.#memory.current.bundle;
    const { version, build, compatible, notes, size: imageSize } = found.manifest;
    const received = this.#now().toISOString();
    const bundle = { version, build, compatible, notes, size, origin, received, file, imageSize, title };
    await this.#memory.change(
      { bundle, work: null },
      this.#event("received", { version, who, detail: `${title} (${origin})` }),
    );
    if (old !== null) await this.#store.remove(old.file);
    this.#log("info", `a bundle with version ${version} has been received`);
    this.#end();
    return { ok: true, bundle: this.#bundleStatus(bundle) };
  }

  async #notReceived(
    kind: Extract<Received, { ok: false }>["kind"] | "refused",
    why: string,
    title: string,
    who: string,
  ): Promise<Refusal> {
    const what = kind === "refused" ? "refused" : kind === "cancelled" || kind === "cut-off" ? "interrupted" : "failed";
    const trouble = kind === "cancelled" ? "" : `The bundle could not be taken: ${why}`;
    await this.#memory.change(
      { work: null, trouble },
      this.#event(what, { version: "", who, detail: title === "" ? why : `${title}: ${why}` }),
    );
    this.#log("warning", `a bundle was not taken: ${why}`);
    this.#end();
    const refused = kind === "too-large" || kind === "no-space" ? kind : kind === "cancelled" ? "conflict" : "invalid";
    return { ok: false, kind: refused, why };
  }

  async #forgetBundle(): Promise<void> {
    const { bundle } = this.#memory.current;
    if (bundle === null) return;
    await this.#memory.change({ bundle: null });
    await this.#store.remove(bundle.file);
    this.#changed();
  }

  // ---- installation --------------------------------------------------------------------------------------------------

  /** Installs the bundle at hand in the background. */
  async install({ activation, downgrade }: InstallWish, who: string): Promise<Taken> {
    const late = this.#notInTime(activation);
    if (late !== undefined) return late;
    const refusal = this.#busy() ?? (await this.#unable()) ?? this.#busy();
    if (refusal !== undefined) return refusal;
    const { bundle } = this.#memory.current;
    const target = this.#other();
    if (bundle === null) return conflict("There is no bundle to install");
    if (target === undefined) return conflict("This machine has no slots for firmware");
    const { version, build, imageSize: size } = bundle;
    if (this.#isOlder(version) && downgrade !== true) {
      return conflict(`Version ${version} is older than ${this.#release.version}: installed only on explicit order`);
    }
    const work = { ...NO_WORK, what: "install" as const, who, version, build, size, activation };
    this.#begin({ ...INSTALLING });
    this.#background = this.#install(bundle, { ...work, slot: target.name, downgrade: downgrade === true });
    return { ok: true };
  }

  async #install(bundle: StoredBundle, work: NonNullable<Memory["work"]>): Promise<void> {
    // What was ordered before is void: the slot is another one from now on.
    await this.#memory.change({ work, trouble: "", activation: null, expected: null });
    const order = { ...work, file: this.#store.path(bundle.file) };
    const done = await this.#slots.install(order, this.#tellInstall).catch((error: unknown) => failed(error));
    await this.#installed(work, done);
  }

  readonly #tellInstall: Tell = (percent, step) => this.#progress({ percent, step });

  async #installed(work: NonNullable<Memory["work"]>, done: Outcome): Promise<void> {
    // A supervisor that stops leaves the end to the next one.
    if (!this.#running) return;
    const { slot, version, build, who, activation } = work;
    await this.#read();
    const found = this.#reading?.slots.find(({ name }) => name === slot);
    if (!done.ok || slot === null || found === undefined) {
      const why = done.ok ? "the slots cannot be read" : done.why;
      const event = this.#event("failed", { version, slot, who, detail: why });
      await this.#memory.change({ work: null, trouble: `Version ${version} could not be installed: ${why}` }, event);
      this.#log("error", `version ${version} could not be installed: ${why}`);
      this.#end();
      return;
    }
    const noted = { version, build, installed: found.installed, state: "new" as const, why: "" };
    const { bundle, slots } = this.#memory.current;
    const event = this.#event("installed", { version, slot, who });
    await this.#memory.change({ work: null, bundle: null, fault: null, slots: { ...slots, [slot]: noted } }, event);
    if (bundle !== null) await this.#store.remove(bundle.file);
    this.#log("info", `version ${version} is installed in slot ${slot}`);
    this.#work = null;
    await this.#order(activation, slot, who);
    this.#end();
  }

  // ---- activation ----------------------------------------------------------------------------------------------------

  /** Starts what the other slot holds. */
  async activate(activation: Activation, who: string): Promise<Taken> {
    const late = this.#notInTime(activation);
    if (late !== undefined) return late;
    const refusal = this.#busy();
    if (refusal !== undefined) return refusal;
    await this.#read();
    const other = this.status().slots?.find(({ running }) => !running);
    if (other === undefined) return conflict("This machine has no slots for firmware");
    if (other.state !== "new" && other.state !== "good") {
      const why = other.why === "" ? "" : `: ${other.why}`;
      return conflict(`Slot ${other.name} holds nothing that can be started${why}`);
    }
    return await this.#order(activation, other.name, who);
  }

  /** Takes back what was ordered for later. */
  async cancelActivation(who: string): Promise<Taken> {
    const { activation } = this.#memory.current;
    const running = this.slot;
    if (activation === null || running === undefined) return conflict("Nothing is ordered for later");
    if (activation.order.when !== "at") {
      const done = await this.#slots.activate(running);
      if (!done.ok) return conflict(done.why);
    }
    await this.#memory.change({ activation: null, expected: null, trouble: "" });
    this.#log("info", `the start of slot ${activation.slot} was taken back by ${who}`);
    await this.#read();
    this.#changed();
    return { ok: true };
  }

  /** Starts the other slot, which has been good before. */
  async rollBack(who: string): Promise<Taken> {
    const refusal = this.#busy();
    if (refusal !== undefined) return refusal;
    await this.#read();
    const other = this.status().slots?.find(({ running }) => !running);
    if (other?.state !== "good") return conflict("The other slot holds no firmware that was good before");
    const event = this.#event("rolled-back", { version: other.version, slot: other.name, who });
    return await this.#start(other.name, "now", who, event);
  }

  async #order(activation: Activation, slot: SlotName, who: string): Promise<Taken> {
    if (activation.when === "manual") return { ok: true };
    if (activation.when === "at") {
      await this.#memory.change({ activation: { order: activation, slot, who }, trouble: "", fault: null });
      this.#changed();
      return { ok: true };
    }
    return await this.#start(slot, activation.when, who);
  }

  async #start(slot: SlotName, when: "now" | "next-boot", who: string, as?: FirmwareEvent): Promise<Taken> {
    const version = this.status().slots?.find(({ name }) => name === slot)?.version ?? "";
    const step = `Making slot ${slot} the next to start`;
    this.#begin({ what: "activate", percent: null, step, bytes: 0, totalBytes: null, cancellable: false });
    try {
      // Known before it is done: a power cut in between is told from a start that failed.
      const before = this.#memory.current;
      await this.#memory.change({
        ...{ expected: { slot, version }, activation: { order: { when: "next-boot" }, slot, who } },
        ...{ trouble: "", fault: null },
      });
      const done = await this.#slots.activate(slot).catch((error: unknown) => failed(error));
      if (!done.ok) {
        const { expected, activation, fault } = before;
        const trouble = `Slot ${slot} could not be made the next to start: ${done.why}`;
        const event = this.#event("failed", { version, slot, who, detail: trouble });
        await this.#memory.change({ expected, activation, fault, trouble }, event);
        return conflict(trouble);
      }
      const detail = when === "now" ? "now" : "at the next boot";
      await this.#memory.change({}, as ?? this.#event("activated", { version, slot, who, detail }));
      await this.#read();
      if (when === "next-boot") return { ok: true };
      const restarted = await this.#slots.restart(`version ${version} is started, ordered by ${who}`);
      if (restarted.ok) return { ok: true };
      await this.#memory.change({ trouble: `The box could not be restarted: ${restarted.why}` });
      return conflict(`The box could not be restarted, the next boot starts slot ${slot}: ${restarted.why}`);
    } finally {
      this.#end();
    }
  }

  /** What is due is done; what has been overtaken by a long power cut waits for the next boot. */
  #look(): void {
    this.#cancelLook = this.#timers.after(LOOK_MS, () => {
      this.#background = this.#due()
        .then(() => this.#findGood())
        .catch((error: unknown) => this.#log("error", inWords(error)))
        .finally(() => {
          if (this.#running) this.#look();
        });
    });
  }

  async #due(): Promise<void> {
    const { activation } = this.#memory.current;
    if (activation?.order.when !== "at" || this.#work !== null) return;
    const late = this.#now().getTime() - Date.parse(activation.order.at);
    if (late < 0) return;
    const { slot, who } = activation;
    if (late < LATE_MS) await this.#start(slot, "now", who);
    else {
      await this.#start(slot, "next-boot", who);
      const trouble = `The box was off at ${activation.order.at}, when slot ${slot} was to be started: the next boot does it`;
      await this.#memory.change({ trouble });
      this.#changed();
    }
  }

  // ---- what is found -------------------------------------------------------------------------------------------------

  async #read(): Promise<void> {
    this.#reading = await this.#slots.read().catch(() => null);
    this.#refusal = await this.#slots.refusal().catch(inWords);
    this.#release = await this.#slots.release().catch(() => this.#release);
    this.#readAt = this.#timers.now();
  }

  async #settle(): Promise<void> {
    const evidence = await this.#slots.evidence().catch(() => ({ good: false, givenUp: [] }));
    const found: Findings | undefined = settle({
      ...{ reading: this.#reading, evidence, memory: this.#memory.current, release: this.#release },
      now: this.#now().toISOString(),
    });
    if (found === undefined) return;
    for (const { what, version, slot, detail } of found.events) {
      this.#log(what === "given-up" ? "error" : "info", `${what}: ${version} in slot ${slot ?? "?"} ${detail}`.trim());
    }
    // A slot that cannot even be loaded would be tried at each boot.
    if (found.settleOn !== undefined) {
      await this.#slots.activate(found.settleOn).catch(() => {});
      await this.#read();
    }
    await this.#memory.change(found.change, ...found.events);
    this.#changed();
  }

  async #findGood(): Promise<void> {
    const running = this.slot;
    if (running === undefined || this.#memory.current.slots[running]?.state === "good") return;
    const { good } = await this.#slots.evidence();
    if (!good) return;
    await this.#read();
    await this.#settle();
  }

  /** Takes up work that a supervisor before this one has begun. */
  async #resume(): Promise<void> {
    const { work } = this.#memory.current;
    if (work === null) return;
    const { who, version, slot } = work;
    if (work.what === "receive") {
      const detail = "The box went down, or its supervisor ended, while a bundle was received";
      const event = this.#event("interrupted", { version: "", who, detail });
      await this.#memory.change({ work: null, trouble: `${detail}: send it again` }, event);
      return;
    }
    const still = await this.#slots.isInstalling().catch(() => false);
    const written = this.#reading?.slots.find(({ name }) => name === slot);
    const before = slot === null ? null : this.#memory.current.slots[slot];
    const isNew =
      written?.content === "whole" && written.version === version && written.installed !== before?.installed;
    if (still || isNew) {
      this.#begin({ ...INSTALLING });
      this.#background = this.#slots
        .follow(work, this.#tellInstall)
        .catch((error: unknown) => failed(error))
        .then((done) => this.#installed(work, isNew && !still ? { ok: true } : done));
      return;
    }
    const detail = "The box went down while it was being installed";
    const event = this.#event("interrupted", { version, slot, who, detail });
    const trouble = `Version ${version} is not installed: the box went down meanwhile. Order it again`;
    await this.#memory.change({ work: null, trouble }, event);
  }

  // ---- all of them ---------------------------------------------------------------------------------------------------

  #busy(): Refusal | undefined {
    if (this.#work === null) return undefined;
    const doing = { receive: "A bundle is being received", verify: "A bundle is being checked" };
    const what = this.#work.what === "receive" || this.#work.what === "verify" ? doing[this.#work.what] : undefined;
    return conflict(what ?? "Firmware is being installed");
  }

  async #unable(): Promise<Refusal | undefined> {
    await this.#read();
    const { install, why } = this.status().capabilities;
    // Meanwhile somebody else may have begun.
    return install ? this.#busy() : conflict(why);
  }

  #notInTime(activation: Activation): Refusal | undefined {
    if (activation.when !== "at") return undefined;
    const ahead = Date.parse(activation.at) - this.#now().getTime();
    if (ahead > 0 && ahead <= 366 * 86_400_000) return undefined;
    return { ok: false, kind: "invalid", why: "The time must be in the future and within a year" };
  }

  #other() {
    return this.#reading?.slots.find(({ running }) => !running);
  }

  #isOlder(version: string): boolean {
    return compareVersions(version, this.#release.version) < 0;
  }

  #bundleStatus({ version, build, compatible, notes, size, origin, received }: StoredBundle): BundleStatus {
    return { version, build, compatible, notes, size, downgrade: this.#isOlder(version), origin, received };
  }

  #event(
    what: FirmwareEvent["what"],
    {
      version,
      slot = null,
      who,
      detail = "",
    }: { version: string; slot?: SlotName | null; who: string; detail?: string },
  ): FirmwareEvent {
    return { at: this.#now().toISOString(), what, version, slot, who, detail };
  }

  #begin(work: WorkStatus): void {
    this.#work = work;
    this.#changed();
  }

  #progress(progress: Partial<WorkStatus>): void {
    if (this.#work === null) return;
    this.#work = { ...this.#work, ...progress };
    this.#changed();
  }

  #end(): void {
    this.#work = null;
    this.#changed();
  }

  /** Tells what has changed, the last of it for certain. */
  #changed(): void {
    if (!this.#running || this.#cancelNews !== undefined) return;
    const wait = this.#toldAt + NEWS_MS - this.#timers.now();
    const tell = () => {
      this.#cancelNews = undefined;
      this.#toldAt = this.#timers.now();
      this.#bus.emit("firmware", this.status());
    };
    if (wait <= 0) tell();
    else this.#cancelNews = this.#timers.after(wait, tell);
  }

  #log(level: "info" | "warning" | "error", message: string): void {
    this.#bus.emit("log", { level, source: "firmware", message });
  }
}

type Source =
  | { ok: true; source: AsyncIterable<Uint8Array>; size: number | null; title: string }
  | { ok: false; why: string };

const NO_WORK = {
  ...{ version: "", build: "", size: 0, slot: null, downgrade: false },
  activation: { when: "manual" } as Activation,
};

const INSTALLING: WorkStatus = {
  ...{ what: "install", percent: null, step: "Beginning", bytes: 0, totalBytes: null, cancellable: false },
};

function conflict(why: string): Refusal {
  return { ok: false, kind: "conflict", why };
}

function failed(error: unknown): { ok: false; why: string } {
  return { ok: false, why: inWords(error) };
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
