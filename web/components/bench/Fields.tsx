import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

/** One of several, each by its words. */
export function Choice<T extends string | number>(props: {
  label: string;
  value: T;
  choices: readonly (readonly [T, string])[];
  choose: (value: T) => void;
}) {
  const { label, value, choices, choose } = props;
  return (
    <label class="field">
      <span>{label}</span>
      <select
        value={String(value)}
        onChange={({ currentTarget }) => {
          const chosen = choices[currentTarget.selectedIndex];
          if (chosen !== undefined) choose(chosen[0]);
        }}
      >
        {choices.map(([choice, words]) => (
          <option key={choice} value={String(choice)}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Switch(props: { on: boolean; set: (on: boolean) => void; children: ComponentChildren }) {
  const { on, set, children } = props;
  return (
    <label class="switch">
      <input type="checkbox" checked={on} onChange={({ currentTarget }) => set(currentTarget.checked)} />
      {children}
    </label>
  );
}

/** A number with its unit; left empty, it is null. Told when it is complete, not at each key. */
export function NumberField(props: {
  label: string;
  unit: string;
  value: number | null;
  least: number;
  most: number;
  step: number;
  set: (value: number | null) => void;
}) {
  const { label, unit, value, least, most, step, set } = props;
  const [draft, setDraft] = useState<string | null>(null);
  // What the box says takes the place of what was typed.
  useEffect(() => setDraft(null), [value]);
  return (
    <label class="field">
      <span>{label}</span>
      <span class="amount">
        <input
          type="number"
          value={draft ?? value ?? ""}
          min={least}
          max={most}
          step={step}
          onInput={({ currentTarget }) => setDraft(currentTarget.value)}
          onChange={({ currentTarget }) => {
            const { valueAsNumber } = currentTarget;
            set(Number.isNaN(valueAsNumber) ? null : valueAsNumber);
          }}
        />
        {unit}
      </span>
    </label>
  );
}
