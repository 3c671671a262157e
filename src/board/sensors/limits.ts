/** States of values by their limits, with hysteresis: a value next to a limit does not flutter between two states. */
import type { FanReading, ReadingState, TemperatureReading, VoltageReading } from "./readings.ts";

/** A temperature must be so far below a limit to count as under it again, °C. */
export const TEMPERATURE_HYSTERESIS = 3;
/** The same for voltages, as a part of the range that is good. */
const VOLTAGE_HYSTERESIS = 0.05;
/** The same for fans, as a part of the least speed. */
const FAN_HYSTERESIS = 0.1;

/** @param before the state so far */
export function temperatureState(
  celsius: number,
  { warning, critical }: TemperatureReading["limits"],
  before: ReadingState,
): ReadingState {
  if (celsius >= critical - (before === "critical" ? TEMPERATURE_HYSTERESIS : 0)) return "critical";
  const hot = before === "warning" || before === "critical";
  return celsius >= warning - (hot ? TEMPERATURE_HYSTERESIS : 0) ? "warning" : "ok";
}

export function voltageState(
  volts: number,
  { least, most }: VoltageReading["limits"],
  before: ReadingState,
): ReadingState {
  const margin = before === "critical" ? (most - least) * VOLTAGE_HYSTERESIS : 0;
  return volts >= least + margin && volts <= most - margin ? "ok" : "critical";
}

/** Whether a fan turns too slowly to count as turning. */
export function isStopped(rpm: number, { least }: FanReading["limits"], before: ReadingState): boolean {
  return rpm < least * (before === "critical" ? 1 + FAN_HYSTERESIS : 1);
}
