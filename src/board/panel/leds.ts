import type { Clock, GpioOutput } from "../ports.ts";

/** A light of one colour, or of red, green and blue. */
export type Light = { line: GpioOutput } | { red?: GpioOutput; green?: GpioOutput; blue?: GpioOutput };

/**
 * What a light says. Of a channel: `off`; `starting`, blinking; `slate`, blue; `live`, green; `failed`, red. The others
 * use the same signs (`live`: in order), and `warning`, yellow.
 */
export type LightState = "off" | "starting" | "slate" | "live" | "warning" | "failed";

export interface LightStates {
  power: LightState;
  status: LightState;
  network: LightState;
  /** In the order of the lights; those that are left over are off. */
  channels: readonly LightState[];
}

interface Colour {
  red?: boolean;
  green?: boolean;
  blue?: boolean;
}

/** Ten beats of 100 ms, lit in those with #. */
type Rhythm = string;

interface Sign {
  colour: Colour;
  rhythm: Rhythm;
  /** For lights of one colour. */
  plain: Rhythm;
}

const BEAT = 100;
const STEADY = "##########";
const DARK = "----------";
const BLINKING = "#####-----";
const FAST = "#-#-#-#-#-";

const signs: Record<LightState, Sign> = {
  off: { colour: {}, rhythm: DARK, plain: DARK },
  starting: { colour: { green: true }, rhythm: BLINKING, plain: BLINKING },
  slate: { colour: { blue: true }, rhythm: STEADY, plain: "#---------" },
  live: { colour: { green: true }, rhythm: STEADY, plain: STEADY },
  warning: { colour: { red: true, green: true }, rhythm: STEADY, plain: "#########-" },
  failed: { colour: { red: true }, rhythm: STEADY, plain: "#-#-------" },
};

const findMe: Sign = { colour: { red: true, green: true, blue: true }, rhythm: FAST, plain: FAST };

/** The nearer the reset, the faster. */
function countdown(seconds: number): Sign {
  const rhythm = seconds < 4 ? BLINKING : seconds < 7 ? "###--###--" : FAST;
  return { colour: { red: true }, rhythm, plain: rhythm };
}

/** The box's lights. A reset in the making goes before "find me", and both before what the lights say otherwise. */
export class Leds {
  readonly #lights: readonly { of: (states: LightStates) => LightState; lamp: Lamp }[];
  readonly #clock: Clock;
  #states: LightStates = { power: "off", status: "off", network: "off", channels: [] };
  #isFinding = false;
  #endFinding = () => {};
  #held: number | undefined;
  #beat = 0;
  #stopBeats: (() => void) | undefined;

  constructor(
    lights: { power?: Light; status?: Light; network?: Light; channels?: readonly Light[] },
    { clock }: { clock: Clock },
  ) {
    const { power, status, network, channels = [] } = lights;
    const one = (light: Light | undefined, of: (states: LightStates) => LightState) =>
      light === undefined ? [] : [{ of, lamp: new Lamp(light) }];
    this.#clock = clock;
    this.#lights = [
      ...one(power, (states) => states.power),
      ...one(status, (states) => states.status),
      ...one(network, (states) => states.network),
      ...channels.flatMap((light, index) => one(light, (states) => states.channels[index] ?? "off")),
    ];
  }

  show(states: LightStates): void {
    this.#states = states;
    this.#apply();
  }

  /** All lights blink fast for so many ms; 0 ends it. */
  findMe(ms: number): void {
    this.#endFinding();
    this.#isFinding = ms > 0;
    if (ms > 0) {
      this.#endFinding = this.#clock.after(ms, () => {
        this.#isFinding = false;
        this.#apply();
      });
    }
    this.#apply();
  }

  /** Seconds that the reset key is held; undefined when it is not any more. */
  resetCountdown(seconds: number | undefined): void {
    this.#held = seconds;
    this.#apply();
  }

  /** Leaves the lights as they are. */
  stop(): void {
    this.#endFinding();
    this.#stopBeats?.();
    this.#stopBeats = undefined;
  }

  #apply(): void {
    const all = this.#held !== undefined ? countdown(this.#held) : this.#isFinding ? findMe : undefined;
    let blinks = false;
    for (const { of, lamp } of this.#lights) {
      blinks = lamp.show(all ?? signs[of(this.#states)], this.#beat) || blinks;
    }
    // The clock ticks only while something blinks.
    if (blinks) this.#stopBeats ??= this.#clock.after(BEAT, () => this.#tick());
    else {
      this.#stopBeats?.();
      this.#stopBeats = undefined;
      this.#beat = 0;
    }
  }

  #tick(): void {
    this.#stopBeats = undefined;
    this.#beat = (this.#beat + 1) % STEADY.length;
    this.#apply();
  }
}

/** One light with its lines. */
class Lamp {
  readonly #lines: { wire: Wire; part: keyof Colour | undefined }[];

  constructor(light: Light) {
    if ("line" in light) this.#lines = [{ wire: new Wire(light.line), part: undefined }];
    else {
      const parts = Object.entries(light) as [keyof Colour, GpioOutput][];
      this.#lines = parts.map(([part, line]) => ({ wire: new Wire(line), part }));
    }
  }

  /** @returns whether the sign goes on changing */
  show({ colour, rhythm, plain }: Sign, beat: number): boolean {
    // Without the sign's colours it falls back to rhythm.
    const hasColour = Object.keys(colour).every((part) => this.#lines.some((line) => line.part === part));
    const used = hasColour ? rhythm : plain;
    const isLit = used[beat] === "#";
    for (const { wire, part } of this.#lines) {
      const isPart = part === undefined || !hasColour || colour[part] === true;
      wire.set(isLit && isPart);
    }
    return used.includes("-") && used.includes("#");
  }
}

/** A line that is written only when it changes, one write after the other; the last one counts. */
class Wire {
  readonly #output: GpioOutput;
  #wanted = false;
  /** Undefined while it is unknown: at first, and after a write that failed. */
  #written: boolean | undefined;
  #isWriting = false;

  constructor(output: GpioOutput) {
    this.#output = output;
  }

  set(active: boolean): void {
    this.#wanted = active;
    if (!this.#isWriting) void this.#write();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#written !== this.#wanted) {
        const active = this.#wanted;
        this.#written = undefined;
        await this.#output.write(active);
        this.#written = active;
      }
    } catch {
      // A light that cannot be switched must not stop the box; the next change tries again.
    } finally {
      this.#isWriting = false;
    }
  }
}
