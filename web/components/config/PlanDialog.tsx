import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ChannelImpact, Plan } from "../../../src/config/plan.ts";
import type { ApplyOptions } from "../../configApi.ts";
import { impactWords } from "../../configFormat.ts";
import { configSchema } from "../../configSchema.ts";
import { useTask } from "../../hooks.ts";
import { placeOf } from "../../schema.ts";
import { newAddresses } from "../../trial.ts";
import { Choose } from "../form/Choose.tsx";
import { TextField } from "../form/TextField.tsx";
import { Trouble } from "../form/Trouble.tsx";
import { Differences } from "./Differences.tsx";

const confirmTimes = [
  ["60", "1 minute"],
  ["120", "2 minutes"],
  ["300", "5 minutes"],
  ["600", "10 minutes"],
] as const;

export interface Planned {
  title: string;
  /** `channels` is null where it is not known what happens to them. */
  plan: Pick<Plan, "errors" | "differences" | "confirmSeconds"> & { channels: ChannelImpact[] | null };
  /** What else is to be known. */
  notes?: string[];
  /** Documents that tell the names of entries of lists. */
  documents: unknown[];
  /** Carries it out; rejects with ApiError. */
  apply: (options: ApplyOptions) => Promise<void>;
}

/** What a change would do, before it is done. */
export function PlanDialog({ title, plan, notes = [], documents, apply, close }: Planned & { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [comment, setComment] = useState("");
  const [seconds, setSeconds] = useState<(typeof confirmTimes)[number][0]>("120");
  const { busy, error, run } = useTask();
  useEffect(() => dialog.current?.showModal(), []);

  const wrong = plan.errors.length > 0;
  const nothing = !wrong && plan.differences.length === 0;
  const tried = plan.confirmSeconds > 0;
  const interrupted = plan.channels?.filter(({ interrupts }) => interrupts);
  const addresses = newAddresses(plan.differences);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (wrong || nothing) return;
    const options: ApplyOptions = { ...(comment === "" ? {} : { comment }) };
    if (tried) options.confirmSeconds = Number(seconds);
    if (await run(() => apply(options))) close();
  };

  return (
    <dialog ref={dialog} class="plan" aria-labelledby={id} onClose={close}>
      <form noValidate onSubmit={(event) => void submit(event)}>
        <h3 id={id}>{title}</h3>
        {wrong && (
          <section class="form-trouble">
            <p>This cannot be done:</p>
            <ul>
              {plan.errors.map(({ pointer, message }) => (
                <li key={pointer + message}>
                  {placeOf(configSchema, pointer, ...documents).words.join(" › ") || "The configuration"}: {message}
                </li>
              ))}
            </ul>
          </section>
        )}
        {!wrong && <Differences differences={plan.differences} documents={documents} />}
        {!wrong && !nothing && (
          <>
            {notes.map((note) => (
              <p key={note}>{note}</p>
            ))}
            {interrupted !== undefined && (
              <section aria-label="What it interrupts">
                {interrupted.length === 0 ? (
                  <p>It interrupts no channel.</p>
                ) : (
                  <ul class="interrupts">
                    {interrupted.map((one) => (
                      <li key={one.id}>{impactWords(one)}</li>
                    ))}
                  </ul>
                )}
              </section>
            )}
            {tried && (
              <>
                <p>
                  This may cut you off from the box. So it counts for a trial: unless you keep it in time, the box goes
                  back to the settings of now by itself.
                </p>
                {addresses.length > 0 && (
                  <p>
                    Then the box should answer at <strong>{addresses.join(" or ")}</strong>. Log in there to keep the
                    change.
                  </p>
                )}
                <Choose label="Keep it within" value={seconds} choices={confirmTimes} set={setSeconds} />
              </>
            )}
            {plan.channels !== null && (
              <TextField
                label="Comment"
                name="comment"
                value={comment}
                set={setComment}
                help="For the history"
                error={error}
              />
            )}
          </>
        )}
        <Trouble error={error} />
        <div class="choices">
          <button type="button" onClick={() => dialog.current?.close()}>
            {wrong || nothing ? "Close" : "Cancel"}
          </button>
          {!wrong && !nothing && (
            <button type="submit" class="go" aria-disabled={busy} aria-busy={busy}>
              {busy ? "Applying …" : tried ? "Try it" : "Apply"}
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
}
