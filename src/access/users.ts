/** The users of the box, as admins look after them. One admin at least can always log in. */
import { withUser } from "./account.ts";
import { type AccessDocument, emptyDocument, hasAdmin, MAX_USERS, type UserRecord } from "./document.ts";
import { DEFAULT_LOGIN } from "./login.ts";
import { endStale, type Parts, refuseWeak } from "./parts.ts";
import type { Role } from "./principal.ts";
import type { Change, UserInfo, WeakPassword } from "./results.ts";
import { readable } from "./secrets.ts";

/** Four groups of four: 80 bits, and fits a small display. */
const PANEL_PASSWORD = 16;

export class Users {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  list(): UserInfo[] {
    return this.#parts.book.current.users.map((user) => this.#tell(user));
  }

  get(name: string): UserInfo | undefined {
    const user = this.#parts.book.user(name);
    return user === undefined ? undefined : this.#tell(user);
  }

  /** The name must be a `userName` of the document. */
  async add(user: {
    name: string;
    role: Role;
    password: string;
  }): Promise<Change<"exists" | "too-many" | "last-admin"> | WeakPassword> {
    const { name, role } = user;
    const { book, hashing, now } = this.#parts;
    const weak = await refuseWeak(this.#parts, name, user.password);
    if (weak !== undefined) return weak;
    const password = await hashing.make(user.password);
    const record: UserRecord = {
      ...{ name, role, password, disabled: false, generation: 1, totp: null, recovery: [] },
      ...{ created: now().toISOString(), lastLogin: null },
    };
    return await book.change<Change<"exists" | "too-many" | "last-admin">>((document) => {
      const { users } = document;
      if (users.some((one) => one.name === name)) return { result: { ok: false, reason: "exists" } };
      if (users.length >= MAX_USERS) return { result: { ok: false, reason: "too-many" } };
      const more = [...users, record];
      if (!hasAdmin(more)) return { result: { ok: false, reason: "last-admin" } };
      return { document: { ...document, users: more }, result: { ok: true } };
    });
  }

  /** Any change ends the user's sessions; disabling also removes their tokens. */
  async change(
    name: string,
    change: { role?: Role | undefined; password?: string | undefined; disabled?: boolean | undefined },
  ): Promise<Change<"unknown" | "last-admin"> | WeakPassword> {
    const { book, hashing } = this.#parts;
    if (book.user(name) === undefined) return { ok: false, reason: "unknown" };
    let password: string | undefined;
    if (change.password !== undefined) {
      const weak = await refuseWeak(this.#parts, name, change.password);
      if (weak !== undefined) return weak;
      password = await hashing.make(change.password);
    }
    return await this.#edit(name, (document) => {
      const edited = withUser(document, name, (user) => {
        const { role = user.role, disabled = user.disabled } = change;
        const isSame = password === undefined && role === user.role && disabled === user.disabled;
        const generation = isSame ? user.generation : user.generation + 1;
        return { ...user, role, disabled, password: password ?? user.password, generation };
      });
      return change.disabled === true ? withoutTokensOf(edited, name) : edited;
    });
  }

  remove(name: string): Promise<Change<"unknown" | "last-admin">> {
    return this.#edit(name, (document) => ({
      ...withoutTokensOf(document, name),
      users: document.users.filter((user) => user.name !== name),
    }));
  }

  /** For a user who has lost the device with the authenticator app. */
  removeTotp(name: string): Promise<Change<"unknown" | "last-admin">> {
    return this.#edit(name, (document) => withUser(document, name, (user) => ({ ...user, totp: null, recovery: [] })));
  }

  /**
   * For the front panel, which shows the new password: who stands before the box may have it. It is that of `admin`, who is
   * made if there is none, can log in without a code, and is logged out everywhere.
   */
  async resetPassword(): Promise<{ user: string; password: string }> {
    const { book, hashing, now } = this.#parts;
    const { user: name } = DEFAULT_LOGIN;
    const password = (readable(PANEL_PASSWORD).match(/.{4}/g) ?? []).join("-");
    const made = await hashing.make(password);
    await book.change((document) => {
      const old = document.users.find((user) => user.name === name);
      const user: UserRecord = {
        ...{ name, role: "admin", disabled: false, password: made, generation: (old?.generation ?? 0) + 1 },
        ...{
          totp: null,
          recovery: [],
          created: old?.created ?? now().toISOString(),
          lastLogin: old?.lastLogin ?? null,
        },
      };
      const others = document.users.filter((one) => one.name !== name);
      // Somebody who has lost the password needs the place more than the last of 64.
      return { document: { ...document, users: [user, ...others].slice(0, MAX_USERS) }, result: undefined };
    });
    await endStale(this.#parts);
    this.#record("resetPassword", name);
    return { user: name, password };
  }

  /** For the factory reset: nobody is known any more, and the box is to be set up again. */
  async clear(): Promise<void> {
    const { book } = this.#parts;
    await book.change(() => ({ document: emptyDocument(), result: undefined }));
    await endStale(this.#parts);
    this.#record("clearUsers", "users");
  }

  async #edit(
    name: string,
    edit: (document: AccessDocument) => AccessDocument,
  ): Promise<Change<"unknown" | "last-admin">> {
    const result = await this.#parts.book.change<Change<"unknown" | "last-admin">>((document) => {
      if (!document.users.some((user) => user.name === name)) return { result: { ok: false, reason: "unknown" } };
      const edited = edit(document);
      if (!hasAdmin(edited.users)) return { result: { ok: false, reason: "last-admin" } };
      return { document: edited, result: { ok: true } };
    });
    await endStale(this.#parts);
    return result;
  }

  #tell(user: UserRecord): UserInfo {
    const { name, role, disabled, totp, recovery, created } = user;
    const lastLogin = this.#parts.book.lastLogin(user);
    return { name, role, disabled, secondFactor: totp !== null, recoveryCodes: recovery.length, created, lastLogin };
  }

  #record(what: string, target: string): void {
    const who = { name: "box", role: "admin", via: "local", address: "" } as const;
    this.#parts.record({ who, what, target, result: "done" });
  }
}

function withoutTokensOf(document: AccessDocument, name: string): AccessDocument {
  return { ...document, tokens: document.tokens.filter(({ owner }) => owner !== name) };
}
