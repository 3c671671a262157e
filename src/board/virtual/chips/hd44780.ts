/** A character display: HD44780 controller (ROM A00) behind a PCF8574, wired as panel/display/hd44780.ts says. */
import { characterAt } from "../../panel/display/a00.ts";
import { characterOf } from "../../panel/display/font.ts";
import type { Picture } from "../../panel/view.ts";
import { BusError, type Clock } from "../../ports.ts";
import type { I2cModel } from "../model.ts";

export interface TextGeometry {
  columns: number;
  rows: number;
}

const RS = 0x01;
const RW = 0x02;
const EN = 0x04;
const BACKLIGHT = 0x08;

/** A byte on the fastest bus that such modules work on (400 kHz), ms. */
const BYTE_TIME = 9 / 400;

/** Execution times of the data sheet's table 6 (270 kHz oscillator), ms. */
const INSTRUCTION = 0.037;
/** With the update of the address counter. */
const ACCESS = 0.041;
const CLEAR = 1.52;
/** The reset that the controller makes after power, with the waiting times of its set-up (figure 24, at 2.7 V). */
const INTERNAL_RESET = 40;
const FIRST_FUNCTION_SET = 4.1;
const SECOND_FUNCTION_SET = 0.1;

/** The expander's pins, and what the controller makes of their edges. */
export class Hd44780Model implements I2cModel {
  readonly addresses: readonly number[];
  readonly #clock: Clock;
  readonly #geometry: TextGeometry;
  readonly #ddram = new Uint8Array(0x80);
  readonly #cgram = new Uint8Array(0x40);
  #isInReset = false;
  /** When the last transfer was over. */
  #busFree = 0;
  #pins = 0xff;
  /** The controller does nothing new before then. */
  #readyAt = 0;
  #functionSets = 0;
  #isFourBit = false;
  /** The first half of a byte in 4-bit mode, and when it came. */
  #high: { nibble: number; at: number } | undefined;
  #readsLow = false;
  #isTwoLine = false;
  #address = 0;
  #accessesCgram = false;
  #step = 1;
  #shiftsDisplay = false;
  #shift = 0;
  #on = false;
  #cursor = false;
  #blink = false;

  constructor(address: number, clock: Clock, geometry: TextGeometry = { columns: 16, rows: 2 }) {
    this.addresses = [address];
    this.#clock = clock;
    this.#geometry = geometry;
    this.#powerUp();
  }

