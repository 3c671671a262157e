import type { KeyName } from "../boardFile.ts";
import type { Clock, GpioInput } from "../ports.ts";
import { debounce } from "./debounce.ts";

/** `hold` comes again and again while the key stays pressed. */
export interface KeyEvent {
  key: KeyName;
  kind: "press" | "hold" | "release";
}

/** ms from the press to the first `hold`, and from one to the next. */
const HOLD_AFTER = 500;
const HOLD_INTERVAL = 120;

/** The panel's keys, each for itself: several may be pressed at once. */
export class Keys {
  readonly #lines: Partial<Record<KeyName, GpioInput>>;
  readonly #clock: Clock;
  readonly #listener: (event: KeyEvent) => void;
  readonly #endings: (() => void)[] = [];

  constructor(
    lines: Partial<Record<KeyName, GpioInput>>,
    { clock, listener }: { clock: Clock; listener: (event: KeyEvent) => void },
  ) {
    this.#lines = lines;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** @throws BusError when a line cannot be read */
  async start(): Promise<void> {
    for (const [key, line] of Object.entries(this.#lines)) await this.#follow(key as KeyName, line);
  }

  stop(): void {
    for (const end of this.#endings.splice(0)) end();
  }

  async #follow(key: KeyName, line: GpioInput): Promise<void> {
    let cancel = () => {};
    const hold = () => {
      cancel = this.#clock.after(HOLD_INTERVAL, hold);
      this.#listener({ key, kind: "hold" });
    };
    const end = await debounce(line, this.#clock, (pressed) => {
      cancel();
      if (pressed) cancel = this.#clock.after(HOLD_AFTER, hold);
      this.#listener({ key, kind: pressed ? "press" : "release" });
    });
    this.#endings.push(() => {
      end();
      cancel();
    });
  }
}
