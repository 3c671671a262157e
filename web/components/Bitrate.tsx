import type { TransmitStats } from "../../src/media/protocol.ts";
import { chartTop, pathOf } from "../chart.ts";
import { bitrate } from "../format.ts";
import { historyMs, type Sample } from "../store.ts";

const width = 240;
const height = 56;

/** The measured rate of the whole stream as a line above that of its contents, over the last two minutes. */
function Chart({ history, now }: { history: Sample[]; now: number }) {
  const top = chartTop(history.map((sample) => sample.bitrate));
  const points = (rate: (sample: Sample) => number) =>
    history.map((sample) => ({
      at: sample.at,
      x: width - ((now - sample.at) / historyMs) * width,
      y: height - (rate(sample) / top) * height,
    }));
  return (
    <figure class="chart">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label="Bitrate, last 2 minutes"
      >
        <path
          class="payload"
          d={pathOf(
            points((sample) => sample.payload),
            height,
          )}
        />
        <path class="total" d={pathOf(points((sample) => sample.bitrate))} />
      </svg>
      <figcaption>
        <span>2 min</span>
        <span class="top">{history.length > 0 && `${bitrate(top)} full scale`}</span>
        <span>now</span>
      </figcaption>
    </figure>
  );
}

export function Bitrate({
  transmit,
  history,
  now,
}: {
  transmit: TransmitStats | null;
  history: Sample[];
  now: number;
}) {
  return (
    <section class="figure wide">
      <h3>Bitrate</h3>
      <p class="value">{transmit === null ? "–" : bitrate(transmit.bitrate)}</p>
      <p class="note" title="Without null packets">
        {transmit === null ? "" : `${bitrate(transmit.payloadBitrate)} payload`}
      </p>
      <Chart history={history} now={now} />
    </section>
  );
}
