/** What is remembered of the firmware over a restart and a power cut: bundle, orders, slots and history. */
import { z } from "zod";
import { DurableJsonFile, type StoreProblem } from "../config/durableFile.ts";
import type { FilePort } from "../config/files.ts";
import { inWords } from "./results.ts";
import { bundleOrigins, type FirmwareEvent, firmwareEvents, slotNames } from "./status.ts";

/** Events that are kept. */
export const MAX_EVENTS = 200;
const MAX_DETAIL = 500;

const slotName = z.enum(slotNames);

const bundle = z.object({
  version: z.string(),
  build: z.string(),
  compatible: z.string(),
  notes: z.string(),
  size: z.number(),
  origin: z.enum(bundleOrigins),
  received: z.string(),
  /** Name in the store. */
  file: z.string(),
  /** Of the firmware in it, bytes. */
  imageSize: z.number(),
  /** As people know it. */
  title: z.string(),
});

const activation = z.discriminatedUnion("when", [
  z.object({ when: z.literal("manual") }),
  z.object({ when: z.literal("now") }),
  z.object({ when: z.literal("next-boot") }),
  z.object({ when: z.literal("at"), at: z.string() }),
]);

const work = z.object({
  what: z.enum(["receive", "install"]),
  who: z.string(),
  version: z.string(),
  build: z.string(),
  /** Of the firmware, bytes. */
  size: z.number(),
  slot: slotName.nullable(),
  activation,
  downgrade: z.boolean(),
  /** The boot of the machine in which it was begun. */
  boot: z.string(),
  /** When the slot was installed before, as the slots tell it. */
  before: z.string().nullable(),
});

const slot = z.object({
  version: z.string(),
  build: z.string(),
  /** As the slots tell it; this is void when that is another one, but for `part`. */
  installed: z.string().nullable(),
  /** `part`: an installation has begun and not ended, whatever the slots tell: what they noted last may be lost. */
  state: z.enum(["new", "good", "bad", "part"]),
  why: z.string(),
});

const memory = z.object({
  bundle: bundle.nullable(),
  /** Under way: what is found here at a start was interrupted. */
  work: work.nullable(),
  activation: z.object({ order: activation, slot: slotName, who: z.string() }).nullable(),
  /** The slot that the next boot is to come up from. */
  expected: z.object({ slot: slotName, version: z.string() }).nullable(),
  slots: z.object({ A: slot.nullable(), B: slot.nullable() }),
  /** What ran last, and in which boot. */
  running: z.object({ boot: z.string(), slot: slotName, version: z.string(), build: z.string() }).nullable(),
  /** How many of those that were ever given up are in the history. */
  givenUpTold: z.number(),
  fault: z.object({ message: z.string(), since: z.string() }).nullable(),
  trouble: z.string(),
  /** The oldest first. */
  events: z.array(
    z.object({
      at: z.string(),
      what: z.enum(firmwareEvents),
      version: z.string(),
      slot: slotName.nullable(),
      who: z.string(),
      detail: z.string(),
    }),
  ),
});

export type Memory = z.infer<typeof memory>;
export type SlotMemory = z.infer<typeof slot>;
export type StoredBundle = z.infer<typeof bundle>;
export type StoredWork = z.infer<typeof work>;

/** What is not known of work, or does not matter to it. */
export const noWork = {
  ...{ version: "", build: "", size: 0, slot: null, downgrade: false, boot: "", before: null },
  activation: { when: "manual" } as const,
};

const empty: Memory = {
  ...{ bundle: null, work: null, activation: null, expected: null, slots: { A: null, B: null }, running: null },
  ...{ givenUpTold: 0, fault: null, trouble: "", events: [] },
};

export interface FirmwareMemoryOptions {
  folder: string;
  report(problem: StoreProblem): void;
  files?: FilePort | undefined;
}

export class FirmwareMemory {
  readonly #file: DurableJsonFile<Memory>;
  readonly #report: (message: string) => void;
  #revision = 0;
  #current = empty;
  #writes: Promise<void> = Promise.resolve();

  constructor({ folder, report, files }: FirmwareMemoryOptions) {
    this.#report = (what) =>
      report({ when: new Date().toISOString(), file: "firmware.json", what, action: "it holds until a restart" });
    this.#file = new DurableJsonFile<Memory>({
      ...{ folder, name: "firmware", report },
      check: (document) => {
        const parsed = memory.safeParse(document);
        return parsed.success ? { ok: true, document: parsed.data } : { ok: false, what: "is not what was stored" };
      },
      ...(files === undefined ? {} : { files }),
    });
  }

  async start(): Promise<void> {
    const stored = await this.#file.read();
    this.#revision = stored?.revision ?? 0;
    this.#current = stored?.document ?? empty;
  }

  get current(): Memory {
    return this.#current;
  }

  /** Holds from now on; returns when it is on the medium, or cannot be written, which is reported. */
  async change(change: Partial<Memory>, ...events: FirmwareEvent[]): Promise<void> {
    const told = events.map((event) => ({ ...event, detail: event.detail.slice(0, MAX_DETAIL) }));
    const all = [...this.#current.events, ...told].slice(-MAX_EVENTS);
    this.#current = { ...this.#current, ...change, events: all };
    const document = this.#current;
    const revision = ++this.#revision;
    this.#writes = this.#writes
      .then(() => this.#file.write({ revision, saved: new Date().toISOString(), document }))
      .catch((error: unknown) => this.#report(inWords(error)));
    await this.#writes;
  }
}
