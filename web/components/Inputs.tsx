import type { InputStatus } from "../../src/board/inputs/inputs.ts";
import { signalStateWords } from "../boardFormat.ts";

/** Good, or in need of somebody, or just not there. */
function stateClass({ signal, mismatch, fault }: InputStatus): string {
  if (fault !== "") return "bad";
  if (signal === null || signal.state === "no-cable") return "none";
  return signal.state === "locked" && mismatch === "" ? "good" : "warn";
}

function Input({ input }: { input: InputStatus }) {
  const { label, name, signal, text, mismatch, fault } = input;
  return (
    <li class={`input-${stateClass(input)}`} aria-label={label}>
      <h3>
        {label}
        {name !== "" && <span class="name"> {name}</span>}
      </h3>
      {/* A connector whose stream tells by itself has no state of its own. */}
      <p class="input-state">{signal === null ? "–" : signalStateWords[signal.state]}</p>
      <p class="input-text" aria-live="polite">
        {text}
      </p>
      {mismatch !== "" && <p class="trouble">{mismatch}</p>}
      {fault !== "" && <p class="trouble">{fault}</p>}
    </li>
  );
}

export function Inputs({ inputs, linked }: { inputs: InputStatus[]; linked: boolean }) {
  return (
    <section class={`card board-card${linked ? "" : " stale"}`} aria-labelledby="inputs">
      <header class="card-head">
        <h2 id="inputs">Inputs</h2>
      </header>
      {inputs.length === 0 && <p class="note">This box has no connectors for sources.</p>}
      <ul class="inputs">
        {inputs.map((input) => (
          <Input key={input.connector} input={input} />
        ))}
      </ul>
    </section>
  );
}
