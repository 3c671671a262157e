/** A form for whatever a schema describes. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import {
  below,
  choiceWords,
  initial,
  isFields,
  type JsonSchema,
  type Kind,
  kindOf,
  labelOf,
  optionOf,
} from "../../schema.ts";
import { Labelled } from "./Labelled.tsx";
import { ListField } from "./ListField.tsx";

export interface FieldProps {
  schema: JsonSchema;
  /** JSON pointer into the document that is edited. */
  pointer: string;
  value: unknown;
  change: (value: unknown) => void;
  /** What is wrong, by JSON pointer. */
  errors: ReadonlyMap<string, string>;
  /** In place of the schema's own. */
  label?: string;
}

/** Values that are likely, by pointer with # for any entry of a list, such as `/network/links/#/parent`. */
export const Suggestions = createContext<ReadonlyMap<string, readonly string[]>>(new Map());

/** The id of the control for a pointer, by which errors find it. */
export const controlId = (pointer: string) => `field${pointer.replaceAll(/[^a-zA-Z0-9]/g, "-")}`;

export function SchemaField(props: FieldProps) {
  const { schema, pointer, value, change, errors } = props;
  const kind = kindOf(schema);
  const label = props.label ?? labelOf(schema, pointer.slice(pointer.lastIndexOf("/") + 1));
  switch (kind.kind) {
    case "fixed":
      return null;
    case "object":
      return (
        <fieldset class="group">
          <legend>{label}</legend>
          <Properties {...props} properties={kind.properties} />
        </fieldset>
      );
    case "union":
      return <UnionField {...props} kind={kind} label={label} />;
    case "list":
      return <ListField {...props} items={kind.items} label={label} />;
    case "several":
      return <SeveralField {...props} choices={kind.choices} label={label} />;
    default:
      return (
        <Labelled
          id={controlId(pointer)}
          label={label}
          help={schema.help}
          unit={schema.unit}
          error={errors.get(pointer)}
          check={kind.kind === "flag"}
        >
          {(attributes) => <Control {...{ kind, schema, value, change, attributes, pointer }} />}
        </Labelled>
      );
  }
}

/** The fields of an object, without a frame. */
export function Properties(props: FieldProps & { properties: [string, JsonSchema][] }) {
  const { pointer, change, errors, properties } = props;
  const fields = isFields(props.value) ? props.value : {};
  return (
    <>
      {properties.map(([name, schema]) => (
        <SchemaField
          key={name}
          schema={schema}
          pointer={below(pointer, name)}
          value={fields[name]}
          change={(value) => change({ ...fields, [name]: value })}
          errors={errors}
        />
      ))}
    </>
  );
}

/** What a control needs of the label, the help and the error beside it. */
export interface ControlAttributes {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: "true";
}

interface ControlProps {
  kind: Kind;
  schema: JsonSchema;
  value: unknown;
  change: (value: unknown) => void;
  attributes: ControlAttributes;
  pointer: string;
}

/** An empty number is nothing at all, which the box refuses with the limits. */
const numberOf = ({ valueAsNumber }: HTMLInputElement) => (Number.isNaN(valueAsNumber) ? null : valueAsNumber);

function Control({ kind, schema, value, change, attributes, pointer }: ControlProps) {
  switch (kind.kind) {
    case "flag":
      return (
        <input
          {...attributes}
          type="checkbox"
          checked={value === true}
          onChange={({ currentTarget }) => change(currentTarget.checked)}
        />
      );
    case "choice":
      return (
        <select
          {...attributes}
          value={String(value)}
          onChange={({ currentTarget }) => change(kind.choices[currentTarget.selectedIndex])}
        >
          {kind.choices.map((choice) => (
            <option key={choice} value={String(choice)}>
              {choiceWords(choice)}
            </option>
          ))}
        </select>
      );
    case "number":
      return (
        <input
          {...attributes}
          type="number"
          inputMode="decimal"
          value={typeof value === "number" ? value : ""}
          min={schema.minimum}
          max={schema.maximum}
          step={schema.multipleOf ?? (schema.type === "integer" ? 1 : "any")}
          onInput={({ currentTarget }) => change(numberOf(currentTarget))}
        />
      );
    default:
      return <TextControl {...{ kind, schema, value, change, attributes, pointer }} />;
  }
}

function TextControl({ kind, schema, value, change, attributes, pointer }: ControlProps) {
  const suggested = useContext(Suggestions).get(pointer.replaceAll(/\/\d+(?=\/|$)/g, "/#"));
  const common = {
    ...attributes,
    autocapitalize: "none" as const,
    spellcheck: false,
    ...(schema.maxLength === undefined ? {} : { maxLength: schema.maxLength }),
    value: typeof value === "string" ? value : "",
    onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => change(currentTarget.value),
  };
  if (kind.kind === "secret") return <input {...common} type="password" autocomplete="new-password" />;
  if (suggested === undefined) return <input {...common} type="text" autocomplete="off" />;
  const list = `${attributes.id}-list`;
  return (
    <span class="suggested">
      <input {...common} type="text" autocomplete="off" list={list} />
      <datalist id={list}>
        {suggested.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
    </span>
  );
}

function UnionField(props: FieldProps & { kind: Extract<Kind, { kind: "union" }>; label: string }) {
  const { kind, schema, pointer, value, change, errors, label } = props;
  const option = optionOf(kind, value);
  const by = below(pointer, kind.by);
  const choose = (index: number) => {
    const chosen = kind.options[index]?.[1];
    if (chosen === undefined) return;
    // What both have is kept.
    const [next, before] = [initial(chosen), isFields(value) ? value : {}];
    if (!isFields(next)) return;
    const kept = Object.keys(next).filter((name) => name !== kind.by && name in before);
    change({ ...next, ...Object.fromEntries(kept.map((name) => [name, before[name]])) });
  };
  return (
    <fieldset class="group">
      <legend>{label}</legend>
      <Labelled id={controlId(by)} label="Kind" help={schema.help} error={errors.get(by) ?? errors.get(pointer)}>
        {(attributes) => (
          <select
            {...attributes}
            value={isFields(value) ? String(value[kind.by]) : ""}
            onChange={({ currentTarget }) => choose(currentTarget.selectedIndex)}
          >
            {kind.options.map(([name]) => (
              <option key={name} value={name}>
                {choiceWords(name)}
              </option>
            ))}
          </select>
        )}
      </Labelled>
      {option !== undefined && <Properties {...props} properties={Object.entries(option.properties ?? {})} />}
    </fieldset>
  );
}

function SeveralField(props: FieldProps & { choices: (string | number)[]; label: string }) {
  const { schema, pointer, value, change, errors, choices, label } = props;
  const chosen = Array.isArray(value) ? (value as unknown[]) : [];
  const error = errors.get(pointer);
  return (
    <fieldset class="group" id={controlId(pointer)} tabIndex={-1}>
      <legend>{label}</legend>
      {schema.help !== undefined && <p class="note">{schema.help}</p>}
      {error !== undefined && <p class="field-error">{error}</p>}
      <div class="several">
        {choices.map((choice) => (
          <label key={choice} class="switch">
            <input
              type="checkbox"
              checked={chosen.includes(choice)}
              onChange={({ currentTarget }) =>
                change(choices.filter((one) => (one === choice ? currentTarget.checked : chosen.includes(one))))
              }
            />
            {choiceWords(choice)}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
