import { useEffect, useState } from "preact/hooks";
import type { Trial } from "../../../src/config/trial.ts";
import { confirmTrial, revertTrial } from "../../configApi.ts";
import { useMay, useServices, useStoreState, useTask, useTrial } from "../../hooks.ts";
import { newAddresses, secondsLeft, type TrialState } from "../../trial.ts";
import { Differences } from "./Differences.tsx";

const outcomeWords: Record<TrialState["outcome"], string> = {
  "": "",
  kept: "The change is kept.",
  reverted: "The box is back at its former settings.",
  expired: "Nobody kept the change in time: the box is back at its former settings.",
  decided: "The change on trial has been decided on.",
};

/** On every page while a change waits to be kept: whose, what, how long yet. Then, what became of it. */
export function TrialBanner({ now }: { now: number }) {
  const { trial: watch } = useServices();
  const state = useTrial();
  const may = useMay("operator");
  const told = may && state.trial === null ? outcomeWords[state.outcome] : "";
  return (
    <>
      {may && state.trial !== null && <Pending state={state} trial={state.trial} now={now} />}
      <div role="status">
        {told !== "" && (
          <p class="trial-outcome">
            {told}
            <button type="button" class="dismiss" aria-label="Dismiss" onClick={() => watch.dismiss()}>
              ×
            </button>
          </p>
        )}
      </div>
    </>
  );
}

function Pending({ state, trial, now }: { state: TrialState; trial: Trial; now: number }) {
  const { trial: watch } = useServices();
  const { config, link } = useStoreState();
  const { busy, error, run } = useTask();
  const left = secondsLeft(state, now);
  const lost = link === "lost";
  const blocked = busy || lost || state.assumed;
  const addresses = newAddresses(trial.differences);
  const decide = (order: (revision: number) => Promise<void>, outcome: "kept" | "reverted") => {
    if (blocked) return;
    void run(async () => {
      await order(trial.revision);
      watch.decided(outcome);
    });
  };
  return (
    <section class="trial" aria-labelledby="trial">
      <h2 id="trial">A change is on trial</h2>
      <p class="countdown" role="timer" aria-live="off">
        <strong>{left}</strong> s
      </p>
      <p>
        By {trial.author ?? "the box"}
        {trial.comment !== null && trial.comment !== "" && <> (“{trial.comment}”)</>}.{" "}
        {left > 0
          ? "Unless it is kept in time, the box goes back by itself."
          : "The time is up: the box goes back to its former settings."}
      </p>
      {lost && (
        <p>
          {left > 0
            ? "The box does not answer here. The time runs on there."
            : "It should answer here again in a moment."}
        </p>
      )}
      {addresses.length > 0 && left > 0 && (
        <p>
          With this change the box should answer at{" "}
          {addresses.map((address, i) => (
            <Elsewhere key={address} address={address} first={i === 0} />
          ))}
          . Where this page does not reach it any more, log in there to keep the change.
        </p>
      )}
      <Milestones left={left} />
      {trial.differences.length > 0 && (
        <details>
          <summary>What is changed</summary>
          <Differences differences={trial.differences} documents={[config]} />
        </details>
      )}
      <div class="choices">
        <button type="button" class="go" aria-disabled={blocked} onClick={() => decide(confirmTrial, "kept")}>
          Keep the change
        </button>
        <button type="button" class="halt" aria-disabled={blocked} onClick={() => decide(revertTrial, "reverted")}>
          Go back now
        </button>
      </div>
      <div role="alert">{error !== null && <p class="field-error">{error.message}</p>}</div>
    </section>
  );
}

function Elsewhere({ address, first }: { address: string; first: boolean }) {
  const port = location.port === "" ? "" : `:${location.port}`;
  const url = `${location.protocol}//${address}${port}/${location.hash}`;
  return (
    <>
      {!first && " or "}
      <a href={url}>{`${location.protocol}//${address}${port}`}</a>
    </>
  );
}

/** The countdown for those who do not see it: not each second. */
function Milestones({ left }: { left: number }) {
  const [text, setText] = useState("");
  const step = [5, 10, 30, 60].find((seconds) => left <= seconds);
  useEffect(() => {
    setText(step === undefined ? "A change waits to be kept." : `${step} seconds left to keep the change.`);
  }, [step]);
  return (
    <p class="unseen" aria-live="assertive">
      {text}
    </p>
  );
}
