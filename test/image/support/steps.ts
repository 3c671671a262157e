/** What a test in the emulated box has come to, and when: shown at its end. */
export interface Steps {
  step(what: string): void;
  /** More of the step before. */
  more(...lines: string[]): void;
  show(): void;
}

/** @param seconds that have passed */
export function stepsBy(seconds: () => number): Steps {
  const lines: string[] = [];
  return {
    step: (what) => void lines.push(`${seconds().toFixed(1).padStart(6)} s  ${what}`),
    more: (...more) => void lines.push(...more.map((line) => `          ${line}`)),
    show: () => console.log(lines.join("\n")),
  };
}
