/** Lontium LT6911UXC, LT6911UXE and LT6911C: HDMI to MIPI CSI-2. I2C address 0x2B. */
import { BusError } from "../ports.ts";
import type { Signal } from "../signal.ts";
import { Access, Registers } from "./lontium.ts";
import { c, type Lt6911Chip, type Measured, pictureOf, uxc, uxe } from "./lt6911Chips.ts";
import { FlashFault, Lt6911Flash } from "./lt6911Flash.ts";
import { type EdidAccess, HOT_PLUG_PAUSE, type Receiver, type ReceiverContext, WrongChip } from "./receiver.ts";
import { Turns } from "./turns.ts";

/**
 * The LT6911UXC (HDMI 2.0). Experimental: what is known of it comes from vendors' drivers, and it was not tried on the
 * chip.
 *
 * The chip has firmware of its own, which sets up all there is, and which stands still while its registers are read.
 * So the driver looks at the board's cable power first, then at the status registers, and measures only when these tell
 * of a change (and every 10 s, should they miss one); it looks twice a second at most while video runs, and ten times
 * while it is waited for.
 *
 * Cable power and hot plug are lines of the board; a board without the first one is taken to have power always. The chip
 * does not tell HDCP, HDMI or DVI, the number of sound channels, nor the source's colour space and range: it converts
 * everything to YCbCr 4:2:2 of limited range, and that is what is given.
 *
 * Its EDID is in flash, which wears: it is read from there once and written only where it differs. After 5 failures in a
 * row it is written no more until the box starts anew. A new EDID is taken over in a reset of the chip; on a board
 * without a reset line, when it next gets power.
 */
export function lt6911uxc(context: ReceiverContext): Receiver {
  return new Lt6911(context, uxc);
}

/**
 * The LT6911UXE (HDMI 2.0). Experimental as the LT6911UXC, and with the same lines and gaps. Its processor serves what
 * it measures without being held. When there is no video, it does not tell whether there is a clock: that is `no-clock`.
 * Its EDID belongs to its firmware and can't be written.
 */
export function lt6911uxe(context: ReceiverContext): Receiver {
  return new Lt6911(context, uxe);
}

/**
 * The LT6911C (HDMI 1.4). Experimental as the LT6911UXC, and with the same lines, gaps and EDID. It tells of no change,
 * and a measurement holds its processor for 150 ms: it is measured every 2 s at most while video runs, and every 0.5 s
 * while it is waited for. It does not count blanking, so the frame rate is the most usual one that fits picture and
 * clock: a picture at 50 Hz is taken to be at 60 where television gives both the same clock. It does not tell whether
 * there is sound.
 */
export function lt6911c(context: ReceiverContext): Receiver {
  return new Lt6911(context, c);
}

/** A measurement counts so long at most, ms. */
const RECHECK = 10_000;
/** Largest picture of any of the chips. */
const MAX_WIDTH = 4096;
const MAX_HEIGHT = 2160;
/** The reset line is held so long, and the chip's firmware needs so long afterwards, ms. */
const RESET_TIME = 100;
const FLASH_FAILURES = 5;
const EDID_BLOCKS = 2;

interface Look {
  at: number;
  measured: Measured;
  measuredAt: number;
  /** What the chip's status was then. */
  status: string;
}

class Lt6911 implements Receiver {
  readonly edid?: EdidAccess;
  readonly #context: ReceiverContext;
  readonly #chip: Lt6911Chip;
  readonly #registers: Registers;
  readonly #access: Access;
  #last: Look | undefined;
  #hotPlug: boolean | undefined;
  #content: Uint8Array | undefined;
  #failures = 0;
  /** What happens between taking access and giving it back must not mix. */
  readonly #turns = new Turns();

