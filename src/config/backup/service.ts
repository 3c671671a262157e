/**
 * Export and import of the box, in parts. An import is all or nothing over everything that keeps parts, also when the power
 * goes in between: what it will do is on the medium before it is begun, and the next start brings it to its end.
 *
 * To be started after all that keeps parts, and before what lives from them.
 */
import type { Bus } from "../../bus.ts";
import type { StoreProblem } from "../durableFile.ts";
import type { FieldError } from "../explain.ts";
import type { FilePort } from "../files.ts";
import type { Trial } from "../trial.ts";
import { type BackupFile, makeBackup, openBackup, parseBackup } from "./format.ts";
import { ImportJournal, type Pending } from "./journal.ts";
import type { ApplyOptions, BackupDifference, PartContent, PartKeeper, PartPlan } from "./part.ts";
import { MAX_PASSPHRASE, MIN_PASSPHRASE } from "./secretBox.ts";

export interface BackupServiceOptions {
  /** Of the data partition; holds `import.json`. */
  folder: string;
  bus: Bus;
  /** In the order in which they are changed. What may be refused comes first. */
  keepers: readonly PartKeeper[];
  /** Name of the box. */
  box(): string;
  /** Version of this firmware. */
  firmware: string;
  files?: FilePort;
  now?(): Date;
}

export interface ExportRequest {
  /** Left out: all. */
  parts?: readonly string[] | undefined;
  /** Left out: no secret is in the backup. */
  passphrase?: string | undefined;
}

export interface ImportRequest {
  /** JSON that should be a backup. */
  backup: unknown;
  passphrase?: string | undefined;
  /** Left out: all that are in it. */
  parts?: readonly string[] | undefined;
  /** Only tells what the import would do. */
  plan?: boolean | undefined;
  /** Who imports, for the history of the configuration. */
  author?: string | undefined;
  /** How long an import that can cut the admin off waits for its confirmation, s. */
  confirmSeconds?: number | undefined;
}

/** Where a backup comes from. */
export type BackupOrigin = Pick<BackupFile, "created" | "box" | "firmware" | "schemaVersion">;

export interface Imported {
  ok: true;
  /** False for a plan. */
  applied: boolean;
  from: BackupOrigin;
  parts: string[];
  /** 500 at most; `omitted` tells how many more there are. */
  differences: BackupDifference[];
  omitted: number;
  notes: string[];
  /** Whether it can cut the admin off: it is taken back, all of it, unless the configuration is confirmed in time. */
  canCutOff: boolean;
  /** What is to be confirmed. */
  trial?: Trial;
}

export type ImportResult =
  | Imported
  /** Pointers begin in the request. */
  | { ok: false; reason: "invalid"; errors: FieldError[] }
  /** Something was changed by others in the same moment; nothing was imported. */
  | { ok: false; reason: "stale" | "conflict"; message: string }
  /** It could not be stored. Nothing was imported, or, if `unsettled`, the next start of the box does it. */
  | { ok: false; reason: "failed"; message: string; unsettled: boolean };

const MAX_DIFFERENCES = 500;
const MAX_NOTES = 50;

