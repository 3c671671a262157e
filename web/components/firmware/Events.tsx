import { useEffect, useState } from "preact/hooks";
import type { FirmwareEvent } from "../../../src/update/status.ts";
import { moment } from "../../accessFormat.ts";
import { ApiError } from "../../api.ts";
import { fetchEvents } from "../../firmwareApi.ts";
import { eventWords } from "../../firmwareFormat.ts";
import { Card } from "../Card.tsx";
import { Trouble } from "../form/Trouble.tsx";

/** What has happened to the firmware; asked for again whenever `of` is another one. */
export function Events({ of, linked }: { of: string; linked: boolean }) {
  const [data, setData] = useState<FirmwareEvent[] | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    if (!linked) return;
    let over = false;
    const ask = async () => {
      try {
        const events = await fetchEvents();
        if (!over) setData(events);
        if (!over) setError(null);
      } catch (refused) {
        if (!(refused instanceof ApiError)) throw refused;
        if (!over) setError(refused);
      }
    };
    void ask();
    return () => {
      over = true;
    };
  }, [of, linked]);
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
              {data.map((event, i) => (
                <tr key={event.at + i} class={`event-${event.what}`}>
                  <td class="time">{moment(event.at)}</td>
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
    </Card>
  );
}
