/** Logging in: with a password and, where there is one, a second factor; for the first time with the default login. */
import { clientOf, isNear, plainAddress } from "./addresses.ts";
import type { UserRecord } from "./document.ts";
import { FailureNews } from "./failureNews.ts";
import { BUSY } from "./fairQueue.ts";
import { type Parts, refuseWeak } from "./parts.ts";
import type { Principal } from "./principal.ts";
import type { LoggedIn, LoginResult, Refused, SetUpResult, Throttled } from "./results.ts";
import { digest, knownDevice, newDevice, newId, newSecret, same } from "./secrets.ts";
import { Delays, LoginThrottle, type Trier, type Try } from "./throttle.ts";
import { recoveryHash, stepOf } from "./totp.ts";

/** What opens a box that has no user yet, from its own networks, and only to set the password of this user. */
export const DEFAULT_LOGIN = { user: "admin", password: "admin" };

/** How long somebody may take to set the first password, ms. */
const SETUP_MS = 15 * 60_000;
const SETUP_SESSIONS = 16;

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

interface SetupSession {
  id: string;
  began: number;
}

const REFUSED: Refused = { ok: false, reason: "refused" };

export class Login {
  readonly #parts: Parts;
  readonly #networks: () => readonly string[];
  readonly #throttle: LoginThrottle;
  /** Passwords asked again of who has logged in already, by user. */
  readonly #confirmations: Delays;
  readonly #failures: FailureNews;
  /** By the digest of their secrets. */
  readonly #setups = new Map<string, SetupSession>();
  /** Recovery codes that are used up, also while the disk cannot be written. */
  readonly #spent = new Set<string>();
  /** Hashes that are being made anew. */
  #renewals: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts, networks: () => readonly string[]) {
    this.#parts = parts;
    this.#networks = networks;
    const now = () => parts.steady();
    this.#throttle = new LoginThrottle(now);
    const minutes = { longestMs: 5 * 60_000, forgetMs: 30 * 60_000 };
    this.#confirmations = new Delays({ now, free: 5, firstMs: 1000, ...minutes });
    this.#failures = new FailureNews(now, (event) => parts.record(event));
  }

  /** Waits for what is done in the background. */
  async stop(): Promise<void> {
    await this.#renewals;
  }

  get needsSetup(): boolean {
    return this.#parts.book.current.users.length === 0;
  }

  async logIn(request: LoginRequest): Promise<LoginResult> {
    const { book, hashing } = this.#parts;
    const trier = this.#trierOf(request);
    if (this.needsSetup) return this.#defaultLogIn(request, trier);
    const entry = this.#throttle.enter(trier);
    if (!isTry(entry)) return throttled(entry.waitMs);
    const found = book.user(trier.user);
    const client = this.#throttle.trusts(trier.device) ? "urgent" : trier.client;
    const right = await hashing.check(found?.password, request.password, client);
    if (right === BUSY) {
      entry.giveBack(true);
      return throttled(1000);
    }
    // The user may be another one by now.
    const user = book.user(trier.user);
    if (!right || user === undefined || user.disabled || user.password !== found?.password) {
      return this.#refuse(request, user, right ? "the user is disabled" : "wrong user or password");
    }
    if (user.totp !== null) {
      const refused = await this.#secondFactor(user, user.totp, request, trier, entry);
      if (refused !== undefined) return refused;
    }
    entry.giveBack();
    if (hashing.isOutdated(user.password)) this.#rehash(user, request.password);
    return await this.#admit(user, request, trier.device === undefined ? undefined : request.device);
  }

  /** Makes the first admin in a set-up session, which with all others of its kind is over then. */
  async setUp(principal: Principal, password: string, agent = ""): Promise<SetUpResult> {
    const { book, hashing, now } = this.#parts;
    const over = { ok: false, reason: "over" } as const;
    const { user: name } = DEFAULT_LOGIN;
    if (principal.via !== "setup" || !this.needsSetup) return over;
    const weak = await refuseWeak(this.#parts, name, password);
    if (weak !== undefined) return weak;
    const user: UserRecord = {
      ...{ name, role: "admin", disabled: false, password: await hashing.make(password), generation: 1 },
      ...{ totp: null, recovery: [], created: now().toISOString(), lastLogin: null },
    };
    const first = await book.change((document) => {
      if (document.users.length > 0) return { result: false };
      return { document: { ...document, users: [user] }, after: () => this.#setups.clear(), result: true };
    });
    if (!first) return over;
    return await this.#admit(user, { address: principal.address, agent }, undefined);
  }

  /** Who has this secret of a set-up session. */
  identifySetup(secret: string, address: string): Principal | undefined {
    const one = this.#setups.get(digest(secret));
    if (one === undefined || !this.needsSetup || this.#parts.steady() >= one.began + SETUP_MS) return undefined;
    return isNear(address, this.#networks()) ? setupPrincipal(one.id, plainAddress(address)) : undefined;
  }

  setupLeft(id: string): number | undefined {
    const one = [...this.#setups.values()].find((session) => session.id === id);
    return one === undefined || !this.needsSetup ? undefined : one.began + SETUP_MS - this.#parts.steady();
  }

  endSetup(id: string): void {
    for (const [hash, one] of this.#setups) if (one.id === id) this.#setups.delete(hash);
  }

  /** Asks who has logged in already for the password once more. */
  async confirmPassword(principal: Principal, password: string): Promise<{ ok: true } | Refused | Throttled> {
    const { book, hashing } = this.#parts;
    // The file permissions of its socket let only those in who may do everything anyway.
    if (principal.via === "local") return { ok: true };
    const { name } = principal;
    const user = principal.via === "setup" ? undefined : book.user(name);
    if (user === undefined) return REFUSED;
    const waitMs = this.#confirmations.wait(name);
    if (waitMs > 0) return throttled(waitMs);
    this.#confirmations.count(name);
    const right = await hashing.check(user.password, password, "urgent");
    if (right !== true) return REFUSED;
    this.#confirmations.giveBack(name);
    return { ok: true };
  }

  #trierOf({ user, address, device }: LoginRequest): Trier {
    const name = user.trim().toLowerCase().slice(0, 64);
    const record = this.#parts.book.user(name);
    const { deviceKey } = this.#parts.book.current;
    const known = record === undefined ? undefined : knownDevice(device, deviceKey, deviceOwner(record));
    return { user: name, client: clientOf(address), near: isNear(address, this.#networks()), device: known };
  }

  #defaultLogIn(request: LoginRequest, { user, client, near }: Trier): LoginResult {
    const waitMs = this.#throttle.enterAs(client);
    if (waitMs > 0) return throttled(waitMs);
    const right = same(`${user}\n${request.password}`, `${DEFAULT_LOGIN.user}\n${DEFAULT_LOGIN.password}`);
    if (!right) return this.#refuse(request, undefined, "the box is to be set up with the default login");
    if (!near) return this.#refuse(request, undefined, "the default login works from the networks of the box only");
    this.#throttle.leaveAs(client);
    const secret = newSecret();
    const one = { id: newId(), began: this.#parts.steady() };
    const [oldest] = this.#setups.size >= SETUP_SESSIONS ? this.#setups.keys() : [];
    if (oldest !== undefined) this.#setups.delete(oldest);
    this.#setups.set(digest(secret), one);
    const principal = setupPrincipal(one.id, plainAddress(request.address));
    this.#parts.record({ who: principal, what: "logIn", target: "setup", result: "done" });
    return { ok: true, principal, session: secret, expires: this.#in(SETUP_MS) };
  }

  /** What to answer instead of letting the user in. */
  async #secondFactor(
    user: UserRecord,
    secret: string,
    request: LoginRequest,
    trier: Trier,
    entry: Try,
  ): Promise<LoginResult | undefined> {
    const { code = "" } = request;
    if (code.trim() === "") {
      entry.giveBack();
      return { ok: false, reason: "code-needed" };
    }
    const codeEntry = this.#throttle.enterCode(trier);
    if (!isTry(codeEntry)) {
      // Not a guess at the password, and its turn must not be lost.
      entry.giveBack(true);
      return throttled(codeEntry.waitMs);
    }
    const step = stepOf(secret, code, this.#parts.now());
    const right =
      step === undefined ? await this.#spend(user, recoveryHash(code)) : this.#parts.sessions.takeStep(user.name, step);
    if (!right) return this.#refuse(request, user, "the password was right, the code of the second factor was not");
    codeEntry.giveBack();
    return undefined;
  }

  /** Uses up a recovery code, for good also when that cannot be stored now: a disk that is full keeps nobody out. */
  async #spend({ name }: UserRecord, hash: string): Promise<boolean> {
    const { book } = this.#parts;
    if (this.#spent.has(hash) || !book.user(name)?.recovery.includes(hash)) return false;
    this.#spent.add(hash);
    await book.attempt((document) => ({
      document: {
        ...document,
        users: document.users.map((user) => ({
          ...user,
          recovery: user.recovery.filter((one) => !this.#spent.has(one)),
        })),
      },
      result: undefined,
    }));
    return true;
  }

  async #admit(
    user: UserRecord,
    { address, agent = "" }: { address: string; agent?: string | undefined },
    device: string | undefined,
  ): Promise<LoggedIn> {
    const { book, sessions } = this.#parts;
    const { name, role, generation } = user;
    const from = plainAddress(address);
    const { secret, session } = await sessions.begin({ user: name, generation, address: from, agent });
    book.markLogin(name);
    const principal: Principal = { name, role, via: "session", id: session.id, address: from };
    this.#parts.record({ who: principal, what: "logIn", target: name, result: "done" });
    const known = device ?? newDevice(book.current.deviceKey, deviceOwner(user));
    return { ok: true, principal, session: secret, device: known, expires: this.#in(sessions.left(session)) };
  }

  #refuse({ address }: LoginRequest, user: UserRecord | undefined, detail: string): Refused {
    // What was typed as a name is not told: it may be a password, typed into the wrong field.
    this.#failures.tell({
      who: { name: user?.name ?? "nobody", role: "viewer", via: "session", address: plainAddress(address) },
      ...{ what: "logIn", target: user?.name ?? "unknown user", result: "refused", detail },
    });
    return REFUSED;
  }

  /** In the background: it serves a later log-in. */
  #rehash({ name, password: outdated }: UserRecord, password: string): void {
    const { book, hashing } = this.#parts;
    const before = this.#renewals;
    const renewal = hashing.make(password).then((made) =>
      book.attempt((document) => ({
        document: {
          ...document,
          users: document.users.map((user) =>
            user.name === name && user.password === outdated ? { ...user, password: made } : user,
          ),
        },
        result: undefined,
      })),
    );
    this.#renewals = Promise.all([before, renewal]);
  }

  #in(ms: number): Date {
    return new Date(this.#parts.now().getTime() + ms);
  }
}

/** A user of the same name who is made later has other devices. */
const deviceOwner = ({ name, created }: UserRecord): string => `${name} ${created}`;

function setupPrincipal(id: string, address: string): Principal {
  return { name: DEFAULT_LOGIN.user, role: "admin", via: "setup", id, address };
}

function isTry(entry: Try | { waitMs: number }): entry is Try {
  return entry.waitMs === 0;
}

function throttled(waitMs: number): Throttled {
  return { ok: false, reason: "throttled", retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
}
