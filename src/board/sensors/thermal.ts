/**
 * What the box does against heat, one step after the other, each of them told: it warns, sets the fans to full speed,
 * turns the previews off, and stops channels from the last one in the configuration upwards, one a minute while it is
 * critical. It goes back the same way, one step for every five minutes in which nothing is hot.
 */
import type { Clock } from "../ports.ts";
import { TEMPERATURE_HYSTERESIS } from "./limits.ts";
import type { TemperatureReading, ThermalState, ThermalStatus } from "./readings.ts";

/** Orders to those who make heat. Each of them says what shall be, not what shall change. */
export interface ThermalActions {
  preview(on: boolean): void;
  /** So many channels shall be stopped, from the last one in the configuration upwards; 0: none. */
  shed(count: number): void;
}

/** Tells people what is done, and why. */
export type Tell = (level: "info" | "warning" | "error", message: string) => void;

export interface ThermalOptions {
  clock: Clock;
  actions: ThermalActions;
  /** How many channels there are to be stopped. */
  channels: () => number;
  tell: Tell;
}

type Temperature = Pick<TemperatureReading, "id" | "label" | "value" | "limits" | "state">;

/** The ladder: below these steps, and above the last one a channel more with each step. */
const NORMAL = 0;
const WARNING = 1;
const FANS_FULL = 2;
const PREVIEWS_OFF = 3;

/** How long a warning may last before the fans are set to full speed, ms. */
const WARNING_TIME = 30_000;
/** How long the fans get before load is lowered, ms. */
const COOLING_TIME = 10_000;
/** From one lowering of load to the next, ms: heat takes time to leave. */
const SHED_INTERVAL = 60_000;
/** How long nothing may be hot before one step is taken back, ms. */
const CALM_TIME = 5 * 60_000;

export class Thermal {
  readonly #clock: Clock;
  readonly #actions: ThermalActions;
  readonly #channels: () => number;
  readonly #tell: Tell;
  /**
   * Sensors that were not below their warning minus hysteresis when last read: one that falls silent while it is hot is
   * no evidence that it is cool.
   */
  readonly #hot = new Set<string>();
  #step = NORMAL;
  #stepAt = 0;
  #calmSince: number | undefined;
  #message = "";

  constructor({ clock, actions, channels, tell }: ThermalOptions) {
    this.#clock = clock;
    this.#actions = actions;
    this.#channels = channels;
    this.#tell = tell;
  }

  get status(): ThermalStatus {
    return {
      state: stateOf(this.#step),
      message: this.#message,
      fanFull: this.#step >= FANS_FULL,
      previewsOff: this.#step >= PREVIEWS_OFF,
      channelsShed: Math.max(0, this.#step - PREVIEWS_OFF),
    };
  }

  /** Takes new readings and does what they ask for. To be called every few seconds. */
  update(temperatures: readonly Temperature[]): void {
    for (const { id, value, limits } of temperatures) {
      if (value === null) continue;
      if (value >= limits.warning - TEMPERATURE_HYSTERESIS) this.#hot.add(id);
      else this.#hot.delete(id);
    }
    // Up to the step that is due: critical at once is warning and fans in one.
    while (this.#isUpDue(temperatures)) this.#up(temperatures);
    if (this.#isDownDue(temperatures)) this.#down();
  }

  #isUpDue(temperatures: readonly Temperature[]): boolean {
    const critical = temperatures.some(({ state }) => state === "critical");
    const since = this.#clock.now() - this.#stepAt;
    switch (this.#step) {
      case NORMAL:
        return critical || temperatures.some(({ state }) => state === "warning");
      case WARNING:
        return critical || (since >= WARNING_TIME && temperatures.some(({ state }) => state === "warning"));
      case FANS_FULL:
        return critical && since >= COOLING_TIME;
      default:
        return critical && since >= SHED_INTERVAL && this.#step - PREVIEWS_OFF < this.#channels();
    }
  }

  #up(temperatures: readonly Temperature[]): void {
    this.#set(this.#step + 1);
    const { channelsShed: shed } = this.status;
    const why = reasonOf(temperatures);
    switch (this.#step) {
      case WARNING:
        this.#say("warning", `${why}: check the fan, the air slots and the room`);
        break;
      case FANS_FULL:
        this.#say("warning", `${why}: fans are set to full speed`);
        break;
      case PREVIEWS_OFF:
        this.#say("error", `${why}: previews are turned off to lower the load`);
        this.#order(() => this.#actions.preview(false));
        break;
      default:
        this.#say("error", `${why}: to lower the load, ${lastChannels(shed, this.#channels())} stopped`);
        this.#order(() => this.#actions.shed(shed));
    }
  }

  #isDownDue(temperatures: readonly Temperature[]): boolean {
    const calm = this.#hot.size === 0 && temperatures.some(({ value }) => value !== null);
    const now = this.#clock.now();
    if (!calm || this.#step === NORMAL) {
      this.#calmSince = undefined;
      return false;
    }
    this.#calmSince ??= now;
    return now - this.#calmSince >= CALM_TIME;
  }

  #down(): void {
    const left = this.#step;
    // Without load lowered, there is nothing to be careful with.
    this.#set(left > FANS_FULL ? left - 1 : NORMAL);
    // Each step back brings heat, and must show that it stays cool.
    this.#calmSince = undefined;
    const { channelsShed: shed } = this.status;
    if (left > PREVIEWS_OFF) {
      const now = shed === 0 ? "all channels run again" : `only ${lastChannels(shed, this.#channels())} still stopped`;
      this.#say("info", `The box has cooled down: ${now}`);
      this.#order(() => this.#actions.shed(shed));
    } else if (left === PREVIEWS_OFF) {
      this.#say("info", "The box has cooled down: previews are on again");
      this.#order(() => this.#actions.preview(true));
    } else {
      this.#say("info", "The box has cooled down: all is normal");
      this.#message = "";
    }
  }

  #set(step: number): void {
    this.#step = step;
    this.#stepAt = this.#clock.now();
  }

  #say(level: "info" | "warning" | "error", message: string): void {
    this.#message = message;
    this.#tell(level, message);
  }

  /** An order that fails must not keep the box from the next one. */
  #order(order: () => void): void {
    try {
      order();
    } catch (error) {
      this.#tell("error", `The load could not be changed: ${error instanceof Error ? error.message : error}`);
    }
  }
}

function stateOf(step: number): ThermalState {
  if (step >= PREVIEWS_OFF) return "shedding";
  return (["normal", "warning", "cooling"] as const)[step] ?? "normal";
}

/** The hottest by its limits, in words. */
function reasonOf(temperatures: readonly Temperature[]): string {
  const [worst] = temperatures
    .filter((one): one is Temperature & { value: number } => one.value !== null)
    .sort((a, b) => b.value - b.limits.critical - (a.value - a.limits.critical));
  if (worst === undefined) return "The box is hot";
  const { label, value, limits, state } = worst;
  const limit = state === "critical" ? `critical from ${limits.critical}` : `too warm from ${limits.warning}`;
  return `${label} is at ${value.toFixed(1)} °C (${limit} °C)`;
}

function lastChannels(shed: number, all: number): string {
  return shed === 1 ? `the last of ${all} channels is` : `the last ${shed} of ${all} channels are`;
}
