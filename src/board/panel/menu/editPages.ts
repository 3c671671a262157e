/** Pages that edit one value: an editor under the arrow keys, or a list to choose from. */
import { explain } from "../../../config/explain.ts";
import { valueAt } from "../../../config/json.ts";
import type { KeyName } from "../../boardFile.ts";
import type { View } from "../view.ts";
import { locate, type SettingsDocument, type Way } from "./document.ts";
import { type Editor, editorFor, HIDDEN } from "./editors.ts";
import type { MenuHost } from "./host.ts";
import { type Item, ListPage, message, type Navigator, type Page, question } from "./page.ts";
import {
  effectOf,
  type Ipv4,
  type Leaf,
  type Setting,
  type Single,
  settingAt,
  type Text,
  type Whole,
} from "./settings.ts";
import { labelIn, type Texts } from "./texts.ts";

/** Where a page of settings is. */
export interface Site {
  nav: Navigator;
  /** Of the whole document. */
  root: Setting;
  document: SettingsDocument;
}

/** Whether the way still leads to this setting: no list lost the entry, no variant became another. */
export function isThere({ root, document }: Site, setting: Setting, way: Way): boolean {
  if (!document.exists()) return false;
  const whole = document.get();
  const place = locate(whole, way);
  return place !== undefined && settingAt(root, whole, place) === setting;
}

export function currentValue({ document }: Site, way: Way): unknown {
  const whole = document.get();
  const place = locate(whole, way);
  return place === undefined ? undefined : valueAt(whole, place);
}

/** What a change does to a channel on air, in words; nothing outside of channels and in drafts. */
export function effectInWords(site: Site, setting: Setting, way: Way, value: unknown): string[] {
  const inEntry = way.slice(0, -1).some((step) => typeof step !== "string");
  const effect = effectOf(setting, value);
  if (!site.document.inForce || !inEntry || effect === "live" || effect === "none") return [];
  return [site.nav.texts.effects[effect]];
}

/** A value in a row. A secret tells only whether there is one. */
export function inWords(words: Texts, setting: Leaf, value: unknown): string {
  if (value === undefined || value === "") return words.none;
  if (setting.secret) return HIDDEN.repeat(4);
  if (typeof value === "boolean") return value ? words.on : words.off;
  if (typeof value !== "string" && typeof value !== "number") return JSON.stringify(value);
  return setting.unit === undefined ? String(value) : `${value} ${setting.unit}`;
}

/** The page that edits a value; undefined when the panel has no editor for it. */
export function editPage(site: Site, setting: Leaf, way: Way, parent: Page): Page | undefined {
  switch (setting.kind) {
    case "fixed":
      return undefined;
    case "choice":
      return new ChoicePage(site, setting, way, parent, setting.choices);
    case "text": {
      const known = knownValues(site.nav.host, setting, currentValue(site, way));
      if (known.length > 0) return new ChoicePage(site, setting, way, parent, known);
      return new EditPage(site, setting, way, parent);
    }
    default:
      return new EditPage(site, setting, way, parent);
  }
}

/** Names that the box knows, so that nobody has to spell them. */
function knownValues(host: MenuHost, setting: Text, current: unknown): string[] {
  const names: Record<string, () => readonly string[]> = {
    connector: () => host.inputs().map(({ id }) => id),
    interface: () => ["", ...host.network().addresses.map((address) => address.interface)],
  };
  const known = names[setting.key]?.() ?? [];
  if (known.length === 0) return [];
  const all = typeof current === "string" ? [...known, current] : known;
  return [...new Set(all)].filter((name) => setting.schema.safeParse(name).success);
}

/**
 * Says the effect where there is one, then changes the value; what is refused leaves the editor open. A secret, whose
 * editor begins empty, is not taken away by one ok too many.
 */
