/** Asks for the PIN: up and down change a digit, right goes on to the next, ok tries it. */
import type { KeyName } from "../../boardFile.ts";
import type { View } from "../view.ts";
import { HIDDEN } from "./editors.ts";
import type { Lock } from "./lock.ts";
import type { Navigator, Page } from "./page.ts";

const MAX_DIGITS = 8;

export class PinPage implements Page {
  readonly #nav: Navigator;
  readonly #lock: Lock;
  readonly #opened: () => void;
  #digits = [0];
  #at = 0;
  #wrong = false;

  /** @param opened is called once the PIN was right */
  constructor(nav: Navigator, lock: Lock, opened: () => void) {
    this.#nav = nav;
    this.#lock = lock;
    this.#opened = opened;
  }

  exists(): boolean {
    return this.#lock.locked;
  }

  view(): View {
    const { pin, wrongPin, waitFor } = this.#nav.texts;
    const hint = this.#wrong ? [{ text: wrongPin }] : [];
    const { wait } = this.#lock;
    if (wait > 0) return { title: pin, rows: [...hint, { text: waitFor(Math.ceil(wait / 1000)) }] };
    const value = this.#digits.map((digit, i) => (i === this.#at ? digit : HIDDEN)).join("");
    return { title: pin, rows: [{ text: pin, value }, ...hint], selected: 0, cursor: this.#at, secret: true };
  }

  key(name: KeyName): void {
    if (name !== "back" && this.#lock.wait > 0) return;
    switch (name) {
      case "back":
        this.#nav.back();
        break;
      case "up":
      case "down":
        this.#digits[this.#at] = ((this.#digits[this.#at] ?? 0) + (name === "up" ? 1 : 9)) % 10;
        break;
      case "left":
        this.#at = Math.max(this.#at - 1, 0);
        break;
      case "right":
        this.#at = Math.min(this.#at + 1, MAX_DIGITS - 1);
        this.#digits[this.#at] ??= 0;
        break;
      case "ok":
        this.#try();
        break;
    }
  }

  #try(): void {
    const result = this.#lock.unlock(this.#digits.join(""));
    this.#wrong = result === "wrong";
    this.#digits = [0];
    this.#at = 0;
    if (result === "open") this.#opened();
  }
}
