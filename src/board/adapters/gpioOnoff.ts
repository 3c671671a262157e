/**
 * GPIO lines of the kernel through its sysfs interface, by the package onoff. The box knows a line by the label of its
 * chip and the offset there; the global number, which changes with the order in which drivers start, is found at run
 * time.
 */
import { constants, existsSync } from "node:fs";
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Gpio } from "onoff";
import {
  BusError,
  type Clock,
  type GpioInput,
  type GpioOutput,
  type GpioPort,
  type LineRef,
  systemClock,
} from "../ports.ts";
import { namesIn, readValue } from "./sysfs.ts";

/** Lines that can't interrupt (expanders whose interrupt is not wired) are looked at so often instead, ms. */
const POLL_INTERVAL = 50;
/** udev gives a new line's files to the supervisor's user; it is looked at so often whether it has, and so long, ms. */
const ACCESS_INTERVAL = 5;
const ACCESS_TIMEOUT = 5000;

type GpioClass = typeof Gpio;

export interface OnoffOptions {
  /** Where sysfs is mounted. */
  sysfs?: string;
  /** Gives the class that opens lines; the default loads onoff, with its native part, when a line is wanted. */
  load?: () => Promise<GpioClass>;
  clock?: Clock;
  files?: LineFiles;
}

/** What is done with sysfs's files beside onoff. */
export interface LineFiles {
  write(path: string, text: string): Promise<void>;
  isWritable(path: string): Promise<boolean>;
}

const realFiles: LineFiles = { write: writeFile, isWritable };

function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

/**
 * The global number of a line: the base of the chip with this label (/sys/class/gpio/gpiochipN/{label,base,ngpio}) and
 * the offset.
 * @throws BusError `unavailable` when no chip or more than one has the label, or it has fewer lines
 */
export async function findLine({ chip, offset }: LineRef, sysfs = "/sys"): Promise<number> {
  const root = join(sysfs, "class/gpio");
  const found: { base: number; lines: number }[] = [];
  for (const name of await namesIn(root, /^gpiochip\d+$/)) {
    if ((await readValue(join(root, name, "label"))) !== chip) continue;
    const base = Number(await readValue(join(root, name, "base")));
    const lines = Number(await readValue(join(root, name, "ngpio")));
    if (Number.isInteger(base) && Number.isInteger(lines)) found.push({ base, lines });
  }
  const [only] = found;
  if (only === undefined) {
    const why = existsSync(root) ? "" : `: the kernel has no ${root}`;
    throw new BusError("unavailable", `there is no GPIO chip "${chip}"${why}`);
  }
  if (found.length > 1) {
    throw new BusError(
      "unavailable",
      `${found.length} GPIO chips have the label "${chip}": it must be one chip's alone`,
    );
  }
  if (offset >= only.lines) {
    throw new BusError("unavailable", `GPIO chip "${chip}" has ${only.lines} lines, no line ${offset}`);
  }
  return only.base + offset;
}

export class OnoffGpio implements GpioPort {
  readonly #sysfs: string;
  readonly #load: () => Promise<GpioClass>;
  readonly #clock: Clock;
  readonly #files: LineFiles;
  readonly #open = new Set<number>();

  constructor({ sysfs, load, clock, files }: OnoffOptions = {}) {
    this.#sysfs = sysfs ?? "/sys";
    this.#files = files ?? realFiles;
    this.#clock = clock ?? systemClock;
    this.#load = load ?? (async () => (await import("onoff")).Gpio);
  }

