/** Who asks, and what they may do. */

/** From the least to the most: each may do what those before it may. */
export const roles = ["viewer", "operator", "admin"] as const;
export type Role = (typeof roles)[number];

/** Parts of the API that a token can be limited to. */
export const scopes = ["status", "channels", "board", "config", "system", "access"] as const;
export type Scope = (typeof scopes)[number];

/** Somebody who has shown who they are. */
export interface Principal {
  /** Of the user; `local` for programs on the box itself, `admin` during set-up. */
  name: string;
  role: Role;
  /**
   * `session`: logged in on the page; `token`: a program with an API token; `local`: over the socket of the box, which its
   * file permissions guard; `setup`: the default login, which can set the first password and nothing else.
   */
  via: "session" | "token" | "local" | "setup";
  /** Of the session or token; never its secret. */
  id: string;
  /** Where the request comes from, as an address without a port; "" for local. */
  address: string;
  /** What a token is limited to; undefined: nothing. */
  scopes?: readonly Scope[];
}

/** What something asks of who wants it. */
export interface Requirement {
  role: Role;
  scope: Scope;
}

export function isAtLeast(role: Role, least: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(least);
}

/** Whether they may; a set-up session never may what needs a role. */
export function may(principal: Principal, { role, scope }: Requirement): boolean {
  if (principal.via === "setup") return false;
  return isAtLeast(principal.role, role) && (principal.scopes === undefined || principal.scopes.includes(scope));
}
