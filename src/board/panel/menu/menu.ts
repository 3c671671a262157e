/**
 * The menu of the front panel: six keys in, views out. It knows no display and no key hardware; whoever has them calls
 * `key` for each press and shows `view` after it and at every tick.
 */
import type { FieldError } from "../../../config/explain.ts";
import { config as schema } from "../../../config/schema.ts";
import type { KeyName } from "../../boardFile.ts";
import type { Clock } from "../../ports.ts";
import type { Brightness, View } from "../view.ts";
import { Configuration } from "./document.ts";
import type { Answer, MenuHost } from "./host.ts";
import { Lock } from "./lock.ts";
import { message, type Navigator, type Page } from "./page.ts";
import { HomePage } from "./pages.ts";
import { PinPage } from "./pinPage.ts";
import { labelAt, type Setting, settingsOf } from "./settings.ts";
import { labelIn, type Texts, texts } from "./texts.ts";

export class Menu implements Navigator {
  readonly host: MenuHost;
  readonly #lock: Lock;
  readonly #root: Setting;
  readonly #home: Page;
  /** The home page is at the bottom and never leaves. */
  #pages: Page[];
  /** What is waited for; another object when it is given up. */
  #work: object | undefined;

  constructor(host: MenuHost, clock: Clock, settings: Setting = settingsOf(schema)) {
    this.host = host;
    this.#lock = new Lock(clock, () => host.configuration().panel);
    this.#root = settings;
    const site = { nav: this, root: this.#root, document: new Configuration(host) };
    this.#home = new HomePage(site, () => this.#lock.locked);
    this.#pages = [this.#home];
  }

  get texts(): Texts {
    return texts[this.host.configuration().panel.language];
  }

  /** Dim after the configured time without a key. */
  get brightness(): Brightness {
    const { dimAfter } = this.host.configuration().panel;
    return dimAfter > 0 && this.#lock.idle >= dimAfter * 1000 ? "dim" : "normal";
  }

  get locked(): boolean {
    return this.#lock.locked;
  }

  /** A change is under way, whose end changes the view by itself. */
  get isWaiting(): boolean {
    return this.#work !== undefined;
  }

  /** One press of a key. */
  key(name: KeyName): void {
    this.tick();
    this.#lock.touch();
    if (this.#work !== undefined) {
      if (name === "back") this.#work = undefined;
      return;
    }
    if (this.#top !== this.#home) {
      this.#top.key(name);
      return;
    }
    // Nothing is below the home page, and with the panel locked nothing but it is above.
    if (name === "back" || name === "left") return;
    const opens = name === "ok" || name === "right";
    if (opens && this.#lock.locked) this.open(new PinPage(this, this.#lock, () => this.#unlocked(name)));
    else this.#home.key(name);
  }

  view(): View {
    this.tick();
    if (this.#work !== undefined) return { title: this.#top.view().title, rows: [{ text: this.texts.wait }] };
    return this.#top.view();
  }

  /** Looks at the time and at what is still there; call it about once a second. */
  tick(): void {
    if (this.#lock.check()) {
      this.#pages = [this.#home];
      this.#work = undefined;
    }
    const gone = this.#pages.findIndex((page) => !page.exists());
    if (gone > 0) this.#pages.splice(gone);
  }

  open(page: Page): void {
    this.#pages.push(page);
  }

  back(): void {
    if (this.#pages.length > 1) this.#pages.pop();
  }

  backTo(page: Page): void {
    const at = this.#pages.indexOf(page);
    if (at >= 0) this.#pages.splice(at + 1);
  }

  close(page: Page): void {
    const at = this.#pages.indexOf(page);
    if (at > 0) this.#pages.splice(at);
  }

  wait(work: Promise<Answer>, then: () => void): void {
    const ticket = {};
    this.#work = ticket;
    const settle = (end: () => void) => {
      if (this.#work !== ticket) return;
      this.#work = undefined;
      end();
    };
    work.then(
      (answer) => settle(() => (answer === "done" ? then() : this.#refused(answer))),
      (error: unknown) =>
        settle(() => this.#say(this.texts.failed, [error instanceof Error ? error.message : String(error)])),
    );
  }

  get #top(): Page {
    return this.#pages.at(-1) ?? this.#home;
  }

  /** The PIN was right: goes where the key that asked for it would have gone. */
  #unlocked(name: KeyName): void {
    this.backTo(this.#home);
    this.#home.key(name);
  }

  #refused(errors: readonly FieldError[]): void {
    const lines = errors.map(({ pointer, message: words }) => {
      const label = labelAt(this.#root, pointer);
      return label === undefined ? words : `${labelIn(this.texts, label)}: ${words}`;
    });
    this.#say(this.texts.refused, lines);
  }

  #say(title: string, lines: readonly string[]): void {
    this.open(message(this, title, lines));
  }
}
