/**
 * Character displays with an HD44780 controller behind a PCF8574 port expander, whose pins are: P0 RS, P1 RW, P2 EN, P3
 * backlight, P4 to P7 data, so the controller is driven in its 4-bit mode and only written.
 *
 * Modules work on buses of up to 400 kHz (the PCF8574's data sheet says 100 kHz), 22 µs a byte. Between the end of one
 * instruction and the first nibble of the next there are two bytes: more than the 41 µs that writing a character takes.
 */
import { isDeepStrictEqual } from "node:util";
import type { I2cChip, I2cDevice } from "../../i2c.ts";
import { type Clock, systemClock } from "../../ports.ts";
import type { Brightness, Display, Picture, View } from "../view.ts";
import { codeOf, OWN_CHARACTERS } from "./a00.ts";
import { glyphOf } from "./font.ts";
import { renderText } from "./renderText.ts";

interface CharacterDisplayOptions {
  columns?: number;
  /** 1 to 4. */
  rows?: number;
  clock?: Clock;
}

const RS = 0x01;
const EN = 0x04;
const BACKLIGHT = 0x08;

const CLEAR = 0x01;
const ENTRY_MODE = 0x06;
const DISPLAY = 0x08;
const DISPLAY_ON = 0x04;
const BLINK = 0x01;
const FUNCTION_SET = 0x20;
const TWO_LINES = 0x08;
const CGRAM = 0x40;
const DDRAM = 0x80;

/** Waiting times of the data sheet's figure 24, ms: after power (40 at 2.7 V), and after the first function sets. */
const POWER_ON = 50;
const FIRST_FUNCTION_SET = 5;
const SECOND_FUNCTION_SET = 1;
/** Of "clear display": 1.52 ms with a fast oscillator, 2.16 ms with the slowest one. */
const CLEAR_TIME = 3;

/** The controller has memory for this many characters. */
const CELLS = 80;
/** Bytes that become four each on the way to the expander: together as many as SMBus adapters take. */
const BURST = 8;

type Text = Picture & { kind: "text" };

/** Shows lines of characters; letters that the ROM lacks are drawn, eight at a time. */
export class CharacterDisplay implements Display {
  readonly kind = "text";
  readonly #device: I2cDevice;
  readonly #columns: number;
  readonly #rows: number;
  readonly #clock: Clock;
  #level: Brightness = "normal";
  #wanted: Text;
  /** What the display shows, once it does. */
  #picture: Text | undefined;
  /** Codes in the controller's memory, row by row; undefined while that is unknown. */
  #shown: number[] | undefined;
  /** Characters of our own, in the places where they are drawn. */
  readonly #own: (string | undefined)[] = [];
  #cursor: Text["cursor"];

  /** @throws RangeError for more than 80 characters, which need a second controller */
  constructor(device: I2cDevice, { columns = 16, rows = 2, clock = systemClock }: CharacterDisplayOptions = {}) {
    if (columns * rows > CELLS) throw new RangeError(`an HD44780 has ${CELLS} characters, not ${columns}×${rows}`);
    this.#device = device;
    this.#columns = columns;
    this.#rows = rows;
    this.#clock = clock;
    this.#wanted = { kind: "text", lines: Array.from({ length: rows }, () => " ".repeat(columns)) };
  }

  async start(): Promise<void> {
    await this.#device.use((chip) => this.#setUp(chip));
  }

  render(view: View): Picture {
    return renderText(view, this.#columns, this.#rows);
  }

  async show(picture: Picture): Promise<void> {
    const fits = picture.kind === "text" && picture.lines.length === this.#rows;
    if (!fits || picture.lines.some((line) => line.length !== this.#columns)) {
      throw new TypeError(`the display shows ${this.#rows} lines of ${this.#columns} characters`);
    }
    this.#wanted = picture;
    await this.#device.use(async (chip) => {
      if (this.#shown === undefined || (await this.#wasReset(chip))) await this.#setUp(chip);
      else await this.#update(chip);
    });
  }

  /** The backlight is lit or not: dim is without it, off is without characters too. */
  async brightness(level: Brightness): Promise<void> {
    if (level === this.#level) return;
    this.#level = level;
    await this.#device.use(async (chip) => {
      if (this.#shown === undefined || (await this.#wasReset(chip))) await this.#setUp(chip);
      else await this.#guarded(() => this.#control(chip));
    });
  }

  get #light(): number {
    return this.#level === "normal" ? BACKLIGHT : 0;
  }

