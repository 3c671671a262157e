/** A time of the day in a time zone, on the days around now. */
import { instantOf, localTime } from "../localTime.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The last time up to `now` at which a clock in the zone showed `at`, such as "02:30", and the next one after it. On a day on
 * which the clock skips it, it is as much later as the clock skips; where it is shown twice, the first one counts.
 */
export function around(now: Date, at: string, zone: string): { last: Date; next: Date } {
  const [hour = 0, minute = 0] = at.split(":").map(Number);
  const { year, month, day } = localTime(now, zone);
  // Two days to each side: a zone may have changed to the other side of the date line.
  const times = [-2, -1, 0, 1, 2].map((days) => instantOf(Date.UTC(year, month - 1, day + days, hour, minute), zone));
  const last = times.filter((time) => time <= now.getTime()).at(-1) ?? now.getTime() - DAY_MS;
  const next = times.find((time) => time > now.getTime()) ?? now.getTime() + DAY_MS;
  return { last: new Date(last), next: new Date(next) };
}
