/** What is told of the slots: what is found of them, and what is remembered. */
import type { Memory, SlotMemory } from "./memory.ts";
import type { Reading, SlotReading } from "./slots.ts";
import type { SlotStatus } from "./status.ts";

export function slotStatuses(reading: Reading | null, memory: Memory): SlotStatus[] | null {
  if (reading === null) return null;
  return reading.slots.map((slot): SlotStatus => {
    const { name, running, next, attemptsLeft, installed } = slot;
    const noted = rememberedOf(slot, memory);
    const version = running || noted === undefined ? slot.version : noted.version;
    const build = running || noted === undefined ? slot.build : noted.build;
    return { name, running, next, version, build, installed, attemptsLeft, ...stateOf(slot, noted) };
  });
}

/** What is remembered of a slot, unless it holds something else by now. */
export function rememberedOf({ name, installed }: SlotReading, { slots }: Memory): SlotMemory | undefined {
  const noted = slots[name];
  return noted !== null && (noted.state === "part" || noted.installed === installed) ? noted : undefined;
}

function stateOf(slot: SlotReading, noted: SlotMemory | undefined): Pick<SlotStatus, "state" | "why"> {
  if (slot.content === "empty" && noted === undefined) return { state: "empty", why: "" };
  if (slot.content === "part" || noted?.state === "part") return { state: "bad", why: "It was written only in part" };
  const isTried = slot.listed && slot.attemptsLeft > 0;
  if (noted === undefined) {
    if (slot.running) return { state: "new", why: "" };
    // Nothing but a slot that was started once is tried by itself, so it has been good.
    if (isTried) return { state: "good", why: "" };
    if (slot.installed !== null) return { state: "new", why: "" };
    return { state: "bad", why: "Nobody knows whether it was written as a whole" };
  }
  if (noted.state === "good" && !slot.running && slot.listed && !isTried) {
    return { state: "bad", why: "None of its last boots has passed the health gate" };
  }
  return { state: noted.state, why: noted.why };
}
