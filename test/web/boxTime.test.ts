import assert from "node:assert/strict";
import test from "node:test";
import { boxMoment, instantAt, nextHour, wallTime } from "../../web/boxTime.ts";

const zone = "Europe/Berlin";

test("what a field says is a time of the box's zone, in winter and in summer", () => {
  assert.equal(instantAt("2026-01-10T03:00", zone)?.toISOString(), "2026-01-10T02:00:00.000Z");
  assert.equal(instantAt("2026-07-10T03:00", zone)?.toISOString(), "2026-07-10T01:00:00.000Z");
  assert.equal(instantAt("", zone), null);
});

test("a time of the box is written as its field wants it", () => {
  assert.equal(wallTime(new Date("2026-07-10T22:05:00Z"), zone), "2026-07-11T00:05");
});

test("the next night begins today or tomorrow, whichever comes first on the clock of the box", () => {
  assert.equal(nextHour(new Date("2026-11-22T23:30:00Z"), zone, 3), "2026-11-23T03:00");
  assert.equal(nextHour(new Date("2026-11-23T02:30:00Z"), zone, 3), "2026-11-24T03:00");
  assert.equal(nextHour(new Date("2026-12-31T12:00:00Z"), zone, 3), "2027-01-01T03:00");
});

test("a moment tells its zone", () => {
  assert.match(boxMoment("2026-11-23T02:00:00Z", zone), /3:00.*\(Europe\/Berlin\)$/);
});
