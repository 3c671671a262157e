/** The two places for firmware, through which the service installs and starts it: RAUC's on the box, virtual ones on a PC. */
import type { SlotName } from "./status.ts";

/** What is found of a slot. */
export interface SlotReading {
  name: SlotName;
  /** This supervisor runs from it. */
  running: boolean;
  /** The next boot tries it first. */
  next: boolean;
  /** Whether boots may try it at all: a slot that is not listed was never started, or was given up. */
  listed: boolean;
  /** Boots that it is tried for before it is given up, 0 to 3. */
  attemptsLeft: number;
  /** `part`: an installation has begun and not ended. */
  content: "whole" | "part" | "empty";
  /** "" where that is not known. */
  version: string;
  build: string;
  /** ISO 8601; null where that is not known. */
  installed: string | null;
}

export interface Reading {
  /** Names this boot of the machine. */
  boot: string;
  slots: SlotReading[];
}

/** What a bundle says of itself, under its signature. */
export interface Manifest {
  version: string;
  build: string;
  compatible: string;
  notes: string;
  /** Of the firmware, bytes. */
  size: number;
}

export type Inspection = { ok: true; manifest: Manifest } | { ok: false; why: string };
export type Outcome = { ok: true } | { ok: false; why: string };
/** @param percent null: not known. @param step in words */
export type Tell = (percent: number | null, step: string) => void;

export interface InstallOrder {
  /** Path of the bundle, which has passed `inspect`. */
  file: string;
  version: string;
  build: string;
  /** Of the firmware, bytes. */
  size: number;
  /** An older version is wanted. */
  downgrade: boolean;
}

/** What others have found out about the firmware. */
export interface Evidence {
  /** The firmware that runs has passed its health gate. */
  good: boolean;
  /** What was ever given up, in the order of time. */
  givenUp: { at: string; version: string; why: string }[];
}

export interface Slots {
  /** Why nothing can be installed here now, "" when it can. */
  refusal(): Promise<string>;
  /** The firmware that runs. */
  release(): Promise<{ version: string; build: string }>;
  /** Null: this machine has no slots. */
  read(): Promise<Reading | null>;
  /** How much a slot holds, bytes. */
  capacity(): Promise<number>;
  /** Whether a bundle is whole, signed by whom this box trusts, and made for it. Reasons are in words for people. */
  inspect(file: string, tell: Tell, signal: AbortSignal): Promise<Inspection>;
  /** Writes the other slot, which cannot be started until it is activated. */
  install(order: InstallOrder, tell: Tell): Promise<Outcome>;
  /** Whether an installation runs that an earlier supervisor ordered. */
  isInstalling(): Promise<boolean>;
  /** Waits for the end of that. */
  follow(order: Omit<InstallOrder, "file">, tell: Tell): Promise<Outcome>;
  /** Makes the next boot try this slot first. */
  activate(slot: SlotName): Promise<Outcome>;
  /** Restarts the box. */
  restart(reason: string): Promise<Outcome>;
  evidence(): Promise<Evidence>;
}
