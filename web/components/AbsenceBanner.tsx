import { fallbackAddress } from "../configSchema.ts";
import { awayWords, outcomeWords } from "../firmwareFormat.ts";
import { useAbsence, useServices } from "../hooks.ts";

/** On every page while the box is away on order; then, what runs. */
export function AbsenceBanner() {
  const { absence } = useServices();
  const { away, outcome } = useAbsence();
  const words = away && awayWords(away, fallbackAddress());
  const bad = outcome?.kind === "given-up" || outcome?.kind === "not-started";
  const isOther = outcome?.kind === "good";
  return (
    <>
      <div role="alert">
        {words !== null && (
          <p class="away">
            <strong>{words.title}</strong> {words.text}
          </p>
        )}
      </div>
      <div role="status">
        {outcome !== null && (
          <p class={`trial-outcome${bad ? " bad" : ""}`}>
            <span>
              {outcomeWords(outcome)}
              {isOther && " This page is still that of the former version."}
            </span>
            {isOther && (
              <button type="button" onClick={() => location.reload()}>
                Load it anew
              </button>
            )}
            <button type="button" class="dismiss" aria-label="Dismiss" onClick={() => absence.dismiss()}>
              ×
            </button>
          </p>
        )}
      </div>
    </>
  );
}
