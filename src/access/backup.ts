/** The users as a part of a backup: names and roles open, all by which somebody could log in secret. */
import { z } from "zod";
import type { BackupDifference, BackupPart, PartContent } from "../config/backup/part.ts";
import { explain, type FieldError } from "../config/explain.ts";
import { SECRET_MARK } from "../config/schema/setting.ts";
import {
  type AccessDocument,
  hasAdmin,
  MAX_TOKENS,
  MAX_USERS,
  tokenRecord,
  type UserRecord,
  userRecord,
} from "./document.ts";
import { endStale, type Parts } from "./parts.ts";

const openUser = userRecord.pick({ name: true, role: true, disabled: true, created: true });
const openPart = z.strictObject({ users: z.array(openUser).max(MAX_USERS) });
const secretUser = userRecord.pick({ password: true, totp: true, recovery: true });
const secretToken = tokenRecord.omit({ lastUsed: true });
const secretPart = z.strictObject({
  users: z.record(z.string().max(32), secretUser),
  tokens: z.array(secretToken).max(MAX_TOKENS),
});

type Open = z.infer<typeof openPart>;
type Secret = z.infer<typeof secretPart>;

export class UsersPart implements BackupPart {
  readonly name = "users";
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  export(): PartContent & { open: Open; secret: Secret } {
    const { users, tokens } = this.#parts.book.current;
    return {
      open: { users: users.map(({ name, role, disabled, created }) => ({ name, role, disabled, created })) },
      secret: {
        users: Object.fromEntries(
          users.map(({ name, password, totp, recovery }) => [name, { password, totp, recovery: [...recovery] }]),
        ),
        tokens: tokens.map(({ lastUsed: _, ...token }) => token),
      },
    };
  }

  check({ open, secret }: PartContent): FieldError[] {
    const opened = openPart.safeParse(open);
    if (!opened.success) return explain(openPart, open, opened.error.issues);
    if (secret === undefined) return [];
    const { users } = opened.data;
    const names = users.map(({ name }) => name);
    const hidden = secretPart.safeParse(secret);
    // Nothing is told of what is in the secret part.
    if (!hidden.success) return [{ pointer: "", message: "has secrets that are not as they should be" }];
    if (new Set(names).size < names.length) return [{ pointer: "/users", message: "must not have a name twice" }];
    if (!hasAdmin(users)) return [{ pointer: "/users", message: "must have an admin who can log in" }];
    const bare = users.findIndex(({ name }) => !Object.hasOwn(hidden.data.users, name));
    if (bare >= 0) return [{ pointer: `/users/${bare}`, message: "has no password in the secret part" }];
    const { tokens } = hidden.data;
    const ids = new Set(tokens.map(({ id }) => id));
    if (ids.size < tokens.length || tokens.some(({ owner }) => !names.includes(owner))) {
      return [{ pointer: "", message: "has tokens that belong to nobody, or twice the same" }];
    }
    return [];
  }

  /** All who are replaced are logged out. */
  async apply({ open, secret }: PartContent): Promise<void> {
    if (secret === undefined || JSON.stringify(this.export()) === JSON.stringify({ open, secret })) return;
    const { users } = openPart.parse(open);
    const { users: hidden, tokens } = secretPart.parse(secret);
    await this.#parts.book.change((document) => {
      const generation = 1 + Math.max(0, ...document.users.map((user) => user.generation));
      const made = users.map((user): UserRecord => {
        const own = Object.hasOwn(hidden, user.name) ? hidden[user.name] : undefined;
        if (own === undefined) throw new Error(`the backup has no password of ${user.name}`);
        const old = document.users.find(({ name }) => name === user.name);
        return { ...user, ...own, generation, lastLogin: old?.lastLogin ?? null };
      });
      const lastUses = new Map(document.tokens.map(({ id, lastUsed }) => [id, lastUsed]));
      const next: AccessDocument = {
        ...{ ...document, users: made },
        tokens: tokens.map((token) => ({ ...token, lastUsed: lastUses.get(token.id) ?? null })),
      };
      return { document: next, result: undefined };
    });
    await endStale(this.#parts);
  }

  differences({ open, secret }: PartContent): BackupDifference[] {
    const incoming = openPart.safeParse(open);
    const hidden = secretPart.safeParse(secret);
    if (secret === undefined || !incoming.success || !hidden.success) return [];
    const now = this.export();
    const found: BackupDifference[] = [];
    const [old, next] = [byName(now.open), byName(incoming.data)];
    for (const name of new Set([...old.keys(), ...next.keys()])) {
      const [before, after] = [old.get(name), next.get(name)];
      if (JSON.stringify(before) !== JSON.stringify(after)) {
        found.push({ pointer: `/users/${name}`, ...(before && { before }), ...(after && { after }) });
      }
      const isSame = JSON.stringify(now.secret.users[name]) === JSON.stringify(hidden.data.users[name]);
      if (before !== undefined && after !== undefined && !isSame) {
        found.push({ pointer: `/users/${name}/password`, before: SECRET_MARK, after: SECRET_MARK });
      }
    }
    if (JSON.stringify(now.secret.tokens) !== JSON.stringify(hidden.data.tokens)) {
      const [before, after] = [now.secret.tokens.length, hidden.data.tokens.length];
      found.push({ pointer: "/tokens", before: `${before} tokens`, after: `${after} tokens` });
    }
    return found;
  }

  notes({ secret }: PartContent): string[] {
    return secret === undefined
      ? ["the backup has no passwords: the users stay as they are"]
      : ["whoever is logged in has to do so again, with the password of the backup"];
  }
}

function byName({ users }: Open): Map<string, Open["users"][number]> {
  return new Map(users.map((user) => [user.name, user]));
}
