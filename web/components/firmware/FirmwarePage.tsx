import { useEffect } from "preact/hooks";
import type { FirmwareStatus } from "../../../src/update/status.ts";
import { useFirmware, useMay, useServices, useStoreState } from "../../hooks.ts";
import { Card } from "../Card.tsx";
import { Trouble } from "../form/Trouble.tsx";
import { BundleCard } from "./BundleCard.tsx";
import { Events } from "./Events.tsx";
import { Ordered } from "./Ordered.tsx";
import { Receive } from "./Receive.tsx";
import { Slots } from "./Slots.tsx";
import { Work } from "./Work.tsx";

/** What runs, what else there is, and how it gets there. */
export function FirmwarePage() {
  const { firmware } = useServices();
  const { status, error } = useFirmware();
  const { link } = useStoreState();
  const isAdmin = useMay("admin");
  useEffect(() => {
    if (link === "open") void firmware.look();
  }, [firmware, link]);
  useEffect(() => {
    // A file that misses its place would be opened in the place of this page.
    const ignore = (event: DragEvent) => event.preventDefault();
    for (const name of ["dragover", "drop"] as const) addEventListener(name, ignore);
    return () => {
      for (const name of ["dragover", "drop"] as const) removeEventListener(name, ignore);
    };
  }, []);

  return (
    <div class="board pages">
      <div class="wide">
        <Trouble error={link === "open" ? error : null} />
        {!isAdmin && <p class="note">Only admins can change the firmware.</p>}
      </div>
      {status !== null && <Firmware status={status} isAdmin={isAdmin} linked={link === "open"} />}
    </div>
  );
}

/** What changes when something has happened. */
function eventKey({ build, slots, bundle, work, activation, trouble }: FirmwareStatus): string {
  const known = slots?.map(({ state, installed }) => [state, installed]);
  return JSON.stringify([build, known, bundle?.received, work?.what, activation, trouble]);
}

function Firmware({ status, isAdmin, linked }: { status: FirmwareStatus; isAdmin: boolean; linked: boolean }) {
  const { slots, bundle } = status;
  return (
    <>
      <Running status={status} isAdmin={isAdmin} linked={linked} />
      {slots !== null && <Slots status={status} slots={slots} isAdmin={isAdmin} linked={linked} />}
      {slots !== null && bundle !== null && (
        <BundleCard key={bundle.received} status={status} bundle={bundle} isAdmin={isAdmin} linked={linked} />
      )}
      {slots !== null && isAdmin && <Receive status={status} linked={linked} />}
      <Events of={eventKey(status)} linked={linked} />
    </>
  );
}

function Running({ status, isAdmin, linked }: { status: FirmwareStatus; isAdmin: boolean; linked: boolean }) {
  const { version, build, slots, capabilities } = status;
  const { refusal } = useFirmware();
  // What is told where the file was chosen is not told twice.
  const trouble = refusal !== null && status.trouble.endsWith(refusal.message) ? "" : status.trouble;
  return (
    <Card title="This box runs" wide>
      <p class="running">
        <strong>{version}</strong> <span class="note">build {build === "" ? "not known" : build}</span>
      </p>
      <div role="alert">{trouble !== "" && <p class="trouble">{trouble}</p>}</div>
      {slots === null && (
        <p class="note">{capabilities.why === "" ? "This machine has no places for firmware." : capabilities.why}</p>
      )}
      <Ordered status={status} isAdmin={isAdmin} linked={linked} />
      <Work status={status} isAdmin={isAdmin} linked={linked} />
    </Card>
  );
}
