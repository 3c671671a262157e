/** Faults of the source: the wire shows nothing, and the picture goes on in exact steps by the same encoder. */
import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Sender } from "./support/sender.ts";
import { audioPid, audioStep, Station, smallChannel, videoPid, videoStep } from "./support/station.ts";
import { assertExactSteps, assertUnbroken, summary, Wire } from "./support/wire.ts";

const cycles = 20;
const gapMs = 40;

/** A channel that takes a sender's stream. */
function ipChannel(address: string, port: number, input: Sender): object {
  const source = { type: "ip", address: input.address, port: input.port, interface: "lo" };
  return smallChannel(address, port, { source, loss: { holdMs: 300, picture: "slate", text: "No signal" } });
}

/** Watches the wire; at the end it must be unbroken, in exact steps, and made by the same encoder. */
async function watch(t: TestContext, station: Station, address: string, port: number) {
  const { pid } = await station.worker("encode");
  const wire = await Wire.watch(t, address, port);
  return {
    async noticesNothing(): Promise<void> {
      const report = await wire.report();
      t.diagnostic(summary(report));
      assertUnbroken(report, { gapMs });
      assertExactSteps(report, videoPid, videoStep);
      assertExactSteps(report, audioPid, audioStep);
      assert.equal((await station.worker("encode")).pid, pid);
    },
  };
}

test("frames stop and come back", async (t) => {
  const sender = new Sender(t, "239.255.6.1", 16_001);
  sender.start(0);
  const station = await Station.start(t, [ipChannel("239.255.6.2", 16_002, sender)]);
  const watched = await watch(t, station, "239.255.6.2", 16_002);
  for (let i = 0; i < cycles; i++) {
    sender.signal("SIGSTOP");
    await station.settled("slate");
    sender.signal("SIGCONT");
    await station.settled("live");
  }
  await watched.noticesNothing();
});

test("the source changes its mode", async (t) => {
  const station = await Station.start(t, [smallChannel("239.255.6.3", 16_003)]);
  const watched = await watch(t, station, "239.255.6.3", 16_003);
  const modes = [
    { width: 1280, height: 720, frameRate: "50", interlaced: false, reads: "1280x720 progressive" },
    { width: 1920, height: 1080, frameRate: "25", interlaced: true, reads: "1920x1080 interlaced" },
    { width: 720, height: 576, frameRate: "25", interlaced: true, reads: "720x576 interlaced" },
    { width: 720, height: 480, frameRate: "59.94", interlaced: false, reads: "720x480 progressive" },
  ];
  for (let i = 0; i < cycles; i++) {
    const { reads, ...mode } = modes[i % modes.length] ?? assert.fail();
    await station.patch({ source: mode });
    for (;;) {
      const { encode, state } = await station.settled("live");
      const { width, height, scan } = encode?.source ?? { width: 0, height: 0, scan: "" };
      if (state === "live" && `${width}x${height} ${scan}` === reads) break;
      await sleep(50);
    }
  }
  await watched.noticesNothing();
});

test("an IP source is killed and comes back at another position", async (t) => {
  const sender = new Sender(t, "239.255.6.4", 16_004);
  sender.start(0);
  const station = await Station.start(t, [ipChannel("239.255.6.5", 16_005, sender)]);
  const watched = await watch(t, station, "239.255.6.5", 16_005);
  for (let i = 0; i < cycles; i++) {
    await sender.stop();
    if (i % 2 === 0) await station.settled("slate");
    sender.start((i * 17 + 11) % 50);
    await station.settled("live");
  }
  await watched.noticesNothing();
});
