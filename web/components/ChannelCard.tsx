import type { ChannelConfig } from "../../src/config/schema.ts";
import { audioSettings, duration, sourceName, stateWords, videoSettings } from "../format.ts";
import type { Channel } from "../store.ts";
import { Bitrate } from "./Bitrate.tsx";
import { Controls } from "./Controls.tsx";
import { Faults } from "./Faults.tsx";
import { EncoderFigures, SourceFigures, TimingFigures } from "./Figures.tsx";
import { Meters } from "./Meters.tsx";
import { Outputs } from "./Outputs.tsx";
import { Preview } from "./Preview.tsx";
import { TransportErrors } from "./TransportErrors.tsx";
import { Workers } from "./Workers.tsx";

interface Props {
  channel: Channel;
  config: ChannelConfig | undefined;
  /** The figures are too old to be believed. */
  stale: boolean;
  /** The box can be asked for something. */
  linked: boolean;
  /** Ms of the page's monotonic clock. */
  now: number;
  clockOffset: number;
}

function Settings({ config }: { config: ChannelConfig }) {
  return (
    <p class="settings">
      <span class="label">Set to</span> {sourceName(config.source)} → {videoSettings(config.video)}
      {config.audio.map((track) => `, ${audioSettings(track)}`).join("")}, multiplex{" "}
      {config.transport.mode.toUpperCase()} {config.transport.bitrate} kbit/s
    </p>
  );
}

export function ChannelCard({ channel, config, stale, linked, now, clockOffset }: Props) {
  const { status, history } = channel;
  const lasted = Date.now() + clockOffset - Date.parse(status.since);
  const heading = `channel-${status.id}`;
  return (
    <article class={`card state-${status.state}${stale ? " stale" : ""}`} aria-labelledby={heading}>
      <header class="card-head">
        <p class="state">{stateWords[status.state]}</p>
        <h2 id={heading}>{status.name}</h2>
        <p class="since">
          {stale ? (
            `no news for ${duration(now - channel.at)}`
          ) : (
            <>
              for{" "}
              <time datetime={status.since} title={new Date(status.since).toLocaleString()}>
                {duration(lasted)}
              </time>
            </>
          )}
        </p>
        <Controls status={status} linked={linked} />
      </header>
      <Faults faults={status.faults} clockOffset={clockOffset} />
      {status.state !== "stopped" && (
        <>
          <div class="card-body">
            <div class="monitor">
              <Preview status={status} linked={linked} />
              <Meters channel={status.id} linked={linked} />
            </div>
            <div class="figures">
              <Bitrate transmit={status.transmit} history={history} now={now} />
              <SourceFigures encode={status.encode} />
              <TimingFigures transmit={status.transmit} />
              <EncoderFigures encode={status.encode} transmit={status.transmit} />
            </div>
          </div>
          <TransportErrors transmit={status.transmit} />
        </>
      )}
      <Outputs outputs={status.outputs} />
      {config && <Settings config={config} />}
      {status.workers.length > 0 && <Workers workers={status.workers} />}
    </article>
  );
}
