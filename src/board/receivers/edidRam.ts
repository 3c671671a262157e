/**
 * What receivers with an EDID in RAM have in common: the RAM is lost with the chip's power or reset, so the driver
 * knows what was in it, notices the loss, and shows it to the source again.
 */
import type { Signal } from "../signal.ts";
import { type EdidAccess, HOT_PLUG_PAUSE, type Receiver, type ReceiverContext } from "./receiver.ts";

const BLOCK = 128;
/** How long a reset line is held, and what a chip needs after it, ms. */
const RESET_TIME = 10;
const HEADER = [0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00];

/** How a chip was found. */
export interface Condition {
  /** Every setting is as `configure` leaves it. */
  configured: boolean;
  /** It shows hot plug to the source. */
  hotPlug: boolean;
}

export abstract class EdidRamReceiver implements Receiver {
  readonly edid: EdidAccess;
  protected readonly context: ReceiverContext;
  #known: Uint8Array | undefined;
  /** The last set-up or EDID was done to its end. */
  #whole = false;

  constructor(context: ReceiverContext, maxBlocks: number) {
    this.context = context;
    this.edid = {
      maxBlocks,
      write: (edid) => this.#write(edid),
      read: (length) => this.load(length),
    };
  }

  async start(): Promise<void> {
    await this.identify();
    await this.#keep();
  }

  async read(): Promise<Signal> {
    await this.#keep();
    return this.look();
  }

  // ---- what each chip does in its own way; each step takes the bus for itself ----------------------------------------

  /** @throws WrongChip */
  protected abstract identify(): Promise<void>;
  protected abstract condition(): Promise<Condition>;
  /** Sets up from whatever state; hot plug is off afterwards. */
  protected abstract configure(): Promise<void>;
  protected abstract show(hotPlug: boolean): Promise<void>;
  protected abstract powered(): Promise<boolean>;
  protected abstract look(): Promise<Signal>;
  /** Writes the RAM, while hot plug is off. */
  protected abstract store(edid: Uint8Array): Promise<void>;
  /** Reads the RAM. */
  protected abstract load(length: number): Promise<Uint8Array>;

  // ---- keeping -------------------------------------------------------------------------------------------------------

  /** Sets the chip up where it is not. One that an earlier run left in order goes on undisturbed. */
  async #keep(): Promise<void> {
    const { configured, hotPlug } = await this.condition();
    if (configured && this.#whole && hotPlug === (this.#known !== undefined)) return;
    if (configured && !this.#whole && hotPlug) {
      // Hot plug is the last step of all, and the EDID is only written without it: what is shown is whole.
      this.#known = await this.#stored();
      this.#whole = true;
      return;
    }
    this.#whole = false;
    this.#known ??= await this.#stored();
    await this.#reset();
    await this.configure();
    if (this.#known !== undefined) await this.#serve(this.#known);
    this.#whole = true;
  }

  /** By the board's line, if it has one. */
  async #reset(): Promise<void> {
    const { reset, clock } = this.context;
    if (reset === undefined) return;
    await reset.write(true);
    await clock.sleep(RESET_TIME);
    await reset.write(false);
    await clock.sleep(RESET_TIME);
  }

  async #write(edid: Uint8Array): Promise<void> {
    const { maxBlocks } = this.edid;
    if (edid.length === 0 || edid.length % BLOCK !== 0 || edid.length > maxBlocks * BLOCK) {
      throw new RangeError(`an EDID for this receiver has 1 to ${maxBlocks} blocks of ${BLOCK} bytes`);
    }
    this.#whole = false;
    this.#known = Uint8Array.from(edid);
    await this.show(false);
    await this.#serve(this.#known);
    this.#whole = true;
  }

  async #serve(edid: Uint8Array): Promise<void> {
    await this.store(edid);
    // Nobody notices the pause while no source is there.
    if (await this.powered()) await this.context.clock.sleep(HOT_PLUG_PAUSE);
    await this.show(true);
  }

  /** The EDID in the RAM, or undefined where there is none with right checksums. */
  async #stored(): Promise<Uint8Array | undefined> {
    const base = await this.load(BLOCK);
    if (HEADER.some((byte, i) => base[i] !== byte)) return undefined;
    const blocks = 1 + (base[126] ?? 0);
    if (blocks > this.edid.maxBlocks) return undefined;
    const edid = blocks === 1 ? base : await this.load(blocks * BLOCK);
    for (let at = 0; at < edid.length; at += BLOCK) {
      const sum = edid.subarray(at, at + BLOCK).reduce((a, b) => a + b, 0);
      if (sum % 256 !== 0) return undefined;
    }
    return edid;
  }
}
