import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

/** The page of somebody whom the box does not know yet. */
export function Gate({ children }: { children: ComponentChildren }) {
  useEffect(() => {
    document.title = "Steadycast";
  }, []);
  return (
    <>
      <header class="masthead">
        <img class="logo" src="icon.svg" alt="" width="28" height="28" />
        <h1>Steadycast</h1>
      </header>
      <main class="gate-page">{children}</main>
    </>
  );
}
