/**
 * Slows down who guesses, without shutting anybody out. Memory is bounded: of too many clients the longest unseen is
 * forgotten. Times are milliseconds of a steady clock.
 */

const MINUTE = 60_000;

/** Keeps at most so many entries; the one not set for the longest goes first. */
class Recent<V> extends Map<string, V> {
  readonly #limit: number;

  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  override set(key: string, value: V): this {
    this.delete(key);
    super.set(key, value);
    const [oldest] = this.size > this.#limit ? this.keys() : [];
    if (oldest !== undefined) this.delete(oldest);
    return this;
  }
}

export interface DelayOptions {
  now(): number;
  /** So many failures cost nothing. */
  free: number;
  /** The wait after the next failure; each later one doubles it. */
  firstMs: number;
  longestMs: number;
  /** One failure is forgotten in this time. */
  forgetMs: number;
  limit?: number;
}

/** Failures of each client, and the wait that grows with them. */
export class Delays {
  readonly #options: DelayOptions;
  readonly #clients: Recent<{ failures: number; last: number }>;

  constructor(options: DelayOptions) {
    this.#options = options;
    this.#clients = new Recent(options.limit ?? 10_000);
  }

  /** How long this client has to wait, ms; 0: it may try. */
  wait(client: string): number {
    const entry = this.#clients.get(client);
    if (entry === undefined) return 0;
    const { now, free, firstMs, longestMs } = this.#options;
    const failures = this.#left(entry);
    if (failures < free) return 0;
    return Math.max(0, entry.last + Math.min(firstMs * 2 ** (failures - free), longestMs) - now());
  }

