/** What a supervisor finds at its start: which firmware runs, whether it was expected, and what has been given up. */
import type { Memory, SlotMemory } from "./memory.ts";
import { rememberedOf } from "./slotStatus.ts";
import type { Evidence, Reading, SlotReading } from "./slots.ts";
import type { FirmwareEvent, SlotName } from "./status.ts";

export interface Findings {
  change: Partial<Memory>;
  events: FirmwareEvent[];
  /** The slot that is to be preferred from now on, when that must be changed. */
  settleOn?: SlotName;
}

export interface Found {
  reading: Reading | null;
  evidence: Evidence;
  memory: Memory;
  /** Of the firmware that runs. */
  release: { version: string; build: string };
  /** ISO 8601. */
  now: string;
}

/** Undefined: nothing is new. */
export function settle({ reading, evidence, memory, release, now }: Found): Findings | undefined {
  const running = reading?.slots.find((slot) => slot.running);
  const other = reading?.slots.find((slot) => !slot.running);
  if (reading === null || running === undefined || other === undefined) return undefined;
  const events: FirmwareEvent[] = [];
  const change: Partial<Memory> = {};
  const slots = { ...memory.slots };
  let settleOn: SlotName | undefined;
  const tell = (what: FirmwareEvent["what"], slot: SlotName, version: string, detail = "", at = now) =>
    events.push({ at, what, version, slot, who: "box", detail });
  const giveUp = (slot: SlotReading, version: string, why: string, at: string) => {
    const noted = rememberedOf(slot, memory);
    const known = { version, build: slot.build, installed: slot.installed };
    slots[slot.name] = { ...(noted?.version === version ? noted : known), state: "bad", why };
    tell("given-up", slot.name, version, why, at);
    const message = `Version ${version} in slot ${slot.name} was given up: ${why}`;
    change.fault = { message, since: at };
    change.trouble = message;
  };

  const isNewBoot = memory.running?.boot !== reading.boot;
  const { expected } = memory;
  // A data partition that was made anew has forgotten.
  const told = evidence.givenUp.length < memory.givenUpTold ? 0 : memory.givenUpTold;
  const givenUp = evidence.givenUp.slice(told);
  if (evidence.givenUp.length !== memory.givenUpTold) change.givenUpTold = evidence.givenUp.length;
  for (const { at, version, why } of givenUp) giveUp(other, version, why, at);

  if (isNewBoot) {
    const { boot } = reading;
    change.running = { boot, slot: running.name, ...release };
    const before = memory.running;
    const isOther = before !== null && (before.slot !== running.name || before.build !== release.build);
    if (expected !== null && expected.slot !== running.name && givenUp.length === 0) {
      // One that has been good before is listed with attempts left, too, but as the second one.
      if (other.next || (other.listed && other.attemptsLeft === 0)) {
        giveUp(other, expected.version, `It did not start: slot ${running.name} came up in its place`, now);
        if (other.next) settleOn = running.name;
      } else {
        const detail = "The power went before it was made the next to start";
        tell("interrupted", expected.slot, expected.version, detail);
        change.trouble = `Version ${expected.version} was not started: the power went meanwhile. Order it again`;
      }
    }
    if (expected?.slot === running.name || isOther) tell("started", running.name, release.version);
    if (expected !== null) {
      change.expected = null;
      if (memory.activation?.order.when === "next-boot") change.activation = null;
    }
  }

  const noted = rememberedOf(running, memory);
  const isGood = evidence.good;
  if (noted === undefined || noted.build !== release.build || (isGood && noted.state !== "good")) {
    const state: SlotMemory["state"] = isGood ? "good" : noted?.state === "good" ? "good" : "new";
    slots[running.name] = { ...release, installed: running.installed, state, why: "" };
    if (state === "good" && noted?.state !== "good") tell("good", running.name, release.version);
  }
  if (JSON.stringify(slots) !== JSON.stringify(memory.slots)) change.slots = slots;
  if (Object.keys(change).length === 0 && events.length === 0) return undefined;
  return { change, events, ...(settleOn === undefined ? {} : { settleOn }) };
}
