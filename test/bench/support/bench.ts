/** What every bench shares: how it is called, what it finds, and how runs are put side by side. */
import type { Scope } from "../../media/support/worker.ts";

export interface Settings {
  /** Length of one measurement, s. */
  seconds: number;
  /** How often each is repeated. */
  repetitions: number;
  /** Says what is under way. */
  say(text: string): void;
}

/** One line of the result. */
export interface Row {
  what: string;
  measured: string;
  /** What was promised, and whether it was kept; neither for a figure that is only shown. */
  bound?: string;
  kept?: boolean;
}

export interface Finding {
  rows: Row[];
  /** How it was measured, and what the reader must know to judge it. */
  notes: string[];
}

export interface Bench {
  title: string;
  run(settings: Settings): Promise<Finding>;
}

/** Runs `work`, then undoes what it did, the last thing first, also when it failed. */
export async function scoped<T>(work: (scope: Scope) => Promise<T>): Promise<T> {
  const undoing: (() => unknown)[] = [];
  try {
    return await work({ after: (undo) => undoing.push(undo) });
  } finally {
    for (const undo of undoing.toReversed()) await undo();
  }
}

/**
 * Measures A, B, … A, B, … in turn, so that a change of the machine's mood meets all of them alike.
 * @returns the measurements of each, oldest first
 */
export async function interleaved<Name extends string, T>(
  { repetitions, say }: Settings,
  subjects: Record<Name, () => Promise<T>>,
  show: (value: T) => string,
): Promise<Record<Name, T[]>> {
  const names = Object.keys(subjects) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, T[]>;
  for (let i = 1; i <= repetitions; i++) {
    for (const name of names) {
      const value = await subjects[name]();
      results[name].push(value);
      say(`${name} ${i}/${repetitions}: ${show(value)}`);
    }
  }
  return results;
}

/** The value below which the part `fraction` of all lies. */
export function quantile(values: readonly number[], fraction: number): number {
  if (values.length === 0) throw new Error("nothing was measured");
  const sorted = values.toSorted((a, b) => a - b);
  const place = fraction * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
  return low + (high - low) * (place - Math.floor(place));
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** "12.3 (11.9 … 13.0)": median, smallest and largest. */
export function spread(values: readonly number[], digits: number, unit: string): string {
  const text = (value: number) => value.toFixed(digits);
  return `${text(median(values))} ${unit} (${text(Math.min(...values))} … ${text(Math.max(...values))})`;
}
