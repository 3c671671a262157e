/** Who may do what: users, log-in, sessions, API tokens and second factors. */
import type { Bus } from "../bus.ts";
import type { StoreProblem } from "../config/durableFile.ts";
import { type FilePort, files as realFiles } from "../config/files.ts";
import { Account } from "./account.ts";
import { plainAddress } from "./addresses.ts";
import { UsersPart } from "./backup.ts";
import { Book } from "./book.ts";
import { type HashCost, Hashing } from "./hashing.ts";
import { Login, type LoginRequest } from "./login.ts";
import { type AccessSettings, endStale, mustEnrol, type Parts } from "./parts.ts";
import type { Principal } from "./principal.ts";
import type { AuditRecorder } from "./record.ts";
import type { Change, LoginResult, Refused, SessionInfo, SetUpResult, Standing, Throttled } from "./results.ts";
import { type Session, Sessions } from "./sessions.ts";
import { Tokens } from "./tokens.ts";
import { Users } from "./users.ts";

export interface AccessOptions {
  /** Of the data partition; holds `access.json`. */
  folder: string;
  /** In memory; holds `sessions.json`, with which sessions survive a restart of the supervisor. */
  runtimeFolder: string;
  bus: Bus;
  settings(): AccessSettings;
  /** The networks that the box is in itself, such as `192.168.1.0/24`; loopback and link-local need not be told. */
  localNetworks(): readonly string[];
  /** Name of the box. */
  boxName?(): string;
  audit?: AuditRecorder;
  files?: FilePort;
  runtimeFiles?: FilePort;
  /** The time of the day. */
  now?(): Date;
  /** A clock that nobody sets and that runs on over restarts of the supervisor, ms. The default is the kernel's. */
  clock?: { now(): number; after(ms: number, call: () => void): () => void };
  /** The default is HASH_COST; tests can't wait so long. */
  hashCost?: HashCost;
  /** Names this run of the machine; the default is the kernel's boot id. */
  boot?: string;
}

/** What a request shows of who sends it. */
export interface Credentials {
  /** Value of the session cookie. */
  cookie?: string | undefined;
  /** What follows `Authorization: Bearer`. */
  bearer?: string | undefined;
  /** Of the peer, without a port. */
  address: string;
  /** The page asks by itself: this does not count as use of the session. */
  background?: boolean;
}

