/** Pages of the menu, and what they ask of the menu that shows them. */
import type { KeyName } from "../../boardFile.ts";
import type { Row, View } from "../view.ts";
import type { Answer, MenuHost } from "./host.ts";
import type { Texts } from "./texts.ts";

export interface Page {
  view(): View;
  key(name: KeyName): void;
  /** False when what it shows has gone, such as the settings of a removed channel. */
  exists(): boolean;
}

/** The menu as its pages see it. */
export interface Navigator {
  readonly host: MenuHost;
  readonly texts: Texts;
  open(page: Page): void;
  /** Leaves the page on top. */
  back(): void;
  /** Leaves the pages above this one. */
  backTo(page: Page): void;
  /** Leaves this page and those above it. */
  close(page: Page): void;
  /** Waits, with no key but back; then goes on, or says what was refused or failed. */
  wait(work: Promise<Answer>, then: () => void): void;
}

/** A row of a list. Without `open` it only tells. */
export interface Item extends Row {
  /** What the row is, when its text is not enough to find it again. */
  id?: string;
  open?(): void;
}

/** A list with a selected row, which stays selected when rows come and go. */
export class ListPage implements Page {
  protected readonly nav: Navigator;
  #index = 0;
  #id: string | undefined;

  /** @param selected text or id of the row to begin with */
  constructor(nav: Navigator, selected?: string) {
    this.nav = nav;
    this.#id = selected;
  }

  protected title(): string {
    return "";
  }

  protected items(): readonly Item[] {
    return [];
  }

  exists(): boolean {
    return true;
  }

  view(): View {
    const items = this.items();
    const rows = items.map(({ text, value }) => (value === undefined ? { text } : { text, value }));
    if (items.length === 0) return { title: this.title(), rows };
    return { title: this.title(), rows, selected: this.#select(items, 0) };
  }

  key(name: KeyName): void {
    const items = this.items();
    switch (name) {
      case "up":
        this.#select(items, -1);
        break;
      case "down":
        this.#select(items, 1);
        break;
      case "left":
      case "back":
        this.nav.back();
        break;
      case "right":
      case "ok":
        items[this.#select(items, 0)]?.open?.();
        break;
    }
  }

  /** Finds the selected row again, then moves; round the ends. */
  #select(items: readonly Item[], by: number): number {
    if (items.length === 0) return 0;
    const found = items.findIndex((item) => idOf(item) === this.#id);
    const at = found >= 0 ? found : Math.min(this.#index, items.length - 1);
    this.#index = (at + by + items.length) % items.length;
    this.#id = idOf(items[this.#index]);
    return this.#index;
  }
}

const idOf = (item: Item | undefined): string | undefined => item?.id ?? item?.text;

/** A list whose rows are made by functions, for pages with no state of their own. */
export class Menus extends ListPage {
  readonly #title: () => string;
  readonly #items: () => readonly Item[];
  readonly #more: { exists?(): boolean; qr?(): string | undefined; secret?: true };

  constructor(
    nav: Navigator,
    title: () => string,
    items: () => readonly Item[],
    more: { exists?(): boolean; qr?(): string | undefined; secret?: true; selected?: string } = {},
  ) {
    super(nav, more.selected);
    this.#title = title;
    this.#items = items;
    this.#more = more;
  }

  protected override title(): string {
    return this.#title();
  }

  protected override items(): readonly Item[] {
    return this.#items();
  }

  override exists(): boolean {
    return this.#more.exists?.() ?? true;
  }

  override view(): View {
    const qr = this.#more.qr?.();
    return { ...super.view(), ...(qr !== undefined && { qr }), ...(this.#more.secret && { secret: true }) };
  }
}

/** Says something; any of ok, left and back leaves it. */
export function message(nav: Navigator, title: string, lines: readonly string[], more: { secret?: true } = {}): Page {
  const rows = lines.map((text, index) => ({ text, id: String(index), open: () => nav.back() }));
  return new Menus(
    nav,
    () => title,
    () => rows,
    more,
  );
}

/** The question is over, whatever becomes of its yes. */
function answered(nav: Navigator, yes: () => void): void {
  nav.back();
  yes();
}

/** Asks before something is done: what it does, then yes or no. */
export function question(
  nav: Navigator,
  title: string,
  lines: readonly string[],
  answers: { yes: string; no: string; first: "yes" | "no" },
  yes: () => void,
): Page {
  const rows: Item[] = [
    ...lines.map((text) => ({ text })),
    { text: answers.no, id: "no", open: () => nav.back() },
    { text: answers.yes, id: "yes", open: () => answered(nav, yes) },
  ];
  return new Menus(
    nav,
    () => title,
    () => rows,
    { selected: answers.first },
  );
}
