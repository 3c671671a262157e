import { useId } from "preact/hooks";
import type { FirmwareStatus, SlotStatus } from "../../../src/update/status.ts";
import { moment } from "../../accessFormat.ts";
import { rollBack } from "../../firmwareApi.ts";
import { attemptsWords, slotWords } from "../../firmwareFormat.ts";
import { useServices, useTask } from "../../hooks.ts";
import { Confirm } from "../form/Confirm.tsx";
import { Trouble } from "../form/Trouble.tsx";
import { StartLater } from "./StartLater.tsx";

interface Props {
  status: FirmwareStatus;
  slots: SlotStatus[];
  isAdmin: boolean;
  linked: boolean;
}

/** The two places for firmware. */
export function Slots({ status, slots, isAdmin, linked }: Props) {
  return (
    <div class="pair wide">
      {slots.map((slot) => (
        <Slot key={slot.name} slot={slot} status={status} isAdmin={isAdmin} linked={linked} />
      ))}
    </div>
  );
}

function Slot({ slot, status, isAdmin, linked }: Omit<Props, "slots"> & { slot: SlotStatus }) {
  const id = useId();
  const { name, running, next, version, build, installed, state, why } = slot;
  const { words, tone } = slotWords(slot);
  const rows: [string, string][] = [
    ["Version", version],
    ["Build", build],
    ["Installed", moment(installed, "not known")],
    ["Trial", attemptsWords(slot)],
    ["Why", why],
  ];
  return (
    <section class={`card board-card slot slot-${tone}${linked ? "" : " stale"}`} aria-labelledby={id}>
      <header class="card-head">
        <h2 id={id}>Slot {name}</h2>
        <p class="state">{words}</p>
        {running && <span class="mark">runs now</span>}
        {next && <span class="mark">boots next</span>}
      </header>
      {state === "empty" ? (
        <p class="note">Nothing was ever installed here.</p>
      ) : (
        <dl class="readings">
          {rows.map(
            ([term, value]) =>
              (value !== "" || term === "Version") && (
                <div key={term}>
                  <dt>{term}</dt>
                  <dd>{value === "" ? "not known" : value}</dd>
                </div>
              ),
          )}
        </dl>
      )}
      {isAdmin && !running && <Start slot={slot} status={status} linked={linked} />}
    </section>
  );
}

/** Orders for the firmware that does not run. */
function Start({ slot, status, linked }: { slot: SlotStatus; status: FirmwareStatus; linked: boolean }) {
  const { absence } = useServices();
  const { busy, error, run } = useTask();
  const { work, capabilities, version: now } = status;
  const canStart = slot.state === "good" ? capabilities.rollBack : slot.state === "new";
  if (!canStart) return null;
  const blocked = busy || !linked || work !== null;
  const goBack = () =>
    run(async () => {
      await rollBack();
      absence.expect("firmware");
    });
  return (
    <div class="orders">
      {slot.state === "good" ? (
        <div class="choices">
          <Confirm
            text="Roll back"
            label={`Roll back to ${slot.version}`}
            title={`Roll back to ${slot.version}?`}
            yes="Roll back"
            disabled={blocked}
            act={() => void goBack()}
          >
            <p>
              The box reboots at once and runs {slot.version} from slot {slot.name}. Channels are off air for about a
              minute.
            </p>
            <p>Settings stay. {now} stays in the other slot, so that you can go back to it.</p>
          </Confirm>
        </div>
      ) : (
        <StartLater slot={slot} blocked={blocked} />
      )}
      <Trouble error={error} />
    </div>
  );
}
