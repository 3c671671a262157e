/**
 * The configuration in force. Every change is validated whole, stored, and only then told; a refused or failed change
 * changes nothing, in memory or on disk. A change on trial is in force without being stored (see trial.ts).
 */
import { Low } from "lowdb";
import type { Bus, Events } from "../bus.ts";
import type { ChangeOptions, ChangeResult, Proposal, TrialEndResult } from "./change.ts";
import { withChannel, withEdited, withoutChannel } from "./channelEdits.ts";
import { type Difference, diff } from "./diff.ts";
import { type Check, DurableJsonFile, type StoreProblem } from "./durableFile.ts";
import { checksum, type Stored } from "./envelope.ts";
import { explain, type FieldError, inOneLine } from "./explain.ts";
import { type FilePort, files as realFiles } from "./files.ts";
import { History, type Version } from "./history.ts";
import { deepFreeze, mergePatch } from "./json.ts";
import { migrate } from "./migrations.ts";
import { CONFIRM_LIMITS, CONFIRM_SECONDS, compare, NO_IMPACT, type Plan, type Prepared, prepare } from "./plan.ts";
import { type ChannelConfig, type Config, config as schema } from "./schema.ts";
import { redact } from "./secrets.ts";
import { systemTimers, type Timers } from "./timers.ts";
import { PendingTrial, type Trial, TrialMarker } from "./trial.ts";

export type { ChangeOptions, ChangeResult, Proposal, Section, TrialEndResult } from "./change.ts";

export interface ConfigServiceOptions {
  folder: string;
  bus: Bus;
  /** What a box without a usable file starts with. */
  initial(): Config;
  /** What the world beyond the schema has against a valid configuration, such as an address that another machine has. */
  admit?(next: Config): Promise<FieldError[]>;
  files?: FilePort;
  now?(): Date;
  timers?: Timers;
}

const MAX_PROBLEMS = 20;
const NOT_RUNNING = "the configuration service is not running";

export class ConfigService {
  readonly #bus: Bus;
  readonly #initial: () => Config;
  readonly #admit: (next: Config) => Promise<FieldError[]>;
  readonly #now: () => Date;
  readonly #timers: Timers;
  readonly #file: DurableJsonFile<Config>;
  readonly #history: History;
  readonly #marker: TrialMarker;
  readonly #problems: StoreProblem[] = [];
  #low: Low<Stored<Config>> | undefined;
  /** What the disk holds; lowdb's data runs ahead of it while a write is under way. */
  #stored: Stored<Config> | undefined;
  /** While there is one, it is in force instead. */
  #trial: PendingTrial | undefined;
  /** The highest that was ever given out: one that was taken back is not used again for something else. */
  #lastRevision = 0;
  #tag = "";
  #shown: Config | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  /** When the work on the files that is being done began. */
  #workingSince: number | undefined;

