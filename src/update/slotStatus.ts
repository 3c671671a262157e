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
  return noted !== null && noted.installed === installed ? noted : undefined;
}

function stateOf(slot: SlotReading, noted: SlotMemory | undefined): Pick<SlotStatus, "state" | "why"> {
  if (slot.content === "empty") return { state: "empty", why: "" };
  if (slot.content === "part") return { state: "bad", why: "It was written only in part" };
  if (noted === undefined) {
    // Nothing but a slot that was started once is tried by itself, so it has been good, or it runs.
    return { state: !slot.running && slot.listed && slot.attemptsLeft > 0 ? "good" : "new", why: "" };
  }
  if (noted.state === "good" && !slot.running && slot.listed && slot.attemptsLeft === 0) {
    return { state: "bad", why: "None of its last boots has passed the health gate" };
  }
  return { state: noted.state, why: noted.why };
}
