/** The supervisor and transmit die: the first is not noticed, the second is taken over without a break. */
import assert from "node:assert/strict";
import test from "node:test";
import { audioPid, audioStep, Station, smallChannel, videoPid, videoStep } from "./support/station.ts";
import { assertExactSteps, assertUnbroken, summary, Wire } from "./support/wire.ts";

const cycles = 20;

test("the supervisor is killed and started again", async (t) => {
  const output = { type: "rtp", id: "main", address: "239.255.6.20", port: 16_020, interface: "lo" };
  const station = await Station.start(t, [smallChannel("239.255.6.20", 16_020, { outputs: [output] })]);
  const encode = await station.worker("encode");
  const transmit = await station.worker("transmit");
  const wire = await Wire.watch(t, "239.255.6.20", 16_020);
  for (let i = 0; i < cycles; i++) {
    await station.box.stop("SIGKILL");
    await station.box.start();
    await station.settled("live");
  }
  const report = await wire.report();
  t.diagnostic(summary(report));
  // Not one datagram is lost: the sequence numbers of RTP tell.
  assertUnbroken(report, { gapMs: 40 });
  assertExactSteps(report, videoPid, videoStep);
  assertExactSteps(report, audioPid, audioStep);
  assert.equal((await station.worker("encode")).pid, encode.pid);
  assert.equal((await station.worker("transmit")).pid, transmit.pid);
});

test("transmit is killed", async (t) => {
  const output = { type: "rtp", id: "main", address: "239.255.6.21", port: 16_021, interface: "lo" };
  const station = await Station.start(t, [smallChannel("239.255.6.21", 16_021, { outputs: [output] })]);
  const encode = await station.worker("encode");
  const wire = await Wire.watch(t, "239.255.6.21", 16_021);
  for (let i = 0; i < cycles; i++) {
    const { pid } = await station.worker("transmit");
    process.kill(pid, "SIGKILL");
    await station.replaced("transmit", pid);
    await station.proven();
  }
  const report = await wire.report();
  t.diagnostic(summary(report));
  // Units that were under way are gone with it, so time stamps may be further apart than they should.
  assertUnbroken(report, { gapMs: 400, except: ["pts"] });
  assert.equal(report.pmtChanges.length, 1, "the PMT did not change");
  assert.equal((await station.worker("encode")).pid, encode.pid);
});

test("transmit is frozen", async (t) => {
  const output = { type: "rtp", id: "main", address: "239.255.6.22", port: 16_022, interface: "lo" };
  const station = await Station.start(t, [smallChannel("239.255.6.22", 16_022, { outputs: [output] })]);
  const wire = await Wire.watch(t, "239.255.6.22", 16_022);
  for (let i = 0; i < 5; i++) {
    const { pid } = await station.worker("transmit");
    process.kill(pid, "SIGSTOP");
    await station.replaced("transmit", pid);
    await station.proven();
  }
  const report = await wire.report();
  t.diagnostic(summary(report));
  // The heartbeat takes its time to tell, and so long neither tables nor PCR come. What was not sent meanwhile is sent then.
  assertUnbroken(report, { gapMs: 2500, except: ["pts", "pat", "pmt", "pcrRepetition"] });
  assert.equal(report.pmtChanges.length, 1, "the PMT did not change");
});

test("the channel is restarted", async (t) => {
  const output = { type: "rtp", id: "main", address: "239.255.6.23", port: 16_023, interface: "lo" };
  const station = await Station.start(t, [smallChannel("239.255.6.23", 16_023, { outputs: [output] })]);
  const wire = await Wire.watch(t, "239.255.6.23", 16_023);
  for (let i = 0; i < 5; i++) {
    const { pid } = await station.worker("transmit");
    await station.call("POST", "/channels/ch1/restart");
    await station.replaced("transmit", pid);
    await station.settled("live");
  }
  const report = await wire.report();
  t.diagnostic(summary(report));
  assertUnbroken(report, { gapMs: 400, except: ["pts"] });
  assert.equal(report.pmtChanges.length, 1, "the PMT did not change");
});
