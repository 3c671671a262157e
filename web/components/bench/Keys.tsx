import { useEffect, useState } from "preact/hooks";
import type { BenchKey, BenchStatus } from "../../../src/api/bench.ts";
import { pressBenchKey } from "../../boardApi.ts";
import { keyWords } from "../../boardFormat.ts";
import { KeyHolder } from "../../keyHolder.ts";
import type { Change } from "./Bench.tsx";

const isPress = ({ key }: KeyboardEvent) => key === " " || key === "Enter";

/** The keys of the panel and the button in the reset hole, held for as long as the button here is. */
export function Keys({ keys, change }: { keys: BenchStatus["keys"]; change: Change }) {
  const [holder] = useState(() => new KeyHolder<BenchKey>((key, pressed) => change(pressBenchKey(key, pressed))));
  useEffect(() => {
    const leave = () => holder.releaseAll();
    addEventListener("blur", leave);
    addEventListener("pagehide", leave);
    return () => {
      removeEventListener("blur", leave);
      removeEventListener("pagehide", leave);
      leave();
    };
  }, [holder]);
  return (
    <section class="card board-card" aria-labelledby="bench-keys">
      <header class="card-head">
        <h2 id="bench-keys">Keys</h2>
      </header>
      <div class="bench-keys">
        {keys.map(({ key, pressed }) => (
          <button
            key={key}
            type="button"
            class={key === "reset" ? "halt" : ""}
            aria-pressed={pressed}
            onPointerDown={(event) => {
              // So that it is released here, wherever the pointer goes meanwhile.
              event.currentTarget.setPointerCapture(event.pointerId);
              holder.press(key);
            }}
            onLostPointerCapture={() => holder.release(key)}
            onContextMenu={(event) => event.preventDefault()}
            onKeyDown={(event) => isPress(event) && holder.press(key)}
            onKeyUp={(event) => isPress(event) && holder.release(key)}
            onBlur={() => holder.release(key)}
          >
            {keyWords[key]}
          </button>
        ))}
      </div>
      <p class="note">A key is pressed for as long as its button is held. The reset hole resets the box after 10 s.</p>
    </section>
  );
}
