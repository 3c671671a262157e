import { useState } from "preact/hooks";
import type { FirmwareEvent } from "../../../src/update/status.ts";
import { fetchEvents } from "../../firmwareApi.ts";
import { eventWords } from "../../firmwareFormat.ts";
import { useFetched } from "../../hooks.ts";
import { Card } from "../Card.tsx";
import { Trouble } from "../form/Trouble.tsx";

/** So many are shown at first. */
const first = 15;

/** To the second, since much happens within a minute. */
function timeOf({ at }: FirmwareEvent): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** What has happened to the firmware; asked for again whenever `of` is another one. */
export function Events({ of, linked }: { of: string; linked: boolean }) {
  const [all, setAll] = useState(false);
  const { data, error } = useFetched(fetchEvents, `${of} ${linked}`);
  return (
    <Card title="History" wide>
      <Trouble error={linked ? error : null} />
      {data?.length === 0 && <p class="note">Nothing has happened yet.</p>}
      {data !== null && data.length > 0 && (
        <div class="scroll">
          <table class="differences events">
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">What</th>
                <th scope="col">Version</th>
                <th scope="col">By</th>
                <th scope="col">Details</th>
              </tr>
            </thead>
            <tbody>
              {data.slice(0, all ? data.length : first).map((event, i) => (
                <tr key={event.at + i} class={`event-${event.what}`}>
                  <td>{timeOf(event)}</td>
                  <td class="what">{eventWords(event)}</td>
                  <td>{event.version === "" ? "–" : event.version}</td>
                  <td>{event.who === "box" ? "the box" : event.who}</td>
                  <td class="before">{event.detail === "" ? "–" : event.detail}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data !== null && data.length > first && !all && (
        <div class="choices orders">
          <button type="button" onClick={() => setAll(true)}>
            Show all {data.length}
          </button>
        </div>
      )}
    </Card>
  );
}
