/** What the box tells of its firmware: the slots, the bundle at hand, the work under way and what has happened. */

export const slotNames = ["A", "B"] as const;
export type SlotName = (typeof slotNames)[number];

/** One of the two places for firmware. */
export interface SlotStatus {
  name: SlotName;
  /** This supervisor runs from it. */
  running: boolean;
  /** The next boot tries it first. */
  next: boolean;
  /**
   * `good`: it has passed its health gate; `new`: installed and not tried yet, or being tried; `bad`: given up, or
   * written only in part; `empty`: nothing was ever installed.
   */
  state: "good" | "new" | "bad" | "empty";
  /** "" where that is not known. */
  version: string;
  build: string;
  /** ISO 8601, null where that is not known, such as for what came from the factory. */
  installed: string | null;
  /** Boots that it is tried for before it is given up, 0 to 3. */
  attemptsLeft: number;
  /** Why it is bad, "" otherwise. */
  why: string;
}

export const bundleOrigins = ["upload", "url", "usb"] as const;
export type BundleOrigin = (typeof bundleOrigins)[number];

/** A bundle on the data partition whose signature and kind have been found right. */
export interface BundleStatus {
  version: string;
  build: string;
  compatible: string;
  /** Release notes, plain text or Markdown, at most 16 KiB. */
  notes: string;
  /** Bytes. */
  size: number;
  /** Older than what runs: installed only on explicit order. */
  downgrade: boolean;
  origin: BundleOrigin;
  /** ISO 8601. */
  received: string;
}

export type WorkKind = "receive" | "verify" | "install" | "activate";

/** What is being done. */
export interface WorkStatus {
  what: WorkKind;
  /** Percent as far as it is known, and never guessed: null while it is not. */
  percent: number | null;
  /** In words, such as "Copying image to rootfs.1". */
  step: string;
  /** Bytes received so far, and in all (null: not known). 0 and null for other work. */
  bytes: number;
  totalBytes: number | null;
  /** Whether DELETE /firmware/bundle ends it. Writing to a slot is not given up halfway. */
  cancellable: boolean;
}

/** When an installed firmware is started; `manual`: when somebody orders it. */
export type Activation =
  | { when: "manual" }
  | { when: "now" }
  | { when: "next-boot" }
  /** ISO 8601 with an offset, in the future and within a year. */
  | { when: "at"; at: string };

export interface FirmwareStatus {
  version: string;
  build: string;
  /** null: this machine has no slots. */
  slots: SlotStatus[] | null;
  bundle: BundleStatus | null;
  work: WorkStatus | null;
  /** What has been ordered and is still to come. */
  activation: Activation | null;
  /** What went wrong last, in words for people, "" when all is well; a new order clears it. */
  trouble: string;
  capabilities: {
    install: boolean;
    /** The other slot holds firmware that can be started. */
    rollBack: boolean;
    /** Why not, "" when it can. */
    why: string;
  };
}

export const firmwareEvents = [
  ...(["received", "refused", "installed", "failed", "interrupted"] as const),
  ...(["activated", "started", "good", "given-up", "rolled-back"] as const),
] as const;

/** What has happened to the firmware, newest first in answers. */
export interface FirmwareEvent {
  /** ISO 8601. */
  at: string;
  what: (typeof firmwareEvents)[number];
  version: string;
  /** What it is about; null for a bundle. */
  slot: SlotName | null;
  /** Who ordered it, or `box` for what it did by itself. */
  who: string;
  /** The reason, release or file, "" for none. */
  detail: string;
}

/** A bundle on a USB stick. */
export interface UsbBundle {
  /** Opaque, for POST /firmware/usb. */
  id: string;
  /** Of the stick, such as its label. */
  stick: string;
  file: string;
  size: number;
}
