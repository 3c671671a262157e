/** The latest lines, in memory, within bounds of number and bytes. */
import type { LogLine } from "./line.ts";

/** A line of the box itself; its cursor is its number. */
export interface OwnLine extends Omit<LogLine, "cursor"> {
  id: number;
  time: string;
}

/** What a line takes beside its message, roughly, bytes. */
const OVERHEAD = 160;

export class Ring {
  readonly #linesMax: number;
  readonly #bytesMax: number;
  #lines: OwnLine[] = [];
  /** Those before it in the array have fallen out. */
  #first = 0;
  #bytes = 0;

  constructor(linesMax: number, bytesMax: number) {
    this.#linesMax = linesMax;
    this.#bytesMax = bytesMax;
  }

  push(line: OwnLine): void {
    this.#lines.push(line);
    this.#bytes += sizeOf(line);
    while (this.#lines.length - this.#first > 1 && (this.#over || this.#bytes > this.#bytesMax)) {
      this.#bytes -= sizeOf(this.#lines[this.#first++] as OwnLine);
    }
    if (this.#first > this.#linesMax) {
      this.#lines = this.#lines.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Those before the line of that number, newest first. */
  *newestFirst(before = Number.POSITIVE_INFINITY): Generator<OwnLine> {
    const { length } = this.#lines;
    const lines = this.#lines;
    for (let i = length - 1; i >= this.#first; i--) {
      const line = lines[i] as OwnLine;
      if (line.id < before) yield line;
    }
  }

  /** As they are now, oldest first. */
  list(): OwnLine[] {
    return this.#lines.slice(this.#first);
  }

  /** Number of the oldest line, infinite when there is none. */
  get oldest(): number {
    return this.#lines[this.#first]?.id ?? Number.POSITIVE_INFINITY;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get #over(): boolean {
    return this.#lines.length - this.#first > this.#linesMax;
  }
}

function sizeOf({ message, source }: OwnLine): number {
  // Strings take one or two bytes a character.
  return OVERHEAD + 2 * (message.length + source.length);
}