  async input(line: LineRef): Promise<GpioInput> {
    const { gpio, directory, release } = await this.#take(line, "in");
    const endings = new Set<() => void>();
    return {
      read: async () => (await told(line, () => gpio.read())) === 1,
      watch: (listener) => {
        const interrupts = existsSync(join(directory, "edge"));
        const end = interrupts ? follow(gpio, listener) : poll(gpio, this.#clock, listener);
        const endOnce = () => {
          if (endings.delete(endOnce)) end();
        };
        endings.add(endOnce);
        return endOnce;
      },
      close: () => {
        for (const end of [...endings]) end();
        release();
      },
    };
  }

  async output(line: LineRef, active: boolean): Promise<GpioOutput> {
    // "high" and "low" are the levels of the wire, also where active is low: the line never shows the wrong one.
    const { gpio, release } = await this.#take(line, active !== line.activeLow ? "high" : "low");
    return {
      write: (value) => told(line, () => gpio.write(value ? 1 : 0)),
      close: release,
    };
  }

  /** Exports a line, or takes over what a killed predecessor left exported. */
  async #take(line: LineRef, direction: "in" | "high" | "low") {
    const number = await findLine(line, this.#sysfs);
    const directory = join(this.#sysfs, "class/gpio", `gpio${number}`);
    const name = nameOf(line);
    if (this.#open.has(number)) throw new BusError("unavailable", `${name} has two uses on this board`);
    this.#open.add(number);
    let gpio: Gpio | undefined;
    let exported = false;
    try {
      exported = await this.#export(number, directory);
      const GpioLine = await this.#load();
      // The kernel lets no line become an output that still has an edge set.
      if (existsSync(join(directory, "edge"))) await writeFile(join(directory, "edge"), "none");
      gpio = new GpioLine(number, direction, undefined, { activeLow: line.activeLow });
      // onoff passes over what it could not set on a line that was exported before.
      const wanted = direction === "in" ? "in" : "out";
      if (gpio.direction() !== wanted || gpio.activeLow() !== line.activeLow) {
        throw new Error(`it can't be made ${wanted}`);
      }
      if (direction === "in" && existsSync(join(directory, "edge"))) gpio.setEdge("both");
      const opened = gpio;
      const release = () => {
        if (this.#open.delete(number)) opened.unexport();
      };
      return { gpio, directory, release };
    } catch (error) {
      this.#open.delete(number);
      if (gpio !== undefined) gpio.unexport();
      else if (exported) await this.#tell("unexport", number).catch(() => {});
      throw failure(line, error);
    }
  }

  /** Exports a line where it is not, and waits for its files: onoff, too, would wait, and all else with it. */
  async #export(number: number, directory: string): Promise<boolean> {
    if (existsSync(directory)) return false;
    await this.#tell("export", number);
    const files = ["value", "direction", "active_low", "edge"].map((name) => join(directory, name));
    const until = this.#clock.now() + ACCESS_TIMEOUT;
    for (const file of files.filter((one) => existsSync(one))) {
      // Without access onoff would fail, with words of its own.
      while (!(await this.#files.isWritable(file)) && this.#clock.now() < until)
        await this.#clock.sleep(ACCESS_INTERVAL);
    }
    return true;
  }

  #tell(what: "export" | "unexport", number: number): Promise<void> {
    return this.#files.write(join(this.#sysfs, "class/gpio", what), String(number));
  }
}

/** Tells each change of the level; edges of a pulse that is over already when it is looked at are none. */
function follow(gpio: Gpio, listener: (active: boolean) => void): () => void {
  let last = gpio.readSync();
  const edge = (error: Error | null | undefined, value: 0 | 1) => {
    if (error || value === last) return;
    last = value;
    listener(value === 1);
  };
  gpio.watch(edge);
  return () => gpio.unwatch(edge);
}

function poll(gpio: Gpio, clock: Clock, listener: (active: boolean) => void): () => void {
  let last: 0 | 1 | undefined;
  let cancel = () => {};
  let ended = false;
  const look = async () => {
    // An expander that does not answer now may do so the next time.
    const value = await gpio.read().catch(() => last);
    if (ended) return;
    if (last !== undefined && value !== undefined && value !== last) listener(value === 1);
    last = value;
    cancel = clock.after(POLL_INTERVAL, () => void look());
  };
  void look();
  return () => {
    ended = true;
    cancel();
  };
}

async function told<T>(line: LineRef, access: () => Promise<T>): Promise<T> {
  try {
    return await access();
  } catch (error) {
    throw failure(line, error);
  }
}

function nameOf({ chip, offset }: LineRef): string {
  return `line ${offset} of GPIO chip "${chip}"`;
}

function failure(line: LineRef, error: unknown): BusError {
  if (error instanceof BusError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === "EBUSY" ? "a driver of the kernel or another program has it" : message;
  return new BusError("unavailable", `${nameOf(line)}: ${why}`);
}
