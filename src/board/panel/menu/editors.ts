/** Values under the four arrow keys: left and right choose the place, up and down change what is there. */
import type { z } from "zod";
import type { Ipv4, Text, Whole } from "./settings.ts";

export type Arrow = "up" | "down" | "left" | "right";

export interface Editor {
  /** The value as shown, and the place in it that is edited. */
  shown(): { value: string; cursor: number; mark?: "delete" | "insert" };
  key(name: Arrow): void;
  value(): string | number;
}

export function editorFor(setting: Whole | Ipv4 | Text, value: unknown): Editor {
  switch (setting.kind) {
    case "whole":
      return new WholeEditor(setting, typeof value === "number" ? value : setting.min);
    case "ipv4":
      return new Ipv4Editor(typeof value === "string" ? value : "0.0.0.0");
    case "text":
      // A secret is written anew: it can't be seen, so it can't be changed in part.
      return new TextEditor(setting, typeof value === "string" && !setting.secret ? value : "");
  }
}

/** A whole number within its limits, digit by digit; digits carry. */
class WholeEditor implements Editor {
  readonly #limits: Whole;
  readonly #digits: number;
  #value: number;
  /** Power of ten. */
  #place = 0;

  constructor(limits: Whole, value: number) {
    this.#limits = limits;
    this.#digits = String(Math.max(Math.abs(limits.min), Math.abs(limits.max))).length;
    this.#value = Math.min(Math.max(value, limits.min), limits.max);
  }

