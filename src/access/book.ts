/** Users and tokens as they are stored. Changes run one after the other, each is on the disk before it counts. */
import type { Bus } from "../bus.ts";
import { DurableJsonFile, StoreError, type StoreProblem } from "../config/durableFile.ts";
import type { FilePort } from "../config/files.ts";
import { deepFreeze } from "../config/json.ts";
import { type AccessDocument, checkDocument, emptyDocument, type TokenRecord, type UserRecord } from "./document.ts";

export interface BookOptions {
  folder: string;
  bus: Bus;
  files?: FilePort | undefined;
  now(): Date;
}

/** What comes out of a change: without a document, nothing is stored. */
export interface Edit<T> {
  document?: AccessDocument;
  /** Called at once when the document counts. */
  after?: () => void;
  result: T;
}

/** Log-ins and uses of tokens are stored with the next change, and by themselves when what is stored is this old, ms. */
const LOGIN_STALE_MS = 3600_000;
const USE_STALE_MS = 24 * 3600_000;
/** On a disk that fails, each use would try again. */
const MARKS_APART_MS = 60_000;
const MAX_PROBLEMS = 20;

export class Book {
  readonly #bus: Bus;
  readonly #now: () => Date;
  readonly #file: DurableJsonFile<AccessDocument>;
  readonly #problems: StoreProblem[] = [];
  #document: AccessDocument | undefined;
  #revision = 0;
  #tokens = new Map<string, TokenRecord>();
  #queue: Promise<unknown> = Promise.resolve();
  /** Not stored yet: when each user logged in, and each token was used. */
  readonly #logins = new Map<string, string>();
  readonly #uses = new Map<string, string>();
  #marksTried = Number.NEGATIVE_INFINITY;

  constructor({ folder, bus, files, now }: BookOptions) {
    this.#bus = bus;
    this.#now = now;
    this.#file = new DurableJsonFile({
      ...{ folder, name: "access", check: checkDocument, now, report: (problem) => this.#report(problem) },
      ...(files === undefined ? {} : { files }),
    });
  }

  /**
   * Finds the users. When both copies are damaged there are none, and the box is to be set up again, which works from
   * its own networks only. To stay shut would not keep anybody out who can write to its disk: they could as well store
   * a user of their own.
   * @returns whether users were lost
   */
  async start(): Promise<boolean> {
    const known = this.#problems.length;
    const stored = await this.#file.read();
    this.#accept(stored?.document ?? emptyDocument());
    this.#revision = stored?.revision ?? 0;
    if (stored === null) return this.#problems.slice(known).some(({ file }) => file.startsWith("access."));
    if (!this.#file.settled) await this.#write(this.current).catch((error: unknown) => this.#tell(error));
    return false;
  }

  async stop(): Promise<void> {
    if (this.#logins.size + this.#uses.size > 0) await this.#storeMarks();
    await this.#queue;
  }

  get current(): AccessDocument {
    if (this.#document === undefined) throw new Error("the access service is not running");
    return this.#document;
  }

  problems(): readonly StoreProblem[] {
    return this.#problems;
  }

  user(name: string): UserRecord | undefined {
    return this.current.users.find((user) => user.name === name);
  }

  /** The token with this digest, if it has not expired and its owner may log in. */
  token(digest: string): TokenRecord | undefined {
    const token = this.#tokens.get(digest);
    if (token === undefined || (token.expires !== null && Date.parse(token.expires) <= this.#now().getTime())) return;
    return this.user(token.owner)?.disabled === false ? token : undefined;
  }

  /** Changes the document. Rejects with StoreError when it cannot be stored; then nothing has changed. */
  change<T>(edit: (document: AccessDocument) => Edit<T>): Promise<T> {
    const done = this.#queue.then(async () => {
      const { document, after, result } = edit(this.current);
      if (document !== undefined) await this.#write(document);
      after?.();
      return result;
    });
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** The same for what is no reason to refuse anything: what cannot be stored is told in the log. */
  attempt(edit: (document: AccessDocument) => Edit<void>): Promise<void> {
    return this.change(edit).catch((error: unknown) => this.#tell(error));
  }

  /** Keeps that a user has logged in. It counts at once; a disk that is full keeps nobody out. */
  markLogin(name: string): void {
    this.#mark(this.#logins, name, this.user(name)?.lastLogin, LOGIN_STALE_MS);
  }

  /** Keeps that a token was used, to the hour. */
  markUse({ id, lastUsed }: TokenRecord): void {
    this.#mark(this.#uses, id, lastUsed, USE_STALE_MS);
  }

  lastLogin({ name, lastLogin }: UserRecord): string | null {
    return this.#logins.get(name) ?? lastLogin;
  }

  lastUsed({ id, lastUsed }: TokenRecord): string | null {
    const used = this.#uses.get(id) ?? lastUsed;
    return used === null ? null : `${used.slice(0, 13)}:00:00.000Z`;
  }

  #mark(marks: Map<string, string>, key: string, stored: string | null | undefined, staleMs: number): void {
    const now = this.#now();
    marks.set(key, now.toISOString());
    const isStale = now.getTime() - Date.parse(stored ?? "1970-01-01") > staleMs;
    if (!isStale || Math.abs(now.getTime() - this.#marksTried) < MARKS_APART_MS) return;
    this.#marksTried = now.getTime();
    void this.#storeMarks();
  }

  #storeMarks(): Promise<void> {
    return this.attempt((document) => ({ document, result: undefined }));
  }

  async #write(document: AccessDocument): Promise<void> {
    const [logins, uses] = [new Map(this.#logins), new Map(this.#uses)];
    const marked = {
      ...document,
      users: document.users.map((user) => ({ ...user, lastLogin: logins.get(user.name) ?? user.lastLogin })),
      tokens: document.tokens.map((token) => ({ ...token, lastUsed: uses.get(token.id) ?? token.lastUsed })),
    };
    const checked = checkDocument(marked);
    if (!checked.ok) throw new Error(`access.json must not be written: it ${checked.what}`);
    const revision = this.#revision + 1;
    await this.#file.write({ revision, saved: this.#now().toISOString(), document: marked });
    this.#revision = revision;
    this.#accept(marked);
    forget(this.#logins, logins);
    forget(this.#uses, uses);
  }

  #accept(document: AccessDocument): void {
    this.#document = deepFreeze(document);
    this.#tokens = new Map(document.tokens.map((token) => [token.hash, token]));
  }

  #report(problem: StoreProblem): void {
    this.#problems.push(problem);
    if (this.#problems.length > MAX_PROBLEMS) this.#problems.shift();
    const message = `${problem.file} ${problem.what}: ${problem.action}`;
    this.#bus.emit("log", { level: "error", source: "access", message });
  }

  #tell(error: unknown): void {
    if (!(error instanceof StoreError)) throw error;
    this.#bus.emit("log", { level: "warning", source: "access", message: `access.json ${error.message}` });
  }
}

/** Removes what is stored now, unless it has changed meanwhile. */
function forget(marks: Map<string, string>, stored: ReadonlyMap<string, string>): void {
  for (const [key, value] of stored) if (marks.get(key) === value) marks.delete(key);
}
