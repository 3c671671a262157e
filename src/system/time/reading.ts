/** What systemd tells of the clock, read: timedatectl and timesyncd's properties, of versions 247 to 257. */
import type { RunCommand } from "../command.ts";

/** Null stands for what is not known. */
export interface TimeReading {
  /** The kernel's word for it: its estimate of the error is below 16 s (adjtimex(2)). */
  synchronized: boolean | null;
  /** Whether a program that sets the clock by NTP is to run. */
  ntp: boolean | null;
  zone: string | null;
  /** What the clock with the battery says, ISO 8601; null also where there is none. */
  rtc: string | null;
  /** The last answer of a server. */
  answer: NtpAnswer | null;
}

export interface NtpAnswer {
  /** Name or address as it was set, and the address that it has. */
  server: string;
  address: string;
  stratum: number;
  /** How far the box's clock was behind the server's, ms. */
  offsetMs: number;
  /** When it came, by the box's clock, ISO 8601. */
  received: string;
  /** It was too far off the others to be believed. */
  ignored: boolean;
  /** How often the server is asked, s. */
  interval: number;
  /** Another text for each answer. */
  mark: string;
}

const TIMESYNCD = [
  ...["--auto-start=no", "--json=short", "get-property", "org.freedesktop.timesync1", "/org/freedesktop/timesync1"],
  ...["org.freedesktop.timesync1.Manager", "ServerName", "ServerAddress", "PollIntervalUSec", "NTPMessage"],
];

/** Reads what there is to read; what a machine does not have is unknown. */
export async function readTime(run: RunCommand): Promise<TimeReading> {
  // Times are printed in the zone of the reader.
  const options = { timeoutMs: 5000, env: { TZ: "UTC" } };
  const [clock, server] = await Promise.all([run("timedatectl", ["show"], options), run("busctl", TIMESYNCD, options)]);
  const properties = clock.ok ? parseProperties(clock.stdout) : new Map<string, string>();
  return {
    synchronized: toBoolean(properties.get("NTPSynchronized")),
    ntp: toBoolean(properties.get("NTP")),
    zone: properties.get("Timezone") || null,
    rtc: toTime(properties.get("RTCTimeUSec")),
    answer: server.ok ? parseAnswer(server.stdout) : null,
  };
}

/** NAME=VALUE in lines, as `timedatectl show` prints them. */
export function parseProperties(text: string): Map<string, string> {
  const entries = text.split("\n").flatMap((line): [string, string][] => {
    const at = line.indexOf("=");
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1).trim()]] : [];
  });
  return new Map(entries);
}

/**
 * The properties of org.freedesktop.timesync1(5), one a line; null where no server has answered. NTPMessage is leap, version,
 * mode, stratum, precision, root delay, root dispersion, reference, the four times of RFC 5905 in µs, ignored, the
 * number of the packet, jitter.
 */
export function parseAnswer(text: string): NtpAnswer | null {
  const [server, address, interval, message] = text.split("\n").map(dataOf);
  if (!Array.isArray(message) || message.length < 14) return null;
  const [stratum, originate, receive, transmit, destination, ignored, packet] = [3, 8, 9, 10, 11, 12, 13].map(
    (i) => message[i] as unknown,
  );
  const times = [originate, receive, transmit, destination].map(Number) as [number, number, number, number];
  if (!(Number(packet) > 0) || !times.every((time) => time > 0 && time < 8.64e18)) return null;
  // RFC 5905, clause 8: θ = ((T2 − T1) + (T3 − T4)) / 2.
  const offset = (times[1] - times[0] + (times[2] - times[3])) / 2;
  return {
    server: typeof server === "string" ? server : "",
    address: toAddress(address),
    stratum: Number(stratum),
    offsetMs: Math.round(offset) / 1000,
    received: new Date(times[3] / 1000).toISOString(),
    ignored: ignored === true,
    interval: Number(interval) / 1e6,
    mark: `${packet} ${times[3]}`,
  };
}

function dataOf(line: string): unknown {
  try {
    return (JSON.parse(line) as { data?: unknown }).data;
  } catch {
    return undefined;
  }
}

/** A pair of family (AF_INET 2, AF_INET6 10) and bytes, as text. */
function toAddress(value: unknown): string {
  const bytes = Array.isArray(value) && Array.isArray(value[1]) ? (value[1] as number[]) : [];
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) return "";
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((bytes[2 * i] ?? 0) * 256 + (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

function toBoolean(text: string | undefined): boolean | null {
  return text === "yes" ? true : text === "no" ? false : null;
}

/** A time such as `Sun 2026-11-22 07:25:40 UTC`. */
function toTime(text: string | undefined): string | null {
  const [, date, time] = /^\w{3} (\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}) UTC$/.exec(text ?? "") ?? [];
  const value = Date.parse(`${date}T${time}Z`);
  return Number.isNaN(value) ? null : new Date(value).toISOString();
}
