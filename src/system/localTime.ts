/** The clock on the wall of a time zone, whatever changes it makes. */

/** Digits that it shows; the month is 1 to 12. */
export interface LocalTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

/** Longest time that a zone has ever put its clock forward or back, with room to spare, ms. */
const SHIFT_MS = 26 * 3_600_000;

let known: { zone: string; format: Intl.DateTimeFormat } | undefined;

/** What the clock of a zone shows. */
export function localTime(time: Date, zone: string): LocalTime {
  // One zone is set at a time.
  if (known?.zone !== zone) known = { zone, format: formatOf(zone) };
  const parts = new Map(known.format.formatToParts(time).map(({ type, value }) => [type as string, Number(value)]));
  const of = (name: string): number => parts.get(name) ?? 0;
  return {
    ...{ year: of("year"), month: of("month"), day: of("day") },
    ...{ hour: of("hour"), minute: of("minute"), second: of("second") },
  };
}

/**
 * When the clock of a zone shows what `wall` is in UTC, ms since 1970. A time that it skips is as much later as it skips; of one
 * that it shows twice the first counts. So each day has one.
 */
export function instantOf(wall: number, zone: string): number {
  // The offsets before and after a change of the clock that may be near.
  const [before, after] = [wall - offset(wall - SHIFT_MS, zone), wall - offset(wall + SHIFT_MS, zone)];
  const shown = [before, after].filter((time) => time + offset(time, zone) === wall);
  return shown.length > 0 ? Math.min(...shown) : before;
}

/** How far the clock of a zone is ahead of UTC, ms. */
function offset(time: number, zone: string): number {
  const seconds = Math.floor(time / 1000) * 1000;
  const { year, month, day, hour, minute, second } = localTime(new Date(seconds), zone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - seconds;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const numeric = "numeric" as const;
  return new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
    ...{ timeZone: zone, hourCycle: "h23", year: numeric, month: numeric, day: numeric },
    ...{ hour: numeric, minute: numeric, second: numeric },
  });
}
