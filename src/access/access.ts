/** Who may do what: users, log-in, sessions, API tokens and second factors. */
import type { Bus } from "../bus.ts";
import type { StoreProblem } from "../config/durableFile.ts";
import type { FilePort } from "../config/files.ts";
import type { AccessConfig } from "../config/schema/administration.ts";
import type { Principal, Role, Scope } from "./principal.ts";
import type { AuditRecorder } from "./record.ts";
import type {
  Change,
  LoginResult,
  Refused,
  SessionInfo,
  SetUpResult,
  Standing,
  Throttled,
  TokenInfo,
  UserInfo,
  WeakPassword,
} from "./results.ts";

export interface AccessOptions {
  /** Of the data partition; holds `access.json`. */
  folder: string;
  /** In memory; holds `sessions.json`, with which sessions survive a restart of the supervisor. */
  runtimeFolder: string;
  bus: Bus;
  settings(): Pick<AccessConfig, "idleMinutes" | "sessionHours" | "secondFactor">;
  /** The networks that the box is in itself, such as `192.168.1.0/24`; loopback and link-local need not be told. */
  localNetworks(): readonly string[];
  audit?: AuditRecorder;
  files?: FilePort;
  now?(): Date;
}

/** What a request shows of who sends it. */
export interface Credentials {
  /** Value of the session cookie. */
  cookie?: string | undefined;
  /** What follows `Authorization: Bearer`. */
  bearer?: string | undefined;
  /** Of the peer, without a port. */
  address: string;
}

export interface LoginRequest {
  user: string;
  password: string;
  /** Of the authenticator app, or a recovery code. */
  code?: string | undefined;
  address: string;
  /** Value of the device cookie. */
  device?: string | undefined;
  /** What the browser calls itself. */
  agent?: string | undefined;
}

export class AccessService {
  constructor(_options: AccessOptions) {}

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  /** Whether the box has no user yet. */
  get needsSetup(): boolean {
    return todo();
  }
  /** What was wrong with the stored users since the start. */
  problems(): readonly StoreProblem[] {
    return todo();
  }

  /** Who sends a request; undefined for nobody, or what is not valid any more. Counts as use of the session. */
  identify(_credentials: Credentials): Principal | undefined {
    return todo();
  }
  /** Whether a session or token still holds, with this role and these scopes. Does not count as use of it. */
  holds(_principal: Principal): boolean {
    return todo();
  }
  /** More of a principal, for the page; `mustEnrol` shuts everything but the account routes. */
  standing(_principal: Principal): Standing {
    return todo();
  }

  logIn(_request: LoginRequest): Promise<LoginResult> {
    return todo();
  }
  logOut(_principal: Principal): Promise<void> {
    return todo();
  }
  setUp(_principal: Principal, _password: string, _agent?: string): Promise<SetUpResult> {
    return todo();
  }
  /** Asks for the password again before something grave; always right for programs on the box itself. */
  confirmPassword(_principal: Principal, _password: string): Promise<{ ok: true } | Refused | Throttled> {
    return todo();
  }

  // ---- the own account ----
  changePassword(
    _principal: Principal,
    _current: string,
    _password: string,
  ): Promise<{ ok: true } | Refused | Throttled | WeakPassword> {
    return todo();
  }
  beginTotp(
    _principal: Principal,
    _password: string,
  ): Promise<Change<never, { secret: string; uri: string }> | Refused | Throttled> {
    return todo();
  }
  activateTotp(
    _principal: Principal,
    _code: string,
  ): Promise<Change<"not-begun" | "wrong-code", { recoveryCodes: string[] }>> {
    return todo();
  }
  removeTotp(_principal: Principal, _password: string): Promise<{ ok: true } | Refused | Throttled> {
    return todo();
  }
  renewRecoveryCodes(
    _principal: Principal,
    _password: string,
  ): Promise<Change<"no-totp", { recoveryCodes: string[] }> | Refused | Throttled> {
    return todo();
  }

  // ---- sessions and tokens: one's own, an admin's all ----
  sessions(_principal: Principal): SessionInfo[] {
    return todo();
  }
  endSession(_principal: Principal, _id: string): Promise<Change<"unknown">> {
    return todo();
  }
  tokens(_principal: Principal): TokenInfo[] {
    return todo();
  }
  addToken(
    _principal: Principal,
    _token: { name: string; role: Role; scopes?: readonly Scope[] | undefined; expires?: Date | undefined },
  ): Promise<Change<"too-many" | "forbidden" | "expiry", { token: string; info: TokenInfo }>> {
    return todo();
  }
  removeToken(_principal: Principal, _id: string): Promise<Change<"unknown">> {
    return todo();
  }

  // ---- users ----
  users(): UserInfo[] {
    return todo();
  }
  addUser(_user: {
    name: string;
    role: Role;
    password: string;
  }): Promise<Change<"exists" | "too-many"> | WeakPassword> {
    return todo();
  }
  changeUser(
    _name: string,
    _change: { role?: Role | undefined; password?: string | undefined; disabled?: boolean | undefined },
  ): Promise<Change<"unknown" | "last-admin"> | WeakPassword> {
    return todo();
  }
  removeUser(_name: string): Promise<Change<"unknown" | "last-admin">> {
    return todo();
  }
  removeTotpOf(_name: string): Promise<Change<"unknown">> {
    return todo();
  }

  /** For the front panel: gives the admin a new password, shown there, and ends all of their sessions. */
  resetPassword(): Promise<{ user: string; password: string }> {
    return todo();
  }
  /** For the factory reset: forgets everybody; the box is to be set up again. */
  clear(): Promise<void> {
    return todo();
  }
}

function todo(): never {
  throw new Error("not there yet");
}
