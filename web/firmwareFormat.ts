/** How the firmware is written on the page. */
import type { Activation, BundleOrigin, FirmwareEvent, SlotStatus, WorkStatus } from "../src/update/status.ts";
import type { Away, Outcome } from "./absence.ts";
import { bytes } from "./boardFormat.ts";
import { boxMoment } from "./boxTime.ts";

/** What a slot is, and the colour of it. */
export function slotWords({ state, running }: SlotStatus): { words: string; tone: "good" | "busy" | "bad" | "none" } {
  switch (state) {
    case "good":
      return { words: "Good", tone: "good" };
    case "new":
      return { words: running ? "On trial" : "Installed, not started yet", tone: "busy" };
    case "bad":
      return { words: "Given up", tone: "bad" };
    case "empty":
      return { words: "Empty", tone: "none" };
  }
}

/** Starts that are left until it is given up, "" where that says nothing. */
export function attemptsWords({ state, attemptsLeft }: SlotStatus): string {
  if (state !== "new") return "";
  return attemptsLeft === 1 ? "1 start left" : `${attemptsLeft} starts left`;
}

const works: Record<WorkStatus["what"], string> = {
  receive: "Receiving a bundle",
  verify: "Checking the bundle",
  install: "Installing",
  activate: "Making it the next to start",
};

export function workWords({ what }: WorkStatus): string {
  return works[what];
}

/** How far it is, such as `41 %` or `12.3 MiB of 80.0 MiB`; "" where that is not known. */
export function doneWords({ percent, bytes: done, totalBytes }: WorkStatus): string {
  const share = percent === null ? "" : `${Math.floor(percent)}\u00a0%`;
  const size = done === 0 ? "" : bytes(done) + (totalBytes === null ? "" : ` of ${bytes(totalBytes)}`);
  return [size, share].filter((part) => part !== "").join(", ");
}

export const originWords: Record<BundleOrigin, string> = {
  upload: "uploaded",
  url: "fetched from a URL",
  usb: "from a USB stick",
};

/** When what has been ordered happens; "" for nothing. */
export function activationWords(activation: Activation | null, zone: string): string {
  switch (activation?.when) {
    case "now":
      return "at once";
    case "next-boot":
      return "when the box boots next";
    case "at":
      return `on ${boxMoment(activation.at, zone)}`;
    default:
      return "";
  }
}

const events: Record<FirmwareEvent["what"], string> = {
  received: "Bundle received",
  refused: "Bundle refused",
  installed: "Installed",
  failed: "Failed",
  interrupted: "Interrupted",
  activated: "Start ordered",
  started: "Started",
  good: "Found good",
  "given-up": "Given up",
  "rolled-back": "Rolled back",
};

export function eventWords({ what, slot }: FirmwareEvent): string {
  return slot === null ? events[what] : `${events[what]} (slot ${slot})`;
}

/** Why the box is away, and what is to be expected. `fallback`: where a box without settings is found. */
export function awayWords({ why, version, keepNetwork }: Away, fallback: string): { title: string; text: string } {
  const soon = "Channels are off air for about a minute. This page comes back by itself.";
  switch (why) {
    case "firmware":
      return {
        title: version === "" ? "The box starts the other firmware." : `The box starts ${version}.`,
        text: soon,
      };
    case "reboot":
      return { title: version === "" ? "The box reboots." : `The box reboots and starts ${version}.`, text: soon };
    case "shutdown":
      return { title: "The box shuts down.", text: "Only its power brings it up again." };
    case "reset":
      return {
        title: "The box goes back to factory settings and reboots.",
        text: keepNetwork ? `Then it is found here again. ${newLogin}` : `Then ${foundAt(fallback)} ${newLogin}`,
      };
  }
}

const newLogin = "Log in as admin with the password admin and choose one.";

/** Where a box with factory settings is found. */
export function foundAt(fallback: string): string {
  return `the box takes an address by DHCP; where no server gives one, it is found at http://${fallback}/.`;
}

export function outcomeWords(outcome: Outcome): string {
  switch (outcome.kind) {
    case "up":
      return `The box is up again and runs ${outcome.version}.`;
    case "good":
      return `${outcome.version} runs now and has been found good.`;
    case "trying":
      return (
        `${outcome.version} runs now and is on trial: the box keeps it once the channels transmit. ` +
        `Otherwise it goes back to ${outcome.back} by itself.`
      );
    case "given-up": {
      const why = outcome.why === "" ? "." : `: ${outcome.why.replace(/\.?$/, ".")}`;
      return `${outcome.version} was given up${why} The box runs ${outcome.back} again.`;
    }
    case "not-started":
      return `${outcome.version} was not started. The box still runs ${outcome.back}.`;
  }
}
