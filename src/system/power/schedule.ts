/** When the box reboots by itself: at a time of the day, in its own zone, on some days of the week. */
import { days, type PowerConfig } from "../../config/schema.ts";

/** Longest time that a zone has ever put its clock forward or back, with room to spare, ms. */
const SHIFT_MS = 26 * 3_600_000;
const MINUTE_MS = 60_000;

interface LocalDate {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
}

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
  const local = localParts(zone, after.getTime());
  for (let ahead = 0; ahead <= 8; ahead++) {
    const date = new Date(Date.UTC(local.year, local.month - 1, local.day + ahead));
    // The week of the settings begins on Monday, that of JavaScript on Sunday.
    const name = days[(date.getUTCDay() + 6) % 7] as string;
    if (!wanted.has(name)) continue;
    const day = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
    const time = instantOf(zone, day, hour, minute);
    if (time > after.getTime()) return new Date(time);
  }
  return undefined;
}

/** The date in a zone, such as `2026-11-22`. */
export function localDate(zone: string, time: Date): string {
  const { year, month, day } = localParts(zone, time.getTime());
  return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** When the clocks of a zone show this, in ms since 1970. */
function instantOf(zone: string, { year, month, day }: LocalDate, hour: number, minute: number): number {
  const shown = Date.UTC(year, month - 1, day, hour, minute);
  const [before, after] = [shown - SHIFT_MS, shown + SHIFT_MS].map((time) => shown - offsetAt(zone, time)) as [
    number,
    number,
  ];
  const fits = [before, after].filter((time) => time + offsetAt(zone, time) === shown);
  return fits.length === 0 ? before : Math.min(...fits);
}

/** How far the clocks of a zone are ahead of UTC, ms. */
function offsetAt(zone: string, time: number): number {
  const { year, month, day, hour, minute, second } = localParts(zone, time);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(time / 1000) * 1000;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function localParts(zone: string, time: number): LocalDate & { hour: number; minute: number; second: number } {
  let format = formats.get(zone);
  if (format === undefined) {
    const numeric = "numeric" as const;
    format = new Intl.DateTimeFormat("en-u-ca-iso8601-nu-latn-hc-h23", {
      ...{ timeZone: zone, year: numeric, month: numeric, day: numeric },
      ...{ hour: numeric, minute: numeric, second: numeric },
    });
    // One zone is set at a time.
    formats.clear();
    formats.set(zone, format);
  }
  const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = (
    ["year", "month", "day", "hour", "minute", "second"] as const
  ).map((type) => parts.get(type));
  return { year, month, day, hour, minute, second };
}

/** Whether a time has come, but not too long ago: what is missed is not made up for. */
export function isDue(due: Date, now: Date): boolean {
  const late = now.getTime() - due.getTime();
  return late >= 0 && late < 10 * MINUTE_MS;
}