  constructor(options: ConfigServiceOptions) {
    const { folder, files = realFiles } = options;
    this.#bus = options.bus;
    this.#initial = options.initial;
    this.#admit = options.admit ?? (async () => []);
    this.#now = options.now ?? (() => new Date());
    this.#timers = options.timers ?? systemTimers;
    const report = (problem: StoreProblem): void => this.#report(problem);
    const tell = (file: string, what: string, action: string): void =>
      this.#report({ when: this.#now().toISOString(), file, what, action });
    this.#history = new History({
      ...{ folder, check, files },
      report: ({ file, what, action }) => tell(file, what, action),
    });
    this.#marker = new TrialMarker(folder, files, (what) =>
      tell(TrialMarker.file, what, "a trial that is cut short is not told of"),
    );
    const spare = async () => {
      await this.#history.start();
      return await this.#history.best();
    };
    this.#file = new DurableJsonFile({ ...{ folder, name: "config", check, report, spare, files, now: this.#now } });
  }

  /** Finds the configuration. Never fails for a damaged file or disk: `problems` tells what was used instead. */
  async start(): Promise<void> {
    const initial = { revision: 1, saved: this.#now().toISOString(), document: deepFreeze(this.#initial()) };
    const low = new Low<Stored<Config>>(this.#file, initial);
    await low.read();
    await this.#history.start();
    const marked = await this.#marker.read();
    const found = low.data;
    const isKept = await this.#history.has(found);
    // Another configuration had this revision before: the new one must not take its name.
    const isReused = !this.#file.settled && !isKept && found.revision <= this.#history.newest;
    const stored = isReused ? { ...found, revision: this.#history.newest + 1 } : found;
    low.data = stored;
    this.#low = low;
    this.#stored = deepFreeze(stored);
    this.#enforced();
    this.#lastRevision = Math.max(stored.revision, this.#history.newest, marked?.revision ?? 0);
    if (!this.#file.settled) {
      try {
        await low.write();
      } catch (error) {
        const what = error instanceof Error ? error.message : String(error);
        this.#problem("config.json", what, "it is used all the same");
      }
    }
    if (!isKept) await this.#history.add(stored);
    if (marked === undefined) return;
    const isStored =
      marked.revision < stored.revision || (marked.revision === stored.revision && marked.saved === stored.saved);
    if (!isStored) {
      const who = marked.author === undefined ? "" : ` by ${marked.author}`;
      const what = `tells of revision ${marked.revision}${who}, which was not confirmed`;
      this.#problem(TrialMarker.file, what, `it is not in force; config.json (revision ${stored.revision}) is`);
    }
    await this.#marker.remove();
  }

  /** Waits for the changes in hand; later ones are errors. A change on trial is taken back, and told at the next start. */
  async stop(): Promise<void> {
    await this.#queue;
    this.#endTrial("stopped");
    this.#low = undefined;
    this.#stored = undefined;
    this.#shown = undefined;
  }

  /** Whether there is a configuration in force: between start and stop. */
  get isRunning(): boolean {
    return this.#stored !== undefined;
  }

  /** How long the work on the files that is being done has taken so far, ms; 0 when there is none. */
  get workingMs(): number {
    return this.#workingSince === undefined ? 0 : this.#timers.now() - this.#workingSince;
  }

  /** The configuration in force, deeply frozen, with its secrets: for the box itself only. */
  get current(): Config {
    return this.#inForce.document;
  }

  /** The configuration in force with SECRET_MARK for its secrets: what may be answered. */
  get shown(): Config {
    this.#shown ??= deepFreeze(redact(this.current));
    return this.#shown;
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

  shownChannel(id: string): ChannelConfig | undefined {
    return this.shown.channels.find((channel) => channel.id === id);
  }

  /** What was wrong with the stored files since the start, oldest first; the last 20. */
  problems(): readonly StoreProblem[] {
    return this.#problems;
  }

  /** The change that waits for its confirmation; null when there is none. */
  trial(): Trial | null {
    return this.#trial?.tell() ?? null;
  }

  /** What a change would do if it was made now. `given`: parts in which it gives secrets themselves. */
  async plan(proposal: Proposal, options: Pick<ChangeOptions, "local"> = {}): Promise<Plan & { given: string[] }> {
    const prepared = prepare(this.#documentOf(proposal), this.current);
    const plan = this.#plan(prepared, options);
    if (!prepared.ok) return { ...plan, given: [] };
    const errors = plan.changed ? await this.#admit(prepared.document) : [];
    return { ...plan, valid: errors.length === 0, errors, given: prepared.given };
  }

  /** What bringing a version back would do; undefined when there is no such version. */
  planRestore(revision: number): Promise<Plan | undefined> {
    return this.#enqueue(async () => {
      const version = await this.#history.get(revision);
      return version && this.#plan({ ok: true, document: version.document, given: [] }, {});
    });
  }

  #plan(prepared: Prepared, options: Pick<ChangeOptions, "local">): Plan {
    const { revision, document: current } = this.#inForce;
    if (!prepared.ok) {
      const { errors } = prepared;
      return { ...NO_IMPACT, revision, valid: false, errors, changed: false, confirmSeconds: 0 };
    }
    const impact = compare(current, prepared.document);
    const changed = !isSame(current, prepared.document);
    const confirmSeconds = impact.canCutOff && !options.local ? CONFIRM_SECONDS : 0;
    return { ...impact, revision, valid: true, errors: [], changed, confirmSeconds };
  }

  /** Makes a change. Rejects with StoreError when it cannot be written, as every change does. */
  apply(proposal: Proposal, options: ChangeOptions = {}): Promise<ChangeResult> {
    return this.#change(options, () => this.#commit(this.#documentOf(proposal), options));
  }

  /** Replaces the whole document. */
  replace(document: unknown, options: ChangeOptions = {}): Promise<ChangeResult> {
    return this.apply({ document }, options);
  }

  addChannel(channel: unknown, options: ChangeOptions = {}): Promise<ChangeResult> {
    const added = () => withChannel(this.current, this.current.channels.length, channel);
    return this.#change(options, () => this.#settle(added(), options));
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
    return this.#change(options, () => this.#settle(withEdited(this.current, id, edit), options));
  }

  removeChannel(id: string, options: ChangeOptions = {}): Promise<ChangeResult> {
    return this.#change(options, () => this.#settle(withoutChannel(this.current, id), options));
  }

  /** Makes an earlier version the configuration in force: a change like any other. */
  restore(revision: number, options: ChangeOptions = {}): Promise<ChangeResult> {
    return this.#change(options, async () => {
      const version = await this.#history.get(revision);
      if (version === undefined) return { ok: false, reason: "unknown-revision" };
      return await this.#commit(version.document, { comment: `restored revision ${revision}`, ...options });
    });
  }

  /** Stores the change on trial. When that fails, it rejects with StoreError, and the trial goes on until its time-out. */
  confirm(revision: number): Promise<TrialEndResult> {
    return this.#end(revision, async (trial) => {
      await this.#write(trial.stored);
      this.#endTrial("confirmed");
      await this.#marker.remove();
      await this.#history.add(trial.stored);
    });
  }

  /** Takes the change on trial back. */
  revert(revision: number): Promise<TrialEndResult> {
    return this.#end(revision, async () => {
      this.#endTrial("reverted");
      await this.#marker.remove();
    });
  }

  /** The versions that can be restored, newest first, 50 at the most; `current` is the one that is stored. */
  versions(): Promise<(Version & { current: boolean })[]> {
    return this.#enqueue(async () => {
      const { revision } = this.#confirmed;
      return (await this.#history.list()).map((version) => ({ ...version, current: version.revision === revision }));
    });
  }

  /** A version with SECRET_MARK for its secrets; undefined when there is none that can be used. */
  version(revision: number): Promise<Stored<Config> | undefined> {
    return this.#enqueue(async () => {
      const found = await this.#history.get(revision);
      return found && { ...found, document: redact(found.document) };
    });
  }

  /** What differs from one version to another, or to the configuration in force; undefined when there is no such version. */
  differences(from: number, to?: number): Promise<Difference[] | undefined> {
    return this.#enqueue(async () => {
      const before = await this.#history.get(from);
      const after = to === undefined ? this.#inForce : await this.#history.get(to);
      return before && after && diff(before.document, after.document);
    });
  }

  /** Work on the files runs one after the other, each on the outcome of the one before. */
  #enqueue<R>(work: () => R | Promise<R>): Promise<R> {
    const result = this.#queue.then(async () => {
      this.#workingSince = this.#timers.now();
      try {
        return await work();
      } finally {
        this.#workingSince = undefined;
      }
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #change(options: ChangeOptions, change: () => Promise<ChangeResult>): Promise<ChangeResult> {
    return this.#enqueue((): ChangeResult | Promise<ChangeResult> => {
      if (this.#trial !== undefined) return { ok: false, reason: "trial", trial: this.#trial.tell() };
      const stale = options.ifTag !== undefined && !options.ifTag.includes(this.#tag);
      return stale ? { ok: false, reason: "stale", revision: this.revision } : change();
    });
  }

  async #commit(document: unknown, options: ChangeOptions): Promise<ChangeResult> {
    return await this.#settle(prepare(document, this.current), options);
  }

  async #settle(prepared: Prepared | undefined, options: ChangeOptions): Promise<ChangeResult> {
    if (prepared === undefined) return { ok: false, reason: "unknown-channel" };
    if (!prepared.ok) return { ok: false, reason: "invalid", errors: prepared.errors };
    return await this.#commitPrepared(prepared, options);
  }

  async #commitPrepared(
    prepared: { document: Config; given: string[] },
    options: ChangeOptions,
  ): Promise<ChangeResult> {
    const old = this.#inForce;
    const { differences, sections, canCutOff } = compare(old.document, prepared.document);
    const { sections: allowed, author, comment } = options;
    if (allowed !== undefined) {
      // Who gives a secret must not learn from the answer whether it was the one that is set.
      const touched = [...new Set([...sections, ...prepared.given])];
      const forbidden = touched.filter((section) => !(allowed as readonly string[]).includes(section));
      if (forbidden.length > 0) return { ok: false, reason: "not-allowed", sections: forbidden };
    }
    if (isSame(prepared.document, old.document)) {
      return { ok: true, revision: old.revision, changed: false, differences: [] };
    }
    const seconds = options.confirmSeconds ?? (canCutOff && !options.local ? CONFIRM_SECONDS : 0);
    const wrong = checkSeconds(seconds, canCutOff && !options.local);
    if (wrong !== undefined) return { ok: false, reason: "invalid", errors: [wrong] };
    const objections = await this.#admit(prepared.document);
    if (objections.length > 0) return { ok: false, reason: "invalid", errors: objections };

    const now = this.#now();
    const stored: Stored<Config> = {
      revision: this.#lastRevision + 1,
      saved: now.toISOString(),
      ...(author === undefined ? {} : { author }),
      ...(comment === undefined || comment === "" ? {} : { comment }),
      document: prepared.document,
    };
    const { revision } = stored;
    if (seconds > 0) {
      await this.#marker.write(stored);
      const trial = this.#begin(deepFreeze(stored), seconds, now, differences);
      return { ok: true, revision, changed: true, differences, trial };
    }
    await this.#write(stored);
    this.#lastRevision = revision;
    this.#bus.emit("config", { revision });
    await this.#history.add(stored);
    return { ok: true, revision, changed: true, differences };
  }

  #begin(stored: Stored<Config>, seconds: number, now: Date, differences: Difference[]): Trial {
    const expired = (): void => void this.#enqueue(() => this.#expire(trial));
    const trial = new PendingTrial(stored, { seconds, now, differences, timers: this.#timers, expired });
    this.#trial = trial;
    this.#lastRevision = stored.revision;
    this.#enforced();
    this.#bus.emit("config", { revision: stored.revision });
    this.#tellTrial(trial, "pending");
    return trial.tell();
  }

  async #expire(trial: PendingTrial): Promise<void> {
    if (this.#trial !== trial) return;
    this.#endTrial("expired");
    await this.#marker.remove();
  }

  #end(revision: number, how: (trial: PendingTrial) => Promise<void>): Promise<TrialEndResult> {
    return this.#enqueue(async () => {
      const trial = this.#trial;
      if (trial === undefined) return { ok: false, reason: "no-trial" };
      const told = trial.tell();
      if (told.revision !== revision) return { ok: false, reason: "other-trial", trial: told };
      await how(trial);
      return { ok: true, revision: this.revision, differences: told.differences };
    });
  }

  /** What is stored is in force again: the old configuration, or the one that was on trial. */
  #endTrial(state: Exclude<Events["trial"]["state"], "pending">): void {
    const trial = this.#trial;
    if (trial === undefined) return;
    trial.cancel();
    this.#trial = undefined;
    this.#enforced();
    this.#bus.emit("config", { revision: this.revision });
    this.#tellTrial(trial, state);
    if (state === "confirmed") return;
    const { author = "somebody", revision } = trial.stored;
    const message = `Revision ${revision} by ${author} was not confirmed; revision ${this.revision} is in force again`;
    this.#bus.emit("log", { level: "warning", source: "config", message });
  }

  #tellTrial(trial: PendingTrial, state: Events["trial"]["state"]): void {
    const { revision, author, comment } = trial.tell();
    this.#bus.emit("trial", { revision, author, comment, state });
  }

  #documentOf(proposal: Proposal): unknown {
    // A patch is to what may be seen: a secret that it does not name has to hold for where it is sent by then.
    return "patch" in proposal ? mergePatch(this.shown, proposal.patch) : proposal.document;
  }

  async #write(stored: Stored<Config>): Promise<void> {
    if (this.#low === undefined) throw new Error(NOT_RUNNING);
    this.#low.data = stored;
    await this.#low.write();
    this.#stored = deepFreeze(stored);
    this.#enforced();
  }

  /** Another configuration is in force. */
  #enforced(): void {
    this.#tag = tagOf(this.#inForce);
    this.#shown = undefined;
  }

  get #inForce(): Stored<Config> {
    return this.#trial?.stored ?? this.#confirmed;
  }

  get #confirmed(): Stored<Config> {
    if (this.#stored === undefined) throw new Error(NOT_RUNNING);
    return this.#stored;
  }

  #problem(file: string, what: string, action: string): void {
    this.#report({ when: this.#now().toISOString(), file, what, action });
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

function checkSeconds(seconds: number, isNeeded: boolean): FieldError | undefined {
  const { minimum, maximum } = CONFIRM_LIMITS;
  if (seconds === 0 && !isNeeded) return undefined;
  if (Number.isInteger(seconds) && seconds >= minimum && seconds <= maximum) return undefined;
  const why = isNeeded ? " for a change that can cut you off" : "";
  const message = `must be between ${minimum} and ${maximum} s${why}, is ${seconds}`;
  return { pointer: "/confirmSeconds", message, limit: { minimum, maximum, unit: "s" }, value: seconds };
}

function isSame(a: Config, b: Config): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Made from what may be seen: whoever knows all but a PIN could try PINs until the checksum fits. */
function tagOf(stored: Stored<Config>): string {
  return `${stored.revision}-${checksum({ ...stored, document: redact(stored.document) }).slice("sha256:".length, "sha256:".length + 8)}`;
}
