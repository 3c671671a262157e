/**
 * What surrounds the virtual box and what is measured of it: a room, heat from load, a fan that carries it away, and the
 * voltages. Its chips are those of firmware/boards/virtual.json: thermal zone soc-thermal, lm75, ina3221, pwmfan.
 */
import { BusError, type Clock, type HwmonPort } from "../ports.ts";

/** Rise above the room with full load and the fan at full speed, K. */
const RISE = { soc: 32, board: 9 };
/** How slowly temperatures follow, s. */
const INERTIA = { soc: 20, board: 90 };
/** Part of the heat that is there without load. */
const IDLE = 0.3;
/** Part of the cooling that is left without the fan. */
const CONVECTION = 0.35;
const FULL_RPM = 4800;
/** Below this part of full drive, the fan doesn't turn. */
const LEAST_DRIVE = 0.1;
/** How slowly the fan follows, s. */
const FAN_INERTIA = 1.5;
/** V without load, and how far they sink with full load. */
const VOLTS: Record<string, { volts: number; drop: number }> = {
  in1_input: { volts: 12.1, drop: 0.15 },
  in2_input: { volts: 5.05, drop: 0.05 },
};
/** The model is followed in steps of this length, s, … */
const STEP = 1;
/** … as far back as anything lasts. */
const LONGEST = 1800;

export type Place = keyof typeof RISE;

export class Environment implements HwmonPort {
  readonly #clock: Clock;
  #at: number;
  #room = 24;
  #load = 0.3;
  #pwm = 255;
  #mode = 2;
  #rpm = 0;
  #stuck = false;
  readonly #celsius: Record<Place, number>;
  readonly #held = new Map<Place, number>();
  readonly #volts = new Map<string, number>();

  /** A box that was just switched on. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#at = clock.now();
    this.#celsius = { soc: this.#room, board: this.#room };
  }

  // ---- the bench -----------------------------------------------------------------------------------------------------

  /** °C of the room. */
  get room(): number {
    return this.#room;
  }

  set room(celsius: number) {
    this.#follow();
    this.#room = celsius;
  }

  /** How busy the box is, 0 to 1. */
  get load(): number {
    return this.#load;
  }

  set load(part: number) {
    this.#follow();
    this.#load = Math.min(1, Math.max(0, part));
  }

  /** Heats a place to a temperature and holds it there, whatever the fan does, until it is let go (undefined). */
  heat(place: Place, celsius: number | undefined): void {
    this.#follow();
    if (celsius === undefined) this.#held.delete(place);
    else this.#held.set(place, celsius);
    this.#celsius[place] = celsius ?? this.#celsius[place];
  }

  /** °C that a place is held at; undefined when it is let go. */
  heldAt(place: Place): number | undefined {
    return this.#held.get(place);
  }

  /** Holds the fan, or lets it go. */
  stopFan(stopped: boolean): void {
    this.#follow();
    this.#stuck = stopped;
  }

  get fanStopped(): boolean {
    return this.#stuck;
  }

  /** Puts a voltage (in1_input: 12 V, in2_input: 5 V) to a value, until it is let go (undefined). */
  setVoltage(input: string, volts: number | undefined): void {
    if (volts === undefined) this.#volts.delete(input);
    else this.#volts.set(input, volts);
  }

  /** V that a voltage is put to; undefined when it is let go. */
  voltageSetTo(input: string): number | undefined {
    return this.#volts.get(input);
  }

  /** °C now. */
  temperature(place: Place): number {
    this.#follow();
    return this.#celsius[place];
  }

  get rpm(): number {
    this.#follow();
    return this.#rpm;
  }

  // ---- the chips -----------------------------------------------------------------------------------------------------

  async read(chip: string, file: string): Promise<number> {
    switch (`${chip}/${file}`) {
      case "lm75/temp1_input":
        // Steps of 0.5 °C, as the chip has them.
        return Math.round(this.temperature("board") * 2) * 500;
      case "pwmfan/fan1_input":
        return Math.round(this.rpm);
      case "pwmfan/pwm1":
        return this.#pwm;
      case "pwmfan/pwm1_enable":
        return this.#mode;
    }
    const rail = chip === "ina3221" ? VOLTS[file] : undefined;
    if (rail === undefined) throw new BusError("unavailable", `there is no ${file} of hwmon chip ${chip}`);
    return Math.round((this.#volts.get(file) ?? rail.volts - rail.drop * this.#load) * 1000);
  }

  async write(chip: string, file: string, value: number): Promise<void> {
    if (chip === "pwmfan" && file === "pwm1" && value >= 0 && value <= 255) {
      this.#follow();
      this.#pwm = Math.round(value);
    } else if (chip === "pwmfan" && file === "pwm1_enable" && value >= 0 && value <= 2) {
      this.#mode = value;
    } else {
      throw new BusError("unavailable", `${file} of hwmon chip ${chip} takes no ${value}`);
    }
  }

  async zone(type: string): Promise<number> {
    if (type !== "soc-thermal") throw new BusError("unavailable", `there is no thermal zone ${type}`);
    return Math.round(this.temperature("soc") * 1000) / 1000;
  }

  // ---- the model -----------------------------------------------------------------------------------------------------

  /** Brings the model to now. */
  #follow(): void {
    const now = this.#clock.now();
    let seconds = Math.min(LONGEST, (now - this.#at) / 1000);
    this.#at = now;
    while (seconds > 0) {
      this.#pass(Math.min(STEP, seconds));
      seconds -= STEP;
    }
  }

  #pass(seconds: number): void {
    const drive = this.#pwm / 255;
    const asked = this.#stuck || drive < LEAST_DRIVE ? 0 : drive * FULL_RPM;
    this.#rpm += (asked - this.#rpm) * (1 - Math.exp(-seconds / FAN_INERTIA));
    const cooling = CONVECTION + (1 - CONVECTION) * (this.#rpm / FULL_RPM);
    const heat = IDLE + (1 - IDLE) * this.#load;
    for (const place of ["soc", "board"] as const) {
      if (this.#held.has(place)) continue;
      const end = this.#room + (RISE[place] * heat) / cooling;
      this.#celsius[place] += (end - this.#celsius[place]) * (1 - Math.exp(-seconds / INERTIA[place]));
    }
  }
}
