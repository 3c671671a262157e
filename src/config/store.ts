/**
 * The configuration in force. Every change is validated whole, stored, and only then told; a refused or failed change
 * changes nothing, in memory or on disk.
 */
import { Low } from "lowdb";
import type { Bus } from "../bus.ts";
import { type Check, DurableJsonFile, type StoreProblem } from "./durableFile.ts";
import { checksum, type Stored } from "./envelope.ts";
import { explain, type FieldError, inOneLine } from "./explain.ts";
import type { FilePort } from "./files.ts";
import { deepFreeze, isObject, valueAt } from "./json.ts";
import { migrate } from "./migrations.ts";
import { type ChannelConfig, type Config, config as schema } from "./schema.ts";

export type ChangeResult =
  /** `changed` is false when the document was the same already: nothing was written, the revision stays. */
  | { ok: true; revision: number; changed: boolean }
  /** Pointers of a channel's change start at the channel. */
  | { ok: false; reason: "invalid"; errors: FieldError[] }
  /** The configuration is not the one the change was made for. */
  | { ok: false; reason: "stale"; revision: number }
  | { ok: false; reason: "unknown-channel" };

export interface ChangeOptions {
  /** Change only if the configuration has one of these tags. */
  ifTag?: readonly string[];
}

export interface ConfigServiceOptions {
  folder: string;
  bus: Bus;
  /** What a box without a usable file starts with. */
  initial(): Config;
  files?: FilePort;
  now?(): Date;
}

const MAX_PROBLEMS = 20;
const NOT_RUNNING = "the configuration service is not running";

