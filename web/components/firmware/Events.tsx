import { moment } from "../../accessFormat.ts";
import { fetchEvents } from "../../firmwareApi.ts";
import { eventWords } from "../../firmwareFormat.ts";
import { useFetched } from "../../hooks.ts";
import { Card } from "../Card.tsx";
import { Trouble } from "../form/Trouble.tsx";

/** What has happened to the firmware; asked for again whenever `of` is another one. */
export function Events({ of, linked }: { of: string; linked: boolean }) {
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
