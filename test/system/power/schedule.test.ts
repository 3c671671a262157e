import assert from "node:assert/strict";
import test from "node:test";
import { days } from "../../../src/config/schema.ts";
import { nextReboot } from "../../../src/system/power/schedule.ts";
import { Random } from "../../support/random.ts";

type Settings = Parameters<typeof nextReboot>[0];
const next = (zone: string, rebootDays: Settings["rebootDays"], rebootTime: string, after: string) =>
  nextReboot({ rebootDays, rebootTime }, zone, new Date(after))?.toISOString();

test("no day, no reboot", () => {
  assert.equal(next("UTC", [], "04:00", "2026-01-01T00:00:00Z"), undefined);
});

test("the next of the days, today only when the time is still to come", () => {
  // 22 November 2026 is a Sunday.
  assert.equal(next("UTC", ["sun"], "04:00", "2026-11-22T03:59:59Z"), "2026-11-22T04:00:00.000Z");
  assert.equal(next("UTC", ["sun"], "04:00", "2026-11-22T04:00:00Z"), "2026-11-29T04:00:00.000Z");
  assert.equal(next("UTC", ["wed", "mon"], "00:00", "2026-11-22T12:00:00Z"), "2026-11-23T00:00:00.000Z");
});

test("time and day are those of the box's zone", () => {
  assert.equal(next("Asia/Tokyo", ["mon"], "04:00", "2026-11-22T12:00:00Z"), "2026-11-22T19:00:00.000Z");
  assert.equal(next("America/Los_Angeles", ["sun"], "20:00", "2026-11-23T03:00:00Z"), "2026-11-23T04:00:00.000Z");
  assert.equal(next("Pacific/Kiritimati", ["mon"], "00:30", "2026-11-22T00:00:00Z"), "2026-11-22T10:30:00.000Z");
});

test("when the clock is put forward over the time, it is taken as the clock went before", () => {
  // Berlin, 29 March 2026: 01:59:59 is followed by 03:00.
  assert.equal(next("Europe/Berlin", ["sun"], "02:30", "2026-03-28T12:00:00Z"), "2026-03-29T01:30:00.000Z");
  assert.equal(next("Europe/Berlin", ["sun"], "02:30", "2026-03-29T01:30:00Z"), "2026-04-05T00:30:00.000Z");
  // Cairo puts it forward at midnight, Lord Howe by half an hour.
  assert.equal(next("Africa/Cairo", ["fri"], "00:00", "2026-04-23T12:00:00Z"), "2026-04-23T22:00:00.000Z");
  assert.equal(next("Australia/Lord_Howe", ["sun"], "02:15", "2026-10-03T12:00:00Z"), "2026-10-03T15:45:00.000Z");
});

test("of a time that a day has twice, the first is taken, and not the second", () => {
  // Berlin, 25 October 2026: 02:59:59 CEST is followed by 02:00 CET.
  assert.equal(next("Europe/Berlin", ["sun"], "02:30", "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00.000Z");
  assert.equal(next("Europe/Berlin", ["sun"], "02:30", "2026-10-25T00:30:00Z"), "2026-11-01T01:30:00.000Z");
});

test("a day that a zone never had is passed over without harm", () => {
  // Samoa went from 29 December 2011 to the 31st.
  const after = "2011-12-28T12:00:00Z";
  assert.equal(next("Pacific/Apia", ["sat"], "04:00", after), "2011-12-30T14:00:00.000Z");
  assert.ok((next("Pacific/Apia", ["fri"], "04:00", after) ?? "") > after);
});

test("in any zone, every day has one reboot and no more", () => {
  const random = new Random(1);
  const zones = Intl.supportedValuesOf("timeZone");
  for (let round = 0; round < 60; round++) {
    const zone = random.pick(zones);
    const rebootTime = `${String(random.below(24)).padStart(2, "0")}:${String(random.below(60)).padStart(2, "0")}`;
    let at = new Date(Date.UTC(2026, random.below(12), 1));
    for (let i = 0; i < 40; i++) {
      const due = nextReboot({ rebootDays: [...days], rebootTime }, zone, at) as Date;
      const hours = (due.getTime() - at.getTime()) / 3_600_000;
      assert.ok(
        hours > 0 && hours <= (i === 0 ? 48 : 25) && (i === 0 || hours >= 23),
        `${zone} ${rebootTime} ${hours}`,
      );
      at = due;
    }
  }
});
