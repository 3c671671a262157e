import assert from "node:assert/strict";
import test from "node:test";
import { around } from "../../../src/system/backup/timeOfDay.ts";

const near = (now: string, at: string, zone: string) => {
  const { last, next } = around(new Date(now), at, zone);
  return [last, next].map((time) => time.toISOString().slice(0, 16));
};

test("a time of the day is that of the zone", () => {
  assert.deepEqual(near("2026-01-10T12:00:00Z", "02:30", "UTC"), ["2026-01-10T02:30", "2026-01-11T02:30"]);
  assert.deepEqual(near("2026-01-10T12:00:00Z", "02:30", "Europe/Berlin"), ["2026-01-10T01:30", "2026-01-11T01:30"]);
  assert.deepEqual(near("2026-01-10T01:29:59Z", "02:30", "Europe/Berlin"), ["2026-01-09T01:30", "2026-01-10T01:30"]);
  assert.deepEqual(near("2026-01-10T01:30:00Z", "02:30", "Europe/Berlin"), ["2026-01-10T01:30", "2026-01-11T01:30"]);
  assert.deepEqual(near("2026-01-10T12:00:00Z", "23:59", "Pacific/Kiritimati"), [
    "2026-01-10T09:59",
    "2026-01-11T09:59",
  ]);
  assert.deepEqual(near("2026-01-10T12:00:00Z", "00:00", "Pacific/Pago_Pago"), [
    "2026-01-10T11:00",
    "2026-01-11T11:00",
  ]);
});

test("a day without that time has it later, and one with it twice has the first", () => {
  // 02:00 becomes 03:00 on 2026-03-29, and 03:00 becomes 02:00 on 2026-10-25.
  assert.deepEqual(near("2026-03-29T00:59:00Z", "02:30", "Europe/Berlin"), ["2026-03-28T01:30", "2026-03-29T01:30"]);
  assert.deepEqual(near("2026-03-29T12:00:00Z", "02:30", "Europe/Berlin"), ["2026-03-29T01:30", "2026-03-30T00:30"]);
  assert.deepEqual(near("2026-10-25T00:29:00Z", "02:30", "Europe/Berlin"), ["2026-10-24T00:30", "2026-10-25T00:30"]);
  assert.deepEqual(near("2026-10-25T01:45:00Z", "02:30", "Europe/Berlin"), ["2026-10-25T00:30", "2026-10-26T01:30"]);
});

for (const zone of ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns"]) {
  test(`there is one time a day in ${zone}, all the year`, () => {
    for (const at of ["00:00", "01:30", "02:15", "23:59"]) {
      const found = new Set<number>();
      const begin = Date.UTC(2026, 0, 1, 0, 7);
      for (let hour = 0; hour < 365 * 24; hour += 3) {
        const now = new Date(begin + hour * 3_600_000);
        const { last, next } = around(now, at, zone);
        assert.ok(last <= now && next > now);
        const apart = (next.getTime() - last.getTime()) / 3_600_000;
        assert.ok(apart >= 23 && apart <= 25, `${apart} h at ${now.toISOString()}`);
        found.add(last.getTime());
      }
      assert.ok(Math.abs(found.size - 366) <= 1, `${found.size}`);
    }
  });
}
