import { useState } from "preact/hooks";
import type { BundleStatus, FirmwareStatus } from "../../../src/update/status.ts";
import { moment } from "../../accessFormat.ts";
import { bytes } from "../../boardFormat.ts";
import { install, removeBundle } from "../../firmwareApi.ts";
import { originWords } from "../../firmwareFormat.ts";
import { useServices, useTask } from "../../hooks.ts";
import { Card } from "../Card.tsx";
import { Confirm } from "../form/Confirm.tsx";
import { Trouble } from "../form/Trouble.tsx";
import { useWhen, WhenField } from "./When.tsx";

interface Props {
  status: FirmwareStatus;
  bundle: BundleStatus;
  isAdmin: boolean;
  linked: boolean;
}

/** The bundle at hand: what it is, and its installation. */
export function BundleCard({ status, bundle, isAdmin, linked }: Props) {
  const { version, build, compatible, notes, size, origin, received } = bundle;
  const rows: [string, string][] = [
    ["Version", version],
    ["Build", build],
    ["For", compatible],
    ["Size", bytes(size)],
    ["Received", `${moment(received)}, ${originWords[origin]}`],
  ];
  return (
    <Card title="Bundle at hand" wide>
      <div class="bundle">
        <dl class="readings">
          {rows.map(([term, value]) => (
            <div key={term}>
              <dt>{term}</dt>
              <dd>{value === "" ? "–" : value}</dd>
            </div>
          ))}
        </dl>
        <section aria-label="Release notes">
          <h3>Release notes</h3>
          {notes.trim() === "" ? (
            <p class="note">It has none.</p>
          ) : (
            // Scrolled by the keyboard, too.
            // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
            <pre class="release-notes" tabIndex={0}>
              {notes.trim()}
            </pre>
          )}
        </section>
      </div>
      {isAdmin && <Install status={status} bundle={bundle} linked={linked} />}
    </Card>
  );
}

function Install({ status, bundle, linked }: Omit<Props, "isAdmin">) {
  const { version, downgrade } = bundle;
  const { work, capabilities } = status;
  const { absence } = useServices();
  const [older, setOlder] = useState(false);
  const when = useWhen(["now", "next-boot", "at", "manual"]);
  const { busy, error, run } = useTask();
  const blocked = busy || !linked || work !== null || !capabilities.install || (downgrade && !older);

  const order = () => {
    const activation = when.activation();
    if (blocked || activation === null) return;
    void run(async () => {
      await install(activation, downgrade);
      if (activation.when === "now") absence.expectWhenInstalled();
    });
  };
  return (
    <form
      class="fields"
      noValidate
      aria-label={`Install ${version}`}
      onSubmit={(event) => {
        event.preventDefault();
        // Now is asked for twice, by its button.
        if (when.when !== "now") order();
      }}
    >
      {downgrade && (
        <div class="older">
          <p>
            <strong>This version is older than {status.version}, which runs.</strong> It may lack corrections of faults,
            and may not understand the settings of now: then it starts with the last ones that it knows.
          </p>
          <label class="switch">
            <input type="checkbox" checked={older} onChange={({ currentTarget }) => setOlder(currentTarget.checked)} />
            Install the older version {version} all the same
          </label>
        </div>
      )}
      <p>It is written to the slot that does not run, while the channels stay on air.</p>
      <WhenField of={when} error={error} pointer="activation/at" />
      {!capabilities.install && capabilities.why !== "" && <p class="trouble">{capabilities.why}</p>}
      <Trouble error={error} />
      <div class="choices">
        {when.when === "now" ? (
          <Confirm
            text="Install and start"
            title={`Install ${version} and start it?`}
            yes="Install and start"
            go
            disabled={blocked}
            act={order}
          >
            <p>
              When it is installed, the box reboots at once. Channels are off air for about a minute. If the new
              firmware does not bring them back, the box returns to {status.version} by itself.
            </p>
          </Confirm>
        ) : (
          <button type="submit" class="go" aria-disabled={blocked}>
            Install
          </button>
        )}
        <RemoveBundle held={busy || !linked || work !== null} />
      </div>
    </form>
  );
}

function RemoveBundle({ held }: { held: boolean }) {
  const { busy, error, run } = useTask();
  const blocked = held || busy;
  return (
    <>
      <button type="button" class="halt" aria-disabled={blocked} onClick={() => !blocked && void run(removeBundle)}>
        Remove the bundle
      </button>
      <Trouble error={error} />
    </>
  );
}
