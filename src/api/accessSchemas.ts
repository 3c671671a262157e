/** The shapes of log-in, account, sessions, tokens and users, for the OpenAPI document and the tests. */
import { z } from "zod";
import { role, scope, tokenName, userName } from "../access/document.ts";
import { PASSWORD_LENGTH } from "../access/policy.ts";
import { scopes } from "../access/principal.ts";
import type { SessionInfo, Standing, TokenInfo, UserInfo } from "../access/results.ts";
import { set } from "../config/schema/setting.ts";
import type { Same } from "./schemas.ts";

const time = z.iso.datetime();

// ---- answers ---------------------------------------------------------------------------------------------------------

const standing = z.object({
  name: z.string(),
  role,
  via: z.enum(["session", "token", "local", "setup"]),
  secondFactor: z.boolean(),
  mustEnrol: z.boolean(),
  expires: time.nullable(),
});

export const sessionState = z.object({ setup: z.boolean(), user: standing.nullable() });

export const userInfo = z.object({
  name: z.string(),
  role,
  disabled: z.boolean(),
  secondFactor: z.boolean(),
  recoveryCodes: z.int().min(0),
  created: time,
  lastLogin: time.nullable(),
});
export const userList = z.object({ users: z.array(userInfo) });

export const sessionInfo = z.object({
  id: z.string(),
  user: z.string(),
  address: z.string(),
  agent: z.string(),
  created: time,
  lastSeen: time,
  expires: time,
  current: z.boolean(),
});
export const sessionList = z.object({ sessions: z.array(sessionInfo) });

export const tokenInfo = z.object({
  id: z.string(),
  name: z.string(),
  owner: z.string(),
  role,
  scopes: z.array(scope).nullable(),
  created: time,
  expires: time.nullable(),
  lastUsed: time.nullable(),
});
export const tokenList = z.object({ tokens: z.array(tokenInfo) });
export const madeToken = z.object({ ...tokenInfo.shape, token: z.string() });

export const totpSecret = z.object({ secret: z.string(), uri: z.string() });
export const recoveryCodes = z.object({ recoveryCodes: z.array(z.string()) });

// ---- requests --------------------------------------------------------------------------------------------------------

/** Any password that is told to be compared: as long as one can be, in characters of two UTF-16 units each. */
const given = (label: string) =>
  z
    .string()
    .max(PASSWORD_LENGTH.max * 2)
    .meta(set(label, "none", { secret: true }));

const newPassword = given("Password");
const code = z
  .string()
  .max(40)
  .meta(set("Code", "none", { secret: true, help: "Six digits of the authenticator app, or a recovery code" }));

/** The name is a secret, too: people type passwords into the wrong field. */
export const logInRequest = z.strictObject({
  user: z
    .string()
    .max(64)
    .meta(set("User", "none", { secret: true })),
  password: given("Password"),
  code: code.exactOptional(),
});

export const setUpRequest = z.strictObject({ password: newPassword });
export const passwordChange = z.strictObject({ current: given("Current password"), password: newPassword });
export const passwordConfirmation = z.strictObject({ password: given("Password") });
export const totpActivation = z.strictObject({ code });

export const tokenRequest = z.strictObject({
  name: tokenName,
  role,
  scopes: z.array(scope).min(1).max(scopes.length).exactOptional(),
  expires: time.nullable().exactOptional(),
});

export const userRequest = z.strictObject({ name: userName, role, password: newPassword });
export const userPatch = z.strictObject({
  role: role.exactOptional(),
  password: newPassword.exactOptional(),
  disabled: z.boolean().exactOptional(),
});

// ---- names -----------------------------------------------------------------------------------------------------------

export const ACCESS_ANSWERS: readonly [z.ZodType, string][] = [
  [sessionState, "SessionState"],
  [userInfo, "User"],
  [userList, "UserList"],
  [sessionInfo, "Session"],
  [sessionList, "SessionList"],
  [tokenInfo, "Token"],
  [tokenList, "TokenList"],
  [madeToken, "MadeToken"],
  [totpSecret, "TotpSecret"],
  [recoveryCodes, "RecoveryCodes"],
];

export const ACCESS_REQUESTS: readonly [z.ZodType, string][] = [
  [logInRequest, "LogIn"],
  [setUpRequest, "SetUp"],
  [passwordChange, "PasswordChange"],
  [passwordConfirmation, "PasswordConfirmation"],
  [totpActivation, "TotpActivation"],
  [tokenRequest, "NewToken"],
  [userRequest, "NewUser"],
  [userPatch, "UserPatch"],
];

true satisfies Same<z.infer<typeof standing>, Standing>;
true satisfies Same<z.infer<typeof userInfo>, UserInfo>;
true satisfies Same<z.infer<typeof sessionInfo>, SessionInfo>;
true satisfies Same<z.infer<typeof tokenInfo>, TokenInfo>;
