/** Preact hooks that the components share. */
import { createContext, type RefObject } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
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
