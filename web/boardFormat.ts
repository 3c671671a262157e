/** How the board's values and states are written on the page. */
import type { BenchKey, SupplyState } from "../src/api/bench.ts";
import type { SupplyReading, ThermalState } from "../src/board/sensors/readings.ts";
import type { SignalState } from "../src/board/signal.ts";
import type { Health } from "../src/board/virtual/model.ts";
import type { Pattern } from "../src/board/virtual/players.ts";

/** Keeps a figure and its unit on one line. */
const space = "\u00a0";

/** With as many decimals as its unit is read with; – where it is not known. */
export function reading(value: number | null, unit: "°C" | "V" | "rpm" | "%"): string {
  if (value === null) return "–";
  const decimals = { "°C": 1, V: 2, rpm: 0, "%": 0 }[unit];
  return `${value.toFixed(decimals)}${space}${unit}`;
}

/** Bytes in the unit that fits, as memory is counted. */
export function bytes(n: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, n)) / 10)));
  const shown = n / 1024 ** power;
  return `${shown.toFixed(power === 0 || shown >= 100 ? 0 : 1)}${space}${units[power]}`;
}

export const thermalWords: Record<ThermalState, string> = {
  normal: "Normal",
  warning: "Warm",
  cooling: "Too hot: fans at full speed",
  shedding: "Too hot: load is lowered",
};

/** A few words for the eye; the sentence beside them tells what to do. */
export const signalStateWords: Record<SignalState, string> = {
  "no-cable": "No cable",
  "no-clock": "No picture",
  "no-lock": "No lock",
  "out-of-range": "Out of range",
  protected: "Protected",
  locked: "Signal",
};

export function supplyWords({ present, good }: SupplyReading): string {
  if (present === false) return "Not plugged in";
  return good === null ? "Not known" : good ? "Good" : "Failed";
}

export const supplyStateWords: Record<SupplyState, string> = {
  good: "Good",
  failed: "Failed",
  absent: "Not plugged in",
};

export const keyWords: Record<BenchKey, string> = {
  up: "Up",
  down: "Down",
  left: "Left",
  right: "Right",
  ok: "OK",
  back: "Back",
  reset: "Reset hole",
};

export const patternWords: Record<Pattern, string> = {
  bars: "Colour bars",
  ball: "Moving ball",
  snow: "Snow",
  black: "Black",
};

export const healthWords: Record<Health, string> = {
  good: "Good",
  "no-clock": "Power, but no picture",
  "no-lock": "Too bad to follow",
};
