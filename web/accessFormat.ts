/** How users and what they may do are written on the page. */
import type { Role, Scope } from "../src/access/principal.ts";

export const roleWords: Record<Role, string> = { viewer: "Viewer", operator: "Operator", admin: "Admin" };

export const roleChoices: [Role, string][] = [
  ["viewer", "Viewer: sees everything, changes nothing"],
  ["operator", "Operator: runs channels, inputs and presets"],
  ["admin", "Admin: does everything"],
];

export const scopeWords: Record<Scope, string> = {
  status: "Status",
  channels: "Channels",
  board: "Inputs, sensors and front panel",
  config: "Configuration",
  system: "Network, time, power and logs",
  access: "Users and log-in",
};

/** A point of time for people, in their own time zone; `never` where there is none. */
export function moment(iso: string | null, never = "never"): string {
  if (iso === null) return never;
  return new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** The browser and the system of a User-Agent header, as far as they are known; they are long and lie a lot. */
export function agentWords(agent: string): string {
  const browsers: [RegExp, string][] = [
    [/Edg\//, "Edge"],
    [/Firefox\//, "Firefox"],
    [/Chrom(e|ium)\//, "Chrome"],
    [/Safari\//, "Safari"],
  ];
  const systems: [RegExp, string][] = [
    [/Android/, "Android"],
    [/iPhone|iPad/, "iOS"],
    [/Windows/, "Windows"],
    [/Mac OS X/, "macOS"],
    [/Linux/, "Linux"],
  ];
  const found = [browsers, systems].flatMap((list) => list.find(([pattern]) => pattern.test(agent))?.[1] ?? []);
  return found.length > 0 ? found.join(" on ") : agent.slice(0, 40) || "Unknown program";
}
