import type { Clock, GpioInput } from "../ports.ts";
import { debounce } from "./debounce.ts";

/** s that the key in the hole must be held. */
export const RESET_AFTER = 10;

/** How far a press has got, for LEDs and display. */
export type ResetProgress =
  /** Held for 1 to 9 whole seconds: released now, nothing happens. */
  | { state: "held"; seconds: number }
  /** Released in time, after 1 s or more. */
  | { state: "cancelled" }
  /** Held for 10 s: the reset has been called. */
  | { state: "reset" };

interface ResetHoleOptions {
  line: GpioInput;
  clock: Clock;
  progress: (progress: ResetProgress) => void;
  /** Called once for each press of 10 s. */
  factoryReset: () => void;
}

/** The key in the hole: 10 s reset to factory settings, 1 to 9 s tell so, less does nothing. */
export class ResetHole {
  readonly #options: ResetHoleOptions;
  #end = () => {};
  #cancel = () => {};
  /** When it was pressed; undefined while it is not, or once the reset has been called. */
  #since: number | undefined;

  constructor(options: ResetHoleOptions) {
    this.#options = options;
  }

  /** @throws BusError when the line cannot be read */
  async start(): Promise<void> {
    const { line, clock } = this.#options;
    this.#end = await debounce(line, clock, (pressed) => (pressed ? this.#press() : this.#release()));
  }

  stop(): void {
    this.#end();
    this.#cancel();
    this.#since = undefined;
  }

  #press(): void {
    const since = this.#options.clock.now();
    this.#since = since;
    this.#wait(since, 1);
  }

  /** Waits until the key has been held for so many seconds, from the press on: lateness does not add up. */
  #wait(since: number, seconds: number): void {
    const { clock, progress } = this.#options;
    this.#cancel = clock.after(Math.max(0, since + seconds * 1000 - clock.now()), () => {
      if (seconds >= RESET_AFTER) {
        this.#reset();
      } else {
        this.#wait(since, seconds + 1);
        progress({ state: "held", seconds });
      }
    });
  }

  #release(): void {
    this.#cancel();
    if (this.#since === undefined) return;
    const held = this.#options.clock.now() - this.#since;
    this.#since = undefined;
    // The release may overtake the timer.
    if (held >= RESET_AFTER * 1000) this.#reset();
    else if (held >= 1000) this.#options.progress({ state: "cancelled" });
  }

  #reset(): void {
    this.#since = undefined;
    this.#options.progress({ state: "reset" });
    this.#options.factoryReset();
  }
}
