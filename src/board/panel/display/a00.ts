/**
 * The HD44780's character generator ROM A00: ASCII but for \ and ~, half-width katakana, and a few letters of Europe.
 * Codes 0 to 7 are characters that the driver draws itself.
 */
import { glyphOf, plain } from "./font.ts";

/** Characters that can be drawn at a time. */
export const OWN_CHARACTERS = 8;

const special: Readonly<Record<string, number>> = {
  "¥": 0x5c,
  "→": 0x7e,
  "←": 0x7f,
  "·": 0xa5,
  "°": 0xdf,
  α: 0xe0,
  ä: 0xe1,
  // Drawn as a small beta.
  ß: 0xe2,
  ε: 0xe3,
  µ: 0xe4,
  σ: 0xe5,
  ρ: 0xe6,
  "√": 0xe8,
  "¢": 0xec,
  "£": 0xed,
  ñ: 0xee,
  ö: 0xef,
  θ: 0xf2,
  "∞": 0xf3,
  Ω: 0xf4,
  ü: 0xf5,
  Σ: 0xf6,
  π: 0xf7,
  "÷": 0xfd,
  "█": 0xff,
};

const FIRST_KATAKANA = 0xff61;
const byCode = new Map(Object.entries(special).map(([character, code]) => [code, character]));

/** The ROM's code of a character; undefined when the ROM lacks it. */
export function codeOf(character: string): number | undefined {
  const code = character.charCodeAt(0);
  return special[character] ?? (code >= 0x20 && code < 0x7e && character !== "\\" ? code : undefined);
}

/** What the ROM shows for a code; undefined where it is empty or has a character of its own making. */
export function characterAt(code: number): string | undefined {
  const known = byCode.get(code);
  if (known !== undefined) return known;
  if (code >= 0x20 && code < 0x7e) return String.fromCharCode(code);
  return code > 0xa0 && code < 0xe0 ? String.fromCharCode(FIRST_KATAKANA + code - 0xa1) : undefined;
}

/** Not worth a character of our own. */
const same: Readonly<Record<string, string>> = { "’": "'", "–": "-" };

/** Where there is no room for another one. */
const near: Readonly<Record<string, string>> = { "×": "x", æ: "a", Æ: "A", œ: "o", Œ: "O" };

/**
 * The lines in characters that the display can show together: what the ROM has, up to eight more that the font draws,
 * and for the rest the plain letter or a question mark. Lengths stay.
 */
export function transliterate(lines: readonly string[]): string[] {
  // Scroll marks first: they stand for whole lines.
  const own = new Set([..."↑↓↕"].filter((mark) => lines.some((line) => line.includes(mark))));
  const shown = (character: string): string => {
    const wanted = same[character] ?? character;
    if (codeOf(wanted) !== undefined || own.has(wanted)) return wanted;
    if (own.size < OWN_CHARACTERS && glyphOf(wanted) !== undefined) {
      own.add(wanted);
      return wanted;
    }
    const letter = near[wanted] ?? plain(wanted);
    return codeOf(letter) === undefined ? "?" : letter;
  };
  return lines.map((line) => [...line].map(shown).join(""));
}
