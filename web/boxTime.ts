/** Times in the time zone of the box, as fields for a date and a time have them: `2026-11-23T03:00`. */
import { instantOf, localTime } from "../src/system/localTime.ts";

const two = (n: number) => String(n).padStart(2, "0");

/** What the clock of a zone shows. */
export function wallTime(time: Date, zone: string): string {
  const { year, month, day, hour, minute } = localTime(time, zone);
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`;
}

/** When the clock of a zone shows that; null for what is no time. */
export function instantAt(wall: string, zone: string): Date | null {
  const time = Date.parse(`${wall}Z`);
  return Number.isFinite(time) ? new Date(instantOf(time, zone)) : null;
}

/** The next time after this one at which the clock of a zone shows that hour. */
export function nextHour(after: Date, zone: string, hour: number): string {
  const { year, month, day, hour: now } = localTime(after, zone);
  const date = new Date(Date.UTC(year, month - 1, now < hour ? day : day + 1, hour));
  return date.toISOString().slice(0, 16);
}

/** A point of time in the zone of the box, and which zone that is. */
export function boxMoment(iso: string, zone: string): string {
  const time = new Date(iso).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: zone });
  return `${time} (${zone})`;
}
