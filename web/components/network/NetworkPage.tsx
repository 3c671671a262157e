import { useEffect, useMemo } from "preact/hooks";
import type { NetworkStatus } from "../../../src/system/network/status.ts";
import { partSchema } from "../../configSchema.ts";
import { useFetched, useMay, useStoreState } from "../../hooks.ts";
import { fetchNetwork } from "../../networkApi.ts";
import { initial, isFields, kindOf } from "../../schema.ts";
import { type Draft, PartForm } from "../config/PartForm.tsx";
import { Suggestions } from "../form/SchemaField.tsx";
import { Trouble } from "../form/Trouble.tsx";
import { AddressCheck } from "./AddressCheck.tsx";
import { Ports } from "./Ports.tsx";

const everyMs = 5000;

/** The ports as they are measured, and the settings of network and time. */
export function NetworkPage() {
  const isAdmin = useMay("admin");
  const { link } = useStoreState();
  const { data: status, error, reload } = useFetched(fetchNetwork, link);
  useEffect(() => {
    if (link !== "open") return;
    const timer = setInterval(() => document.visibilityState === "visible" && reload(), everyMs);
    return () => clearInterval(timer);
  }, [link, reload]);

  const ports = status?.interfaces.map(({ name }) => name).join() ?? "";
  const suggestions = useMemo(() => likely(ports.split(",")), [ports]);

  return (
    <div class="board pages">
      <div class="wide">
        <Trouble error={link === "open" ? error : null} />
        {!isAdmin && <p class="note">Only admins can change the network.</p>}
      </div>
      {status !== null && <Ports status={status} linked={link === "open"} />}
      {isAdmin && (
        <>
          <Suggestions.Provider value={suggestions}>
            <PartForm
              parts={[
                ["network", "Network settings"],
                ["time", "Time"],
                ["ssh", "SSH"],
              ]}
              before={(part, draft) =>
                part === "network" && status !== null && <Unlisted status={status} draft={draft} />
              }
            />
          </Suggestions.Provider>
          {status !== null && <AddressCheck ports={status.interfaces.map(({ name }) => name)} />}
        </>
      )}
    </div>
  );
}

/** Names that the settings mean by their values. */
function likely(ports: string[]): ReadonlyMap<string, readonly string[]> {
  const places = ["links/#/name", "links/#/parent", "links/#/members/#", "routes/#/interface"];
  return new Map([
    ...places.map((place) => [`/network/${place}`, ports] as const),
    ["/time/zone", ["UTC", ...Intl.supportedValuesOf("timeZone")]] as const,
  ]);
}

/** Ports of the box that have no settings of their own yet. */
function Unlisted({ status, draft }: { status: NetworkStatus; draft: Draft }) {
  const network = draft.values.network;
  const links = isFields(network) && Array.isArray(network.links) ? (network.links as unknown[]) : [];
  const named = new Set(links.flatMap((one) => (isFields(one) ? [one.name, ...membersOf(one)] : [])));
  const free = status.interfaces.filter(({ name, kind }) => kind === "ethernet" && !named.has(name));
  if (free.length === 0 || !isFields(network)) return null;
  const add = (name: string) => {
    const kind = kindOf(partSchema("network").properties?.links?.items ?? {});
    const ethernet = kind.kind === "union" ? kind.options.find(([option]) => option === "ethernet")?.[1] : undefined;
    if (ethernet === undefined) return;
    const link = initial(ethernet);
    draft.change("network", { ...network, links: [...links, isFields(link) ? { ...link, name } : link] });
  };
  return (
    <div class="unlisted">
      <p class="note">
        Ports without settings of their own take an address by DHCP, with fallback, for management and streaming.
      </p>
      <div class="choices">
        {free.map(({ name }) => (
          <button key={name} type="button" onClick={() => add(name)}>
            Settings for {name}
          </button>
        ))}
      </div>
    </div>
  );
}

function membersOf(link: Record<string, unknown>): unknown[] {
  return Array.isArray(link.members) ? link.members : [];
}
