import qrcode from "qrcode-generator";
import type { Picture, View } from "../view.ts";
import { Bitmap } from "./bitmap.ts";
import { CELL_WIDTH } from "./font.ts";
import { layOut } from "./layout.ts";

/** A line of text with a pixel of room above it, so that inverted letters do not touch the edge. */
const PITCH = 9;

/** The view in pixels: an inverted title, the list below it, the QR code at the right over the whole height. */
export function renderGraphic(view: View, width = 128, height = 64): Picture & { kind: "graphic" } {
  const bitmap = new Bitmap(width, height);
  const code = view.qr === undefined ? undefined : qrCode(view.qr, height);
  const room = width - (code?.width ?? 0);
  if (code !== undefined) copy(code, bitmap, room, (height - code.height) >> 1);

  const columns = Math.floor((room - 1) / CELL_WIDTH);
  bitmap.text(1, 1, view.title.slice(0, columns));
  bitmap.invert(0, 0, room, PITCH);

  const { lines, above, below } = layOut(view, columns, Math.floor(height / PITCH) - 1);
  const isScrolled = above || below;
  // The scroll marks have the last column to themselves.
  const end = isScrolled ? 1 + (columns - 1) * CELL_WIDTH : room;
  lines.forEach(({ text, value, selected, cursor }, index) => {
    // A dark line parts the title from a selected first row.
    const y = (index + 1) * PITCH + 1;
    const valueX = end - value.length * CELL_WIDTH;
    bitmap.text(1, y + 1, text);
    bitmap.text(valueX, y + 1, value);
    if (selected) bitmap.invert(0, y, end, PITCH);
    // Turned over once more, it stands out of the selected row.
    if (cursor !== undefined) bitmap.invert(valueX + cursor * CELL_WIDTH - 1, y, CELL_WIDTH + 1, PITCH);
  });
  if (above) arrow(bitmap, room - CELL_WIDTH, PITCH + 4, 1);
  if (below) arrow(bitmap, room - CELL_WIDTH, lines.length * PITCH + 6, -1);
  return bitmap.picture();
}

/** A triangle of 5 × 3 pixels; `y` is its tip. */
function arrow(bitmap: Bitmap, x: number, y: number, step: 1 | -1): void {
  for (let row = 0; row < 3; row++) bitmap.fill(x + 2 - row, y + row * step, 1 + 2 * row, 1);
}

/** Light modules around the code that a reader needs, at each side: the least, and what it gets where there is room. */
const QUIET_LEAST = 1;
const QUIET = 2;

/**
 * A QR code (ISO/IEC 18004, error correction level L), lit where it is light, as large as the height takes; undefined
 * when the text is too long for the display.
 */
function qrCode(text: string, height: number): Bitmap | undefined {
  const code = qrcode(0, "L");
  // UTF-8 bytes: readers expect them, and the library puts one byte a character.
  code.addData(String.fromCharCode(...new TextEncoder().encode(text)), "Byte");
  try {
    code.make();
  } catch {
    // More than the largest code (version 40) holds.
    return undefined;
  }
  const modules = code.getModuleCount();
  const scale = Math.floor(height / (modules + 2 * QUIET_LEAST));
  if (scale < 1) return undefined;
  const size = Math.min(height, (modules + 2 * QUIET) * scale);
  const bitmap = new Bitmap(size, size);
  bitmap.fill(0, 0, size, size);
  const start = (size - modules * scale) >> 1;
  for (let row = 0; row < modules; row++) {
    for (let column = 0; column < modules; column++) {
      if (code.isDark(row, column)) bitmap.fill(start + column * scale, start + row * scale, scale, scale, false);
    }
  }
  return bitmap;
}

function copy(from: Bitmap, to: Bitmap, left: number, top: number): void {
  for (let y = 0; y < from.height; y++) {
    for (let x = 0; x < from.width; x++) to.set(left + x, top + y, from.get(x, y));
  }
}
