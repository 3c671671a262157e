/** The bundle at hand is written to the slot that does not run. */
import type { Activations } from "./activations.ts";
import type { Bundles } from "./bundles.ts";
import type { Desk } from "./desk.ts";
import { type Memory, noWork, type StoredBundle, type StoredWork } from "./memory.ts";
import { conflict, failed, type Taken } from "./results.ts";
import type { Outcome, Tell } from "./slots.ts";
import type { Activation, WorkStatus } from "./status.ts";

export interface InstallWish {
  activation: Activation;
  downgrade?: boolean | undefined;
}

const BEGINNING: WorkStatus = {
  ...{ what: "install", percent: null, step: "Beginning", bytes: 0, totalBytes: null, cancellable: false },
};

export class Installations {
  readonly #desk: Desk;
  readonly #bundles: Bundles;
  readonly #activations: Activations;

  constructor(desk: Desk, bundles: Bundles, activations: Activations) {
    this.#desk = desk;
    this.#bundles = bundles;
    this.#activations = activations;
  }

  /** Installs the bundle at hand in the background. */
  async install({ activation, downgrade }: InstallWish, who: string): Promise<Taken> {
    const desk = this.#desk;
    const refusal = desk.notInTime(activation) ?? (await desk.unable()) ?? desk.busy();
    if (refusal !== undefined) return refusal;
    const { bundle } = desk.memory.current;
    const { other } = desk;
    if (bundle === null) return conflict("There is no bundle to install");
    if (other === undefined) return conflict("This machine has no slots for firmware");
    const { version, build, imageSize: size } = bundle;
    if (desk.isOlder(version) && downgrade !== true) {
      return conflict(`Version ${version} is older than ${desk.release.version}: installed only on explicit order`);
    }
    const boot = desk.reading?.boot ?? "";
    const work = { ...noWork, what: "install" as const, who, version, build, size, activation };
    desk.begin(BEGINNING);
    const { name: slot, installed: before } = other;
    void this.#install(bundle, { ...work, slot, before, boot, downgrade: downgrade === true });
    return { ok: true };
  }

  /** Takes up what an earlier supervisor has begun. */
  async resume(work: StoredWork): Promise<void> {
    const { memory, slots, reading } = this.#desk;
    const { who, version, slot } = work;
    // A power cut may have taken what was written last: what the slots tell after it is no proof.
    const isSameBoot = work.boot === reading?.boot;
    const still = isSameBoot && (await slots.isInstalling().catch(() => false));
    const written = reading?.slots.find(({ name }) => name === slot);
    const isWhole = isSameBoot && written?.content === "whole";
    const isNew = isWhole && written.version === version && written.installed !== work.before;
    if (still || isNew) {
      this.#desk.begin(BEGINNING);
      void slots
        .follow(work, this.#tell)
        .catch((error: unknown) => failed(error))
        .then((done) => this.#installed(work, isNew && !still ? { ok: true } : done));
      return;
    }
    const detail = "The box went down while it was being installed";
    const event = this.#desk.event("interrupted", { version, slot, who, detail });
    const trouble = `Version ${version} is not installed: the box went down meanwhile. Order it again`;
    await memory.change({ work: null, trouble, ...(isWhole ? {} : this.#inPart(work)) }, event);
  }

  readonly #tell: Tell = (percent, step) => this.#desk.progress({ percent, step });

  async #install(bundle: StoredBundle, work: StoredWork): Promise<void> {
    const { memory, slots } = this.#desk;
    // What was ordered before is void: the slot is another one from now on.
    await memory.change({ work, trouble: "", activation: null, expected: null });
    const order = { ...work, file: this.#bundles.path(bundle) };
    const done = await slots.install(order, this.#tell).catch((error: unknown) => failed(error));
    await this.#installed(work, done);
  }

  async #installed(work: StoredWork, done: Outcome): Promise<void> {
    const desk = this.#desk;
    // A supervisor that stops leaves the end to the next one.
    if (!desk.isOpen) return;
    const { slot, version, build, who, activation } = work;
    await desk.read();
    const found = desk.reading?.slots.find(({ name }) => name === slot);
    if (!done.ok || slot === null || found === undefined) {
      const why = done.ok ? "the slots cannot be read" : done.why;
      const event = desk.event("failed", { version, slot, who, detail: why });
      const trouble = `Version ${version} could not be installed: ${why}`;
      const isUntouched = found !== undefined && found.content !== "part" && found.installed === work.before;
      const change = isUntouched ? {} : this.#inPart(work);
      await desk.memory.change({ work: null, trouble, ...change }, event);
      desk.log("error", `version ${version} could not be installed: ${why}`);
      desk.end();
      return;
    }
    const noted = { version, build, installed: found.installed, state: "new" as const, why: "" };
    const { bundle, slots } = desk.memory.current;
    const event = desk.event("installed", { version, slot, who });
    await desk.memory.change({ work: null, bundle: null, fault: null, slots: { ...slots, [slot]: noted } }, event);
    if (bundle !== null) await this.#bundles.drop(bundle);
    desk.log("info", `version ${version} is installed in slot ${slot}`);
    await this.#activations.order(activation, slot, who);
    desk.end();
  }

  /** What is remembered of a slot that nobody may start. */
  #inPart({ slot, version, build }: StoredWork): Pick<Memory, "slots"> {
    const { slots } = this.#desk.memory.current;
    if (slot === null) return { slots };
    return { slots: { ...slots, [slot]: { version, build, installed: null, state: "part", why: "" } } };
  }
}
