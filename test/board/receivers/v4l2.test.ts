import assert from "node:assert/strict";
import test from "node:test";
import type { Capture, CaptureStatus } from "../../../src/board/adapters/capture.ts";
import type { DvTimings } from "../../../src/board/adapters/v4l2ctl.ts";
import { BusError } from "../../../src/board/ports.ts";
import { signalOf, V4l2Receiver } from "../../../src/board/receivers/v4l2.ts";
import type { Signal } from "../../../src/board/signal.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

const hd: DvTimings = {
  ...{ width: 1920, height: 1080, totalWidth: 2200, totalHeight: 1125 },
  ...{ interlaced: false, pixelClock: 148_500_000, reduced: false },
};

function status(timings: CaptureStatus["timings"], rest: Partial<CaptureStatus> = {}): CaptureStatus {
  return { timings, power: true, audio: { present: true, rate: 44100 }, format: undefined, ...rest };
}

test("the signal of what a driver tells", () => {
  assert.deepEqual(signalOf(status("no-link")), { state: "no-clock", cablePower: true, clock: false } satisfies Signal);
  assert.deepEqual(signalOf(status("no-link", { power: false })), { state: "no-cable", cablePower: false });
  assert.deepEqual(signalOf(status("no-link", { power: undefined })), { state: "no-cable" });
  assert.equal(signalOf(status(hd, { power: false })).state, "no-cable");
  assert.deepEqual(signalOf(status("no-lock")), { state: "no-lock", cablePower: true, clock: true, lock: false });
  assert.equal(signalOf(status("out-of-range")).state, "out-of-range");
  assert.deepEqual(signalOf(status(hd, { format: { colourSpace: "rgb", range: "full" } })), {
    ...{ state: "locked", cablePower: true, clock: true, lock: true },
    video: { width: 1920, height: 1080, interlaced: false, rate: [60, 1], colourSpace: "rgb", range: "full" },
    audio: { rate: 44100, channels: 2 },
  });
});

test("rates are exact, of interlaced pictures and of those slower by 1.001 too", () => {
  const rate = (change: Partial<DvTimings>) => signalOf(status({ ...hd, ...change })).video?.rate;
  assert.deepEqual(rate({ pixelClock: 148_351_648 }), [60000, 1001]);
  assert.deepEqual(rate({ reduced: true }), [60000, 1001]);
  assert.deepEqual(rate({ pixelClock: 148_351_648, reduced: true }), [60000, 1001]);
  assert.deepEqual(rate({ pixelClock: 74_250_000, interlaced: true, reduced: true }), [30000, 1001]);
  assert.deepEqual(rate({ totalWidth: 2640, reduced: true }), [50, 1]);
});

test("sound that a driver does not tell is taken as HDMI has it by default", () => {
  const audio = (present: boolean | undefined, rate?: number) =>
    signalOf(status(hd, { audio: { present, rate } })).audio;
  assert.deepEqual(audio(undefined), { rate: 48000, channels: 2 });
  assert.deepEqual(audio(true, 0), { rate: 48000, channels: 2 });
  assert.equal(audio(false, 48000), undefined);
});

class FakeCapture implements Capture {
  looks = 0;
  adopted: number[] = [];
  answer: CaptureStatus | BusError = status("no-link");
  busy = false;
  held: Uint8Array | undefined = new Uint8Array();
  #listener = () => {};

  async status(): Promise<CaptureStatus> {
    this.looks++;
    if (this.answer instanceof BusError) throw this.answer;
    return this.answer;
  }

  async adopt(): Promise<void> {
    if (this.busy) throw new BusError("unavailable", "VIDIOC_S_DV_TIMINGS fails (EBUSY)");
    this.adopted.push(this.looks);
  }

  readEdid = async (blocks: number) => this.held?.slice(0, blocks * 128);

  async writeEdid(edid: Uint8Array): Promise<void> {
    this.held = edid;
  }

  watch(listener: () => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = () => {};
    };
  }

  change(answer: CaptureStatus): void {
    this.answer = answer;
    this.#listener();
  }

  close(): void {}
}

async function started() {
  const capture = new FakeCapture();
  const clock = new VirtualClock();
  const receiver = new V4l2Receiver(capture, clock);
  await receiver.start();
  return { capture, clock, receiver };
}

test("the driver is asked again after an event, and every two seconds without one", async () => {
  const { capture, clock, receiver } = await started();
  let told = 0;
  receiver.watch(() => told++);
  for (let i = 0; i < 10; i++) await receiver.read();
  assert.equal(capture.looks, 1);

  capture.change(status(hd));
  assert.equal(told, 1);
  assert.equal((await receiver.read()).state, "locked");
  await receiver.read();
  assert.equal(capture.looks, 2);

  capture.answer = status("no-lock");
  await clock.advance(1999);
  assert.equal((await receiver.read()).state, "locked");
  await clock.advance(1);
  assert.equal((await receiver.read()).state, "no-lock");
  assert.equal(capture.looks, 3);
});

test("an event while the driver is being asked is not lost", async () => {
  const { capture, receiver } = await started();
  capture.change(status("no-lock"));
  const answer = receiver.read();
  capture.change(status(hd));
  await answer;
  assert.equal((await receiver.read()).state, "locked");
});

test("a driver that does not answer is told as that, and asked again the next time", async () => {
  const { capture, clock, receiver } = await started();
  await clock.advance(2000);
  capture.answer = new BusError("timeout", "v4l2-ctl did not end");
  await assert.rejects(receiver.read(), { code: "timeout" });
  capture.answer = status(hd);
  assert.equal((await receiver.read()).state, "locked");
});

test("new timings are put in use, later when pictures are being taken with the ones before", async () => {
  const { capture, clock, receiver } = await started();
  capture.change(status(hd));
  await receiver.read();
  await clock.advance(2000);
  await receiver.read();
  assert.deepEqual(capture.adopted, [2]);

  capture.busy = true;
  capture.change(status({ ...hd, width: 1280 }));
  assert.equal((await receiver.read()).video?.width, 1280);
  capture.busy = false;
  await clock.advance(2000);
  await receiver.read();
  assert.deepEqual(capture.adopted, [2, 5]);
  // The driver may have gone back to its own when the source went.
  capture.change(status({ ...hd, width: 1280 }));
  await receiver.read();
  assert.deepEqual(capture.adopted, [2, 5, 6]);
});

test("an EDID is written and read where the driver has one", async () => {
  const { capture, receiver } = await started();
  assert.ok(receiver.edid);
  assert.equal(receiver.edid.maxBlocks, 2);
  assert.equal((await receiver.edid.read(256)).length, 0);
  const edid = Uint8Array.from({ length: 256 }, (_, i) => i & 0xff);
  await receiver.edid.write(edid);
  assert.deepEqual(await receiver.edid.read(256), edid);
  assert.deepEqual(await receiver.edid.read(128), edid.slice(0, 128));

  capture.held = undefined;
  await receiver.start();
  assert.equal(receiver.edid, undefined);
});