function change(site: Site, setting: Leaf, way: Way, value: Single, parent: Page): void {
  const { nav, document } = site;
  const go = () => nav.wait(document.set(way, value), () => nav.backTo(parent));
  const effect = effectInWords(site, setting, way, value);
  const clears = setting.secret && value === "";
  if (effect.length === 0 && !clears) {
    go();
    return;
  }
  const shown = `${inWords(nav.texts, setting, currentValue(site, way))} > ${inWords(nav.texts, setting, value)}`;
  const answers = { yes: nav.texts.apply, no: nav.texts.back, first: clears ? "no" : "yes" } as const;
  nav.open(question(nav, labelIn(nav.texts, setting.label), [...effect, shown], answers, go));
}

class ChoicePage extends ListPage {
  readonly #site: Site;
  readonly #setting: Leaf;
  readonly #way: Way;
  readonly #parent: Page;
  readonly #choices: readonly Single[];

  constructor(site: Site, setting: Leaf, way: Way, parent: Page, choices: readonly Single[]) {
    super(site.nav, String(currentValue(site, way)));
    this.#site = site;
    this.#setting = setting;
    this.#way = way;
    this.#parent = parent;
    this.#choices = choices;
  }

  protected override title(): string {
    return labelIn(this.nav.texts, this.#setting.label);
  }

  protected override items(): readonly Item[] {
    const current = currentValue(this.#site, this.#way);
    return this.#choices.map((choice) => ({
      id: String(choice),
      text: inWords(this.nav.texts, this.#setting, choice),
      ...(choice === current ? { value: CURRENT } : {}),
      open: () => {
        if (choice === current) this.nav.back();
        else change(this.#site, this.#setting, this.#way, choice, this.#parent);
      },
    }));
  }

  override exists(): boolean {
    return isThere(this.#site, this.#setting, this.#way);
  }
}

/** Marks the choice in force. */
export const CURRENT = "*";

class EditPage implements Page {
  readonly #site: Site;
  readonly #setting: Whole | Ipv4 | Text;
  readonly #way: Way;
  readonly #parent: Page;
  readonly #editor: Editor;

  constructor(site: Site, setting: Whole | Ipv4 | Text, way: Way, parent: Page) {
    this.#site = site;
    this.#setting = setting;
    this.#way = way;
    this.#parent = parent;
    this.#editor = editorFor(setting, currentValue(site, way));
  }

  exists(): boolean {
    return isThere(this.#site, this.#setting, this.#way);
  }

  view(): View {
    const { nav } = this.#site;
    const { help, unit } = this.#setting;
    const { value, cursor, mark } = this.#editor.shown();
    const label = labelIn(nav.texts, this.#setting.label);
    const shown = unit === undefined ? value : `${value} ${unit}`;
    const hints = mark === undefined ? [limits(this.#setting), help] : [nav.texts[`${mark}s`]];
    const rows = hints.filter((hint) => hint !== undefined).map((text) => ({ text }));
    const view = { title: label, rows: [{ text: label, value: shown }, ...rows], selected: 0, cursor };
    return this.#setting.secret ? { ...view, secret: true } : view;
  }

  key(name: KeyName): void {
    if (name === "back") this.#site.nav.back();
    else if (name === "ok") this.#apply();
    else this.#editor.key(name);
  }

  #apply(): void {
    const { nav } = this.#site;
    const value = this.#editor.value();
    const problems = problemsOf(this.#setting, value);
    if (problems.length > 0) nav.open(message(nav, nav.texts.refused, problems));
    else if (value === currentValue(this.#site, this.#way)) nav.back();
    else change(this.#site, this.#setting, this.#way, value, this.#parent);
  }
}

/** What is wrong with the value by itself, said before the box is asked. */
function problemsOf({ schema, secret }: Leaf, value: Single): string[] {
  const { error } = schema.safeParse(value);
  if (error === undefined) return [];
  if (secret) return error.issues.map((issue) => issue.message);
  return explain(schema, value, error.issues).map((problem) => problem.message);
}

function limits(setting: Leaf): string | undefined {
  if (setting.kind !== "whole") return undefined;
  const unit = setting.unit === undefined ? "" : ` ${setting.unit}`;
  return `${setting.min} ... ${setting.max}${unit}`;
}
