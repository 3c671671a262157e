/**
 * What all that is done to the firmware goes over: which firmware runs, the one piece of work that is under way, and the news
 * of both.
 */
import type { Bus } from "../bus.ts";
import type { Timers } from "../config/timers.ts";
import type { FirmwareMemory, StoredBundle } from "./memory.ts";
import { conflict, inWords, type Refusal } from "./results.ts";
import { slotStatuses } from "./slotStatus.ts";
import type { Reading, Slots } from "./slots.ts";
import type {
  Activation,
  BundleStatus,
  FirmwareEvent,
  FirmwareStatus,
  SlotName,
  SlotStatus,
  WorkStatus,
} from "./status.ts";
import { compareVersions } from "./versions.ts";

/** News at most this often, ms. */
const NEWS_MS = 250;
/** A reading that is older is not told any more, ms. */
const FRESH_MS = 5000;
/** How long an answer waits for a newer reading, ms. */
const PATIENCE_MS = 2000;

export interface DeskOptions {
  slots: Slots;
  bus: Bus;
  timers: Timers;
  memory: FirmwareMemory;
  now(): Date;
}

export class Desk {
  readonly slots: Slots;
  readonly memory: FirmwareMemory;
  readonly now: () => Date;
  readonly #bus: Bus;
  readonly #timers: Timers;
  #isOpen = false;
  #work: WorkStatus | null = null;
  #reading: Reading | null = null;
  #release = { version: "", build: "" };
  #refusal = "";
  #readAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #cancelNews: (() => void) | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor({ slots, bus, timers, memory, now }: DeskOptions) {
    this.slots = slots;
    this.memory = memory;
    this.now = now;
    this.#bus = bus;
    this.#timers = timers;
  }

  open(): void {
    this.#isOpen = true;
  }

  /** Ends the news. */
  close(): void {
    this.#isOpen = false;
    this.#cancelNews?.();
    this.#cancelNews = undefined;
  }

  /** What is under way ends without us once it is not. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  // ---- which firmware there is ---------------------------------------------------------------------------------------

  /** As it was last looked at; null: this machine has no slots. */
  get reading(): Reading | null {
    return this.#reading;
  }

  /** The firmware that runs. */
  get release(): { version: string; build: string } {
    return this.#release;
  }

  /** The slot that runs; undefined where there are none. */
  get running(): SlotName | undefined {
    return this.#reading?.slots.find(({ running }) => running)?.name;
  }

  /** The slot that does not run; undefined where there are none. */
  get other(): SlotStatus | undefined {
    return otherOf(this.#slots);
  }

  get #slots(): SlotStatus[] | null {
    return slotStatuses(this.#reading, this.memory.current);
  }

  async read(): Promise<void> {
    this.#reading = await this.slots.read().catch(() => null);
    this.#refusal = await this.slots.refusal().catch(inWords);
    this.#release = await this.slots.release().catch(() => this.#release);
    this.#readAt = this.#timers.now();
  }

  status(): FirmwareStatus {
    const { bundle, activation, trouble } = this.memory.current;
    const slots = this.#slots;
    return {
      ...this.#release,
      slots,
      bundle: bundle === null ? null : this.bundleStatus(bundle),
      work: this.#work,
      activation: activation?.order ?? null,
      trouble,
      capabilities: {
        install: slots !== null && this.#refusal === "",
        rollBack: otherOf(slots)?.state === "good",
        why: this.#refusal !== "" ? this.#refusal : slots === null ? "This machine has no slots for firmware" : "",
      },
    };
  }

  /** As `status`, with slots that have just been looked at. */
  async look(): Promise<FirmwareStatus> {
    if (this.#work !== null || this.#timers.now() - this.#readAt <= FRESH_MS) return this.status();
    this.#looking ??= this.read().finally(() => {
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

  isOlder(version: string): boolean {
    return compareVersions(version, this.#release.version) < 0;
  }

  bundleStatus({ version, build, compatible, notes, size, origin, received }: StoredBundle): BundleStatus {
    return { version, build, compatible, notes, size, downgrade: this.isOlder(version), origin, received };
  }

  // ---- what may begin ------------------------------------------------------------------------------------------------

  /** Why no work can begin at this moment. */
  busy(): Refusal | undefined {
    if (this.#work === null) return undefined;
    if (this.#work.what === "receive") return conflict("A bundle is being received");
    if (this.#work.what === "verify") return conflict("A bundle is being checked");
    return conflict("Firmware is being installed");
  }

  /** Why nothing can be installed here now. Somebody else may begin meanwhile: ask `busy` after it. */
  async unable(): Promise<Refusal | undefined> {
    const busy = this.busy();
    if (busy !== undefined) return busy;
    await this.read();
    const { install, why } = this.status().capabilities;
    return install ? undefined : conflict(why);
  }

  notInTime(activation: Activation): Refusal | undefined {
    if (activation.when !== "at") return undefined;
    const ahead = Date.parse(activation.at) - this.now().getTime();
    if (ahead > 0 && ahead <= 366 * 86_400_000) return undefined;
    return { ok: false, kind: "invalid", why: "The time must be in the future and within a year" };
  }

  // ---- what is under way ---------------------------------------------------------------------------------------------

  get work(): WorkStatus | null {
    return this.#work;
  }

  begin(work: WorkStatus): void {
    this.#work = work;
    this.changed();
  }

  progress(progress: Partial<WorkStatus>): void {
    if (this.#work === null) return;
    this.#work = { ...this.#work, ...progress };
    this.changed();
  }

  end(): void {
    this.#work = null;
    this.changed();
  }

  /** Tells what has changed, the last of it for certain. */
  changed(): void {
    if (!this.#isOpen || this.#cancelNews !== undefined) return;
    const wait = this.#toldAt + NEWS_MS - this.#timers.now();
    const tell = () => {
      this.#cancelNews = undefined;
      this.#toldAt = this.#timers.now();
      this.#bus.emit("firmware", this.status());
    };
    if (wait <= 0) tell();
    else this.#cancelNews = this.#timers.after(wait, tell);
  }

  event(
    what: FirmwareEvent["what"],
    about: { version: string; slot?: SlotName | null; who: string; detail?: string },
  ): FirmwareEvent {
    return { at: this.now().toISOString(), what, slot: null, detail: "", ...about };
  }

  log(level: "info" | "warning" | "error", message: string): void {
    this.#bus.emit("log", { level, source: "firmware", message });
  }
}

function otherOf(slots: SlotStatus[] | null): SlotStatus | undefined {
  return slots?.find(({ running }) => !running);
}
