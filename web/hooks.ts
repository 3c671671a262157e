/** Preact hooks that the components share. */
import { createContext, type RefObject } from "preact";
import { useCallback, useContext, useEffect, useState } from "preact/hooks";
import { ApiError } from "./api.ts";
import type { LevelHub } from "./levels.ts";
import type { State, Store } from "./store.ts";

/** What main.tsx gives to all components. */
export const Services = createContext<{ store: Store; levels: LevelHub } | null>(null);

export function useServices(): { store: Store; levels: LevelHub } {
  const services = useContext(Services);
  if (services === null) throw new Error("Services are not provided");
  return services;
}

export function useStoreState(): State {
  const { store } = useServices();
  const [state, setState] = useState(store.state);
  useEffect(() => store.subscribe(() => setState(store.state)), [store]);
  return state;
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
