import type { Picture, View } from "../view.ts";
import { transliterate } from "./a00.ts";
import { layOut, linesNeeded } from "./layout.ts";

/** Before the selected row; the others are indented by as much. */
const MARK = ">";

/**
 * The view in characters of an HD44780. The title has the first line, unless one line is too few for what matters: then
 * a display of two lines shows a row with its value below it.
 */
export function renderText(view: View, columns: number, rows: number): Picture & { kind: "text" } {
  const width = columns - MARK.length;
  const titled = rows > 2 || view.rows.length === 0 || linesNeeded(view, width, rows) < rows;
  const height = titled ? rows - 1 : rows;
  const { lines, above, below } = layOut(view, width, height);
  const isScrolled = above || below;
  const room = isScrolled ? width - 1 : width;

  let cursor: { row: number; column: number } | undefined;
  const list = lines.map((line, index) => {
    const row = index + rows - height;
    if (line.cursor !== undefined) cursor = { row, column: columns - (width - room) - line.value.length + line.cursor };
    const text = line.text.padEnd(room - line.value.length);
    const up = above && index === 0;
    const down = below && index === lines.length - 1;
    const scroll = up && down ? "↕" : up ? "↑" : down ? "↓" : " ";
    return `${line.selected ? MARK : " "}${text}${line.value}${isScrolled ? scroll : ""}`;
  });
  const all = titled ? [view.title, ...list] : list;
  const filled = Array.from({ length: rows }, (_, row) => (all[row] ?? "").padEnd(columns).slice(0, columns));
  return { kind: "text", lines: transliterate(filled), ...(cursor === undefined ? {} : { cursor }) };
}