  shown(): { value: string; cursor: number } {
    const sign = this.#limits.min < 0 ? (this.#value < 0 ? "-" : "+") : "";
    const value = sign + String(Math.abs(this.#value)).padStart(this.#digits, "0");
    return { value, cursor: value.length - 1 - this.#place };
  }

  key(name: Arrow): void {
    const { min, max, step } = this.#limits;
    const by = Math.max(10 ** this.#place, step);
    switch (name) {
      case "up":
        this.#value = Math.min(Math.floor((this.#value + by) / step) * step, max);
        break;
      case "down":
        this.#value = Math.max(Math.ceil((this.#value - by) / step) * step, min);
        break;
      case "left":
        this.#place = Math.min(this.#place + 1, this.#digits - 1);
        break;
      case "right":
        this.#place = Math.max(this.#place - 1, 0);
        break;
    }
  }

  value(): number {
    // Not the negative zero that rounding can give.
    return this.#value || 0;
  }
}

/** An IPv4 address as twelve digits; each takes only what leaves its part at 255 or less. */
class Ipv4Editor implements Editor {
  readonly #digits: number[];
  #at = 0;

  constructor(address: string) {
    this.#digits = [...address.split(".").map((part) => part.padStart(3, "0"))].join("").split("").map(Number);
  }

  shown(): { value: string; cursor: number } {
    const parts = [0, 3, 6, 9].map((from) => this.#digits.slice(from, from + 3).join(""));
    return { value: parts.join("."), cursor: this.#at + Math.floor(this.#at / 3) };
  }

  key(name: Arrow): void {
    if (name === "left") this.#at = Math.max(this.#at - 1, 0);
    else if (name === "right") this.#at = Math.min(this.#at + 1, this.#digits.length - 1);
    else this.#turn(name === "up" ? 1 : -1);
  }

  value(): string {
    return [0, 3, 6, 9].map((from) => Number(this.#digits.slice(from, from + 3).join(""))).join(".");
  }

  #turn(by: number): void {
    const from = this.#at - (this.#at % 3);
    do {
      this.#digits[this.#at] = ((this.#digits[this.#at] ?? 0) + by + 10) % 10;
    } while (Number(this.#digits.slice(from, from + 3).join("")) > 255);
  }
}

/** What can be written, in the order of the wheel; the setting's pattern takes out what it does not allow. */
export const CHARACTERS = [
  ..." abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
  ..."-_./:,;+*=@#%&!?'\"()[]{}<>|\\^~$`",
  ..."äöüßÄÖÜàâçéèêëîïôùûñáíóúÀÇÉÈÊÑ¿¡",
];

const END = "_";
/** Shown in place of a character. */
export const MARKS = { delete: "←", insert: "→" } as const;
/** Stands for a character of a secret. */
export const HIDDEN = "●";
/** Patterns may want a least length: a character is allowed when so many of it are. */
const REPEATS = 12;

/** Text on a wheel of characters. The wheel of a place also has a mark that deletes it and one that inserts before it. */
class TextEditor implements Editor {
  readonly #setting: Text;
  readonly #always: ReadonlySet<string>;
  readonly #text: string[];
  #at: number;
  #mark: keyof typeof MARKS | undefined;

  constructor(setting: Text, text: string) {
    this.#setting = setting;
    this.#text = [...text];
    this.#at = 0;
    const repeated = (character: string) =>
      Array.from({ length: REPEATS }, (_, i) => character.repeat(i + 1)).some((word) =>
        mayBecome(setting.schema, word),
      );
    this.#always = new Set([...CHARACTERS.filter(repeated), ...text]);
  }

  shown(): { value: string; cursor: number; mark?: "delete" | "insert" } {
    const cells = this.#text.map((character, i) => (this.#setting.secret && i !== this.#at ? HIDDEN : character));
    if (this.#mark !== undefined) cells[this.#at] = MARKS[this.#mark];
    const end = this.#at === this.#text.length ? END : "";
    const mark = this.#mark === undefined ? {} : { mark: this.#mark };
    return { value: cells.join("") + end, cursor: this.#at, ...mark };
  }

  key(name: Arrow): void {
    switch (name) {
      case "up":
        this.#turn(1);
        break;
      case "down":
        this.#turn(-1);
        break;
      case "left":
        this.#settle();
        this.#at = Math.max(this.#at - 1, 0);
        break;
      case "right":
        // What was deleted or inserted leaves another character at this place.
        if (!this.#settle()) this.#at = Math.min(this.#at + 1, this.#text.length, this.#setting.max - 1);
        break;
    }
  }

  value(): string {
    return this.#text.filter((_, i) => !(this.#mark === "delete" && i === this.#at)).join("");
  }

  #turn(by: number): void {
    const allowed = CHARACTERS.filter((character) => this.#always.has(character) || this.#fits(character));
    const characters = allowed.length > 0 ? allowed : CHARACTERS;
    const current = this.#text[this.#at];
    if (current === undefined) {
      this.#text[this.#at] = characters.at(by > 0 ? 0 : -1) ?? "";
      return;
    }
    const known = characters.includes(current) ? characters : [...characters, current];
    const full = this.#text.length >= this.#setting.max;
    const wheel = [...known, MARKS.insert, MARKS.delete].filter((cell) => !(full && cell === MARKS.insert));
    const at = wheel.indexOf(this.#mark === undefined ? current : MARKS[this.#mark]);
    const next = wheel[(at + by + wheel.length) % wheel.length] ?? current;
    this.#mark = next === MARKS.delete ? "delete" : next === MARKS.insert ? "insert" : undefined;
    if (this.#mark === undefined) this.#text[this.#at] = next;
  }

  /** Whether the text could have this character at this place. */
  #fits(character: string): boolean {
    const text = [...this.#text];
    text[this.#at] = character;
    return mayBecome(this.#setting.schema, text.join(""));
  }

  /** Does what the mark says; whether there was one. */
  #settle(): boolean {
    const mark = this.#mark;
    this.#mark = undefined;
    if (mark === "delete") this.#text.splice(this.#at, 1);
    if (mark === "insert") this.#text.splice(this.#at, 0, [...this.#always][0] ?? " ");
    return mark !== undefined;
  }
}

/** Whether nothing but the length is wrong with a text. */
function mayBecome(schema: z.ZodType, text: string): boolean {
  const { error } = schema.safeParse(text);
  return error === undefined || error.issues.every(({ code }) => code === "too_small" || code === "too_big");
}
