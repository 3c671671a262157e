import { useEffect, useRef } from "preact/hooks";
import { below, initial, isFields, type JsonSchema, kindOf } from "../../schema.ts";
import { controlId, type FieldProps, SchemaField } from "./SchemaField.tsx";

/** Entries that can be added and taken away. */
export function ListField(props: FieldProps & { items: JsonSchema; label: string }) {
  const { schema, items, pointer, value, change, errors, label } = props;
  const entries = Array.isArray(value) ? (value as unknown[]) : [];
  const frame = useRef<HTMLFieldSetElement>(null);
  const added = useRef(false);
  const full = entries.length >= (schema.maxItems ?? Number.POSITIVE_INFINITY);
  const error = errors.get(pointer);
  const single = kindOf(items).kind !== "object" && kindOf(items).kind !== "union";

  useEffect(() => {
    if (!added.current) return;
    added.current = false;
    const last = frame.current?.querySelector(":scope > .entries > li:last-child");
    last?.querySelector<HTMLElement>("input, select")?.focus();
  }, [entries.length]);

  const add = () => {
    added.current = true;
    change([...entries, initial(items)]);
  };
  const remove = (index: number) => {
    change(entries.toSpliced(index, 1));
    frame.current?.querySelector<HTMLElement>(":scope > .add")?.focus();
  };
  const nameOf = (entry: unknown, index: number) => {
    const name = isFields(entry) ? (entry.name ?? entry.destination ?? entry.id) : undefined;
    return typeof name === "string" && name !== "" ? name : `${label} ${index + 1}`;
  };

  return (
    <fieldset class="group" ref={frame} id={controlId(pointer)} tabIndex={-1}>
      <legend>{label}</legend>
      {schema.help !== undefined && <p class="note">{schema.help}</p>}
      {error !== undefined && <p class="field-error">{error}</p>}
      <ol class="entries">
        {entries.map((entry, index) => (
          <li key={index} class={single ? "single" : ""}>
            <SchemaField
              schema={items}
              pointer={below(pointer, index)}
              value={entry}
              change={(news) => change(entries.with(index, news))}
              errors={errors}
              label={nameOf(entry, index)}
            />
            <button
              type="button"
              class="halt"
              aria-label={`Remove ${nameOf(entry, index)}`}
              onClick={() => remove(index)}
            >
              Remove
            </button>
          </li>
        ))}
      </ol>
      <button type="button" class="add" aria-disabled={full} onClick={() => !full && add()}>
        Add to {withoutCapital(label)}
      </button>
    </fieldset>
  );
}

/** DNS stays as it is, Ports becomes ports. */
function withoutCapital(label: string): string {
  return /^[A-Z][a-z]/.test(label) ? label.charAt(0).toLowerCase() + label.slice(1) : label;
}
