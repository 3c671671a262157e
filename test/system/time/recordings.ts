/** What the programs of systemd 252 printed. */

/** `timedatectl show`, in a machine without a clock with a battery. */
export const show = (more: Record<string, string> = {}) =>
  Object.entries({
    ...{ Timezone: "Etc/UTC", LocalRTC: "no", CanNTP: "yes", NTP: "yes", NTPSynchronized: "yes" },
    ...{ TimeUSec: "Sun 2026-11-22 07:25:40 UTC", ...more },
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");

/** busctl, as timesyncd had its first answer. */
export const answered = `{"type":"s","data":"time.example.net"}
{"type":"(iay)","data":[2,[192,0,2,123]]}
{"type":"t","data":64000000}
{"type":"(uuuuittayttttbtt)","data":[0,4,4,2,-23,59997,39062,[192,53,103,108],1795332301000908,1795332301013771,1795332301013771,1795332301001536,false,1,0]}
`;

/** busctl, before it had any. */
export const unanswered = `{"type":"s","data":"127.0.0.1"}
{"type":"(iay)","data":[2,[127,0,0,1]]}
{"type":"t","data":32000000}
{"type":"(uuuuittayttttbtt)","data":[0,0,0,0,0,0,0,[0,0,0,0],0,18444535084909551616,18444535084909551616,0,false,0,0]}
`;

/** An answer that comes at a time, in µs. */
export const answeredAt = (received: number, packet: number, ignored = false) =>
  answered
    .replace("1795332301001536,false,1,", `${received},${ignored},${packet},`)
    .replace("1795332301000908", String(received - 1000))
    .replaceAll("1795332301013771", String(received + 5000));

/** timedatectl on a machine that systemd does not run. */
export const notBooted =
  "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down\n";
