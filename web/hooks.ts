/** Preact hooks that the components share. */
import { createContext, type RefObject } from "preact";
import { useCallback, useContext, useEffect, useRef, useState } from "preact/hooks";
import { isAtLeast, type Role } from "../src/access/principal.ts";
import type { AbsenceState, AbsenceWatch } from "./absence.ts";
import { ApiError } from "./api.ts";
import type { FirmwareState, FirmwareWatch } from "./firmware.ts";
import type { LevelHub } from "./levels.ts";
import type { Session, SessionState } from "./session.ts";
import type { State, Store } from "./store.ts";
import type { TrialState, TrialWatch } from "./trial.ts";

interface Given {
  store: Store;
  levels: LevelHub;
  session: Session;
  trial: TrialWatch;
  firmware: FirmwareWatch;
  absence: AbsenceWatch;
}

/** What main.tsx gives to all components. */
export const Services = createContext<Given | null>(null);

export function useServices(): Given {
  const services = useContext(Services);
  if (services === null) throw new Error("Services are not provided");
  return services;
}

/** What tells of its changes. */
interface Watched<T> {
  readonly state: T;
  subscribe(listener: () => void): () => void;
}

function useWatched<T>(watched: Watched<T>): T {
  const [state, setState] = useState(watched.state);
  useEffect(() => {
    // It may have changed since the component was made.
    setState(watched.state);
    return watched.subscribe(() => setState(watched.state));
  }, [watched]);
  return state;
}

export const useStoreState = (): State => useWatched(useServices().store);
export const useSession = (): SessionState => useWatched(useServices().session);
export const useFirmware = (): FirmwareState => useWatched(useServices().firmware);
export const useAbsence = (): AbsenceState => useWatched(useServices().absence);
export const useTrial = (): TrialState => useWatched(useServices().trial);

/** Whether who is logged in has this role at least; what they may not do is not offered. */
export function useMay(least: Role): boolean {
  const session = useSession();
  return session.phase === "in" && isAtLeast(session.user.role, least);
}

/** The page's monotonic clock in ms, told once a second. */
export function useNow(): number {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** Whether the element can be seen: on screen, in a tab that is shown. */
export function useVisible(ref: RefObject<Element | null>): boolean {
  const [onScreen, setOnScreen] = useState(false);
  const [shown, setShown] = useState(document.visibilityState === "visible");
  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const observer = new IntersectionObserver((entries) => setOnScreen(entries.at(-1)?.isIntersecting ?? false));
    observer.observe(element);
    const changed = () => setShown(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", changed);
    return () => {
      observer.disconnect();
      document.removeEventListener("visibilitychange", changed);
    };
  }, [ref]);
  return onScreen && shown;
}

/** The part of the address behind #, which names the page that is shown. */
export function useHash(): string {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return hash.slice(1);
}

/** Gives orders to the box, and keeps why the last one was refused. */
export function useOrder(): {
  run: (order: () => Promise<void>) => Promise<void>;
  refusal: string;
  dismiss: () => void;
} {
  const [refusal, setRefusal] = useState("");
  const dismiss = useCallback(() => setRefusal(""), []);
  const run = useCallback(async (order: () => Promise<void>) => {
    setRefusal("");
    try {
      await order();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setRefusal(error.message);
    }
  }, []);
  return { run, refusal, dismiss };
}

export interface Task {
  busy: boolean;
  /** Why the last run failed. */
  error: ApiError | null;
  /** One at a time; tells whether it succeeded. */
  run: (work: () => Promise<void>) => Promise<boolean>;
  clear: () => void;
}

/** Work that the box may refuse. */
export function useTask(): Task {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const running = useRef(false);
  const clear = useCallback(() => setError(null), []);
  const run = useCallback(async (work: () => Promise<void>) => {
    if (running.current) return false;
    running.current = true;
    setBusy(true);
    setError(null);
    try {
      await work();
      return true;
    } catch (refused) {
      if (!(refused instanceof ApiError)) throw refused;
      setError(refused);
      return false;
    } finally {
      running.current = false;
      setBusy(false);
    }
  }, []);
  return { busy, error, run, clear };
}

/**
 * Something that the box is asked for when the component appears, and again by `reload` and with each other `key`. What was
 * told last stays while the next answer is on its way.
 */
export function useFetched<T>(
  fetcher: () => Promise<T>,
  key: unknown = "",
): {
  data: T | null;
  error: ApiError | null;
  reload: () => void;
} {
  const [{ data, error }, setAnswer] = useState<{ data: T | null; error: ApiError | null }>({
    data: null,
    error: null,
  });
  const [turn, setTurn] = useState(0);
  // Answers may overtake each other.
  const [asked, told] = [useRef(0), useRef(0)];
  const latest = useRef(fetcher);
  latest.current = fetcher;
  useEffect(() => {
    const number = ++asked.current;
    const tell = (answer: (before: T | null) => { data: T | null; error: ApiError | null }) => {
      if (number < told.current) return;
      told.current = number;
      setAnswer((before) => answer(before.data));
    };
    const ask = async () => {
      try {
        const news = await latest.current();
        tell(() => ({ data: news, error: null }));
      } catch (refused) {
        if (!(refused instanceof ApiError)) throw refused;
        tell((before) => ({ data: before, error: refused }));
      }
    };
    void ask();
  }, [turn, key]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { data, error, reload };
}
