import type { Fault } from "../../src/channels/status.ts";
import { duration } from "../format.ts";

export function Faults({ faults, clockOffset }: { faults: Fault[]; clockOffset: number }) {
  return (
    <ul class="faults" aria-label="Faults" aria-live="polite">
      {faults.map((fault) => (
        <li key={fault.id + fault.message} class={fault.severity}>
          <strong>{fault.severity === "error" ? "Error" : "Warning"}</strong>
          <span>{fault.message}</span>
          <time class="since" datetime={fault.since} aria-live="off">
            for {duration(Date.now() + clockOffset - Date.parse(fault.since))}
          </time>
        </li>
      ))}
    </ul>
  );
}
