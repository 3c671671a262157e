import { useEffect } from "preact/hooks";
import type { PowerOrder } from "../../../src/system/power/adapters.ts";
import type { PowerStatus } from "../../../src/system/power/powerService.ts";
import type { AwayReason } from "../../absence.ts";
import { moment } from "../../accessFormat.ts";
import { boxMoment } from "../../boxTime.ts";
import { duration } from "../../format.ts";
import { useFetched, useServices, useStoreState, useTask } from "../../hooks.ts";
import { fetchPower, reboot, shutDown } from "../../powerApi.ts";
import { Card } from "../Card.tsx";
import { PartForm } from "../config/PartForm.tsx";
import { Confirm } from "../form/Confirm.tsx";
import { Trouble } from "../form/Trouble.tsx";
import { FactoryReset } from "./FactoryReset.tsx";

const everyMs = 5000;

/** Reboot, by hand and by the calendar, shutdown and factory settings; for admins. */
export function PowerPage() {
  const { firmware } = useServices();
  const { link } = useStoreState();
  const { data: status, error, reload } = useFetched(fetchPower, link);
  useEffect(() => {
    if (link !== "open") return;
    // What a reboot starts is known before.
    void firmware.look();
    const timer = setInterval(() => document.visibilityState === "visible" && reload(), everyMs);
    return () => clearInterval(timer);
  }, [link, reload, firmware]);
  const linked = link === "open";

  return (
    <div class="board pages">
      <div class="wide">
        <Trouble error={linked ? error : null} />
      </div>
      {status !== null && (
        <div class="pair wide">
          <Now status={status} linked={linked} />
          {status.capabilities.factoryReset && <FactoryReset linked={linked && status.pending === null} />}
        </div>
      )}
      <PartForm parts={[["power", "Reboot by the calendar"]]} />
    </div>
  );
}

const pendingWords: Record<PowerOrder, string> = {
  reboot: "The box is about to reboot.",
  shutdown: "The box is about to shut down.",
  "factory-reset": "The box is about to go back to factory settings.",
};

function Now({ status, linked }: { status: PowerStatus; linked: boolean }) {
  const { uptimeSeconds, boot, nextReboot, pending, capabilities } = status;
  const { config } = useStoreState();
  const { absence } = useServices();
  const { busy, error, run } = useTask();
  const blocked = busy || !linked || pending !== null;
  const order = (send: () => Promise<void>, why: AwayReason) =>
    void run(async () => {
      await send();
      absence.expect(why);
    });
  const rows: [string, string][] = [
    ["Up for", duration(uptimeSeconds * 1000)],
    ["Up since", moment(boot.at)],
    ["Why it came up", boot.reason === "" ? "not known" : boot.reason],
    ["Next reboot", nextReboot === null ? "none by the calendar" : boxMoment(nextReboot, config?.time.zone ?? "UTC")],
  ];
  return (
    <Card title="Power">
      <dl class="readings">
        {rows.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class="orders">
        <p role="status">{pending !== null && pendingWords[pending]}</p>
        {capabilities.why !== "" && <p class="note">{capabilities.why}</p>}
        <Trouble error={error} />
        <div class="choices">
          <Confirm
            text="Reboot"
            title="Reboot the box?"
            yes="Reboot"
            disabled={blocked || !capabilities.reboot}
            act={() => order(reboot, "reboot")}
          >
            <p>All channels go off air for about a minute.</p>
          </Confirm>
          <Confirm
            text="Shut down"
            title="Shut the box down?"
            yes="Shut down"
            disabled={blocked || !capabilities.shutdown}
            act={() => order(shutDown, "shutdown")}
          >
            <p>
              All channels go off air, and stay so: only the power of the box brings it up again, at the box itself.
            </p>
          </Confirm>
        </div>
      </div>
    </Card>
  );
}
