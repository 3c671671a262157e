import type { FirmwareStatus } from "../../../src/update/status.ts";
import { takeBack } from "../../firmwareApi.ts";
import { activationWords } from "../../firmwareFormat.ts";
import { useStoreState, useTask } from "../../hooks.ts";
import { Trouble } from "../form/Trouble.tsx";

/** What has been ordered for later, which can be taken back. */
export function Ordered(props: { status: FirmwareStatus; isAdmin: boolean; linked: boolean }) {
  const { status, isAdmin, linked } = props;
  const { slots, bundle, work, activation } = status;
  const { config } = useStoreState();
  const { busy, error, run } = useTask();
  const when = activationWords(activation, config?.time.zone ?? "UTC");
  const blocked = busy || !linked || work !== null;
  // While it is being installed, it is only in the bundle.
  const version = work?.what === "install" ? bundle?.version : slots?.find(({ running }) => !running)?.version;
  return (
    <>
      {when !== "" && (
        <div class="ordered">
          <p>
            {version === undefined || version === "" ? "The other firmware" : version} is started{" "}
            <strong>{when}</strong>. Channels are off air for about a minute then.
          </p>
          {isAdmin && activation?.when !== "now" && (
            <button type="button" aria-disabled={blocked} onClick={() => !blocked && void run(takeBack)}>
              Take back
            </button>
          )}
        </div>
      )}
      <Trouble error={error} />
    </>
  );
}
