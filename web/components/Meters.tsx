import { useEffect, useState } from "preact/hooks";
import { useServices } from "../hooks.ts";
import { type Bar, floorDb, heldPeak, nextBars } from "../levels.ts";

/** Share of the scale below a level, 0…1. */
const share = (db: number) => (db - floorDb) / -floorDb;
const scale = [0, -9, -18, -30, -45, -60];

/** Peak and RMS level of each sound channel, with the highest peak of late held. */
export function Meters({ channel, linked }: { channel: string; linked: boolean }) {
  const { levels } = useServices();
  const [bars, setBars] = useState<Bar[] | null>(null);
  useEffect(
    () => levels.watch(channel, (news) => setBars((last) => news && nextBars(last ?? [], news, performance.now()))),
    [levels, channel],
  );
  const shown = linked ? bars : null;
  const now = performance.now();
  return (
    <section class={`meters${shown === null ? " off" : ""}`} aria-label="Audio levels in dBFS">
      {(shown ?? [null, null]).map((bar, i) => (
        <div key={i} class="meter">
          <meter
            class="unseen"
            aria-label={`Sound channel ${i + 1}`}
            min={floorDb}
            max={0}
            value={bar?.peak ?? floorDb}
          >
            {bar === null ? "no measurement" : `${Math.round(bar.peak)} dBFS`}
          </meter>
          <span class="shade" style={{ transform: `scaleY(${1 - share(bar?.peak ?? floorDb)})` }} />
          {bar !== null && (
            <>
              <span class="rms" style={{ bottom: `${100 * share(bar.rms)}%` }} />
              <span class="hold" style={{ bottom: `${100 * share(heldPeak(bar, now))}%` }} />
            </>
          )}
        </div>
      ))}
      <ol class="scale" aria-hidden="true">
        {scale.map((db) => (
          <li key={db} style={{ bottom: `${100 * share(db)}%` }}>
            {db === 0 ? "0" : `−${-db}`}
          </li>
        ))}
      </ol>
    </section>
  );
}
