/** Times of the day in a time zone, whatever its clock changes. */

/** Digits of a local time: year, month, day, hour, minute, second. */
export interface LocalTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clock on the wall shows. */
export function localTime(time: Date, zone: string): LocalTime {
  let format = formats.get(zone);
  if (format === undefined) {
    const numeric = "numeric" as const;
    format = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
      ...{ timeZone: zone, hourCycle: "h23", year: numeric, month: numeric, day: numeric },
      ...{ hour: numeric, minute: numeric, second: numeric },
    });
    formats.set(zone, format);
  }
  const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type as string, Number(value)]));
  const of = (name: string): number => parts.get(name) ?? 0;
  return {
    ...{ year: of("year"), month: of("month"), day: of("day") },
    ...{ hour: of("hour"), minute: of("minute"), second: of("second") },
  };
}

/**
 * The last time up to `now` at which a clock in the zone showed `at`, such as "02:30", and the next one after it. On a day on
 * which the clock skips it, it is as much later as the clock skips; where it is shown twice, the first one counts.
 */
export function around(now: Date, at: string, zone: string): { last: Date; next: Date } {
  const [hour = 0, minute = 0] = at.split(":").map(Number);
  const { year, month, day } = localTime(now, zone);
  // Two days to each side: a zone may have changed to the other side of the date line.
  const times = [-2, -1, 0, 1, 2].map((days) => instant(Date.UTC(year, month - 1, day + days, hour, minute), zone));
  const last = times.filter((time) => time <= now.getTime()).at(-1) ?? now.getTime() - DAY_MS;
  const next = times.find((time) => time > now.getTime()) ?? now.getTime() + DAY_MS;
  return { last: new Date(last), next: new Date(next) };
}

/** When a clock in the zone shows what `wall` is in UTC. */
function instant(wall: number, zone: string): number {
  // The offsets before and after a change of the clock that may be near.
  const [before, after] = [offset(wall - DAY_MS, zone), offset(wall + DAY_MS, zone)];
  const shown = [wall - before, wall - after].filter((time) => time + offset(time, zone) === wall);
  return shown.length > 0 ? Math.min(...shown) : wall - before;
}

/** How far the clock in the zone is ahead of UTC, ms. */
function offset(time: number, zone: string): number {
  const seconds = Math.floor(time / 1000) * 1000;
  const { year, month, day, hour, minute, second } = localTime(new Date(seconds), zone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - seconds;
}
