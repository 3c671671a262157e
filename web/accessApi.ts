/** Account, users, sessions and tokens of the box. Each call throws ApiError when the box refuses. */
import type { Role, Scope } from "../src/access/principal.ts";
import type { SessionInfo, TokenInfo, UserInfo } from "../src/access/results.ts";
import { ask } from "./api.ts";

const of = encodeURIComponent;

export const changePassword = (current: string, password: string) =>
  ask("PUT", "/account/password", { current, password });

/** The new second factor counts once a code of it has been given. */
export const beginTotp = (password: string) =>
  ask<{ secret: string; uri: string }>("POST", "/account/totp", { password });
export const activateTotp = (code: string) => ask<{ recoveryCodes: string[] }>("PUT", "/account/totp", { code });
export const removeTotp = (password: string) => ask("DELETE", "/account/totp", { password });
export const renewRecoveryCodes = (password: string) =>
  ask<{ recoveryCodes: string[] }>("POST", "/account/recovery-codes", { password });

export const fetchSessions = async () => (await ask<{ sessions: SessionInfo[] }>("GET", "/sessions")).sessions;
export const endSession = (id: string) => ask("DELETE", `/sessions/${of(id)}`);

export interface NewToken {
  name: string;
  role: Role;
  scopes?: Scope[];
  /** ISO 8601. */
  expires?: string;
}

export const fetchTokens = async () => (await ask<{ tokens: TokenInfo[] }>("GET", "/tokens")).tokens;
export const addToken = async (token: NewToken) => (await ask<{ token: string }>("POST", "/tokens", token)).token;
export const removeToken = (id: string) => ask("DELETE", `/tokens/${of(id)}`);

export interface UserChange {
  role?: Role;
  password?: string;
  disabled?: boolean;
}

export const fetchUsers = async () => (await ask<{ users: UserInfo[] }>("GET", "/users")).users;
export const addUser = (user: { name: string; role: Role; password: string }) => ask("POST", "/users", user);
export const changeUser = (name: string, change: UserChange) => ask("PATCH", `/users/${of(name)}`, change);
export const removeUser = (name: string) => ask("DELETE", `/users/${of(name)}`);
export const removeTotpOf = (name: string) => ask("DELETE", `/users/${of(name)}/totp`);