  constructor(context: ReceiverContext, chip: Lt6911Chip) {
    this.#context = context;
    this.#chip = chip;
    this.#registers = new Registers(context.i2c);
    this.#access = new Access(this.#registers, chip.enable, chip.watchdog);
    if (chip.flash === undefined) return;
    const flash = new Lt6911Flash(this.#registers, context.clock, chip.flash);
    this.edid = {
      maxBlocks: EDID_BLOCKS,
      write: (edid) => this.#turns.run(() => this.#writeEdid(flash, edid)),
      read: (length) => this.#turns.run(async () => (await this.#readEdid(flash)).slice(0, length)),
    };
  }

  start(): Promise<void> {
    return this.#turns.run(async () => {
      this.#last = undefined;
      this.#hotPlug = undefined;
      const { name, identity } = this.#chip;
      const found = await this.#access.during(() => this.#registers.read(identity.register, 2));
      if (`${found}` !== `${identity.id}`) {
        throw new WrongChip(`an ${name} with the id ${hex(identity.id)} is expected, ${hex([...found])} is there`);
      }
      await this.#power();
    });
  }

  read(): Promise<Signal> {
    return this.#turns.run(async () => {
      await this.#access.release();
      const powered = await this.#power();
      if (!powered) {
        this.#last = undefined;
        return { state: "no-cable", cablePower: false };
      }
      return this.#signal(await this.#look());
    });
  }

  /** Cable power, true also where the board has no line for it. Hot plug follows it. */
  async #power(): Promise<boolean> {
    const { cablePower } = this.#context;
    const powered = cablePower === undefined || (await cablePower.read());
    await this.#showHotPlug(powered);
    return powered;
  }

  async #showHotPlug(shown: boolean): Promise<void> {
    if (shown === this.#hotPlug) return;
    await this.#context.hotPlug?.write(shown);
    this.#hotPlug = shown;
  }

  async #look(): Promise<Measured> {
    const now = this.#context.clock.now();
    const last = this.#last;
    const { running, waiting } = this.#chip.interval;
    if (last !== undefined && now - last.at < (last.measured.stable ? running : waiting)) return last.measured;
    // What was measured before counts no more if this look fails.
    this.#last = undefined;
    const measure = () => this.#measure(last, now);
    this.#last = this.#chip.held ? await this.#access.during(measure) : await measure();
    return this.#last.measured;
  }

  async #measure(last: Look | undefined, now: number): Promise<Look> {
    const { status } = this.#chip;
    if (last !== undefined && status !== undefined && now - last.measuredAt < RECHECK) {
      if ((await status(this.#registers)) === last.status) return { ...last, at: now };
    }
    const measured = await this.#chip.measure(this.#registers, this.#context.clock);
    return { at: now, measured, measuredAt: now, status: (await status?.(this.#registers)) ?? "" };
  }

  #signal(measured: Measured): Signal {
    const { clock, stable, audioRate, pixelClock } = measured;
    const power = this.#context.cablePower === undefined ? {} : { cablePower: true };
    if (!clock) return { state: "no-clock", ...power, ...(clock === undefined ? {} : { clock }) };
    const picture = stable ? pictureOf(measured) : undefined;
    if (picture === undefined) return { state: "no-lock", ...power, clock, lock: false };
    const fits = picture.width <= MAX_WIDTH && picture.height <= MAX_HEIGHT && pixelClock <= this.#chip.maxClock;
    return {
      state: fits ? "locked" : "out-of-range",
      ...power,
      clock,
      lock: true,
      video: { ...picture, colourSpace: "ycbcr-422", range: "limited" },
      ...(audioRate === undefined ? {} : { audio: { rate: audioRate, channels: 2 } }),
    };
  }

  async #readEdid(flash: Lt6911Flash): Promise<Uint8Array> {
    this.#content ??= await this.#access.during(() => flash.read());
    return this.#content;
  }

  async #writeEdid(flash: Lt6911Flash, edid: Uint8Array): Promise<void> {
    const { name } = this.#chip;
    if (edid.length === 0 || edid.length % 128 !== 0 || edid.length > EDID_BLOCKS * 128) {
      throw new RangeError(`the ${name} takes an EDID of 128 or 256 bytes`);
    }
    if (this.#failures === FLASH_FAILURES) {
      throw new BusError("unavailable", `the flash of the ${name} failed ${FLASH_FAILURES} times and is spared`);
    }
    this.#content = undefined;
    this.#failures++;
    await this.#showHotPlug(false);
    try {
      await this.#access.during(() => flash.write(edid));
      await this.#reset();
      const held = await this.#readEdid(flash);
      if (`${held.subarray(0, edid.length)}` !== `${edid}`) throw new FlashFault("it holds another EDID");
      this.#failures = 0;
    } catch (error) {
      this.#content = undefined;
      if (!(error instanceof FlashFault)) throw error;
      throw new BusError("unavailable", `the flash of the ${name} did not take the EDID: ${error.message}`);
    } finally {
      this.#last = undefined;
      await this.#context.clock.sleep(HOT_PLUG_PAUSE);
      await this.#power();
    }
  }

  async #reset(): Promise<void> {
    const { reset, clock } = this.#context;
    if (reset === undefined) return;
    await reset.write(true);
    await clock.sleep(RESET_TIME);
    await reset.write(false);
    await clock.sleep(RESET_TIME);
  }
}

function hex(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
