/** What must be known of an order when the box is up again: why it went down, and that it is not to do so again at once. */
import { z } from "zod";
import { DurableJsonFile, type StoreProblem } from "../../config/durableFile.ts";
import type { FilePort } from "../../config/files.ts";
import { powerOrders } from "./adapters.ts";

const remembered = z.object({
  /** The kernel's id of the boot that this was stored in. */
  boot: z.string(),
  /** The order that ends that boot; null: none was given, so what ended it is not known. */
  order: z.object({ what: z.enum(powerOrders), reason: z.string(), when: z.iso.datetime() }).nullable(),
  /** The last local date on which the schedule has rebooted the box, "" for none. */
  scheduled: z.string(),
});
export type Remembered = z.infer<typeof remembered>;

export interface PowerMemoryOptions {
  folder: string;
  report(problem: StoreProblem): void;
  files?: FilePort;
}

export class PowerMemory {
  readonly #file: DurableJsonFile<Remembered>;
  #revision = 0;

  constructor(options: PowerMemoryOptions) {
    this.#file = new DurableJsonFile<Remembered>({
      ...options,
      name: "power",
      check: (document) => {
        const parsed = remembered.safeParse(document);
        return parsed.success ? { ok: true, document: parsed.data } : { ok: false, what: "is not what was stored" };
      },
    });
  }

  async read(): Promise<Remembered | undefined> {
    const stored = await this.#file.read();
    this.#revision = stored?.revision ?? 0;
    return stored?.document;
  }

  /** Rejects with StoreError. */
  async write(document: Remembered): Promise<void> {
    await this.#file.write({ revision: ++this.#revision, saved: new Date().toISOString(), document });
  }
}
