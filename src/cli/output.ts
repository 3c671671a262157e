/** What a command says: aligned tables and lines for people, JSON for programs. */

/** Standard output or error, as far as is needed. */
export interface Sink {
  write(text: string | Uint8Array): Promise<void>;
  isTerminal: boolean;
}

export class Output {
  readonly #sink: Sink;
  /** Whether a program listens. */
  readonly isJson: boolean;
  readonly #coloured: boolean;

  constructor(sink: Sink, { json, coloured }: { json: boolean; coloured: boolean }) {
    this.#sink = sink;
    this.isJson = json;
    this.#coloured = coloured && sink.isTerminal;
  }

  /** The answer as JSON, or what `text` makes of it for people. */
  async tell<T>(answer: T, text: (answer: T) => string[] | string): Promise<void> {
    if (this.isJson) return await this.json(answer);
    for (const line of [text(answer)].flat()) await this.line(line);
  }

  async json(value: unknown): Promise<void> {
    await this.#sink.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** One line of JSON, for what has no end. */
  async jsonLine(value: unknown): Promise<void> {
    await this.#sink.write(`${JSON.stringify(value)}\n`);
  }

  async line(text: string): Promise<void> {
    await this.#sink.write(`${text}\n`);
  }

  /** As it is. */
  async raw(bytes: string | Uint8Array): Promise<void> {
    await this.#sink.write(bytes);
  }

  /** Lines of a table; the last column is as wide as it wants. Without rows, `none` in its place. */
  table(headings: readonly string[], rows: readonly (readonly string[])[], none: string): string[] {
    if (rows.length === 0) return [none];
    const cells = rows.map((row) => row.map(printable));
    const widths = headings.map((heading, i) => Math.max(heading.length, ...cells.map((row) => row[i]?.length ?? 0)));
    const inLine = (row: readonly string[]): string =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
        .join("  ")
        .trimEnd();
    const heading = inLine(headings.map((text) => text.toUpperCase()));
    return [this.#coloured ? `\u001b[1m${heading}\u001b[0m` : heading, ...cells.map(inLine)];
  }

  /** Names and values, aligned. */
  fields(list: readonly (readonly [name: string, value: string])[]): string[] {
    const width = Math.max(...list.map(([name]) => name.length));
    return list.map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}`.trimEnd());
  }
}

/** Text from the box without what could command a terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** A value in one line. */
export function inLine(value: unknown): string {
  if (value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
