/** How a view's list falls into lines of a display: the same for pixels and for characters. */
import type { Row, View } from "../view.ts";

export interface Line {
  text: string;
  /** At the right end of the line. */
  value: string;
  selected: boolean;
  /** Index of the character of `value` that is being edited. */
  cursor?: number;
}

export interface Layout {
  lines: readonly Line[];
  /** There are lines before the first and after the last. */
  above: boolean;
  below: boolean;
}

/**
 * As many of the list's lines as fit into `height`, with the selected row in the middle where the list is longer; then
 * they leave the last column to the scroll marks.
 */
export function layOut(view: View, columns: number, height: number): Layout {
  const all = linesOf(view, columns, height);
  if (all.length <= height) return { lines: all, above: false, below: false };
  const lines = linesOf(view, columns - 1, height);
  const top = scrolledTo(lines, height);
  return {
    lines: lines.slice(top, top + height),
    above: top > 0,
    below: top + height < lines.length,
  };
}

/** Lines that the selected row needs, at most `height`; those of all rows when none is selected. */
export function linesNeeded(view: View, columns: number, height: number): number {
  const lines = linesOf(view, columns, height);
  return view.selected === undefined ? lines.length : lines.filter((line) => line.selected).length;
}

function linesOf(view: View, columns: number, height: number): Line[] {
  return view.rows.flatMap((row, index) => {
    const selected = index === view.selected;
    return linesOfRow(row, columns, height, selected ? view.cursor : undefined).map((line) => ({ ...line, selected }));
  });
}

type RowLine = Omit<Line, "selected">;

function linesOfRow({ text, value }: Row, columns: number, height: number, cursor: number | undefined): RowLine[] {
  const words = wrap(text, columns).map((part) => ({ text: part, value: "" }));
  if (value === undefined) return words;
  const part = windowOf(value, columns, cursor);
  if (text === "") return [{ text, ...part }];
  if (text.length + 1 + part.value.length <= columns) return [{ text, ...part }];
  // The value is what matters: a long name must not push it off the display.
  const name = words.length < height ? words : [{ text: clip(text, columns), value: "" }];
  return [...name, { text: "", ...part }];
}

function clip(text: string, columns: number): string {
  return text.length > columns ? `${text.slice(0, columns - 1)}…` : text;
}

/** As much of a value as a line takes: its beginning, or while it is edited what is around the cursor. */
function windowOf(value: string, columns: number, cursor: number | undefined): Pick<Line, "value" | "cursor"> {
  if (cursor === undefined) return { value: clip(value, columns) };
  // The cursor may stand behind the last character, where the next one goes.
  const at = Math.max(0, cursor);
  const whole = value.padEnd(at + 1);
  const start = Math.max(0, Math.min(at - (columns >> 1), whole.length - columns));
  return { value: whole.slice(start, start + columns), cursor: at - start };
}

/** Breaks at spaces; words longer than a line break anywhere. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (let word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = "";
    }
    for (; word.length > columns; word = word.slice(columns)) lines.push(word.slice(0, columns));
    line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function scrolledTo(lines: readonly Line[], height: number): number {
  const first = lines.findIndex((line) => line.selected);
  if (first < 0) return 0;
  const last = lines.findLastIndex((line) => line.selected);
  const size = last - first + 1;
  // What is being edited is at the row's end.
  if (size > height) return lines[last]?.cursor === undefined ? first : last - height + 1;
  const centred = first - ((height - size) >> 1);
  return Math.max(0, Math.min(centred, lines.length - height));
}
