import type { ComponentChildren } from "preact";
import type { EncodeStats, TransmitStats } from "../../src/media/protocol.ts";
import { count, milliseconds, mode, nanoseconds, sourceWords } from "../format.ts";

function Figure({ title, value, children }: { title: string; value: string; children?: ComponentChildren }) {
  return (
    <section class="figure">
      <h3>{title}</h3>
      <p class="value">{value}</p>
      {children}
    </section>
  );
}

export function SourceFigures({ encode }: { encode: EncodeStats | null }) {
  if (encode === null) return <Figure title="Source" value="–" />;
  const { source, video } = encode;
  return (
    <Figure title="Source" value={mode(source.width, source.height, source.scan, source.rate) || "–"}>
      <p class="note">
        {sourceWords[source.state]}
        {source.detail !== "" && `: ${source.detail}`}
      </p>
      <p class="note">
        {count(video.repeated)} frames repeated, {count(video.dropped)} dropped
      </p>
    </Figure>
  );
}

/** What a receiver's clock recovery lives on. */
export function TimingFigures({ transmit }: { transmit: TransmitStats | null }) {
  if (transmit === null) return <Figure title="PCR interval" value="–" />;
  return (
    <Figure title="PCR interval" value={milliseconds(transmit.pcr.intervalMs)}>
      <p class="note">error {nanoseconds(transmit.pcr.errorNs)}</p>
      <p class="note">longest datagram gap {milliseconds(transmit.gapMs)}</p>
    </Figure>
  );
}

export function EncoderFigures({ encode, transmit }: { encode: EncodeStats | null; transmit: TransmitStats | null }) {
  if (encode === null) return <Figure title="Encoder" value="–" />;
  const lead = transmit?.programmes[0]?.leadMs;
  return (
    <Figure title="Encoding a frame" value={milliseconds(encode.encodeMs.median)}>
      <p class="note">longest {milliseconds(encode.encodeMs.max)}</p>
      {lead !== undefined && <p class="note">ready {milliseconds(lead)} ahead of need</p>}
    </Figure>
  );
}
