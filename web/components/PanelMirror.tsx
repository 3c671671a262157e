import { useEffect, useRef } from "preact/hooks";
import type { PanelPicture, PanelStatus } from "../../src/api/boardControl.ts";
import type { KeyName } from "../../src/board/boardFile.ts";
import { pressPanelKey } from "../boardApi.ts";
import { keyWords } from "../boardFormat.ts";
import { useMay, useOrder } from "../hooks.ts";
import { canvasPixels } from "../pixels.ts";
import { Refusal } from "./Refusal.tsx";

/** In reading order of a cross of arrows. */
const keys: KeyName[] = ["back", "up", "ok", "left", "down", "right"];
const signs: Record<KeyName, string> = { up: "▲", down: "▼", left: "◀", right: "▶", ok: "OK", back: "Back" };

/** Beside Enter, which presses the button that has the focus. */
const keyboard: Record<string, KeyName> = {
  ArrowUp: "up",
  ArrowDown: "down",
  ArrowLeft: "left",
  ArrowRight: "right",
  Escape: "back",
};

const glass = { lit: [214, 236, 255], dark: [5, 8, 11] } as const;

function Graphic({ picture, label }: { picture: Extract<PanelPicture, { kind: "graphic" }>; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, pixels } = picture;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    const image = canvasPixels({ kind: "graphic", width, height, pixels }, glass);
    context?.putImageData(new ImageData(image, width, height), 0, 0);
  }, [width, height, pixels]);
  return <canvas ref={canvas} width={width} height={height} role="img" aria-label={label} />;
}

function Screen({ panel: { picture, view } }: { panel: PanelStatus }) {
  const rows = view.rows.map(({ text, value }, i) => {
    const words = value === undefined ? text : `${text} ${value}`;
    return i === view.selected ? `${words} (selected)` : words;
  });
  const label = `Display: ${[view.title, ...rows].join("; ")}`;
  if (picture?.kind === "graphic") return <Graphic picture={picture} label={label} />;
  if (picture?.kind === "text") {
    return (
      <pre role="img" aria-label={label}>
        {picture.lines.join("\n")}
      </pre>
    );
  }
  return <p>This box has no display</p>;
}

/** The front panel as it looks, and its keys. */
export function PanelMirror({ panel, linked }: { panel: PanelStatus; linked: boolean }) {
  const { run, refusal, dismiss } = useOrder();
  const may = useMay("admin");
  const press = (key: KeyName) => {
    if (linked && may) void run(() => pressPanelKey(key));
  };
  const typed = (event: KeyboardEvent) => {
    const key = keyboard[event.key];
    if (key === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    press(key);
  };
  return (
    <section class={`card board-card${linked ? "" : " stale"}`} aria-labelledby="panel">
      <header class="card-head">
        <h2 id="panel">Front panel</h2>
        {panel.brightness !== "normal" && <p class="since">{panel.brightness === "dim" ? "dimmed" : "display off"}</p>}
        <Refusal text={refusal} dismiss={dismiss} />
      </header>
      <fieldset class="panel" onKeyDown={typed}>
        <legend class="unseen">Keys of the front panel, also by the arrow keys and Escape</legend>
        <div class="screen">
          <Screen panel={panel} />
        </div>
        {may && (
          <div class="panel-keys">
            {keys.map((key) => (
              <button
                key={key}
                type="button"
                aria-label={keyWords[key]}
                aria-disabled={!linked}
                onClick={() => press(key)}
              >
                {signs[key]}
              </button>
            ))}
          </div>
        )}
      </fieldset>
    </section>
  );
}
