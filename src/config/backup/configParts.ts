/** The configuration as parts of a backup: one for each of its sections, changed in one step. */

import type { FieldError } from "../explain.ts";
import { explain } from "../explain.ts";
import { fromPointer, isObject, valueAt, withValue } from "../json.ts";
import { type Migrated, migrate } from "../migrations.ts";
import { compare } from "../plan.ts";
import { type Config, SCHEMA_VERSION, SECRET_MARK, config as schema } from "../schema.ts";
import { extractSecrets, injectSecrets, restoreSecrets } from "../secrets.ts";
import type { ChangeOptions, ConfigService } from "../store.ts";
import type { ApplyResult, PartContent, PartKeeper, PartPlan } from "./part.ts";

/** What a backup can hold of the configuration, in the order of the document. */
export const sections = Object.keys(schema.shape).filter((name) => name !== "version") as Exclude<
  keyof Config,
  "version"
>[];

type Secrets = Record<string, string>;
type Refused = { ok: false; errors: FieldError[] };

export class ConfigParts implements PartKeeper {
  readonly id = "configuration";
  readonly names: readonly string[] = sections;
  readonly #config: ConfigService;

  readonly #migrate: (document: unknown) => Migrated;

  /** @param upgrade brings a document up to the present schema version. */
  constructor(config: ConfigService, upgrade: (document: unknown) => Migrated = migrate) {
    this.#config = config;
    this.#migrate = upgrade;
  }

  export(): Record<string, PartContent> {
    const { document, secrets } = extractSecrets(this.#config.current);
    return Object.fromEntries(
      sections.map((name) => {
        const own = Object.entries(secrets).filter(([pointer]) => pointer.startsWith(`/${name}/`));
        const secret = own.length === 0 ? {} : { secret: Object.fromEntries(own) };
        return [name, { open: document[name], ...secret }];
      }),
    );
  }

  plan(parts: Record<string, PartContent>, schemaVersion: number): PartPlan | Refused {
    const before = this.#config.current;
    const { tag } = this.#config;
    const incoming = this.#assemble(parts, schemaVersion);
    if (!incoming.ok) return incoming;
    const { document, notes } = withoutMissing({ ...before, ...incoming.sections }, before);
    const parsed = schema.safeParse(document);
    if (!parsed.success) return { ok: false, errors: explain(schema, document, parsed.error.issues) };
    const after = parsed.data;
    const { differences, canCutOff } = compare(before, after);
    return {
      ok: true,
      differences,
      notes: [...incoming.notes, ...notes],
      before,
      after,
      changes: differences.length > 0,
      onTrial: canCutOff,
      apply: (options) => this.#apply(after, { ...options, ifTag: [tag] }),
    };
  }

  async restore(content: unknown): Promise<void> {
    const result = await this.#config.replace(present(content), { confirmSeconds: 0, local: true });
    if (!result.ok) throw new Error(`the configuration was refused (${result.reason})`);
  }

  takesOlder(schemaVersion: number): boolean {
    return schemaVersion < SCHEMA_VERSION;
  }

  holds(content: unknown): boolean {
    return JSON.stringify(present(content)) === JSON.stringify(this.#config.current);
  }

  /** The sections as this firmware has them, with the secrets that came with them. */
  #assemble(
    parts: Record<string, PartContent>,
    version: number,
  ): { ok: true; sections: Record<string, unknown>; notes: string[] } | Refused {
    const secrets: Secrets = {};
    const errors: FieldError[] = [];
    for (const [name, { secret }] of Object.entries(parts)) {
      if (secret === undefined) continue;
      if (isSecrets(secret)) Object.assign(secrets, secret);
      else errors.push({ pointer: `/${name}`, message: "has secrets that are not text" });
    }
    if (errors.length > 0) return { ok: false, errors };
    const open = Object.entries(parts).map(([name, part]) => [name, part.open]);
    const old = { ...(Object.fromEntries(open) as Record<string, unknown>), version };
    const migrated = this.#migrate(injectSecrets(old, secrets));
    if (!migrated.ok) return { ok: false, errors: [{ pointer: "", message: migrated.message }] };
    const { version: _, ...found } = migrated.document as Record<string, unknown>;
    return { ok: true, sections: found, notes: migrated.notes };
  }

  async #apply(after: Config, options: ChangeOptions): Promise<ApplyResult> {
    const result = await this.#config.replace(after, options);
    if (result.ok) return { ok: true, ...(result.trial === undefined ? {} : { trial: result.trial }) };
    switch (result.reason) {
      case "stale":
        return { ok: false, reason: "stale", message: "the configuration has changed meanwhile" };
      case "trial":
        return { ok: false, reason: "conflict", message: "another change waits for its confirmation" };
      case "invalid":
        return { ok: false, reason: "invalid", errors: result.errors };
      default:
        return { ok: false, reason: "failed", message: `the configuration was refused (${result.reason})` };
    }
  }
}

/** A stored document in the present schema version; a box may have been updated since. */
function present(content: unknown): unknown {
  const migrated = migrate(content);
  return migrated.ok ? migrated.document : content;
}

/**
 * Takes secrets that were not in the backup from the configuration in force. What is not there either is left empty, and what
 * it should have protected is switched off: a stream must not go out unencrypted because of an import.
 */
function withoutMissing(incoming: unknown, current: Config): { document: unknown; notes: string[] } {
  const restored = restoreSecrets(incoming, current);
  let { document } = restored;
  const notes: string[] = [];
  for (const { pointer } of restored.errors) {
    const path = fromPointer(pointer);
    const parent = path.slice(0, -1);
    if (valueAt(document, path) !== SECRET_MARK) continue;
    document = withValue(document, path, "");
    const off = valueAt(document, [...parent, "enabled"]) === true;
    if (off) document = withValue(document, [...parent, "enabled"], false);
    notes.push(`${pointer} is not in the backup: it is empty${off ? ", and what it protects is switched off" : ""}`);
  }
  return { document, notes };
}

function isSecrets(value: unknown): value is Secrets {
  return isObject(value) && Object.values(value).every((secret) => typeof secret === "string");
}
