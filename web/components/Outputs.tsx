import { useEffect, useState } from "preact/hooks";
import type { OutputStatus } from "../../src/channels/status.ts";
import { copy } from "../clipboard.ts";
import { bitrate, count, milliseconds, outputWords } from "../format.ts";

function Address({ url }: { url: string }) {
  const [copied, setCopied] = useState<"" | "Copied" | "Not copied">("");
  useEffect(() => {
    if (copied === "") return;
    const timer = setTimeout(() => setCopied(""), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const press = async (button: HTMLButtonElement) => {
    setCopied((await copy(url)) ? "Copied" : "Not copied");
    button.focus();
  };
  return (
    <>
      <code>{url}</code>
      <button
        type="button"
        class="copy"
        aria-label={`Copy ${url}`}
        onClick={(event) => void press(event.currentTarget)}
      >
        {copied === "" ? "Copy" : copied}
      </button>
      <span class="unseen" aria-live="polite">
        {copied}
      </span>
    </>
  );
}

function notes({ detail, srt }: OutputStatus): string {
  const parts = detail === "" ? [] : [detail];
  if (srt !== null && srt.peers > 0) {
    parts.push(srt.peers === 1 ? "1 peer" : `${srt.peers} peers`, bitrate(srt.bitrate));
    parts.push(`round trip ${milliseconds(srt.rttMs)}`, `${count(srt.retransmitted)} retransmitted`);
    if (srt.dropped > 0) parts.push(`${count(srt.dropped)} dropped`);
  }
  return parts.join(", ");
}

export function Outputs({ outputs }: { outputs: OutputStatus[] }) {
  return (
    <section class="outputs">
      <h3>Outputs</h3>
      {outputs.length === 0 && <p class="note">None: the stream goes nowhere.</p>}
      <ul>
        {outputs.map((output) => (
          <li key={output.id} class={`output-${output.state}`}>
            <span class="kind">{output.type.toUpperCase()}</span>
            <span class="address">
              <Address url={output.url} />
            </span>
            <span class="output-state">{outputWords[output.state]}</span>
            <span class="output-notes">{notes(output)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
