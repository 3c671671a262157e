import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** A part of a page with its heading. */
export function Card({ title, wide, children }: { title: string; wide?: boolean; children: ComponentChildren }) {
  const id = useId();
  return (
    <section class={`card board-card${wide ? " wide" : ""}`} aria-labelledby={id}>
      <header class="card-head">
        <h2 id={id}>{title}</h2>
      </header>
      {children}
    </section>
  );
}
