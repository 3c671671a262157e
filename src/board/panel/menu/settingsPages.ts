/** Pages of settings, made from the tree of settings: what the schema has, the panel has. */
import { z } from "zod";
import { isObject } from "../../../config/json.ts";
import { Draft, type Step, type Way } from "./document.ts";
import { CURRENT, currentValue, editPage, effectInWords, inWords, isThere, type Site } from "./editPages.ts";
import { type Item, ListPage, Menus, type Page, question } from "./page.ts";
import { blank, type Group, isLeaf, type List, optionOf, type Setting, type Variant } from "./settings.ts";
import { labelIn } from "./texts.ts";

interface Options {
  /** The page shows this draft, to be applied as a whole; `done` goes on after that. */
  draft?: { document: Draft; done(): void };
  /** The list that this is an entry of. */
  list?: List;
}

export class SettingsPage extends ListPage {
  readonly #site: Site;
  readonly #setting: Setting;
  readonly #way: Way;
  readonly #options: Options;

  constructor(site: Site, setting: Setting, way: Way, options: Options = {}) {
    super(site.nav);
    this.#site = site;
    this.#setting = setting;
    this.#way = way;
    this.#options = options;
  }

  override exists(): boolean {
    return isThere(this.#site, this.#setting, this.#way);
  }

  protected override title(): string {
    const { list } = this.#options;
    if (this.#way.length === 0) return this.nav.texts.settings;
    if (list === undefined) return labelIn(this.nav.texts, this.#setting.label);
    const step = this.#way.at(-1);
    return entryTitle(
      this.#site,
      list,
      currentValue(this.#site, this.#way),
      typeof step === "number" ? step : undefined,
    );
  }

  protected override items(): readonly Item[] {
    const value = currentValue(this.#site, this.#way);
    const { draft } = this.#options;
    if (this.#setting.optional && value === undefined && draft === undefined) return [this.#addRow(this.#setting)];
    return [...this.#rows(value), ...this.#removeRow(value), ...(draft === undefined ? [] : [this.#applyRow(draft)])];
  }

  #rows(value: unknown): Item[] {
    const setting = this.#setting;
    switch (setting.kind) {
      case "group":
        return this.#fields(setting);
      case "variant": {
        const option = optionOf(setting, value);
        const fields = option === undefined ? [] : this.#fields(option);
        return this.#options.draft === undefined ? [this.#typeRow(setting, value), ...fields] : fields;
      }
      case "list":
        return this.#entries(setting, Array.isArray(value) ? value : []);
      default:
        return [this.#row(setting, this.#way)];
    }
  }

  #fields(group: Group): Item[] {
    return group.fields.map((field) => this.#row(field, [...this.#way, field.key]));
  }

  /** One setting: a value is edited, anything else has a page of its own. */
  #row(setting: Setting, way: Way): Item {
    const site = this.#site;
    const value = currentValue(site, way);
    const row = { id: `.${setting.key}`, text: labelIn(this.nav.texts, setting.label) };
    if (isLeaf(setting)) {
      const shown = inWords(this.nav.texts, setting, value);
      if (setting.kind === "fixed") return { ...row, value: shown };
      const edited = !setting.optional || setting === this.#setting;
      const page = () => (edited ? editPage(site, setting, way, this) : new SettingsPage(site, setting, way));
      return { ...row, value: shown, open: () => this.#open(page()) };
    }
    const open = () => this.nav.open(new SettingsPage(site, setting, way));
    if (setting.kind === "list") return { ...row, value: String(Array.isArray(value) ? value.length : 0), open };
    if (setting.kind === "variant") return { ...row, value: typeOf(setting, value) ?? this.nav.texts.none, open };
    return { ...row, open };
  }

  #entries(list: List, values: readonly unknown[]): Item[] {
    const rows = values.map((value, index): Item => {
      const way = [...this.#way, stepTo(list, value, index)];
      const page = () => new SettingsPage(this.#site, list.entry, way, { list });
      const id = `entry ${String(list.identity === undefined ? index : isObject(value) && value[list.identity])}`;
      return { id, text: entryTitle(this.#site, list, value, index), open: () => this.nav.open(page()) };
    });
    return values.length < list.max ? [...rows, this.#addRow(list.entry, list)] : rows;
  }

  #typeRow(variant: Variant, value: unknown): Item {
    const current = typeOf(variant, value);
    const draft = (type: string) => new Draft(this.#site.document, this.#way, false, turned(variant, value, type));
    const row = { id: "type", text: this.nav.texts.type, value: current ?? this.nav.texts.none };
    return { ...row, open: () => this.#chooseType(variant, draft, undefined, current) };
  }

  /** Adds an entry to the list, or what is optional and left out. */
  #addRow(setting: Setting, list?: List): Item {
    const start = (type?: string): unknown => {
      const value = startOf(setting, type);
      const values = currentValue(this.#site, this.#way);
      return list === undefined ? value : withName(list, value, Array.isArray(values) ? values : []);
    };
    const draft = (type?: string) => new Draft(this.#site.document, this.#way, list !== undefined, start(type));
    const open = () => {
      if (setting.kind === "variant") this.#chooseType(setting, draft, list);
      else this.#openDraft(setting, draft(), list);
    };
    return { id: "add", text: this.nav.texts.add, open };
  }

  #chooseType(variant: Variant, draft: (type: string) => Draft, list?: List, current?: string): void {
    const items = [...variant.options.keys()].map((type): Item => {
      const open = () => (type === current ? this.nav.back() : this.#openDraft(variant, draft(type), list));
      return type === current ? { text: type, value: CURRENT, open } : { text: type, open };
    });
    const more = { exists: () => this.exists(), ...(current === undefined ? {} : { selected: current }) };
    const page = new Menus(
      this.nav,
      () => this.nav.texts.type,
      () => items,
      more,
    );
    this.nav.open(page);
  }

  #openDraft(setting: Setting, draft: Draft, list: List | undefined): void {
    openDraft(this.#site, setting, draft, list, () => this.nav.backTo(this));
  }

  #removeRow(value: unknown): Item[] {
    const { list, draft } = this.#options;
    const entries = list === undefined ? undefined : currentValue(this.#site, this.#way.slice(0, -1));
    const removable = Array.isArray(entries) ? entries.length > (list?.min ?? 0) : this.#setting.optional;
    if (draft !== undefined || !removable || value === undefined) return [];
    return [{ id: "remove", text: this.nav.texts.remove, open: () => this.#remove(value) }];
  }

  #remove(value: unknown): void {
    const { nav, document } = this.#site;
    const lines = effectInWords(this.#site, this.#setting, this.#way, value);
    const go = () => nav.wait(document.set(this.#way, undefined), () => nav.close(this));
    const answers = { yes: nav.texts.yes, no: nav.texts.no, first: "no" } as const;
    nav.open(question(nav, `${nav.texts.remove}: ${this.title()}`, lines, answers, go));
  }

  #applyRow({ document, done }: NonNullable<Options["draft"]>): Item {
    const { nav } = this.#site;
    const go = () => nav.wait(document.apply(), done);
    const open = () => {
      const site = { ...this.#site, document: document.parent };
      const effect = effectInWords(site, this.#setting, document.way, document.value);
      const answers = { yes: nav.texts.apply, no: nav.texts.back, first: "yes" } as const;
      if (effect.length === 0) go();
      else nav.open(question(nav, this.title(), effect, answers, go));
    };
    return { id: "apply", text: nav.texts.apply, open };
  }

  #open(page: Page | undefined): void {
    if (page !== undefined) this.nav.open(page);
  }
}

/** Shows a draft: its settings, then `apply`. Back gives it up. */
export function openDraft(site: Site, setting: Setting, draft: Draft, list: List | undefined, done: () => void): void {
  const options = { draft: { document: draft, done }, ...(list === undefined ? {} : { list }) };
  site.nav.open(new SettingsPage({ ...site, document: draft }, setting, draft.way, options));
}

/** What a new value begins with, as far as there are defaults. */
function startOf(setting: Setting, type?: string): unknown {
  const group = setting.kind === "variant" ? setting.options.get(type ?? "") : setting;
  const value = group === undefined ? undefined : (blank(group.schema) ?? emptyValue(setting));
  return setting.kind === "variant" && isObject(value) ? { ...value, [setting.discriminator]: type } : value;
}

/** Where an editor begins that has neither a value nor a default: without one, a draft would be no entry of its list. */
function emptyValue(setting: Setting): unknown {
  if (!isLeaf(setting)) return undefined;
  switch (setting.kind) {
    case "text":
      return "";
    case "ipv4":
      return "0.0.0.0";
    case "whole":
      return setting.min;
    case "choice":
      return setting.choices[0];
    case "fixed":
      return undefined;
  }
}

/** Of another type, with what the types have in common: a name, an address. */
function turned(variant: Variant, value: unknown, type: string): unknown {
  const start = startOf(variant, type);
  const { schema } = variant.options.get(type) ?? {};
  if (!(schema instanceof z.ZodObject) || !isObject(value) || !isObject(start)) return start;
  const fields = Object.entries(schema.shape as Record<string, z.core.$ZodType>);
  const kept = fields.filter(([key, field]) => key in value && z.safeParse(field, value[key]).success);
  return { ...start, ...Object.fromEntries(kept.map(([key]) => [key, value[key]])) };
}

/** Gives a new entry the first free name, where names are not for the user to choose. */
function withName(list: List, value: unknown, others: readonly unknown[]): unknown {
  const key = list.identity;
  const group = list.entry.kind === "variant" ? optionOf(list.entry, value) : list.entry;
  if (key === undefined || !isObject(value) || group?.kind !== "group") return value;
  if (group.fields.some((field) => field.key === key)) return value;
  const taken = new Set(others.map((other) => (isObject(other) ? other[key] : undefined)));
  for (let n = 1; ; n++) {
    const name = `${list.key.replace(/s$/, "")}${n}`;
    if (!taken.has(name)) return { ...value, [key]: name };
  }
}

function stepTo(list: List, value: unknown, index: number): Step {
  const name = list.identity === undefined || !isObject(value) ? undefined : value[list.identity];
  return list.identity !== undefined && typeof name === "string" ? { key: list.identity, is: name } : index;
}

/** The name of an entry, else what tells it apart, else its number. */
function entryTitle({ nav }: Site, list: List, value: unknown, index: number | undefined): string {
  const names = isObject(value) ? [value.name, list.identity === undefined ? "" : value[list.identity]] : [value];
  const name = names.find((candidate) => typeof candidate === "string" && candidate !== "");
  if (typeof name === "string" && !list.entry.secret) return name;
  const label = labelIn(nav.texts, list.label);
  return index === undefined ? label : `${label} ${index + 1}`;
}

function typeOf(variant: Variant, value: unknown): string | undefined {
  return isObject(value) && optionOf(variant, value) !== undefined ? String(value[variant.discriminator]) : undefined;
}
