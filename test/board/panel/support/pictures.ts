import { Bitmap, pixelOf } from "../../../../src/board/panel/display/bitmap.ts";
import type { Picture, View } from "../../../../src/board/panel/view.ts";
import type { Random } from "../../../support/random.ts";

/** A picture to read: two rows of pixels in a line of characters. */
export function art(picture: Picture): string {
  if (picture.kind === "text") return picture.lines.map((line) => `|${line}|`).join("\n");
  const lines: string[] = [];
  for (let y = 0; y < picture.height; y += 2) {
    let line = "";
    for (let x = 0; x < picture.width; x++) {
      const lower = y + 1 < picture.height && pixelOf(picture, x, y + 1);
      line += pixelOf(picture, x, y) ? (lower ? "█" : "▀") : lower ? "▄" : " ";
    }
    lines.push(line.trimEnd());
  }
  return lines.join("\n");
}

/** As it stands in a test: without the first line break, the indentation and blanks at line ends. */
export function drawn(text: string): string {
  const lines = text.replace(/^\n/, "").trimEnd().split("\n");
  return lines.map((line) => line.replace(/^ {2}/, "").trimEnd()).join("\n");
}

export function noise(random: Random, width: number, height: number): Picture {
  const bitmap = new Bitmap(width, height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) bitmap.set(x, y, random.chance(0.5));
  return bitmap.picture();
}

/** Some view, also with letters and lengths that no display has room for. */
export function anyView(random: Random): View {
  const letters = "abcdefgXYZ 0123456789.:-/\\~äöüßéèàçêñÄÖÜÉ¿¡œ…";
  const words = (most: number) => Array.from({ length: random.below(most) }, () => random.pick([...letters])).join("");
  const rows = Array.from({ length: random.below(9) }, () => {
    const text = words(24);
    return random.chance(0.5) ? { text, value: words(24) } : { text };
  });
  if (rows.length === 0 || random.chance(0.2)) return { title: words(24), rows };
  const selected = random.below(rows.length);
  const value = rows[selected]?.value;
  const edits = value !== undefined && random.chance(0.5);
  return { title: words(24), rows, selected, ...(edits ? { cursor: random.below(value.length + 1) } : {}) };
}