  get isLit(): boolean {
    return (this.#pins & BACKLIGHT) !== 0;
  }

  transfer(address: number, write: Uint8Array, length: number): Uint8Array {
    if (this.#isInReset) throw new BusError("nack", `no answer from 0x${address.toString(16)}`);
    const start = Math.max(this.#clock.now(), this.#busFree);
    write.forEach((pins, index) => {
      this.#set(pins, start + (index + 2) * BYTE_TIME);
    });
    this.#busFree = start + (1 + write.length + length) * BYTE_TIME;
    return new Uint8Array(length).fill(this.#read());
  }

  reset(active: boolean): void {
    this.#isInReset = active;
    if (active) this.#powerUp();
  }

  /** What an eye sees with enough light, whether it is the backlight or not. */
  picture(): Picture {
    const { columns, rows } = this.#geometry;
    const cells = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: columns }, (_, column) => this.#cellAt(row, column)),
    );
    const lines = cells.map((line) => line.map((at) => (this.#on ? this.#look(this.#ddram[at] ?? 0) : " ")).join(""));
    const row = cells.findIndex((line) => line.includes(this.#address));
    if (!this.#on || !(this.#blink || this.#cursor) || this.#accessesCgram || row < 0) return { kind: "text", lines };
    return { kind: "text", lines, cursor: { row, column: cells[row]?.indexOf(this.#address) ?? 0 } };
  }

  #powerUp(): void {
    this.#pins = 0xff;
    this.#readyAt = this.#clock.now() + INTERNAL_RESET;
    this.#functionSets = 0;
    this.#isFourBit = this.#isTwoLine = this.#readsLow = false;
    this.#high = undefined;
    this.#address = this.#shift = 0;
    this.#accessesCgram = this.#shiftsDisplay = this.#on = this.#cursor = this.#blink = false;
    this.#step = 1;
    this.#ddram.fill(0x20);
    for (let i = 0; i < this.#cgram.length; i++) this.#cgram[i] = (i * 11) & 0x1f;
  }

  #set(pins: number, now: number): void {
    const before = this.#pins;
    const falls = (before & EN) !== 0 && (pins & EN) === 0;
    // Data, RS and RW count as they were before the edge.
    const nibble = before >> 4;
    const rs = (before & RS) !== 0;
    this.#pins = pins;
    if (!falls) return;
    if (before & RW) this.#afterRead(rs, now);
    else if (!this.#isFourBit) this.#take((nibble << 4) | 0x0f, rs, now, now);
    else if (this.#high === undefined) this.#high = { nibble, at: now };
    else {
      const { nibble: high, at } = this.#high;
      this.#high = undefined;
      this.#take((high << 4) | nibble, rs, at, now);
    }
  }

  /** Pins as the expander reads them: those that are written high can be pulled low by the controller. */
  #read(): number {
    if ((this.#pins & (RW | EN)) !== (RW | EN)) return this.#pins;
    const byte = this.#pins & RS ? this.#memory() : (this.#isBusy(this.#busFree) ? 0x80 : 0) | (this.#address & 0x7f);
    const nibble = this.#readsLow ? byte & 0x0f : byte >> 4;
    return this.#pins & ((nibble << 4) | 0x0f);
  }

  #afterRead(rs: boolean, now: number): void {
    if (this.#isFourBit) {
      this.#readsLow = !this.#readsLow;
      if (this.#readsLow) return;
    }
    if (!rs || this.#isBusy(now)) return;
    this.#advance();
    this.#readyAt = now + ACCESS;
  }

  #isBusy(now: number): boolean {
    return now < this.#readyAt;
  }

  /** A byte whose first edge came at `from` and whose last at `now`: lost when the controller was busy. */
  #take(byte: number, rs: boolean, from: number, now: number): void {
    if (this.#isBusy(from)) return;
    if (rs) {
      this.#store(byte);
      this.#readyAt = now + ACCESS;
    } else {
      this.#readyAt = now + INSTRUCTION;
      this.#run(byte, now);
    }
  }

  #run(byte: number, now: number): void {
    if (byte >= 0x80) {
      this.#address = byte & 0x7f;
      this.#accessesCgram = false;
    } else if (byte >= 0x40) {
      this.#address = byte & 0x3f;
      this.#accessesCgram = true;
    } else if (byte >= 0x20) {
      if (this.#functionSets === 0) this.#readyAt = now + FIRST_FUNCTION_SET;
      if (this.#functionSets === 1) this.#readyAt = now + SECOND_FUNCTION_SET;
      this.#functionSets++;
      this.#isFourBit = (byte & 0x10) === 0;
      this.#isTwoLine = (byte & 0x08) !== 0;
    } else if (byte >= 0x10) {
      const step = byte & 0x04 ? 1 : -1;
      if (byte & 0x08) this.#shift -= step;
      else this.#address = this.#next(step);
    } else if (byte >= 0x08) {
      this.#on = (byte & 0x04) !== 0;
      this.#cursor = (byte & 0x02) !== 0;
      this.#blink = (byte & 0x01) !== 0;
    } else if (byte >= 0x04) {
      this.#step = byte & 0x02 ? 1 : -1;
      this.#shiftsDisplay = (byte & 0x01) !== 0;
    } else if (byte > 0) {
      if (byte === 0x01) {
        this.#ddram.fill(0x20);
        this.#step = 1;
      }
      this.#address = this.#shift = 0;
      this.#accessesCgram = false;
      this.#readyAt = now + CLEAR;
    }
  }

  #memory(): number {
    return (this.#accessesCgram ? this.#cgram : this.#ddram)[this.#address] ?? 0;
  }

  #store(byte: number): void {
    if (this.#accessesCgram) this.#cgram[this.#address & 0x3f] = byte & 0x1f;
    else {
      this.#ddram[this.#address] = byte;
      if (this.#shiftsDisplay) this.#shift += this.#step;
    }
    this.#advance();
  }

  #advance(): void {
    this.#address = this.#next(this.#step);
  }

  /** One line: 0x00 to 0x4F. Two lines: 0x00 to 0x27 and 0x40 to 0x67, the one following the other. */
  #next(step: number): number {
    if (this.#accessesCgram) return (this.#address + step) & 0x3f;
    const [length, last] = this.#isTwoLine ? [0x28, 0x67] : [0x50, 0x4f];
    const next = this.#address + step;
    if (next < 0) return last;
    if (next > last) return 0;
    if (next >= length && next < 0x40 && this.#isTwoLine) return step > 0 ? 0x40 : length - 1;
    return next;
  }

  /** The address that a cell shows. Where the controller drives one line only, the other cells stay empty. */
  #cellAt(row: number, column: number): number {
    const { columns } = this.#geometry;
    const length = this.#isTwoLine ? 0x28 : 0x50;
    const place = (row & 2 ? columns : 0) + column + this.#shift;
    const inLine = ((place % length) + length) % length;
    if ((row & 1) === 0) return inLine;
    return this.#isTwoLine ? 0x40 + inLine : 0x7f;
  }

  #look(code: number): string {
    if (code >= 0x10) return characterAt(code) ?? "▯";
    const place = (code & 0x07) << 3;
    return characterOf([...this.#cgram.subarray(place, place + 8)]) ?? "▯";
  }
}