export class BackupService {
  readonly #keepers: readonly PartKeeper[];
  readonly #box: () => string;
  readonly #firmware: string;
  readonly #bus: Bus;
  readonly #now: () => Date;
  readonly #journal: ImportJournal;
  #unlisten = (): void => {};
  /** The import in force that is taken back unless it is confirmed. */
  #onTrial: { revision: number; keepers: Pending["keepers"] } | undefined;
  /** The journal holds an import that is over. */
  #overdue = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor({ folder, bus, keepers, box, firmware, files, now }: BackupServiceOptions) {
    this.#keepers = keepers;
    this.#box = box;
    this.#firmware = firmware;
    this.#bus = bus;
    this.#now = now ?? (() => new Date());
    const report = ({ file, what, action }: StoreProblem): void => this.#log("warning", `${file} ${what}: ${action}`);
    this.#journal = new ImportJournal({ folder, now: this.#now, report, ...(files === undefined ? {} : { files }) });
  }

  /** Brings an import to its end that a power cut has interrupted. Never rejects; what fails is logged. */
  async start(): Promise<void> {
    const pending = await this.#journal.read();
    if (pending !== null) await this.#resume(pending);
    // A journal that could not be forgotten must not undo later changes at the next start.
    const unlisten = this.#bus.on("config", () => {
      if (!this.#journal.open) return;
      void this.#serially(async () => {
        if (this.#overdue) await this.#forget();
      });
    });
    const ignore = this.#bus.on("trial", ({ revision, state }) => {
      if (state === "pending") return;
      void this.#serially(async () => {
        const trial = this.#onTrial;
        if (trial?.revision === revision) await this.#settleTrial(trial.keepers, state === "confirmed");
      });
    });
    this.#unlisten = () => {
      unlisten();
      ignore();
    };
  }

  /** Waits for what is in hand. */
  async stop(): Promise<void> {
    this.#unlisten();
    await this.#queue;
  }

  /** Every part that a backup can hold. */
  get parts(): string[] {
    return this.#keepers.flatMap(({ names }) => names);
  }

  /** The backup, or what is wrong with the request. */
  export(request: ExportRequest = {}): Promise<{ ok: true; backup: BackupFile } | { ok: false; errors: FieldError[] }> {
    return this.#serially(async () => {
      const errors = [...this.#checkParts(request.parts, this.parts), ...checkPassphrase(request.passphrase)];
      if (errors.length > 0) return { ok: false, errors };
      const chosen = request.parts ?? this.parts;
      const all = Object.assign({}, ...this.#keepers.map((keeper) => keeper.export())) as Record<string, PartContent>;
      const contents = Object.fromEntries(Object.entries(all).filter(([name]) => chosen.includes(name)));
      const head = { created: this.#now(), box: this.#box(), firmware: this.#firmware };
      return { ok: true, backup: await makeBackup(head, contents, request.passphrase) };
    });
  }

  import(request: ImportRequest): Promise<ImportResult> {
    return this.#serially(() => this.#import(request));
  }

  async #import({ backup, passphrase, parts, plan, author, confirmSeconds }: ImportRequest): Promise<ImportResult> {
    const invalid = (errors: FieldError[]): ImportResult => ({ ok: false, reason: "invalid", errors });
    const parsed = parseBackup(backup);
    if (!parsed.ok) return invalid([{ pointer: "/backup", message: parsed.message }]);
    const file = parsed.backup;
    const inFile = Object.keys(file.parts);
    const wrong = this.#checkParts(parts, inFile);
    if (wrong.length > 0) return invalid(wrong);
    const opened = await openBackup(file, passphrase);
    if (!opened.ok) {
      const pointer = opened.reason === "wrong-passphrase" ? "/passphrase" : "/backup";
      return invalid([{ pointer, message: opened.message }]);
    }

    const chosen = parts === undefined ? inFile : inFile.filter((name) => parts.includes(name));
    const older = this.#keepers.find((keeper) => keeper.takesOlder?.(file.schemaVersion));
    const keeperOf = (name: string) => this.#keepers.find(({ names }) => names.includes(name)) ?? older;
    const unknown = chosen.filter((name) => keeperOf(name) === undefined);
    if (unknown.length > 0) {
      return invalid(
        unknown.map((name) => ({ pointer: pointerOf(name), message: "is no part that this firmware knows" })),
      );
    }
    const notes: string[] = [];
    if (file.secrets === undefined) notes.push("the backup was made without a passphrase: no secrets are in it");
    else if (passphrase === undefined) notes.push("no passphrase is given: the secrets of the backup are not imported");

    const plans: { keeper: PartKeeper; plan: PartPlan }[] = [];
    const errors: FieldError[] = [];
    for (const keeper of this.#keepers) {
      const own = chosen.filter((name) => keeperOf(name) === keeper);
      if (own.length === 0) continue;
      const contents = Object.fromEntries(own.map((name) => [name, opened.contents[name] as PartContent]));
      const made = await keeper.plan(contents, file.schemaVersion);
      if (made.ok) plans.push({ keeper, plan: made });
      else errors.push(...made.errors.map((error) => ({ ...error, pointer: `/backup/parts${error.pointer}` })));
    }
    if (errors.length > 0) return invalid(errors);

    const { created, box, firmware, schemaVersion } = file;
    const differences = plans.flatMap((entry) => entry.plan.differences);
    const result: Imported = {
      ok: true,
      applied: plan !== true,
      from: { created, box, firmware, schemaVersion },
      parts: chosen,
      differences: differences.slice(0, MAX_DIFFERENCES),
      omitted: Math.max(0, differences.length - MAX_DIFFERENCES),
      notes: [...notes, ...plans.flatMap((entry) => entry.plan.notes)].slice(0, MAX_NOTES),
      canCutOff: plans.some((entry) => entry.plan.onTrial),
    };
    if (plan === true) return result;
    const options = {
      comment: `imported the backup of ${box} of ${created}`,
      ...(author === undefined ? {} : { author }),
      ...(confirmSeconds === undefined ? {} : { confirmSeconds }),
    };
    const applied = await this.#apply(
      plans.filter((entry) => entry.plan.changes),
      options,
    );
    if (!applied.ok) return applied;
    return applied.trial === undefined ? result : { ...result, trial: applied.trial };
  }

  /** Applies every plan or none; gives what went wrong. */
  async #apply(
    plans: readonly { keeper: PartKeeper; plan: PartPlan }[],
    options: ApplyOptions,
  ): Promise<{ ok: true; trial?: Trial } | Exclude<ImportResult, Imported>> {
    if (this.#journal.open) {
      return { ok: false, reason: "conflict", message: "another import waits for its confirmation, or for its end" };
    }
    const keepers = plans.map(({ keeper: { id }, plan: { before, after } }) => ({ id, before, after }));
    const onTrial = plans.some(({ plan }) => plan.onTrial);
    // What a keeper does by itself is all or nothing by itself.
    const journalled = plans.length > 1;
    if (journalled) {
      try {
        await this.#journal.begin({ began: this.#now().toISOString(), onTrial, keepers });
      } catch (error) {
        return { ok: false, reason: "failed", message: inWords(error), unsettled: this.#journal.open };
      }
    }
    let trial: Trial | undefined;
    for (const [i, { plan }] of plans.entries()) {
      const outcome = await plan.apply(options).catch((error: unknown) => ({
        ok: false as const,
        reason: "failed" as const,
        message: inWords(error),
      }));
      if (outcome.ok) {
        trial ??= outcome.trial;
        continue;
      }
      // One that has failed may have changed something; one that has refused has not, and keeps what others made of it.
      const touched = keepers.slice(0, outcome.reason === "failed" ? i + 1 : i);
      const undone = await this.#restore(touched, "before");
      if (journalled && undone === undefined) await this.#forget();
      if (undone === undefined && outcome.reason !== "failed") return outcome;
      if (undone !== undefined) this.#log("error", `an import has failed half-way and could not be undone: ${undone}`);
      const message = outcome.reason === "invalid" ? "it was refused" : outcome.message;
      return { ok: false, reason: "failed", message, unsettled: journalled && undone !== undefined };
    }
    if (!journalled) return { ok: true, ...(trial === undefined ? {} : { trial }) };
    if (trial === undefined) {
      await this.#forget();
      return { ok: true };
    }
    this.#onTrial = { revision: trial.revision, keepers };
    return { ok: true, trial };
  }

  /** The configuration that was imported on trial is confirmed, or is taken back and all else with it. */
  async #settleTrial(keepers: Pending["keepers"], isConfirmed: boolean): Promise<void> {
    this.#onTrial = undefined;
    if (!isConfirmed) {
      const wrong = await this.#restore(keepers, "before");
      if (wrong !== undefined) {
        this.#log("error", `an import was not confirmed, and will be undone at the next start: ${wrong}`);
        return;
      }
      this.#log("warning", "an import was not confirmed, and has been undone");
    }
    await this.#forget();
  }

  async #resume(pending: Pending): Promise<void> {
    const began = `an import that began at ${pending.began}`;
    const holds = (to: "before" | "after"): boolean =>
      pending.keepers.every(({ id, [to]: content }) => {
        const keeper = this.#keepers.find((candidate) => candidate.id === id);
        return keeper?.holds === undefined || keeper.holds(content);
      });
    const isAfter = holds("after");
    if (!isAfter && !holds("before")) {
      this.#log("warning", `${began} is over, and what it wrote was changed since; its journal is dropped`);
      await this.#forget();
      return;
    }
    // What was on trial when the power went has been taken back.
    const first = pending.onTrial && !isAfter ? "before" : "after";
    const done = { before: "has been undone", after: "has been brought to its end" };
    let wrong: string | undefined;
    for (const to of [first, first === "after" ? "before" : "after"] as const) {
      const failed = await this.#restore(pending.keepers, to);
      if (failed === undefined) {
        this.#log("warning", `${began} was interrupted, and ${done[to]}${wrong === undefined ? "" : ` (${wrong})`}`);
        await this.#forget();
        return;
      }
      wrong ??= failed;
    }
    this.#log("error", `${began} was interrupted, and is tried again at the next start: ${wrong}`);
  }

  /** Puts every keeper where it was or is to be; gives what went wrong first. */
  async #restore(keepers: Pending["keepers"], to: "before" | "after"): Promise<string | undefined> {
    let wrong: string | undefined;
    for (const { id, [to]: content } of keepers) {
      try {
        await this.#keepers.find((keeper) => keeper.id === id)?.restore(content);
      } catch (error) {
        wrong ??= inWords(error);
      }
    }
    return wrong;
  }

  async #forget(): Promise<void> {
    this.#overdue = false;
    try {
      await this.#journal.end();
    } catch (error) {
      this.#overdue = true;
      this.#log("error", `the journal of an import stays, and is tried again: ${inWords(error)}`);
    }
  }

  #checkParts(parts: readonly string[] | undefined, known: readonly string[]): FieldError[] {
    if (parts === undefined) return [];
    if (parts.length === 0) return [{ pointer: "/parts", message: "must have one part at least" }];
    return parts.flatMap((name, i) => {
      if (known.includes(name)) return [];
      return [{ pointer: `/parts/${i}`, message: `must be one of ${known.join(", ")}`, value: name.slice(0, 60) }];
    });
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #log(level: "warning" | "error", message: string): void {
    this.#bus.emit("log", { level, source: "backup", message });
  }
}

function checkPassphrase(passphrase: string | undefined): FieldError[] {
  if (passphrase === undefined) return [];
  const { length } = passphrase;
  if (length >= MIN_PASSPHRASE && length <= MAX_PASSPHRASE) return [];
  const message = `must have between ${MIN_PASSPHRASE} and ${MAX_PASSPHRASE} characters, has ${length}`;
  return [{ pointer: "/passphrase", message, limit: { minLength: MIN_PASSPHRASE, maxLength: MAX_PASSPHRASE } }];
}

function pointerOf(part: string): string {
  return `/backup/parts/${part.slice(0, 60).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
