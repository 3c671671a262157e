/** The pages, which the part of the address behind # names. */
import type { Role } from "../src/access/principal.ts";

export type PageName = "" | "bench" | "network" | "config" | "firmware" | "power" | "users" | "account";

export interface PageLink {
  name: PageName;
  title: string;
  /** Who may see it at least. */
  role: Role;
}

export const pages: readonly PageLink[] = [
  { name: "", title: "Box", role: "viewer" },
  { name: "bench", title: "Bench", role: "admin" },
  { name: "network", title: "Network", role: "viewer" },
  { name: "config", title: "Configuration", role: "viewer" },
  { name: "firmware", title: "Firmware", role: "viewer" },
  { name: "power", title: "Power", role: "admin" },
  { name: "users", title: "Users", role: "admin" },
  { name: "account", title: "Account", role: "viewer" },
];

/** The page of an address, or the first one where there is none, or none for this role. */
export function pageOf(hash: string, allowed: readonly PageLink[]): PageLink {
  const found = allowed.find(({ name }) => name === hash) ?? allowed[0];
  if (found === undefined) throw new Error("there is no page for this role");
  return found;
}
