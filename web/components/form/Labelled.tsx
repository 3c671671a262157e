import type { ComponentChildren } from "preact";
import type { ControlAttributes } from "./SchemaField.tsx";

interface Props {
  id: string;
  label: string;
  help?: string | undefined;
  unit?: string | undefined;
  error?: string | undefined;
  /** The control stands before its label. */
  check?: boolean;
  children: (attributes: ControlAttributes) => ComponentChildren;
}

/** A control with its label, its unit, its help and what is wrong with it, all of them told to screen readers. */
export function Labelled({ id, label, help, unit, error, check = false, children }: Props) {
  const described = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(" ");
  const attributes: ControlAttributes = { id };
  if (described !== "") attributes["aria-describedby"] = described;
  if (error !== undefined) attributes["aria-invalid"] = "true";
  return (
    <div class={`setting${check ? " setting-check" : ""}`}>
      <label for={id}>
        {label}
        {unit !== undefined && <span class="unit"> ({unit})</span>}
      </label>
      {children(attributes)}
      {help !== undefined && (
        <p class="note" id={`${id}-help`}>
          {help}
        </p>
      )}
      {error !== undefined && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}
