import type { BenchStatus } from "../../../src/api/bench.ts";
import type { InputStatus } from "../../../src/board/inputs/inputs.ts";
import type { AnalogueStandard } from "../../../src/board/signal.ts";
import type { Health } from "../../../src/board/virtual/model.ts";
import type { Player as Settings } from "../../../src/board/virtual/players.ts";
import { changePlayer } from "../../boardApi.ts";
import { healthWords, patternWords } from "../../boardFormat.ts";
import type { Change } from "./Bench.tsx";
import { Choice, Switch } from "./Fields.tsx";

const standards: [AnalogueStandard, string][] = [
  ["pal", "PAL"],
  ["pal-m", "PAL-M"],
  ["pal-n", "PAL-N"],
  ["pal-60", "PAL-60"],
  ["ntsc", "NTSC"],
  ["ntsc-443", "NTSC 4.43"],
  ["secam", "SECAM"],
];
const audioRates = [32000, 44100, 48000, 88200, 96000, 176400, 192000].map(
  (rate) => [rate, `${rate / 1000} kHz`] as const,
);
const offsets = [-300, -100, -50, 0, 50, 100, 300].map((ppm) => [ppm, ppm === 0 ? "none" : `${ppm} ppm`] as const);
const delays = [0, 500, 1000, 3000].map((ms) => [ms, ms === 0 ? "none" : `${ms / 1000} s`] as const);
const healths = Object.entries(healthWords) as [Health, string][];

interface Props {
  player: BenchStatus["players"][number];
  bench: BenchStatus;
  /** What the box sees of it. */
  input: InputStatus | undefined;
  change: Change;
}

/** A player on its connector: plugged in or not, what it sends, and how good its cable is. */
export function Player({ player, bench, input, change }: Props) {
  const { connector, label, kind, plugged, mode, standard, pattern, sound, audioRate, hdmi, hdcp, health } = player;
  const { clockOffset, hotPlugDelay, ignoresHotPlug } = player;
  const set = (settings: Partial<Settings>) => void change(changePlayer(connector, settings));
  const digital = kind === "hdmi" || kind === "sdi";
  return (
    <fieldset class="player">
      <legend>{label}</legend>
      <Switch on={plugged} set={(on) => set({ plugged: on })}>
        Plugged in
      </Switch>
      {kind === "cvbs" && (
        <Choice label="Standard" value={standard} choices={standards} choose={(to) => set({ standard: to })} />
      )}
      {digital && (
        <Choice
          label="Mode"
          value={mode}
          choices={bench.modes.map((name) => [name, name] as const)}
          choose={(to) => set({ mode: to })}
        />
      )}
      {kind !== "asi" && (
        <>
          <Choice
            label="Picture"
            value={pattern}
            choices={bench.patterns.map((name) => [name, patternWords[name]] as const)}
            choose={(to) => set({ pattern: to })}
          />
          <Choice label="Cable" value={health} choices={healths} choose={(to) => set({ health: to })} />
          <Choice
            label="Clock offset"
            value={clockOffset}
            choices={offsets}
            choose={(to) => set({ clockOffset: to })}
          />
        </>
      )}
      {digital && (
        <>
          <Choice label="Sound rate" value={audioRate} choices={audioRates} choose={(to) => set({ audioRate: to })} />
          <Switch on={sound} set={(on) => set({ sound: on })}>
            Sound
          </Switch>
        </>
      )}
      {kind === "hdmi" && (
        <>
          <Choice
            label="Delay after hot plug"
            value={hotPlugDelay}
            choices={delays}
            choose={(to) => set({ hotPlugDelay: to })}
          />
          <Switch on={ignoresHotPlug} set={(on) => set({ ignoresHotPlug: on })}>
            Ignores hot plug
          </Switch>
          <Switch on={hdcp} set={(on) => set({ hdcp: on })}>
            HDCP
          </Switch>
          <Switch on={!hdmi} set={(on) => set({ hdmi: !on })}>
            DVI: no sound
          </Switch>
        </>
      )}
      <p class="note" aria-live="polite">
        Box: {input?.fault || input?.text || "–"}
      </p>
    </fieldset>
  );
}
