import { useId } from "preact/hooks";
import type { ApiError } from "../../api.ts";
import { focusOnce } from "../../focus.ts";
import { Labelled } from "./Labelled.tsx";

interface Props {
  label: string;
  value: string;
  set: (value: string) => void;
  /** Name in the request, by which a refusal of the box finds the field. */
  name: string;
  error?: ApiError | null;
  help?: string;
  type?: "text" | "password";
  autocomplete?: string;
  focus?: boolean;
  required?: boolean;
}

/** What the box says of one field of the request. */
export function fieldError(error: ApiError | null | undefined, name: string): string | undefined {
  return error?.errors.find(({ pointer }) => pointer === `/${name}` || pointer.startsWith(`/${name}/`))?.detail;
}

export function TextField(props: Props) {
  const { label, value, set, name, error, help, type = "text", autocomplete = "off", focus, required } = props;
  const id = useId();
  return (
    <Labelled id={id} label={label} help={help} error={fieldError(error, name)}>
      {(attributes) => (
        <input
          {...attributes}
          ref={focus ? focusOnce : null}
          name={name}
          {...(type === "password" ? ({ type } as const) : ({ type } as const))}
          value={value}
          autocomplete={autocomplete}
          autocapitalize="none"
          spellcheck={false}
          maxLength={1000}
          aria-required={required}
          onInput={({ currentTarget }) => set(currentTarget.value)}
        />
      )}
    </Labelled>
  );
}
