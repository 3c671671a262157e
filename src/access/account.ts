/** What a user does with their own account: password, second factor, recovery codes. All of it wants a log-in on the page. */
import type { AccessDocument, UserRecord } from "./document.ts";
import type { Login } from "./login.ts";
import { endStale, type Parts, refuseWeak } from "./parts.ts";
import type { Principal } from "./principal.ts";
import type { Change, Refused, Throttled, WeakPassword } from "./results.ts";
import { newRecoveryCodes, newTotpSecret, stepOf, totpUri } from "./totp.ts";

/** How long a second factor that was begun waits for its first code, ms. */
const ENROL_MS = 10 * 60_000;

export class Account {
  readonly #parts: Parts;
  readonly #login: Login;
  /** Second factors that were begun, by user. */
  readonly #begun = new Map<string, { secret: string; since: number; session: string }>();

  constructor(parts: Parts, login: Login) {
    this.#parts = parts;
    this.#login = login;
  }

  /** The user's other sessions end. */
  async changePassword(
    principal: Principal,
    current: string,
    password: string,
  ): Promise<{ ok: true } | Refused | Throttled | WeakPassword> {
    const confirmed = await this.#confirm(principal, current);
    if (!confirmed.ok) return confirmed;
    const { name, id } = principal;
    const weak = await refuseWeak(this.#parts, name, password);
    if (weak !== undefined) return weak;
    const made = await this.#parts.hashing.make(password);
    const changed = await this.#edit(name, (user) => ({ ...user, password: made, generation: user.generation + 1 }), {
      after: () => this.#parts.sessions.renew(id, this.#parts.book.user(name)?.generation ?? 0),
    });
    await endStale(this.#parts);
    return changed ? { ok: true } : { ok: false, reason: "refused" };
  }

  /** Gives a secret for the authenticator app; it counts when the app's first code is told within ten minutes. */
  async beginTotp(
    principal: Principal,
    password: string,
  ): Promise<{ ok: true; secret: string; uri: string } | Refused | Throttled> {
    const confirmed = await this.#confirm(principal, password);
    if (!confirmed.ok) return confirmed;
    const secret = newTotpSecret();
    this.#begun.set(principal.name, { secret, since: this.#parts.steady(), session: principal.id });
    return { ok: true, secret, uri: totpUri(secret, principal.name, this.#parts.boxName()) };
  }

  /** Puts the second factor in force and gives recovery codes, once. The other sessions stay. */
  async activateTotp(
    principal: Principal,
    code: string,
  ): Promise<Change<"not-begun" | "wrong-code", { recoveryCodes: string[] }>> {
    const { name, id } = principal;
    const begun = this.#begun.get(name);
    if (begun === undefined || begun.session !== id || this.#parts.steady() >= begun.since + ENROL_MS) {
      return { ok: false, reason: "not-begun" };
    }
    const step = stepOf(begun.secret, code, this.#parts.now());
    if (step === undefined) return { ok: false, reason: "wrong-code" };
    const { codes, hashes } = newRecoveryCodes();
    const changed = await this.#edit(name, (user) => ({ ...user, totp: begun.secret, recovery: hashes }));
    if (!changed) return { ok: false, reason: "not-begun" };
    this.#begun.delete(name);
    this.#parts.sessions.setStep(name, step);
    return { ok: true, recoveryCodes: codes };
  }

  async removeTotp(principal: Principal, password: string): Promise<{ ok: true } | Refused | Throttled> {
    const confirmed = await this.#confirm(principal, password);
    if (!confirmed.ok) return confirmed;
    await this.#edit(principal.name, (user) => ({ ...user, totp: null, recovery: [] }));
    return { ok: true };
  }

  /** The old codes are void. */
  async renewRecoveryCodes(
    principal: Principal,
    password: string,
  ): Promise<Change<"no-totp", { recoveryCodes: string[] }> | Refused | Throttled> {
    const confirmed = await this.#confirm(principal, password);
    if (!confirmed.ok) return confirmed;
    const { codes, hashes } = newRecoveryCodes();
    const renewed = await this.#edit(principal.name, (user) =>
      user.totp === null ? user : { ...user, recovery: hashes },
    );
    const has = renewed && this.#parts.book.user(principal.name)?.totp !== null;
    return has ? { ok: true, recoveryCodes: codes } : { ok: false, reason: "no-totp" };
  }

  /** A token or a program on the box has no account of its own. */
  async #confirm(principal: Principal, password: string): Promise<{ ok: true } | Refused | Throttled> {
    if (principal.via !== "session") return { ok: false, reason: "refused" };
    return await this.#login.confirmPassword(principal, password);
  }

  /** Whether the user was still there. */
  #edit(name: string, edit: (user: UserRecord) => UserRecord, more: { after?: () => void } = {}): Promise<boolean> {
    return this.#parts.book.change((document) => {
      if (!document.users.some((user) => user.name === name)) return { result: false };
      return { document: withUser(document, name, edit), ...more, result: true };
    });
  }
}

/** The document with one user changed. */
export function withUser(
  document: AccessDocument,
  name: string,
  edit: (user: UserRecord) => UserRecord,
): AccessDocument {
  return { ...document, users: document.users.map((user) => (user.name === name ? edit(user) : user)) };
}
