/** One input of the box: asks its receiver, waits until what it says is steady, and keeps the EDID in it. */
import type { InputConfig } from "../../config/schema.ts";
import { BusError, type Clock } from "../ports.ts";
import { type Receiver, WrongChip } from "../receivers/receiver.ts";
import { type Signal, sameSignal } from "../signal.ts";

/** How often the receiver is asked (ms): when nobody waits for its signal, when a channel does, and during a change. */
const IDLE_INTERVAL = 2000;
const QUIET_INTERVAL = 300;
const BUSY_INTERVAL = 40;
/** For so long after a sign of a change the receiver is asked often, as chips take their time to notice, ms. */
const ATTENTION = 1000;
/** A signal counts when it has been the same for so long, ms. */
const STEADY_AFTER = 100;
/** A receiver that does not answer is asked this often, ms. */
const RETRY_INTERVAL = 500;
/** An EDID that could not be written is tried again after this, ms. */
const EDID_RETRY_INTERVAL = 10_000;

export interface InputOptions {
  label: string;
  receiver: Receiver;
  clock: Clock;
  config: InputConfig;
  /** The EDID that the source shall see, of so many blocks at most. @throws Error with the reason in words */
  edid: (config: InputConfig, maxBlocks: number) => Uint8Array;
  /** A channel waits for the signal. */
  inUse: () => boolean;
  /** Told when the steady signal or the fault is another one. */
  changed: () => void;
}

export class Input {
  readonly #label: string;
  readonly #receiver: Receiver;
  readonly #clock: Clock;
  readonly #edid: InputOptions["edid"];
  readonly #inUse: () => boolean;
  readonly #changed: () => void;
  #config: InputConfig;
  #steady: Signal | undefined;
  #latest: Signal | undefined;
  #latestSince = 0;
  #fault = "";
  #edidFault = "";
  #edidRetryAt = 0;
  #attentiveUntil = 0;
  #told = "";
  #setUp = false;
  #running: Promise<void> | undefined;
  #wake = () => {};
  #stopped = false;
  #woken = false;

  constructor({ label, receiver, clock, config, edid, inUse, changed }: InputOptions) {
    this.#label = label;
    this.#receiver = receiver;
    this.#clock = clock;
    this.#config = config;
    this.#edid = edid;
    this.#inUse = inUse;
    this.#changed = changed;
  }

  get config(): InputConfig {
    return this.#config;
  }

  /** The signal as it has been for a while; undefined before the first one. */
  get signal(): Signal | undefined {
    return this.#steady;
  }

  /** Nothing has been heard of it yet. */
  get isUnknown(): boolean {
    return this.#steady === undefined && this.#fault === "";
  }

  /** What keeps the box from knowing or serving the input, in words, or "". */
  get fault(): string {
    return this.#fault === "" ? this.#edidFault : this.#fault;
  }

  start(): void {
    this.#stopped = false;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
  }

  /** Something may have happened: the receiver is asked at once. */
  nudge(): void {
    this.#woken = true;
    this.#attentiveUntil = this.#clock.now() + ATTENTION;
    this.#wake();
  }

  apply(config: InputConfig): void {
    this.#config = config;
    this.#setUp = false;
    this.nudge();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) await this.#pause(await this.#look());
  }

  /** One look at the receiver; gives the time until the next one. */
  async #look(): Promise<number> {
    this.#woken = false;
    try {
      if (!this.#setUp) await this.#prepare();
      if (this.#edidFault !== "" && this.#clock.now() >= this.#edidRetryAt) await this.#keepEdid();
      const signal = await this.#receiver.read();
      this.#say("");
      return this.#take(signal);
    } catch (error) {
      if (!(error instanceof BusError || error instanceof WrongChip)) throw error;
      this.#setUp = false;
      const why = error instanceof WrongChip ? error.message : `its receiver does not answer (${error.message})`;
      this.#say(`${this.#label}: ${why}`);
      return RETRY_INTERVAL;
    }
  }

  async #prepare(): Promise<void> {
    const config = this.#config;
    await this.#receiver.start();
    const { analogue } = this.#receiver;
    if (analogue !== undefined) {
      const { analogue: input, standard } = config;
      await analogue.select(analogue.inputs.includes(input) ? input : "cvbs");
      await analogue.force(isAnalogue(standard) ? standard : "auto");
    }
    await this.#keepEdid();
    // A change meanwhile is set up the next time.
    this.#setUp = config === this.#config;
  }

  /**
   * Writes the EDID where the chip has another one; drivers put it back when a chip loses it. One that can't be used or
   * written is a fault, but no reason not to look at the signal.
   */
  async #keepEdid(): Promise<void> {
    const { edid } = this.#receiver;
    if (edid === undefined) return;
    this.#edidRetryAt = this.#clock.now() + EDID_RETRY_INTERVAL;
    try {
      const wanted = this.#edid(this.#config, edid.maxBlocks);
      const held = await edid.read(wanted.length);
      if (Buffer.compare(held, wanted) !== 0) await edid.write(wanted);
      this.#edidFault = "";
    } catch (error) {
      this.#edidFault = `${this.#label}: the EDID cannot be used: ${(error as Error).message}`;
    }
  }

  /** Takes a signal once it has been the same long enough. */
  #take(signal: Signal): number {
    const now = this.#clock.now();
    if (this.#latest === undefined || !sameSignal(signal, this.#latest)) {
      this.#latest = signal;
      this.#latestSince = now;
    }
    const quiet = this.#inUse() || now < this.#attentiveUntil ? QUIET_INTERVAL : IDLE_INTERVAL;
    if (this.#steady !== undefined && sameSignal(signal, this.#steady)) return quiet;
    if (now - this.#latestSince < STEADY_AFTER) return BUSY_INTERVAL;
    this.#steady = signal;
    this.#changed();
    return quiet;
  }

  #say(fault: string): void {
    this.#fault = fault;
    if (this.fault === this.#told) return;
    this.#told = this.fault;
    this.#changed();
  }

  async #pause(ms: number): Promise<void> {
    if (this.#woken || this.#stopped) return;
    await new Promise<void>((done) => {
      const cancel = this.#clock.after(ms, done);
      this.#wake = () => {
        cancel();
        done();
      };
    });
    this.#wake = () => {};
  }
}

const analogueStandards = ["ntsc", "ntsc-443", "pal", "pal-m", "pal-n", "pal-60", "secam"] as const;

function isAnalogue(standard: string): standard is (typeof analogueStandards)[number] {
  return (analogueStandards as readonly string[]).includes(standard);
}
