import type { ReceiverContext } from "./receiver.ts";

/** The reset line of a chip, if the board has one: used once, as whoever ran before may have left anything in the chip. */
export class ResetOnce {
  readonly #context: ReceiverContext;
  readonly #time: number;
  #done = false;

  /** `time`: how long the line is held, and how long the chip needs after it, ms. */
  constructor(context: ReceiverContext, time: number) {
    this.#context = context;
    this.#time = time;
  }

  async pulse(): Promise<void> {
    const { reset, clock } = this.#context;
    if (reset === undefined || this.#done) return;
    await reset.write(true);
    await clock.sleep(this.#time);
    await reset.write(false);
    await clock.sleep(this.#time);
    this.#done = true;
  }
}
