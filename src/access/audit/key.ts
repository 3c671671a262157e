/** The box's key of the audit log: made at the first start, kept twice, readable by the supervisor alone. */
import { randomBytes } from "node:crypto";
import { type Check, DurableJsonFile, type StoreProblem } from "../../config/durableFile.ts";
import type { LogFiles } from "./files.ts";

const BYTES = 32;

const check: Check<{ key: string }> = (document) => {
  const { key } = document as { key?: unknown };
  if (typeof key === "string" && Buffer.from(key, "base64").length === BYTES) return { ok: true, document: { key } };
  return { ok: false, what: "holds no key" };
};

export class AuditKey {
  readonly #file: DurableJsonFile<{ key: string }>;

  constructor(options: { folder: string; files: LogFiles; report(problem: StoreProblem): void; now(): Date }) {
    this.#file = new DurableJsonFile({ ...options, name: "key", check });
  }

  /** The key; undefined when there is none that can be used. */
  async read(): Promise<Uint8Array | undefined> {
    const stored = await this.#file.read();
    if (stored === null) return undefined;
    if (!this.#file.settled) await this.#file.write(stored);
    return Buffer.from(stored.document.key, "base64");
  }

  make(): Uint8Array {
    return randomBytes(BYTES);
  }

  /** Rejects with StoreError. */
  async keep(key: Uint8Array, saved: Date): Promise<void> {
    const document = { key: Buffer.from(key).toString("base64") };
    await this.#file.write({ revision: 1, saved: saved.toISOString(), document });
  }
}
