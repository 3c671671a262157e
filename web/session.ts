/** Who is logged in on this page. */
import type { Standing } from "../src/access/results.ts";
import { ApiError, ask, base, request } from "./api.ts";

export type SessionUser = Standing;

/** What the box tells of a session, whoever asks. */
export interface SessionAnswer {
  /** The box waits for its first password. */
  setup: boolean;
  user: SessionUser | null;
}

export type SessionState =
  /** The box has not told yet. */
  | { phase: "unknown"; reachable: boolean }
  /** `ended`: there was a session, and it is over. */
  | { phase: "out"; setup: boolean; ended: boolean }
  | { phase: "setup" }
  | { phase: "in"; user: SessionUser };

/** What an answer of the box makes of what was known. */
export function nextSession(before: SessionState, { setup, user }: SessionAnswer): SessionState {
  if (user !== null) return user.via === "setup" ? { phase: "setup" } : { phase: "in", user };
  if (before.phase === "out") return before.setup === setup ? before : { ...before, setup };
  return { phase: "out", setup, ended: before.phase !== "unknown" };
}

/** The box is asked again in this time while it does not answer, ms. */
const retryMs = 2000;
const limitMs = 4000;

/** Proves who somebody is, and tells when that is over. */
export class Session {
  #state: SessionState = { phase: "unknown", reachable: true };
  #check: Promise<void> | null = null;
  /** Counts what was done here, so that an answer to an older question changes nothing. */
  #steps = 0;
  readonly #listeners = new Set<() => void>();

  get state(): SessionState {
    return this.#state;
  }

  /** Calls the listener after each change; returns the function that ends it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks the box until it tells. */
  async begin(): Promise<void> {
    while (this.#state.phase === "unknown") {
      await this.check();
      if (this.#state.phase === "unknown") await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  /** Asks the box who we are. A box that cannot be reached changes nothing: only its word ends a session. */
  check(): Promise<void> {
    this.#check ??= this.#ask().finally(() => {
      this.#check = null;
    });
    return this.#check;
  }

  /** @throws ApiError with the kind `code-needed` when a code has to be given, too */
  async logIn(user: string, password: string, code: string): Promise<void> {
    const proof = code === "" ? { user, password } : { user, password, code };
    this.#take(await ask<SessionAnswer>("POST", "/session", proof));
  }

  /** Chooses the first password of the box. @throws ApiError */
  async setUp(password: string): Promise<void> {
    this.#take(await ask<SessionAnswer>("POST", "/setup", { password }));
  }

  /** @throws ApiError */
  async logOut(): Promise<void> {
    await ask("DELETE", "/session");
    this.#steps += 1;
    this.#set({ phase: "out", setup: false, ended: false });
  }

  async #ask(): Promise<void> {
    const step = this.#steps;
    try {
      const response = await request(`${base}/session`, { cache: "no-store" }, limitMs);
      const answer = (await response.json()) as SessionAnswer;
      if (step === this.#steps) this.#set(nextSession(this.#state, answer));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.#state.phase === "unknown") this.#set({ phase: "unknown", reachable: false });
    }
  }

  #take(answer: SessionAnswer): void {
    this.#steps += 1;
    this.#set(nextSession(this.#state, answer));
  }

  #set(state: SessionState): void {
    if (JSON.stringify(state) === JSON.stringify(this.#state)) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
