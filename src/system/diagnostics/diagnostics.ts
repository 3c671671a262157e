/**
 * The diagnostics bundle: what somebody who is to find a fault wants to see, as one tar.gz, without secrets. It is made
 * while it is sent; one part that hangs, fails or is too long costs that part alone.
 */
import { Readable } from "node:stream";
import { createGzip, type Gzip } from "node:zlib";
import { pack } from "tar-stream";
import { type Clock, systemClock } from "../../board/ports.ts";
import type { Redact } from "../logs/redactor.ts";

/** One file of the bundle. */
export interface DiagnosticsPart {
  /** Name of the file, such as `config.json`; may have folders. */
  name: string;
  content(): Promise<string | Uint8Array>;
}

export interface DiagnosticsOptions {
  /** Asked one after the other, in this order. */
  parts: readonly DiagnosticsPart[];
  /** Applied to every part. */
  redact: Redact;
  clock?: Clock;
  /** The wall clock. */
  now?(): Date;
  /** Longest time for one part, ms. */
  timeoutMs?: number;
  /** Most of one part, bytes; of a longer one the end is left out. */
  partMax?: number;
  /** Most of all of them. */
  totalMax?: number;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;
const MIB = 1024 * 1024;

export class Diagnostics {
  readonly #options: Required<DiagnosticsOptions>;
  #busy = false;

  constructor(options: DiagnosticsOptions) {
    this.#options = {
      ...{ clock: systemClock, now: () => new Date(), timeoutMs: 10_000, partMax: 10 * MIB, totalMax: 40 * MIB },
      ...options,
    };
  }

  /** Name for the file, such as `steadycast-20261122T072040Z`. */
  get name(): string {
    const time = this.#options
      .now()
      .toISOString()
      .replaceAll(/[-:]|\.\d+/g, "");
    return `steadycast-${time}`;
  }

  /** The bundle as it is made; undefined while another one is. It must be read to its end or destroyed. */
  bundle(): Readable | undefined {
    if (this.#busy) return undefined;
    this.#busy = true;
    const tar = pack();
    const gzip = createGzip();
    const source = Readable.from(tar as AsyncIterable<Uint8Array>);
    const ended = new AbortController();
    const end = () => {
      ended.abort();
      this.#busy = false;
      tar.destroy();
      source.destroy();
    };
    gzip.once("close", end);
    source.on("error", (error) => gzip.destroy(error));
    source.pipe(gzip);
    // The answer begins before the first part has come.
    gzip.flush();
    this.#fill(tar, gzip, ended.signal).catch((error: unknown) => gzip.destroy(error as Error));
    return gzip;
  }

  async #fill(tar: ReturnType<typeof pack>, gzip: Gzip, ended: AbortSignal): Promise<void> {
    const { parts, now, totalMax } = this.#options;
    const folder = this.name;
    let left = totalMax;
    for (const part of parts) {
      if (ended.aborted) return;
      const { name, bytes } = await this.#contentOf(part, left, ended);
      left -= bytes.length;
      if (ended.aborted) return;
      await new Promise<void>((resolve, reject) => {
        // Whoever goes away while this waits has the entry closed with the archive.
        const entry = tar.entry(
          { name: `${folder}/${name}`, mode: 0o600, mtime: now() },
          Buffer.from(bytes),
          (error) => (error ? reject(error) : resolve()),
        );
        entry.once("close", resolve);
      });
      // Whoever reads it hears something after each part, however slowly they come.
      gzip.flush();
    }
    tar.finalize();
  }

  async #contentOf(
    { name, content }: DiagnosticsPart,
    left: number,
    ended: AbortSignal,
  ): Promise<{ name: string; bytes: Uint8Array }> {
    if (!NAME.test(name)) throw new Error(`a part of the diagnostics must not be called ${JSON.stringify(name)}`);
    const { clock, timeoutMs, partMax, redact } = this.#options;
    let cancel = () => {};
    const late = new Promise<never>((_, reject) => {
      const unwanted = () => reject(new Error("nobody wants it any more"));
      ended.addEventListener("abort", unwanted);
      const cancelLimit = clock.after(timeoutMs, () =>
        reject(new Error(`it did not come within ${timeoutMs / 1000} s`)),
      );
      cancel = () => {
        cancelLimit();
        ended.removeEventListener("abort", unwanted);
      };
    });
    late.catch(() => undefined);
    try {
      const given = await Promise.race([Promise.resolve().then(content), late]);
      const max = Math.max(0, Math.min(partMax, left));
      const bytes = redactBytes(given, redact);
      if (bytes.length <= max) return { name, bytes };
      const note = `\n[cut here: it has ${bytes.length} bytes, and there was room for ${max}]\n`;
      return { name, bytes: Buffer.concat([bytes.subarray(0, max), Buffer.from(note)]) };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { name: `${name}.failed.txt`, bytes: Buffer.from(redact(`There is no ${name} in here: ${why}\n`)) };
    } finally {
      cancel();
    }
  }
}

/** Bytes that are no text keep all that is no secret: each of them stands for a character meanwhile. */
function redactBytes(content: string | Uint8Array, redact: Redact): Buffer {
  if (typeof content === "string") return Buffer.from(redact(content));
  const buffer = Buffer.from(content);
  const text = buffer.toString("utf8");
  if (Buffer.from(text).equals(buffer)) return Buffer.from(redact(text));
  return Buffer.from(redact(buffer.toString("latin1")), "latin1");
}

/** A part that is a value of the supervisor's, as JSON that people can read. */
export function jsonPart(name: string, value: () => unknown): DiagnosticsPart {
  return { name, content: async () => `${JSON.stringify(await value(), undefined, 2)}\n` };
}