export class ConfigService {
  readonly #bus: Bus;
  readonly #initial: () => Config;
  readonly #now: () => Date;
  readonly #file: DurableJsonFile<Config>;
  readonly #problems: StoreProblem[] = [];
  #low: Low<Stored<Config>> | undefined;
  /** What is in force; lowdb's data runs ahead of it while a write is under way. */
  #stored: Stored<Config> | undefined;
  #tag = "";
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: ConfigServiceOptions) {
    this.#bus = options.bus;
    this.#initial = options.initial;
    this.#now = options.now ?? (() => new Date());
    const { folder, files } = options;
    const report = (problem: StoreProblem): void => this.#report(problem);
    this.#file = new DurableJsonFile({
      ...{ folder, name: "config", check, report, now: this.#now },
      ...(files === undefined ? {} : { files }),
    });
  }

  /** Finds the configuration. Never fails for a damaged file or disk: `problems` tells what was used instead. */
  async start(): Promise<void> {
    const initial = { revision: 1, saved: this.#now().toISOString(), document: deepFreeze(this.#initial()) };
    const low = new Low(this.#file, initial);
    await low.read();
    this.#low = low;
    this.#stored = deepFreeze(low.data);
    this.#tag = tagOf(low.data);
    if (this.#file.settled) return;
    try {
      await low.write();
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      this.#report({ when: this.#now().toISOString(), file: "config.json", what, action: "it is used all the same" });
    }
  }

  /** Waits for the changes in hand; later ones are errors. */
  async stop(): Promise<void> {
    await this.#queue;
    this.#low = undefined;
    this.#stored = undefined;
  }

  /** The configuration in force, deeply frozen. */
  get current(): Config {
    return this.#inForce.document;
  }

  /** Counts changes, across restarts, from 1. */
  get revision(): number {
    return this.#inForce.revision;
  }

  /** Names this configuration as an entity tag does: revision and content, without the quotes. */
  get tag(): string {
    return this.#tag;
  }

  channel(id: string): ChannelConfig | undefined {
    return this.current.channels.find((channel) => channel.id === id);
  }

  /** What was wrong with the stored files since the start, oldest first; the last 20. */
  problems(): readonly StoreProblem[] {
    return this.#problems;
  }

  /** Replaces the whole document. Rejects with StoreError when it cannot be written, as every change does. */
  replace(document: unknown, options: ChangeOptions = {}): Promise<ChangeResult> {
    return this.#change(options, () => this.#commit(document));
  }

  addChannel(channel: unknown, options: ChangeOptions = {}): Promise<ChangeResult> {
    return this.#change(options, () => this.#putChannel(this.current.channels.length, channel));
  }

  /** Replaces a channel; the id may be left out and cannot be changed. */
  replaceChannel(id: string, channel: unknown, options: ChangeOptions = {}): Promise<ChangeResult> {
    return this.editChannel(id, () => channel, options);
  }

  /** Replaces a channel by what `edit` makes of the one in force. `edit` must not change its argument. */
  editChannel(
    id: string,
    edit: (channel: ChannelConfig) => unknown,
    options: ChangeOptions = {},
  ): Promise<ChangeResult> {
    return this.#change(options, async () => {
      const index = this.current.channels.findIndex((channel) => channel.id === id);
      const old = this.current.channels[index];
      if (old === undefined) return { ok: false, reason: "unknown-channel" };
      const edited = edit(old);
      const channel = isObject(edited) && !Object.hasOwn(edited, "id") ? { id, ...edited } : edited;
      const newId = valueAt(channel, ["id"]);
      if (typeof newId === "string" && newId !== id) {
        const message = `must be "${id}", is ${JSON.stringify(newId.slice(0, 60))}: a channel keeps its id`;
        return { ok: false, reason: "invalid", errors: [{ pointer: "/id", message, limit: { enum: [id] } }] };
      }
      return await this.#putChannel(index, channel);
    });
  }

  removeChannel(id: string, options: ChangeOptions = {}): Promise<ChangeResult> {
    return this.#change(options, async () => {
      if (this.channel(id) === undefined) return { ok: false, reason: "unknown-channel" };
      const channels = this.current.channels.filter((channel) => channel.id !== id);
      return await this.#commit({ ...this.current, channels });
    });
  }

  /** Changes run one after the other, each on the outcome of the one before. */
  #change(options: ChangeOptions, change: () => Promise<ChangeResult>): Promise<ChangeResult> {
    const result = this.#queue.then((): ChangeResult | Promise<ChangeResult> => {
      const stale = options.ifTag !== undefined && !options.ifTag.includes(this.#tag);
      return stale ? { ok: false, reason: "stale", revision: this.revision } : change();
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** Puts a channel at a place of the list, which may be the one after the last. */
  async #putChannel(index: number, channel: unknown): Promise<ChangeResult> {
    const others = this.current.channels.toSpliced(index, 1);
    // Validated as the last one, so that it, and not its neighbour, is blamed when both want the same address.
    const parsed = schema.safeParse({ ...this.current, channels: [...others, channel] });
    if (parsed.success) {
      const valid = parsed.data.channels.at(-1) as ChannelConfig;
      return await this.#commit({ ...parsed.data, channels: others.toSpliced(index, 0, valid) });
    }
    const document = { ...this.current, channels: [...others, channel] };
    const prefix = `/channels/${others.length}`;
    const errors = explain(schema, document, parsed.error.issues).map((error) => ({
      ...error,
      pointer: `${error.pointer}/`.startsWith(`${prefix}/`) ? error.pointer.slice(prefix.length) : error.pointer,
    }));
    return { ok: false, reason: "invalid", errors };
  }

  async #commit(document: unknown): Promise<ChangeResult> {
    const parsed = schema.safeParse(document);
    if (!parsed.success) {
      return { ok: false, reason: "invalid", errors: explain(schema, document, parsed.error.issues) };
    }
    const old = this.#inForce;
    if (JSON.stringify(parsed.data) === JSON.stringify(old.document)) {
      return { ok: true, revision: old.revision, changed: false };
    }
    const revision = old.revision + 1;
    await this.#write({ revision, saved: this.#now().toISOString(), document: parsed.data });
    this.#bus.emit("config", { revision });
    return { ok: true, revision, changed: true };
  }

  async #write(stored: Stored<Config>): Promise<void> {
    if (this.#low === undefined) throw new Error(NOT_RUNNING);
    this.#low.data = stored;
    await this.#low.write();
    this.#stored = deepFreeze(stored);
    this.#tag = tagOf(stored);
  }

  get #inForce(): Stored<Config> {
    if (this.#stored === undefined) throw new Error(NOT_RUNNING);
    return this.#stored;
  }

  #report(problem: StoreProblem): void {
    this.#problems.push(problem);
    if (this.#problems.length > MAX_PROBLEMS) this.#problems.shift();
    const message = `${problem.file} ${problem.what}: ${problem.action}`;
    this.#bus.emit("log", { level: "warning", source: "config", message });
  }
}

/** Migrates a stored document and holds it against the schema. Never throws. */
export const check: Check<Config> = (document) => {
  const migrated = migrate(document);
  if (!migrated.ok) return { ok: false, what: migrated.message };
  const parsed = schema.safeParse(migrated.document);
  if (!parsed.success) {
    return { ok: false, what: `is not valid: ${inOneLine(explain(schema, migrated.document, parsed.error.issues))}` };
  }
  const { from } = migrated;
  return { ok: true, document: parsed.data, ...(from === parsed.data.version ? {} : { from }) };
};

function tagOf(stored: Stored<Config>): string {
  return `${stored.revision}-${checksum(stored).slice("sha256:".length, "sha256:".length + 8)}`;
}
