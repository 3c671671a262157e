import type { Picture } from "../view.ts";
import { CELL_WIDTH, type Glyph, glyphOf } from "./font.ts";

/** A picture of one bit a pixel to draw on; what lies outside is left out. */
export class Bitmap {
  readonly width: number;
  readonly height: number;
  readonly #stride: number;
  readonly #pixels: Uint8Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#stride = Math.ceil(width / 8);
    this.#pixels = new Uint8Array(this.#stride * height);
  }

  set(x: number, y: number, lit: boolean): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const at = y * this.#stride + (x >> 3);
    const bit = 0x80 >> (x & 7);
    this.#pixels[at] = lit ? (this.#pixels[at] ?? 0) | bit : (this.#pixels[at] ?? 0) & ~bit;
  }

  get(x: number, y: number): boolean {
    return isLit(this.#pixels, this.#stride, x, y);
  }

  fill(x: number, y: number, width: number, height: number, lit = true): void {
    for (let row = y; row < y + height; row++) {
      for (let column = x; column < x + width; column++) this.set(column, row, lit);
    }
  }

  invert(x: number, y: number, width: number, height: number): void {
    for (let row = y; row < y + height; row++) {
      for (let column = x; column < x + width; column++) this.set(column, row, !this.get(column, row));
    }
  }

  /** Lights the letters' pixels; characters that the font has not get a box. */
  text(x: number, y: number, text: string): void {
    [...text].forEach((character, index) => {
      this.#glyph(x + index * CELL_WIDTH, y, glyphOf(character) ?? glyphOf("▯") ?? []);
    });
  }

  picture(): Picture & { kind: "graphic" } {
    return { kind: "graphic", width: this.width, height: this.height, pixels: this.#pixels.slice() };
  }

  #glyph(x: number, y: number, rows: Glyph): void {
    rows.forEach((bits, row) => {
      for (let column = 0; column < 5; column++) if (bits & (0x10 >> column)) this.set(x + column, y + row, true);
    });
  }
}

/** Whether a pixel of a picture is lit. */
export function pixelOf({ width, pixels }: Picture & { kind: "graphic" }, x: number, y: number): boolean {
  return isLit(pixels, Math.ceil(width / 8), x, y);
}

function isLit(pixels: Uint8Array, stride: number, x: number, y: number): boolean {
  return ((pixels[y * stride + (x >> 3)] ?? 0) & (0x80 >> (x & 7))) !== 0;
}
