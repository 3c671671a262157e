/** A fan: driven by the hottest place of the box, and watched for whether it turns. */
import type { BoardFile } from "../boardFile.ts";
import type { Clock, HwmonPort } from "../ports.ts";
import { isStopped } from "./limits.ts";
import { Probe } from "./probe.ts";
import type { FanReading, ReadingState, TemperatureReading } from "./readings.ts";

type FanFile = BoardFile["fans"][number];

/** No fan is asked for less, as a part of full speed: below it, many do not start. */
export const LEAST_DRIVE = 0.25;
/** The curve, °C below the warning: from here on more than the least speed … */
const RISE_FROM = 25;
/** … and from here on full speed, so that a box that can be cooled never warns. */
const FULL_FROM = 5;
/** Part of full speed per second. Down is slow, so that nobody hears the fan hunt. */
const STEP_UP = 0.2;
const STEP_DOWN = 0.01;
/** The time that a fan gets to turn, ms. */
const SPIN_UP = 5000;
/** The drive is written at least this often, ms, in case the fan's chip was reset. */
const WRITE_AGAIN = 30_000;

/** What the temperatures ask of all fans, as a part of full speed. Full when anything is critical or not known. */
export function fanDemand(temperatures: readonly Pick<TemperatureReading, "value" | "limits" | "state">[]): number {
  if (temperatures.length === 0) return 1;
  return Math.max(...temperatures.map(demandOf));
}

function demandOf({ value, limits, state }: Pick<TemperatureReading, "value" | "limits" | "state">): number {
  if (value === null || state === "missing" || state === "critical") return 1;
  const rise = (value - (limits.warning - RISE_FROM)) / (RISE_FROM - FULL_FROM);
  return LEAST_DRIVE + (1 - LEAST_DRIVE) * Math.min(1, Math.max(0, rise));
}

/** The next drive on the way to what is asked: full speed at once, else quick up and slow down. */
export function nextDrive(drive: number, demand: number, seconds: number): number {
  if (demand >= 1) return 1;
  return demand > drive ? Math.min(demand, drive + STEP_UP * seconds) : Math.max(demand, drive - STEP_DOWN * seconds);
}

export class Fan {
  readonly #file: FanFile;
  readonly #hwmon: HwmonPort;
  readonly #clock: Clock;
  readonly #probe: Probe;
  #state: ReadingState = "missing";
  /** Nobody knows how hot it is yet. */
  #drive = 1;
  #drivenAt: number | undefined;
  #written: number | undefined;
  #writtenAt = 0;
  #writing: Promise<void> | undefined;
  #writeFault = "";
  #slowSince: number | undefined;

  constructor(file: FanFile, hwmon: HwmonPort, clock: Clock) {
    this.#file = file;
    this.#hwmon = hwmon;
    this.#clock = clock;
    const { chip, input } = file.speed;
    this.#probe = new Probe({ read: () => hwmon.read(chip, input), range: [0, 100_000] });
  }

  get reading(): FanReading {
    const { id, label, least, control } = this.#file;
    return {
      id,
      label,
      unit: "rpm",
      value: this.#probe.value,
      limits: { least },
      drive: control === undefined ? null : Math.round(this.#drive * 100),
      state: this.#state,
      message: this.#message(),
    };
  }

  /** Reads its speed and judges it. Never throws. */
  async poll(): Promise<void> {
    await this.#probe.poll();
    this.#state = this.#judge();
  }

  /** Drives it by one step towards `demand`, a part of full speed. A fan that takes no orders says so in its reading. */
  async drive(demand: number): Promise<void> {
    const now = this.#clock.now();
    this.#drive = nextDrive(this.#drive, demand, (now - (this.#drivenAt ?? now)) / 1000);
    this.#drivenAt = now;
    await this.#write(now);
  }

  /** Full speed, to be left alone with it. */
  async release(): Promise<void> {
    await this.#writing;
    this.#drive = 1;
    await this.#write(this.#clock.now());
  }

  /** One order at a time; what is asked for meanwhile is the next step's. */
  #write(now: number): Promise<void> {
    this.#writing ??= this.#order(now).finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #order(now: number): Promise<void> {
    const { control } = this.#file;
    const value = Math.round(this.#drive * 255);
    const again = this.#written === undefined || now - this.#writtenAt >= WRITE_AGAIN;
    if (control === undefined || (value === this.#written && !again)) return;
    try {
      // 1: manual. Drivers without this file are always manual.
      if (again) await this.#hwmon.write(control.chip, `${control.pwm}_enable`, 1).catch(() => {});
      await this.#hwmon.write(control.chip, control.pwm, value);
      this.#written = value;
      if (again) this.#writtenAt = now;
      this.#writeFault = "";
    } catch (error) {
      this.#written = undefined;
      this.#writeFault = error instanceof Error ? error.message : String(error);
    }
  }

  #judge(): ReadingState {
    const rpm = this.#probe.value;
    if (rpm === null) {
      this.#slowSince = undefined;
      return "missing";
    }
    if (!isStopped(rpm, this.#file, this.#state)) {
      this.#slowSince = undefined;
      return this.#writeFault === "" ? "ok" : "warning";
    }
    const now = this.#clock.now();
    this.#slowSince ??= now;
    if (now - this.#slowSince >= SPIN_UP) return "critical";
    return this.#writeFault === "" ? "ok" : "warning";
  }

  #message(): string {
    const { label, least } = this.#file;
    switch (this.#state) {
      case "missing":
        return `The speed of ${label} is not known: ${this.#probe.reason}`;
      case "critical":
        return `${label} has stopped (${Math.round(this.#probe.value ?? 0)} rpm, at least ${least} expected): check it for dirt, and replace it`;
      case "warning":
        return `${label} cannot be controlled: ${this.#writeFault}`;
      case "ok":
        return "";
    }
  }
}
