/** API tokens: for programs, in the name of a user, with at most what that user may do. */
import { MAX_TOKENS, type TokenRecord } from "./document.ts";
import { type Parts, userOf } from "./parts.ts";
import { isAtLeast, type Principal, type Role, roles, type Scope } from "./principal.ts";
import type { Change, TokenInfo } from "./results.ts";
import { digest, isToken, newId, newToken } from "./secrets.ts";

/** A token that ends lives this long at the most, ms. */
const LONGEST_MS = 366 * 24 * 3600_000;

export interface NewToken {
  name: string;
  role: Role;
  /** Left out: all. */
  scopes?: readonly Scope[] | undefined;
  /** Left out: never. */
  expires?: Date | undefined;
}

type Added = Change<"too-many" | "no-user" | "role" | "expiry", { token: string; info: TokenInfo }>;

export class Tokens {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Who a token stands for; counts as use. */
  identify(secret: string, address: string): Principal | undefined {
    const { book } = this.#parts;
    const token = isToken(secret) ? book.token(digest(secret)) : undefined;
    const owner = token === undefined ? undefined : book.user(token.owner);
    if (token === undefined || owner === undefined) return undefined;
    book.markUse(token);
    const role = lesser(token.role, owner.role);
    const limits = token.scopes === null ? {} : { scopes: token.scopes };
    return { name: owner.name, role, via: "token", id: token.id, address, ...limits };
  }

  /** The live token with this id. */
  get(id: string): TokenRecord | undefined {
    const token = this.#parts.book.current.tokens.find((one) => one.id === id);
    return token === undefined ? undefined : this.#parts.book.token(token.hash);
  }

  /** What the token with this id may be used as now, if it lives. */
  roleOf(id: string): Role | undefined {
    const token = this.get(id);
    const owner = token === undefined ? undefined : this.#parts.book.user(token.owner);
    return token === undefined || owner === undefined ? undefined : lesser(token.role, owner.role);
  }

  /** One's own; an admin's are all. Expired ones are told, too. */
  list(principal: Principal): TokenInfo[] {
    const { tokens } = this.#parts.book.current;
    return tokens.filter((token) => maySee(principal, token)).map((token) => this.#tell(token));
  }

  /**
   * Makes a token; its secret is told this once. Only who has logged in can have one: a token must not be able to make others
   * that outlive it. `expiry`: must be in the future and within a year. `role`: more than the user's own.
   */
  async add(principal: Principal, { name, role, scopes, expires }: NewToken): Promise<Added> {
    const { book, now } = this.#parts;
    if (principal.via !== "session" || userOf(this.#parts, principal) === undefined) {
      return { ok: false, reason: "no-user" };
    }
    const at = now().getTime();
    if (expires !== undefined && !(expires.getTime() > at && expires.getTime() <= at + LONGEST_MS)) {
      return { ok: false, reason: "expiry" };
    }
    const secret = newToken();
    const token: TokenRecord = {
      ...{ id: newId(), hash: digest(secret), name, owner: principal.name, role },
      ...{ scopes: scopes === undefined ? null : [...new Set(scopes)], created: new Date(at).toISOString() },
      ...{ expires: expires?.toISOString() ?? null, lastUsed: null },
    };
    return await book.change<Added>((document) => {
      const owner = document.users.find((user) => user.name === principal.name);
      if (owner === undefined || owner.disabled) return { result: { ok: false, reason: "no-user" } };
      if (!isAtLeast(owner.role, role)) return { result: { ok: false, reason: "role" } };
      // Expired ones make room.
      const live = document.tokens.filter((one) => one.expires === null || Date.parse(one.expires) > at);
      if (live.length >= MAX_TOKENS) return { result: { ok: false, reason: "too-many" } };
      const info = this.#tell(token);
      return { document: { ...document, tokens: [...live, token] }, result: { ok: true, token: secret, info } };
    });
  }

  remove(principal: Principal, id: string): Promise<Change<"unknown">> {
    return this.#parts.book.change<Change<"unknown">>((document) => {
      const found = document.tokens.find((token) => token.id === id && maySee(principal, token));
      if (found === undefined) return { result: { ok: false, reason: "unknown" } };
      return {
        document: { ...document, tokens: document.tokens.filter((one) => one !== found) },
        result: { ok: true },
      };
    });
  }

  #tell(token: TokenRecord): TokenInfo {
    const { id, name, owner, role, scopes, created, expires } = token;
    return { id, name, owner, role, scopes, created, expires, lastUsed: this.#parts.book.lastUsed(token) };
  }
}

function maySee({ name, role }: Principal, { owner }: TokenRecord): boolean {
  return role === "admin" || owner === name;
}

function lesser(a: Role, b: Role): Role {
  return roles.indexOf(a) < roles.indexOf(b) ? a : b;
}