  /** Counts a try as a failure: before its outcome is known, because many may be made at once. */
  count(client: string): void {
    const entry = this.#clients.get(client);
    const failures = Math.min((entry === undefined ? 0 : this.#left(entry)) + 1, this.#options.free + 40);
    this.#clients.set(client, { failures, last: this.#options.now() });
  }

  /** Takes back one counted try that was none. Others stay counted: who has an account may still guess at another. */
  giveBack(client: string): void {
    const entry = this.#clients.get(client);
    if (entry !== undefined) entry.failures = Math.max(0, entry.failures - 1);
  }

  #left({ failures, last }: { failures: number; last: number }): number {
    return Math.max(0, failures - Math.floor((this.#options.now() - last) / this.#options.forgetMs));
  }
}

export interface TurnsOptions {
  now(): number;
  /** So many failures of all clients together cost nothing. */
  free: number;
  /** From then on, the clients get turns so far apart … */
  apartMs: number;
  /** … but none later than this: the longest that the owner waits for the first try, however many others there are. */
  longestMs: number;
  forgetMs: number;
}

/** How long a turn that was given stays good. */
const TURN_GOOD_MS = 5 * MINUTE;

/** Slows down guesses at one thing, such as a user, by many clients: each gets a turn of its own, which nobody else can take. */
export class Turns {
  readonly #options: TurnsOptions;
  readonly #things = new Recent<{ failures: number; last: number; given: number }>(4096);
  readonly #turns = new Recent<number>(16_384);

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** 0: the client may try now, and that counts as a failure; else how long until its turn, ms. */
  take(thing: string, client: string): number {
    const { now, free, apartMs, longestMs, forgetMs } = this.#options;
    const old = this.#things.get(thing) ?? { failures: 0, last: now(), given: 0 };
    const passed = Math.floor((now() - old.last) / forgetMs);
    const entry = { ...old, failures: Math.max(0, old.failures - passed), last: old.last + passed * forgetMs };
    const key = `${thing}\n${client}`;
    const turn = this.#turns.get(key);
    const isGood = turn !== undefined && now() <= turn + TURN_GOOD_MS;
    if (entry.failures >= free && !(isGood && now() >= turn)) {
      if (isGood) return turn - now();
      const given = Math.min(Math.max(now(), entry.given) + apartMs, now() + longestMs);
      this.#things.set(thing, { ...entry, given });
      this.#turns.set(key, given);
      return given - now();
    }
    this.#turns.delete(key);
    // Not more than it takes to stay slow for a while after the guesses have ended.
    this.#things.set(thing, { ...entry, failures: Math.min(entry.failures + 1, free * 3), last: now() });
    return 0;
  }

  /** Takes back a try that was none; `again`: the client may have another at once. */
  giveBack(thing: string, client: string, again = false): void {
    const entry = this.#things.get(thing);
    if (entry !== undefined) entry.failures = Math.max(0, entry.failures - 1);
    if (again) this.#turns.set(`${thing}\n${client}`, this.#options.now());
  }
}

/** One try to log in, which has been counted. */
export interface Try {
  waitMs: 0;
  /** It was no guess: the password was right, or nobody looked at it (`again`). */
  giveBack(again?: boolean): void;
}

export interface Trier {
  user: string;
  /** An address, or a network that counts as one. */
  client: string;
  /** In a network of the box: guesses from elsewhere do not slow these down, nor the other way round. */
  near: boolean;
  /** Of a device that the user has logged in on before. */
  device: string | undefined;
}

/**
 * The throttle of the log-in.
 *
 * - A client (address, or /64 of IPv6) has 5 failures free; then it waits for 1 s, 2 s, 4 s … up to 5 minutes.
 * - A user has 10 failures free, by all unknown devices together and apart for near and far ones; then each client gets
 *   a turn, one a second, and after 60 s at the latest.
 * - A known device has 10 failures that neither of these counts or slows; then it is as unknown as any other.
 * - Codes of the second factor, which are short: 5 free for each user, then a turn each 20 s, after 5 minutes at the latest.
 */
export class LoginThrottle {
  readonly #clients: Delays;
  readonly #users: Turns;
  readonly #devices: Delays;
  readonly #codes: Turns;

  constructor(now: () => number) {
    const slow = { firstMs: 1000, longestMs: 5 * MINUTE, forgetMs: 30 * MINUTE };
    this.#clients = new Delays({ now, free: 5, ...slow });
    this.#devices = new Delays({ now, free: 10, ...slow });
    this.#users = new Turns({ now, free: 10, apartMs: 1000, longestMs: MINUTE, forgetMs: MINUTE });
    this.#codes = new Turns({ now, free: 5, apartMs: 20_000, longestMs: 5 * MINUTE, forgetMs: 10 * MINUTE });
  }

  /** Whether the device still counts as known. */
  trusts(device: string | undefined): device is string {
    return device !== undefined && this.#devices.wait(device) === 0;
  }

  enter({ user, client, near, device }: Trier): Try | { waitMs: number } {
    if (this.trusts(device)) {
      this.#devices.count(device);
      return { waitMs: 0, giveBack: () => this.#devices.giveBack(device) };
    }
    const waitMs = this.#clients.wait(client);
    if (waitMs > 0) return { waitMs };
    const thing = `${near ? "near" : "far"} ${user}`;
    const turnMs = this.#users.take(thing, client);
    if (turnMs > 0) return { waitMs: turnMs };
    this.#clients.count(client);
    return {
      waitMs: 0,
      giveBack: (again) => {
        this.#clients.giveBack(client);
        this.#users.giveBack(thing, client, again);
      },
    };
  }

  /** The same for a code, once the password was right. */
  enterCode({ user, client, device }: Trier): Try | { waitMs: number } {
    if (this.trusts(device)) return { waitMs: 0, giveBack: () => undefined };
    const waitMs = this.#codes.take(user, client);
    return waitMs > 0 ? { waitMs } : { waitMs: 0, giveBack: () => this.#codes.giveBack(user, client) };
  }

  /** Only the budget of the client, for what everybody may try: ms to wait, or 0, and that counts. */
  enterAs(client: string): number {
    const waitMs = this.#clients.wait(client);
    if (waitMs === 0) this.#clients.count(client);
    return waitMs;
  }

  /** Takes a try of `enterAs` back. */
  leaveAs(client: string): void {
    this.#clients.giveBack(client);
  }
}
