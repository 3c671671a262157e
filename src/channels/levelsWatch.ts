/** Has the encoder measure and send audio levels only while somebody looks: ten wake-ups a second of every channel. */
import type { Bus } from "../bus.ts";
import type { Supervised } from "../media/worker.ts";

type Encoder = Pick<Supervised<never>, "state" | "pid" | "adopted" | "request">;

export class LevelsWatch {
  readonly #bus: Bus;
  readonly #encoder: () => Encoder | undefined;
  #pid: number | null = null;
  /** What the process does as far as is known; undefined: one that somebody else has started may do either. */
  #sends: boolean | undefined = false;
  #end = () => {};

  constructor(bus: Bus, encoder: () => Encoder | undefined) {
    this.#bus = bus;
    this.#encoder = encoder;
  }

  start(): void {
    this.#end();
    this.#end = this.#bus.onAttention("levels", () => this.look());
  }

  stop(): void {
    this.#end();
  }

  /** To be called when the encoder's state may have changed. */
  look(): void {
    const encoder = this.#encoder();
    if (encoder?.state !== "running") return;
    if (encoder.pid !== this.#pid) {
      this.#pid = encoder.pid;
      this.#sends = encoder.adopted ? undefined : false;
    }
    const levels = this.#bus.hears("levels");
    if (levels === this.#sends) return;
    this.#sends = levels;
    encoder.request("watch", { levels }).catch(() => {
      this.#sends = undefined;
    });
  }
}
