/**
 * A receiver whose chip a driver of the kernel owns. The kernel tells what comes; the chip itself is never touched. HDCP
 * and whether it is HDMI or DVI are not told through V4L2.
 */
import type { Capture, CaptureStatus } from "../adapters/capture.ts";
import type { DvTimings } from "../adapters/v4l2ctl.ts";
import { BusError, type Clock } from "../ports.ts";
import { type AudioSignal, exactRate, type FrameRate, type Signal, type VideoSignal } from "../signal.ts";
import type { EdidAccess, Receiver } from "./receiver.ts";

/** Without an event the driver is asked again after so long, ms: some events get lost, some drivers have none. */
const RECHECK_INTERVAL = 2000;
/** All drivers take two; what more they take they do not tell. */
const EDID_BLOCKS = 2;

export class V4l2Receiver implements Receiver {
  /** Known from start() on; absent where the driver has no EDID to write, as where the chip keeps it in its flash. */
  edid?: EdidAccess;
  readonly #capture: Capture;
  readonly #clock: Clock;
  #unwatch: (() => void) | undefined;
  readonly #listeners = new Set<() => void>();
  #last: Signal | undefined;
  #lastAt = 0;
  #stale = true;
  /** Timings that the driver was told to use. */
  #adopted = "";

  constructor(capture: Capture, clock: Clock) {
    this.#capture = capture;
    this.#clock = clock;
  }

  async start(): Promise<void> {
    this.#unwatch ??= this.#capture.watch(() => this.#changed());
    this.#stale = true;
    this.#adopted = "";
    if ((await this.#capture.readEdid(EDID_BLOCKS)) === undefined) delete this.edid;
    else this.edid = this.#edid;
    await this.read();
  }

  /** As it was seen last, unless the driver has told a change or it is two seconds old. */
  async read(): Promise<Signal> {
    const old = this.#clock.now() - this.#lastAt >= RECHECK_INTERVAL;
    if (this.#last !== undefined && !this.#stale && !old) return this.#last;
    // What changes from here on is seen the next time.
    this.#stale = false;
    try {
      const status = await this.#capture.status();
      await this.#adopt(status.timings);
      this.#last = signalOf(status);
      this.#lastAt = this.#clock.now();
      return this.#last;
    } catch (error) {
      this.#stale = true;
      throw error;
    }
  }

  /** Tells that the driver saw a change. Returns the function that ends it. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#unwatch?.();
    this.#listeners.clear();
    this.#capture.close();
  }

  readonly #edid: EdidAccess = {
    maxBlocks: EDID_BLOCKS,
    read: async (length) => {
      const held = await this.#capture.readEdid(Math.ceil(length / 128));
      return (held ?? new Uint8Array()).slice(0, length);
    },
    write: async (edid) => {
      await this.#capture.writeEdid(edid);
      this.#stale = true;
    },
  };

  #changed(): void {
    this.#stale = true;
    // Drivers go back to their own timings when the source has gone, so the same ones are told again.
    this.#adopted = "";
    for (const listener of [...this.#listeners]) listener();
  }

  /** A driver captures with the timings that it was told, not with those that come. */
  async #adopt(timings: CaptureStatus["timings"]): Promise<void> {
    const wanted = typeof timings === "string" ? "" : JSON.stringify(timings);
    if (wanted === this.#adopted) return;
    try {
      if (wanted !== "") await this.#capture.adopt();
      this.#adopted = wanted;
    } catch (error) {
      // Pictures are being taken with the ones before: it is tried again once that has ended.
      if (!(error instanceof BusError)) throw error;
    }
  }
}

/** The Signal of what a driver tells. */
export function signalOf({ timings, power, audio, format }: CaptureStatus): Signal {
  const cable = power === undefined ? {} : { cablePower: power };
  // Some drivers keep the timings of a source that has gone.
  if (power === false) return { state: "no-cable", cablePower: false };
  if (timings === "no-link") {
    return power === undefined ? { state: "no-cable" } : { state: "no-clock", ...cable, clock: false };
  }
  if (timings === "no-lock") return { state: "no-lock", ...cable, clock: true, lock: false };
  if (timings === "out-of-range") return { state: "out-of-range", ...cable, clock: true, lock: true };
  const video: VideoSignal = {
    width: timings.width,
    height: timings.height,
    interlaced: timings.interlaced,
    rate: pictureRate(timings),
    // What drivers that do not tell give as a rule.
    ...(format ?? { colourSpace: "ycbcr-422", range: "limited" }),
  };
  const sound = soundOf(audio);
  return { state: "locked", ...cable, clock: true, lock: true, video, ...(sound && { audio: sound }) };
}

/** Pictures per second: the totals are of a whole picture, also of an interlaced one. */
function pictureRate({ pixelClock, totalWidth, totalHeight, reduced }: DvTimings): FrameRate {
  const measured = pixelClock / (totalWidth * totalHeight);
  const rate = exactRate(measured);
  // With this flag some drivers give the clock as the standard has it, some as it comes. 25 and 50 Hz have no such twin.
  return reduced && rate[1] === 1 && rate[0] % 6 === 0 ? exactRate(measured / 1.001) : rate;
}

/** Where a driver does not tell, sound as HDMI has it by default. */
function soundOf({ present, rate }: CaptureStatus["audio"]): AudioSignal | undefined {
  return present === false ? undefined : { rate: rate || 48000, channels: 2 };
}
