import { useEffect, useRef, useState } from "preact/hooks";
import type { ChannelStatus } from "../../src/channels/status.ts";
import { fetchPreview } from "../api.ts";
import { duration } from "../format.ts";
import { useNow, useVisible } from "../hooks.ts";
import { freshMs } from "../store.ts";

const everyMs = 1000;

interface Picture {
  url: string;
  /** When the encoder made it, ms of the page's monotonic clock. */
  madeAt: number;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The newest picture, asked for each second while it can be seen and the channel runs. */
function usePicture(channel: string, active: boolean): Picture | null {
  const [picture, setPicture] = useState<Picture | null>(null);
  useEffect(() => {
    if (!active) return;
    const abort = new AbortController();
    const poll = async () => {
      while (!abort.signal.aborted) {
        const newest = await fetchPreview(channel, abort.signal).catch(() => null);
        if (abort.signal.aborted) return;
        if (newest !== null) {
          setPicture({ url: URL.createObjectURL(newest.image), madeAt: performance.now() - newest.age });
        }
        await pause(everyMs);
      }
    };
    void poll();
    return () => abort.abort();
  }, [channel, active]);
  const url = picture?.url;
  useEffect(() => (url === undefined ? undefined : () => URL.revokeObjectURL(url)), [url]);
  return picture;
}

export function Preview({ status, linked }: { status: ChannelStatus; linked: boolean }) {
  const frame = useRef<HTMLElement>(null);
  const visible = useVisible(frame);
  const now = useNow();
  const picture = usePicture(status.id, visible && linked);
  const age = picture === null ? 0 : now - picture.madeAt;
  const old = !linked || age > freshMs;
  return (
    <figure ref={frame} class={`preview${old ? " old" : ""}`}>
      {picture !== null ? (
        <>
          <img src={picture.url} alt={`What ${status.name} sends now`} />
          {old && <figcaption>Picture of {duration(age)} ago</figcaption>}
        </>
      ) : (
        <p>No preview yet</p>
      )}
    </figure>
  );
}
