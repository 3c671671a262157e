/** When the box reboots by itself: at a time of the day, in its own zone, on some days of the week. */
import { days, type PowerConfig } from "../../config/schema.ts";
import { instantOf, localTime } from "../localTime.ts";

const MINUTE_MS = 60_000;

/**
 * The first time after `after` at which the settings ask for a reboot; undefined when they ask for none.
 *
 * A time that a day does not have, because the clock is put forward over it, is taken by the clock as it went before; of a time
 * that a day has twice the first is taken. So each of the days has one reboot.
 */
export function nextReboot({ rebootDays, rebootTime }: PowerConfig, zone: string, after: Date): Date | undefined {
  const wanted = new Set<string>(rebootDays);
  if (wanted.size === 0) return undefined;
  const [hour = 0, minute = 0] = rebootTime.split(":").map(Number);
  const local = localTime(after, zone);
  for (let ahead = 0; ahead <= 8; ahead++) {
    const wall = Date.UTC(local.year, local.month - 1, local.day + ahead, hour, minute);
    // The week of the settings begins on Monday, that of JavaScript on Sunday.
    const name = days[(new Date(wall).getUTCDay() + 6) % 7] as string;
    if (!wanted.has(name)) continue;
    const time = instantOf(wall, zone);
    if (time > after.getTime()) return new Date(time);
  }
  return undefined;
}

/** The date in a zone, such as `2026-11-22`. */
export function localDate(zone: string, time: Date): string {
  const { year, month, day } = localTime(time, zone);
  return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** Whether a time has come, but not too long ago: what is missed is not made up for. */
export function isDue(due: Date, now: Date): boolean {
  const late = now.getTime() - due.getTime();
  return late >= 0 && late < 10 * MINUTE_MS;
}
