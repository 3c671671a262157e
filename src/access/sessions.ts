/**
 * The sessions: in memory by the digest of their secrets, and in a file in memory, with which they survive a restart of the
 * supervisor, but not one of the box.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Bus } from "../bus.ts";
import type { FilePort } from "../config/files.ts";
import { digest, newId, newSecret } from "./secrets.ts";

const PER_USER = 16;
const IN_ALL = 256;
const AGENT_LENGTH = 200;
const FILE = "sessions.json";
/** How long uses of a session may stay unwritten, ms. */
const LAZY_MS = 60_000;

const session = z.strictObject({
  id: z.string(),
  /** SHA-256 of the secret. */
  hash: z.string(),
  user: z.string(),
  /** Of the user at the log-in: an older one ends the session. */
  generation: z.int(),
  address: z.string(),
  agent: z.string(),
  /** ms of the steady clock. */
  began: z.number(),
  seen: z.number(),
});
const stored = z.strictObject({
  boot: z.string(),
  sessions: z.array(session).max(IN_ALL),
  /** The last step of a TOTP code of each user. */
  steps: z.record(z.string(), z.int()),
});

export type Session = z.infer<typeof session>;

export interface SessionsOptions {
  folder: string;
  files: FilePort;
  bus: Bus;
  /** ms of a clock that runs evenly from the start of the box on, for every process of it. */
  clock: { now(): number; after(ms: number, call: () => void): () => void };
  /** How long a session lives without and with use, ms. */
  lifetime(): { idleMs: number; longestMs: number };
  /** Names this run of the box; the default is the kernel's. */
  boot?: string | undefined;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #boot: string;
  readonly #byHash = new Map<string, Session>();
  readonly #steps = new Map<string, number>();
  #cancelSave: (() => void) | undefined;
  #saving: Promise<void> = Promise.resolve();
  #isSaveWaiting = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#boot = options.boot ?? bootId();
  }

  /** Takes over the sessions of the supervisor before. What cannot be used is no loss but of a log-in. */
  async start(): Promise<void> {
    const { files, folder } = this.#options;
    this.#byHash.clear();
    this.#steps.clear();
    try {
      await files.makeFolder(folder);
      for (const name of await files.list(folder)) {
        if (/^sessions\.[0-9a-f]+\.tmp$/.test(name)) await files.remove(join(folder, name));
      }
      const text = new TextDecoder().decode(await files.read(join(folder, FILE)));
      const found = stored.parse(JSON.parse(text));
      if (found.boot !== this.#boot || this.#boot === "") return;
      for (const one of found.sessions) this.#byHash.set(one.hash, one);
      for (const [user, step] of Object.entries(found.steps)) this.#steps.set(user, step);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
      this.#options.bus.emit("log", {
        ...{ level: "warning", source: "access" },
        message: "the sessions of before cannot be used: everybody has to log in again",
      });
    }
  }

  async stop(): Promise<void> {
    await this.save();
    this.#cancelSave?.();
    this.#cancelSave = undefined;
  }

  /** Begins a session; when there are too many, of the user or in all, the one unused for the longest ends. */
  async begin(
    of: Pick<Session, "user" | "generation" | "address" | "agent">,
  ): Promise<{ secret: string; session: Session }> {
    const secret = newSecret();
    const now = this.#options.clock.now();
    this.#sweep();
    const own = [...this.#byHash.values()].filter(({ user }) => user === of.user);
    if (own.length >= PER_USER) this.#endOldest(own);
    if (this.#byHash.size >= IN_ALL) this.#endOldest([...this.#byHash.values()]);
    const one = {
      ...{ ...of, agent: of.agent.slice(0, AGENT_LENGTH), id: newId(), hash: digest(secret), began: now, seen: now },
    };
    this.#byHash.set(one.hash, one);
    await this.save();
    return { secret, session: one };
  }

  /** The session of a secret, if it lives. @param counts as use, which keeps it alive */
  use(secret: string, address: string, counts: boolean): Session | undefined {
    const one = this.#byHash.get(digest(secret));
    if (one === undefined) return undefined;
    if (!this.#lives(one)) {
      this.#byHash.delete(one.hash);
      this.#saveLater();
      return undefined;
    }
    if (!counts) return one;
    one.seen = this.#options.clock.now();
    one.address = address;
    this.#saveLater();
    return one;
  }

  get(id: string): Session | undefined {
    return this.list().find((one) => one.id === id);
  }

  list(): Session[] {
    return [...this.#byHash.values()].filter((one) => this.#lives(one));
  }

  /** Lets a session stay when its user changes the password in it. */
  renew(id: string, generation: number): void {
    const one = this.get(id);
    if (one !== undefined) one.generation = generation;
  }

  /** Ends those that the function does not keep. */
  async keep(which: (one: Session) => boolean): Promise<void> {
    const ended = [...this.#byHash.values()].filter((one) => !which(one));
    for (const { hash } of ended) this.#byHash.delete(hash);
    if (ended.length > 0) await this.save();
  }

  /** ms until a session ends at the latest. */
  left({ began }: Session): number {
    return began + this.#options.lifetime().longestMs - this.#options.clock.now();
  }

  /** Whether a user's code of this step may be taken; it is taken by that, and no earlier one is. */
  takeStep(user: string, step: number): boolean {
    if (step <= (this.#steps.get(user) ?? Number.NEGATIVE_INFINITY)) return false;
    this.#steps.set(user, step);
    return true;
  }

  /** Takes a step without regard to those of before, which belong to another secret. */
  setStep(user: string, step: number): void {
    this.#steps.set(user, step);
    this.#saveLater();
  }

  /** Writes the file; returns when it holds what is in force now. Failing costs only that a restart ends the sessions. */
  save(): Promise<void> {
    this.#cancelSave?.();
    this.#cancelSave = undefined;
    if (!this.#isSaveWaiting) {
      this.#isSaveWaiting = true;
      this.#saving = this.#saving.then(async () => {
        this.#isSaveWaiting = false;
        await this.#write();
      });
    }
    return this.#saving;
  }

  #saveLater(): void {
    this.#cancelSave ??= this.#options.clock.after(LAZY_MS, () => void this.save());
  }

  async #write(): Promise<void> {
    const { files, folder, bus } = this.#options;
    const document = { boot: this.#boot, sessions: this.list(), steps: Object.fromEntries(this.#steps) };
    const temporary = join(folder, `sessions.${randomBytes(4).toString("hex")}.tmp`);
    try {
      const file = await files.create(temporary);
      try {
        await file.write(new TextEncoder().encode(JSON.stringify(document)));
      } finally {
        await file.close();
      }
      await files.rename(temporary, join(folder, FILE));
    } catch (error) {
      await files.remove(temporary).catch(() => undefined);
      const why = error instanceof Error ? error.message : String(error);
      bus.emit("log", { level: "warning", source: "access", message: `the sessions could not be stored: ${why}` });
    }
  }

  #lives({ began, seen }: Session): boolean {
    const { idleMs, longestMs } = this.#options.lifetime();
    const now = this.#options.clock.now();
    return now < seen + idleMs && now < began + longestMs;
  }

  #sweep(): void {
    for (const one of this.#byHash.values()) if (!this.#lives(one)) this.#byHash.delete(one.hash);
  }

  #endOldest(of: readonly Session[]): void {
    const [oldest] = [...of].sort((a, b) => a.seen - b.seen);
    if (oldest !== undefined) this.#byHash.delete(oldest.hash);
  }
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    // Without one nobody can tell whether the box was started anew: no session survives.
    return "";
  }
}
