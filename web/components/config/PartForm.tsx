/** A form for parts of the configuration, which are planned and applied together. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Config } from "../../../src/config/schema.ts";
import { applyChange, planChange } from "../../configApi.ts";
import { partSchema } from "../../configSchema.ts";
import { useStoreState, useTask } from "../../hooks.ts";
import { completed } from "../../schema.ts";
import { Card } from "../Card.tsx";
import { controlId, Properties } from "../form/SchemaField.tsx";
import { Trouble } from "../form/Trouble.tsx";
import { PlanDialog, type Planned } from "./PlanDialog.tsx";
import { useApply } from "./useApply.ts";

type Part = Exclude<keyof Config, "version">;

export interface Draft {
  /** The parts as they are being edited. */
  values: Partial<Record<Part, unknown>>;
  change: (part: Part, value: unknown) => void;
}

interface Props {
  /** With the headings of their cards. */
  parts: readonly (readonly [Part, string])[];
  /** What stands before the fields of a part. */
  before?: (part: Part, draft: Draft) => ComponentChildren;
}

export function PartForm({ parts, before }: Props) {
  const { config, configTag, link } = useStoreState();
  const [edited, setEdited] = useState<{ values: Draft["values"]; tag: string } | null>(null);
  const [errors, setErrors] = useState<ReadonlyMap<string, string>>(new Map());
  const [planned, setPlanned] = useState<Planned | null>(null);
  const { busy, error, run, clear } = useTask();
  const apply = useApply();
  const toFocus = useRef(false);

  useEffect(() => {
    if (planned !== null || !toFocus.current) return;
    toFocus.current = false;
    // The first field that is wrong, in the order of the page.
    const ids = new Set([...errors.keys()].map(controlId));
    [...document.querySelectorAll<HTMLElement>("[id^=field]")].find(({ id }) => ids.has(id))?.focus();
  }, [planned, errors]);

  if (config === null) return null;
  const stored = Object.fromEntries(parts.map(([part]) => [part, completed(partSchema(part), config[part])]));
  const values: Draft["values"] = edited?.values ?? stored;
  const draft: Draft = {
    values,
    // What the change is made for is what was there when it began.
    change: (part, value) => setEdited({ values: { ...values, [part]: value }, tag: edited?.tag ?? configTag }),
  };
  const forget = () => {
    setEdited(null);
    setErrors(new Map());
    clear();
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (edited === null || link !== "open") return;
    void run(async () => {
      // Whole, since a patch could not tell an empty number from one that is to be the default.
      const change = { document: { ...config, ...edited.values } };
      const plan = await planChange(change);
      setErrors(new Map(plan.errors.map(({ pointer, message }) => [pointer, message])));
      toFocus.current = plan.errors.length > 0;
      setPlanned({
        ...{ title: "Apply this change?", plan, documents: [{ ...config, ...edited.values }, config] },
        apply: async (options) => {
          await apply(plan, options, () => applyChange(change, options, edited.tag));
          forget();
        },
      });
    });
  };
  const overtaken = edited !== null && edited.tag !== configTag;

  return (
    <>
      <form class="parts" noValidate onSubmit={submit}>
        {parts.map(([part, title]) => (
          <Card key={part} title={title}>
            {before?.(part, draft)}
            <div class="fields">
              <Properties
                schema={partSchema(part)}
                properties={Object.entries(partSchema(part).properties ?? {})}
                pointer={`/${part}`}
                value={values[part]}
                change={(value) => draft.change(part, value)}
                errors={errors}
              />
            </div>
          </Card>
        ))}
        <div class="save-bar">
          <Trouble error={error} />
          <p role="status">
            {overtaken &&
              "The configuration has changed meanwhile. Discard your changes to see it and make them again."}
            {edited !== null && !overtaken && "Not applied yet."}
          </p>
          <div class="choices">
            <button type="button" aria-disabled={edited === null} onClick={() => edited !== null && forget()}>
              Discard
            </button>
            <button type="submit" class="go" aria-disabled={edited === null || busy || link !== "open"}>
              Show what would change
            </button>
          </div>
        </div>
      </form>
      {planned !== null && <PlanDialog {...planned} close={() => setPlanned(null)} />}
    </>
  );
}
