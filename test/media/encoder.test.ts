/** Faults of the encoder: the wire runs on, and the picture is live again in time. */
import assert from "node:assert/strict";
import test from "node:test";
import { audioPid, audioStep, now, Station, smallChannel } from "./support/station.ts";
import { median, Viewer } from "./support/viewer.ts";
import { assertExactSteps, assertUnbroken, summary, Wire } from "./support/wire.ts";

const cycles = 20;
const gapMs = 40;
const liveAgainMs = 1500;

function times(values: number[]): string {
  return `live again after ${median(values).toFixed(0)} ms (median), ${Math.max(...values).toFixed(0)} ms at most`;
}

test("encode is killed", async (t) => {
  const station = await Station.start(t, [smallChannel("239.255.6.10", 16_010)]);
  const wire = await Wire.watch(t, "239.255.6.10", 16_010);
  const viewer = await Viewer.watch(t, "239.255.6.10", 16_010);
  const transmit = await station.worker("transmit");
  const live: number[] = [];
  for (let i = 0; i < cycles; i++) {
    const { pid } = await station.worker("encode");
    const killed = now();
    process.kill(pid, "SIGKILL");
    await station.replaced("encode", pid);
    live.push(await viewer.liveAfter(killed));
    await station.proven();
  }
  const report = await wire.report();
  t.diagnostic(`${summary(report)}; ${times(live)}`);
  assertUnbroken(report, { gapMs });
  assertExactSteps(report, audioPid, audioStep);
  assert.equal(report.pmtChanges.length, 1, "the PMT did not change");
  assert.equal((await station.worker("transmit")).pid, transmit.pid);
  assert(Math.max(...live) <= liveAgainMs, times(live));
});

test("encode is frozen", async (t) => {
  const station = await Station.start(t, [smallChannel("239.255.6.11", 16_011)]);
  const wire = await Wire.watch(t, "239.255.6.11", 16_011);
  const viewer = await Viewer.watch(t, "239.255.6.11", 16_011);
  const live: number[] = [];
  for (let i = 0; i < cycles; i++) {
    const { pid } = await station.worker("encode");
    const frozen = now();
    process.kill(pid, "SIGSTOP");
    if (i % 2 === 0) {
      // For good: the supervisor misses its heartbeat and replaces it.
      await station.replaced("encode", pid);
    } else {
      // For a while: it wakes up with old pictures, which nobody may see.
      await viewer.slateAfter(frozen);
      process.kill(pid, "SIGCONT");
    }
    live.push(await viewer.liveAfter(now()));
    await station.settled("live");
  }
  const report = await wire.report();
  t.diagnostic(`${summary(report)}; ${times(live)}`);
  assertUnbroken(report, { gapMs });
  assertExactSteps(report, audioPid, audioStep);
  assert.equal(report.pmtChanges.length, 1, "the PMT did not change");
});

test("the encoder is reconfigured: size, codec, tracks", async (t) => {
  const station = await Station.start(t, [smallChannel("239.255.6.12", 16_012)]);
  const wire = await Wire.watch(t, "239.255.6.12", 16_012);
  const viewer = await Viewer.watch(t, "239.255.6.12", 16_012);
  const aac = { codec: "aac", bitrate: 96, channels: 2, language: "deu", delayMs: 0 };
  const mp2 = { codec: "mp2", bitrate: 128, channels: 2, language: "fra", delayMs: 0 };
  const changes = [
    { change: { video: { width: 960, height: 540 } }, pmtSteps: false },
    { change: { audio: [mp2] }, pmtSteps: true },
    { change: { audio: [mp2, aac] }, pmtSteps: true },
    { change: { video: { width: 640, height: 360, profile: "main" }, audio: [aac] }, pmtSteps: true },
  ];
  const live: number[] = [];
  for (let i = 0; i < cycles; i++) {
    const { change, pmtSteps } = changes[i % changes.length] ?? assert.fail();
    const version = (await station.status()).transmit?.programmes[0]?.pmtVersion ?? assert.fail();
    const changed = now();
    await station.patch(change);
    await station.figures(({ transmit }) => (transmit?.programmes[0]?.pmtVersion !== version) === pmtSteps);
    await station.settled("live");
    // Pictures of the new kind: they come after those that were on their way when the status was made.
    await viewer.liveAfter(now());
    live.push(viewer.longestPause(changed));
  }
  const report = await wire.report();
  t.diagnostic(`${summary(report)}; ${times(live)}`);
  assertUnbroken(report, { gapMs });
  assert(Math.max(...live) <= liveAgainMs, times(live));
  const { workers } = await station.status();
  assert.deepEqual(
    workers.map(({ role, starts }) => ({ role, starts })),
    [
      { role: "encode", starts: 1 },
      { role: "transmit", starts: 1 },
    ],
  );
});
