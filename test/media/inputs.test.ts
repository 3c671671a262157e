/** A channel on an input of the virtual box: what happens to cable and player, and what the wire and the picture show. */
import assert from "node:assert/strict";
import test from "node:test";
import { Random } from "../support/random.ts";
import { audioPid, audioStep, Station, smallChannel, videoPid, videoStep } from "./support/station.ts";
import { assertExactSteps, assertUnbroken, summary, Wire } from "./support/wire.ts";

const address = "239.255.6.40";
const port = 16_040;
/** Longest time from a steady signal until its picture is live, ms. */
const LIVE_AFTER = 1000;

const modes = ["720p50", "720p59.94", "720p60", "1080i50", "1080i59.94", "1080p25", "576p50", "480p59.94", "576i50"];

test("200 cable and mode events break nothing, and the picture comes back", { timeout: 180_000 }, async (t) => {
  const station = await Station.start(t, [
    smallChannel(address, port, { source: { type: "input", connector: "hdmi1" } }),
  ]);
  const player = (change: object) => station.call("PATCH", "/bench/players/hdmi1", change);
  const wire = await Wire.watch(t, address, port);
  const random = new Random(20);
  const times: number[] = [];
  let events = 0;
  while (events < 200) {
    const storm = 4 + random.below(12);
    for (let i = 0; i < storm; i++, events++) {
      await player({
        plugged: random.chance(0.6),
        mode: random.pick(modes),
        health: random.pick(["good", "good", "no-clock", "no-lock"]),
        hdcp: random.chance(0.1),
      });
      await new Promise((resolve) => setTimeout(resolve, random.below(250)));
    }
    await player({ plugged: false });
    events++;
    await station.figures(({ state }) => state === "held" || state === "slate");
    const began = performance.now();
    await player({ plugged: true, mode: random.pick(modes), health: "good", hdcp: false });
    events++;
    await station.settled("live");
    times.push(performance.now() - began);
  }
  const report = await wire.report();
  t.diagnostic(summary(report));
  assertUnbroken(report, { gapMs: 40 });
  assertExactSteps(report, videoPid, videoStep);
  assertExactSteps(report, audioPid, audioStep);
  times.sort((a, b) => a - b);
  const median = times[times.length >> 1] ?? Number.NaN;
  t.diagnostic(
    `${events} events; live again after ${median.toFixed(0)} ms (median), ${times.at(-1)?.toFixed(0)} ms at most`,
  );
  assert.ok((times.at(-1) ?? Number.NaN) <= LIVE_AFTER, `live again after ${times.at(-1)} ms`);
});

test("a player whose clock is off is followed without a break", { timeout: 120_000 }, async (t) => {
  const station = await Station.start(t, [
    smallChannel("239.255.6.41", 16_041, { source: { type: "input", connector: "hdmi1" } }),
  ]);
  const wire = await Wire.watch(t, "239.255.6.41", 16_041);
  for (const clockOffset of [300, -300]) {
    await station.call("PATCH", "/bench/players/hdmi1", { clockOffset });
    // Samples come in whole hertz: 48000 and 0.3 ‰ are 48014.
    const near = (ppm: number) => Math.abs(ppm - clockOffset) < 80;
    const { encode } = await station.figures(({ encode }) => near(encode?.audio.driftPpm ?? 0), 60_000);
    t.diagnostic(
      `${clockOffset} ppm: measured ${encode?.audio.driftPpm.toFixed(0)} ppm, ${encode?.audio.resyncs} resyncs`,
    );
  }
  const report = await wire.report();
  t.diagnostic(summary(report));
  assertUnbroken(report, { gapMs: 40 });
  assertExactSteps(report, videoPid, videoStep);
  assertExactSteps(report, audioPid, audioStep);
});
