/** Which slot is started, and when: now, at the next boot, at a time, or when somebody orders it. */
import type { Desk } from "./desk.ts";
import { conflict, failed, type Taken } from "./results.ts";
import type { Activation, FirmwareEvent, SlotName } from "./status.ts";

/** An activation that is so late is not worth another outage: the next boot does it, ms. */
const LATE_MS = 15 * 60_000;

export class Activations {
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** Starts what the other slot holds. */
  async activate(activation: Activation, who: string): Promise<Taken> {
    const refusal = this.#desk.notInTime(activation) ?? this.#desk.busy();
    if (refusal !== undefined) return refusal;
    await this.#desk.read();
    const { other } = this.#desk;
    if (other === undefined) return conflict("This machine has no slots for firmware");
    if (other.state !== "new" && other.state !== "good") {
      const why = other.why === "" ? "" : `: ${other.why}`;
      return conflict(`Slot ${other.name} holds nothing that can be started${why}`);
    }
    return await this.order(activation, other.name, who);
  }

  /** Takes back what was ordered for later. */
  async cancel(who: string): Promise<Taken> {
    const { slots, memory, running } = this.#desk;
    const { activation } = memory.current;
    if (activation === null || running === undefined) return conflict("Nothing is ordered for later");
    if (activation.order.when !== "at") {
      const done = await slots.activate(running);
      if (!done.ok) return conflict(done.why);
    }
    await memory.change({ activation: null, expected: null, trouble: "" });
    this.#desk.log("info", `the start of slot ${activation.slot} was taken back by ${who}`);
    await this.#desk.read();
    this.#desk.changed();
    return { ok: true };
  }

  /** Starts the other slot, which has been good before. */
  async rollBack(who: string): Promise<Taken> {
    const refusal = this.#desk.busy();
    if (refusal !== undefined) return refusal;
    await this.#desk.read();
    const { other } = this.#desk;
    if (other?.state !== "good") return conflict("The other slot holds no firmware that was good before");
    const event = this.#desk.event("rolled-back", { version: other.version, slot: other.name, who });
    return await this.#start(other.name, "now", who, event);
  }

  /** Of a slot that can be started. */
  async order(activation: Activation, slot: SlotName, who: string): Promise<Taken> {
    if (activation.when === "manual") return { ok: true };
    if (activation.when !== "at") return await this.#start(slot, activation.when, who);
    await this.#desk.memory.change({ activation: { order: activation, slot, who }, trouble: "", fault: null });
    this.#desk.changed();
    return { ok: true };
  }

  /** What is due is done; what has been overtaken by a long power cut waits for the next boot. */
  async due(): Promise<void> {
    const { memory, work, now } = this.#desk;
    const { activation } = memory.current;
    if (activation?.order.when !== "at" || work !== null) return;
    const late = now().getTime() - Date.parse(activation.order.at);
    if (late < 0) return;
    const { slot, who } = activation;
    if (late < LATE_MS) {
      await this.#start(slot, "now", who);
      return;
    }
    await this.#start(slot, "next-boot", who);
    const trouble = `The box was off at ${activation.order.at}, when slot ${slot} was to be started: the next boot does it`;
    await memory.change({ trouble });
    this.#desk.changed();
  }

  async #start(slot: SlotName, when: "now" | "next-boot", who: string, as?: FirmwareEvent): Promise<Taken> {
    const desk = this.#desk;
    const version = desk.status().slots?.find(({ name }) => name === slot)?.version ?? "";
    const step = `Making slot ${slot} the next to start`;
    desk.begin({ what: "activate", percent: null, step, bytes: 0, totalBytes: null, cancellable: false });
    try {
      // Known before it is done: a power cut in between is told from a start that failed.
      const before = desk.memory.current;
      await desk.memory.change({
        ...{ expected: { slot, version }, activation: { order: { when: "next-boot" }, slot, who } },
        ...{ trouble: "", fault: null },
      });
      const done = await desk.slots.activate(slot).catch((error: unknown) => failed(error));
      if (!done.ok) {
        const { expected, activation, fault } = before;
        const trouble = `Slot ${slot} could not be made the next to start: ${done.why}`;
        const event = desk.event("failed", { version, slot, who, detail: trouble });
        await desk.memory.change({ expected, activation, fault, trouble }, event);
        return conflict(trouble);
      }
      const detail = when === "now" ? "now" : "at the next boot";
      await desk.memory.change({}, as ?? desk.event("activated", { version, slot, who, detail }));
      await desk.read();
      if (when === "next-boot") return { ok: true };
      const restarted = await desk.slots.restart(`version ${version} is started, ordered by ${who}`);
      if (restarted.ok) return { ok: true };
      await desk.memory.change({ trouble: `The box could not be restarted: ${restarted.why}` });
      return conflict(`The box could not be restarted, the next boot starts slot ${slot}: ${restarted.why}`);
    } finally {
      desk.end();
    }
  }
}
