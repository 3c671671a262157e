import { useId } from "preact/hooks";
import { Labelled } from "./Labelled.tsx";

/** One of several, by their words. */
export function Choose<T extends string>(props: {
  label: string;
  value: T;
  choices: readonly (readonly [T, string])[];
  set: (value: T) => void;
  help?: string;
}) {
  const { label, value, choices, set, help } = props;
  const id = useId();
  return (
    <Labelled id={id} label={label} help={help}>
      {(attributes) => (
        <select
          {...attributes}
          value={value}
          onChange={({ currentTarget }) => {
            const chosen = choices[currentTarget.selectedIndex];
            if (chosen !== undefined) set(chosen[0]);
          }}
        >
          {choices.map(([choice, words]) => (
            <option key={choice} value={choice}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}
