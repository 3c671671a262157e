import type { InterfaceStatus, NetworkStatus } from "../../../src/system/network/status.ts";
import { addressWords, carrierWords, fallbackWords, kindWords, roleWords } from "../../networkFormat.ts";

/** The network as it is, not as it is set. */
export function Ports({ status, linked }: { status: NetworkStatus; linked: boolean }) {
  const { adapter, hostname, mdnsName, urls, interfaces, fault, notes } = status;
  return (
    <section class={`card board-card wide${linked ? "" : " stale"}`} aria-labelledby="ports">
      <header class="card-head">
        <h2 id="ports">Ports</h2>
        <p class="since">as measured</p>
      </header>
      {adapter === "dry" && (
        <p class="note">This is a PC: the box shows its network and plans changes, but does not carry them out.</p>
      )}
      {fault !== "" && (
        <p class="trouble" role="alert">
          {fault}
        </p>
      )}
      {notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
      <p>
        {hostname}
        {mdnsName !== "" && `, also ${mdnsName}`}. This page is at{" "}
        {urls.map((url, i) => (
          <>
            {i > 0 && ", "}
            <a href={url}>{url}</a>
          </>
        ))}
      </p>
      <ul class="ports">
        {interfaces.map((port) => (
          <Port key={port.name} port={port} />
        ))}
      </ul>
    </section>
  );
}

function Port({ port }: { port: InterfaceStatus }) {
  const { name, kind, mac, mtu, addresses, gateways, dns, dhcpServer, fallback, bond, warnings } = port;
  const rows: [string, string][] = [
    ["Link", carrierWords(port)],
    ["Addresses", addresses.map(addressWords).join(", ")],
    ["Gateway", gateways.join(", ")],
    ["DNS", dns.join(", ")],
    ["DHCP lease", dhcpServer === null ? "none" : `from ${dhcpServer}`],
    ["Fallback", fallbackWords(fallback)],
    ["MTU", `${mtu} bytes`],
    ["Used for", bond === "" ? roleWords(port) : `bond ${bond}`],
    ["Hardware address", mac],
  ];
  return (
    <li aria-label={name}>
      <h3>
        {name} <span class="note">{kindWords[kind]}</span>
      </h3>
      {warnings.map((warning) => (
        <p key={warning} class="warning">
          {name} {warning}
        </p>
      ))}
      <dl class="readings">
        {rows.map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value === "" ? "–" : value}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
}
