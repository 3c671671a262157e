import type { SlotStatus } from "../../../src/update/status.ts";
import { activate } from "../../firmwareApi.ts";
import { useServices, useTask } from "../../hooks.ts";
import { Confirm } from "../form/Confirm.tsx";
import { Trouble } from "../form/Trouble.tsx";
import { useWhen, WhenField } from "./When.tsx";

/** Starts firmware that is installed already. */
export function StartLater({ slot, blocked }: { slot: SlotStatus; blocked: boolean }) {
  const { absence } = useServices();
  const when = useWhen(["now", "next-boot", "at"]);
  const { busy, error, run } = useTask();
  const held = blocked || busy;
  const order = () => {
    const activation = when.activation();
    if (held || activation === null || activation.when === "manual") return;
    void run(async () => {
      await activate(activation);
      if (activation.when === "now") absence.expect("firmware");
    });
  };
  return (
    <form
      class="fields"
      noValidate
      aria-label={`Start ${slot.version}`}
      onSubmit={(event) => {
        event.preventDefault();
        // Now is asked for twice, by its button.
        if (when.when !== "now") order();
      }}
    >
      <WhenField of={when} error={error} pointer="at" />
      <Trouble error={error} />
      <div class="choices">
        {when.when === "now" ? (
          <Confirm
            text="Start it"
            label={`Start ${slot.version}`}
            title={`Start ${slot.version} now?`}
            yes="Start it"
            go
            disabled={held}
            act={order}
          >
            <p>The box reboots at once. Channels are off air for about a minute.</p>
          </Confirm>
        ) : (
          <button type="submit" class="go" aria-disabled={held}>
            Order it
          </button>
        )}
      </div>
    </form>
  );
}
