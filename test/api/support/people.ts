/** People for tests of the API that are not about who they are: one of each role, by token and by session. */
import type { Credentials } from "../../../src/access/access.ts";
import { isAtLeast, type Principal, type Role, roles } from "../../../src/access/principal.ts";
import type { Identification } from "../../../src/api/authenticate.ts";
import { LIMITS, type Limits } from "../../../src/api/limits.ts";

export class People implements Identification {
  /** By what they send: `admin` as a token, `admin-session` as a cookie, and so on. */
  readonly #principals = new Map<string, Principal>();
  readonly #enrolling = new Set<string>();

  constructor() {
    for (const role of roles) {
      this.add(role, { name: role, role, via: "token", id: `t-${role}` });
      this.add(`${role}-session`, { name: role, role, via: "session", id: `s-${role}` });
    }
  }

  add(secret: string, principal: Omit<Principal, "address">): void {
    this.#principals.set(secret, { ...principal, address: "" });
  }

  /** Ends a session or token. */
  end(secret: string): void {
    this.#principals.delete(secret);
  }

  /** They must set up a second factor first. */
  enrol(secret: string): void {
    this.#enrolling.add(secret);
  }

  identify({ cookie, bearer, address }: Credentials): Principal | undefined {
    const found = this.#principals.get(bearer ?? cookie ?? "");
    const fits = found !== undefined && (found.via === "token") === (bearer !== undefined);
    return fits ? { ...found, address } : undefined;
  }

  holds({ via, id, role }: Principal): boolean {
    return [...this.#principals.values()].some((one) => one.via === via && one.id === id && isAtLeast(one.role, role));
  }

  standing({ via, id }: Principal): { mustEnrol: boolean } {
    const secret = [...this.#principals].find(([, one]) => one.via === via && one.id === id)?.[0];
    return { mustEnrol: secret !== undefined && this.#enrolling.has(secret) };
  }
}

/** What a program sends that has the token of that role. */
export function authorization(role: Role): Record<string, string> {
  return { Authorization: `Bearer ${role}` };
}

const plenty = { perSecond: 1e6, burst: 1e6 };
/** For tests that are not about limits and ask as fast as they can. */
export const GENEROUS: Limits = { ...LIMITS, reading: plenty, changing: plenty, unknown: plenty, page: plenty };