  /** The expander's pins go high when it loses its power; we leave EN low. */
  async #wasReset(chip: I2cChip): Promise<boolean> {
    const [pins = 0] = await chip.read([], 1);
    return (pins & EN) !== 0;
  }

  /** "Initializing by instruction" (figure 24): works from any state, also between two nibbles. */
  async #setUp(chip: I2cChip): Promise<void> {
    await this.#guarded(async () => {
      this.#own.length = 0;
      this.#cursor = undefined;
      this.#picture = undefined;
      await chip.write(this.#light);
      await this.#clock.sleep(POWER_ON);
      for (const wait of [FIRST_FUNCTION_SET, SECOND_FUNCTION_SET, SECOND_FUNCTION_SET]) {
        await chip.write(...this.#nibble(0x3, 0));
        await this.#clock.sleep(wait);
      }
      await chip.write(...this.#nibble(FUNCTION_SET >> 4, 0));
      await this.#send(chip, 0, [FUNCTION_SET | (this.#rows > 1 ? TWO_LINES : 0), DISPLAY, CLEAR]);
      await this.#clock.sleep(CLEAR_TIME);
      await this.#send(chip, 0, [ENTRY_MODE]);
      this.#shown = Array.from({ length: this.#columns * this.#rows }, () => 0x20);
      await this.#update(chip);
      await this.#control(chip);
    });
  }

  async #update(chip: I2cChip): Promise<void> {
    const picture = this.#wanted;
    if (isDeepStrictEqual(picture, this.#picture)) return;
    await this.#guarded(async () => {
      // The cursor blinks at the address that is written next: not on the way.
      if (this.#cursor !== undefined) {
        this.#cursor = undefined;
        await this.#control(chip);
      }
      await this.#draw(chip, picture.lines);
      const codes = picture.lines.flatMap((line) => [...line].map((character) => this.#code(character)));
      for (let row = 0; row < this.#rows; row++) await this.#writeRow(chip, row, codes);
      this.#shown = codes;
      this.#cursor = picture.cursor;
      if (this.#cursor !== undefined) await this.#control(chip);
      this.#picture = picture;
    });
  }

  /** Draws the characters that the ROM lacks, in places whose characters are not wanted any more. */
  async #draw(chip: I2cChip, lines: readonly string[]): Promise<void> {
    const wanted = new Set([...lines.join("")].filter((character) => codeOf(character) === undefined));
    for (const character of wanted) {
      const rows = glyphOf(character);
      if (rows === undefined || this.#own.includes(character)) continue;
      const places = Array.from({ length: OWN_CHARACTERS }, (_, place) => this.#own[place]);
      const place = places.findIndex((old) => old === undefined || !wanted.has(old));
      if (place < 0) return;
      this.#own[place] = character;
      await this.#send(chip, 0, [CGRAM | (place << 3)]);
      await this.#send(chip, RS, rows);
    }
  }

  #code(character: string): number {
    const own = this.#own.indexOf(character);
    return codeOf(character) ?? (own >= 0 ? own : 0x3f);
  }

  async #writeRow(chip: I2cChip, row: number, codes: readonly number[]): Promise<void> {
    const start = row * this.#columns;
    const changed = (at: number) => codes[at] !== this.#shown?.[at];
    for (let at = start; at < start + this.#columns; at++) {
      if (!changed(at)) continue;
      let end = at + 1;
      while (end < start + this.#columns && changed(end)) end++;
      await this.#send(chip, 0, [DDRAM | this.#address(row, at - start)]);
      await this.#send(chip, RS, codes.slice(at, end));
      at = end;
    }
  }

  /** The third and fourth line go on where the first and second end. */
  #address(row: number, column: number): number {
    return (row & 1 ? 0x40 : 0) + (row & 2 ? this.#columns : 0) + column;
  }

  async #control(chip: I2cChip): Promise<void> {
    const cursor = this.#cursor;
    if (cursor !== undefined) await this.#send(chip, 0, [DDRAM | this.#address(cursor.row, cursor.column)]);
    const on = this.#level === "off" ? 0 : DISPLAY_ON;
    await this.#send(chip, 0, [DISPLAY | on | (cursor === undefined ? 0 : BLINK)]);
  }

  /** Instructions or, with RS, characters. */
  async #send(chip: I2cChip, rs: number, bytes: readonly number[]): Promise<void> {
    for (let i = 0; i < bytes.length; i += BURST) {
      const part = bytes.slice(i, i + BURST);
      await chip.write(...part.flatMap((byte) => [...this.#nibble(byte >> 4, rs), ...this.#nibble(byte & 0x0f, rs)]));
    }
  }

  /** The controller takes it when EN falls. */
  #nibble(nibble: number, rs: number): [number, number] {
    const pins = (nibble << 4) | rs | this.#light;
    return [pins | EN, pins];
  }

  /** After an error nobody knows what the controller has. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#shown = undefined;
      throw error;
    }
  }
}