const steadyClock = {
  // CLOCK_MONOTONIC: from the start of the machine on, the same for all processes.
  now: () => Number(process.hrtime.bigint() / 1_000_000n),
  after: (ms: number, call: () => void) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

export class AccessService {
  readonly #parts: Parts;
  readonly #bus: Bus;
  readonly #login: Login;
  readonly #hashing: Hashing;
  /** One's own password and second factor. */
  readonly account: Account;
  readonly users: Users;
  readonly tokens: Tokens;
  /** The users and their tokens, for backups. */
  readonly backup: UsersPart;

  constructor(options: AccessOptions) {
    const { folder, files, bus, audit, settings, clock = steadyClock, now = () => new Date() } = options;
    this.#bus = bus;
    this.#hashing = new Hashing(options.hashCost);
    const lifetime = () => {
      const { idleMinutes, sessionHours } = settings();
      return { idleMs: idleMinutes * 60_000, longestMs: sessionHours * 3600_000 };
    };
    this.#parts = {
      book: new Book({ folder, files, bus, now }),
      sessions: new Sessions({
        ...{ folder: options.runtimeFolder, files: options.runtimeFiles ?? realFiles, bus, clock, lifetime },
        boot: options.boot,
      }),
      ...{ hashing: this.#hashing, settings, now },
      boxName: options.boxName ?? (() => ""),
      steady: () => clock.now(),
      record: (event) => audit?.record(event),
    };
    this.#login = new Login(this.#parts, options.localNetworks);
    this.account = new Account(this.#parts, this.#login);
    this.users = new Users(this.#parts);
    this.tokens = new Tokens(this.#parts);
    this.backup = new UsersPart(this.#parts);
  }

  /** Finds users and sessions. Never fails for damaged files: `problems` and the log tell what was lost. */
  async start(): Promise<void> {
    const isLost = await this.#parts.book.start();
    await this.#parts.sessions.start();
    await endStale(this.#parts);
    if (!isLost) return;
    const detail = "both copies of access.json are damaged: there are no users, and the box is to be set up again";
    this.#bus.emit("log", { level: "error", source: "access", message: detail });
    const who = { name: "box", role: "admin", via: "local", address: "" } as const;
    this.#parts.record({ who, what: "loseUsers", target: "users", result: "failed", detail });
  }

  /** Waits for the changes in hand. */
  async stop(): Promise<void> {
    await this.#login.stop();
    await this.#parts.book.stop();
    await this.#parts.sessions.stop();
  }

  /** Whether the box has no user yet: until then, only the default login and the set-up are there. */
  get needsSetup(): boolean {
    return this.#login.needsSetup;
  }

  /** What was wrong with the stored users since the start, oldest first. */
  problems(): readonly StoreProblem[] {
    return this.#parts.book.problems();
  }

  /** How many passwords were held against a hash since the start, which is what guessing costs. */
  get passwordsChecked(): number {
    return this.#hashing.checked;
  }

  /**
   * Who sends a request; undefined for nobody, and for what is not valid any more. Counts as use of the session unless it is in the background. A token
   * that is not valid is not made up for by a cookie.
   */
  identify({ cookie, bearer, address, background = false }: Credentials): Principal | undefined {
    const from = plainAddress(address);
    if (bearer !== undefined) return this.tokens.identify(bearer, from);
    if (cookie === undefined) return undefined;
    const session = this.#parts.sessions.use(cookie, from, !background);
    return session === undefined ? this.#login.identifySetup(cookie, from) : this.#principalOf(session, from);
  }

  /**
   * Whether somebody identified before is still let in, and still as what they were. Does not count as use: for streams,
   * which outlast the request that opened them.
   */
  holds({ via, id, role }: Principal): boolean {
    switch (via) {
      case "local":
        return true;
      case "setup":
        return (this.#login.setupLeft(id) ?? 0) > 0;
      case "token":
        return this.tokens.roleOf(id) === role;
      case "session": {
        const session = this.#parts.sessions.get(id);
        return session !== undefined && this.#principalOf(session, "")?.role === role;
      }
    }
  }

  /** More of a principal; `mustEnrol` shuts everything but the account routes. */
  standing({ name, role, via, id }: Principal): Standing {
    const user = via === "session" || via === "token" ? this.#parts.book.user(name) : undefined;
    const enrol = via === "session" && user !== undefined && mustEnrol(this.#parts, user);
    const about = { name, role, via, secondFactor: (user?.totp ?? null) !== null, mustEnrol: enrol };
    return { ...about, expires: this.#expiryOf(via, id) };
  }

  logIn(request: LoginRequest): Promise<LoginResult> {
    return this.#login.logIn(request);
  }

  /** Ends the session; a token stays what it is. */
  async logOut({ via, id }: Principal): Promise<void> {
    if (via === "setup") this.#login.endSetup(id);
    if (via === "session") await this.#parts.sessions.keep((one) => one.id !== id);
  }

  /** Sets the first password, and so makes the user `admin`. */
  setUp(principal: Principal, password: string, agent?: string): Promise<SetUpResult> {
    return this.#login.setUp(principal, password, agent);
  }

  /** Asks for the password again before something grave; always right for programs on the box itself. */
  confirmPassword(principal: Principal, password: string): Promise<{ ok: true } | Refused | Throttled> {
    return this.#login.confirmPassword(principal, password);
  }

  /** One's own sessions; for an admin, all. */
  sessions(principal: Principal): SessionInfo[] {
    const { sessions } = this.#parts;
    return sessions
      .list()
      .filter((one) => maySee(principal, one))
      .map((one) => ({
        ...{ id: one.id, user: one.user, address: one.address, agent: one.agent },
        ...{ created: this.#timeOf(one.began), lastSeen: this.#timeOf(one.seen) },
        expires: this.#timeIn(sessions.left(one)),
        current: one.id === principal.id,
      }));
  }

  async endSession(principal: Principal, id: string): Promise<Change<"unknown">> {
    const { sessions } = this.#parts;
    const session = sessions.get(id);
    if (session === undefined || !maySee(principal, session)) return { ok: false, reason: "unknown" };
    await sessions.keep((one) => one.id !== id);
    return { ok: true };
  }

  #principalOf({ id, user: name, generation }: Session, address: string): Principal | undefined {
    const user = this.#parts.book.user(name);
    if (user === undefined || user.disabled || user.generation !== generation) return undefined;
    return { name, role: user.role, via: "session", id, address };
  }

  #expiryOf(via: Principal["via"], id: string): string | null {
    switch (via) {
      case "local":
        return null;
      case "token":
        return this.tokens.get(id)?.expires ?? null;
      case "setup":
        return this.#timeIn(this.#login.setupLeft(id) ?? 0);
      case "session": {
        const session = this.#parts.sessions.get(id);
        return this.#timeIn(session === undefined ? 0 : this.#parts.sessions.left(session));
      }
    }
  }

  #timeOf(steady: number): string {
    return this.#timeIn(steady - this.#parts.steady());
  }

  #timeIn(ms: number): string {
    return new Date(this.#parts.now().getTime() + ms).toISOString();
  }
}

function maySee({ name, role }: Principal, { user }: Session): boolean {
  return role === "admin" || user === name;
}
