/** What is stored of users and tokens: the document of `access.json`. Secrets are in it as hashes, but for those of TOTP. */
import { z } from "zod";
import type { Check } from "../config/durableFile.ts";
import { explain, inOneLine } from "../config/explain.ts";
import { text } from "../config/schema/setting.ts";
import { roles, scopes } from "./principal.ts";
import { newSecret } from "./secrets.ts";

export const MAX_USERS = 64;
export const MAX_TOKENS = 64;

/** Names that the audit log has for others than users. */
const RESERVED = new Set(["box", "local", "nobody"]);

const time = z.iso.datetime();
const hexDigest = z.string().regex(/^[0-9a-f]{64}$/);
const id = z.string().regex(/^[0-9a-f]{16}$/);

export const role = z.enum(roles);
export const scope = z.enum(scopes);

export const userName = z
  .string()
  .regex(
    /^[a-z][a-z0-9._-]{0,31}$/,
    "must be 1 to 32 lower-case letters, digits, dots, hyphens and underscores, first a letter",
  )
  .refine((name) => !RESERVED.has(name), "must not be box, local or nobody");

export const tokenName = text(60).min(1);

export const userRecord = z.strictObject({
  name: userName,
  role,
  disabled: z.boolean(),
  /** Argon2id in the PHC string format. */
  password: z.string().startsWith("$argon2id$").max(256),
  /** Counts what ends all sessions: changes of password, role and disabled. */
  generation: z.int().min(1),
  /** Base32; null: logs in without a code. */
  totp: z
    .string()
    .regex(/^[A-Z2-7]{16,64}$/)
    .nullable(),
  recovery: z.array(hexDigest).max(10),
  created: time,
  lastLogin: time.nullable(),
});

export const tokenRecord = z.strictObject({
  id,
  hash: hexDigest,
  name: tokenName,
  owner: userName,
  role,
  scopes: z.array(scope).max(scopes.length).nullable(),
  created: time,
  expires: time.nullable(),
  lastUsed: time.nullable(),
});

const accessDocument = z
  .strictObject({
    version: z.literal(1),
    /** Seals the cookies of known devices. */
    deviceKey: z.string().min(32).max(128),
    users: z.array(userRecord).max(MAX_USERS),
    tokens: z.array(tokenRecord).max(MAX_TOKENS),
  })
  .check((ctx) => {
    const { users, tokens } = ctx.value;
    const issue = (path: (string | number)[], message: string) =>
      ctx.issues.push({ code: "custom", path, message, input: null });
    const names = users.map(({ name }) => name);
    if (new Set(names).size < names.length) issue(["users"], "must not have a name twice");
    if (users.length > 0 && !hasAdmin(users)) issue(["users"], "must have an admin who can log in");
    if (new Set(tokens.map((one) => one.id)).size < tokens.length) issue(["tokens"], "must not have an id twice");
    if (tokens.some(({ owner }) => !names.includes(owner))) issue(["tokens"], "must belong to users");
  });

export type AccessDocument = z.infer<typeof accessDocument>;
export type UserRecord = AccessDocument["users"][number];
export type TokenRecord = AccessDocument["tokens"][number];

export function hasAdmin(users: readonly Pick<UserRecord, "role" | "disabled">[]): boolean {
  return users.some((one) => one.role === "admin" && !one.disabled);
}

export function emptyDocument(): AccessDocument {
  return { version: 1, deviceKey: newSecret(), users: [], tokens: [] };
}

/** Holds a stored document against the schema. What it says of a damaged one tells no values. */
export const checkDocument: Check<AccessDocument> = (document) => {
  const parsed = accessDocument.safeParse(document);
  if (parsed.success) return { ok: true, document: parsed.data };
  const errors = explain(accessDocument, document, parsed.error.issues).map(({ pointer }) => ({
    pointer,
    message: "is not as it should be",
  }));
  return { ok: false, what: `is not valid: ${inOneLine(errors)}` };
};
