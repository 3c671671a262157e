import type { TransmitStats } from "../../src/media/protocol.ts";
import { count, indicators } from "../format.ts";

/** The counters of TR 101 290, priorities 1 and 2, of what the box itself sends. */
export function TransportErrors({ transmit }: { transmit: TransmitStats | null }) {
  if (transmit === null) return null;
  const total = Object.values(transmit.tr101290).reduce((sum, n) => sum + n, 0);
  return (
    <section class="errors">
      <h3>
        TR 101 290{" "}
        <span class={total === 0 ? "good" : "bad"}>
          {total === 0 ? "no errors" : total === 1 ? "1 error" : `${count(total)} errors`}
        </span>
      </h3>
      {indicators.map(({ priority, names }) => (
        <dl key={priority} aria-label={`Priority ${priority}`}>
          {names.map(([key, name]) => {
            const n = transmit.tr101290[key];
            return (
              <div key={key} class={n === 0 ? "none" : "some"}>
                <dt>{name}</dt>
                <dd>{count(n)}</dd>
              </div>
            );
          })}
        </dl>
      ))}
    </section>
  );
}
