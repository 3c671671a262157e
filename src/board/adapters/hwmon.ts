/**
 * The kernel's sensors: /sys/class/hwmon and /sys/class/thermal. The N of hwmonN and thermal_zoneN changes with the
 * order in which drivers come up, and while the box runs, so chips and zones go by their names alone.
 */
import { readdirSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BusError, type HwmonPort } from "../ports.ts";

/** One of the kernel's classes, and the file in which its members have their names. */
class SysfsClass {
  readonly #folder: string;
  readonly #nameFile: string;
  readonly #what: string;
  readonly #found = new Map<string, string>();

  constructor(folder: string, nameFile: string, what: string) {
    this.#folder = folder;
    this.#nameFile = nameFile;
    this.#what = what;
  }

  /**
   * The folder of the member with this name. Synchronous, because names are in the kernel's memory and never wait for
   * hardware; values are.
   * @throws BusError `unavailable` when there is none, or more than one
   */
  find(name: string): string {
    const known = this.#found.get(name);
    // The number may be another chip's by now.
    if (known !== undefined && this.#nameOf(known) === name) return known;
    const [first, second] = this.#members().filter((folder) => this.#nameOf(folder) === name);
    if (first === undefined) throw new BusError("unavailable", `there is no ${this.#what} ${name}`);
    if (second !== undefined) throw new BusError("unavailable", `there is more than one ${this.#what} ${name}`);
    this.#found.set(name, first);
    return first;
  }

  #members(): string[] {
    try {
      return readdirSync(this.#folder).map((entry) => join(this.#folder, entry));
    } catch {
      return [];
    }
  }

  #nameOf(folder: string): string | undefined {
    try {
      return readFileSync(join(folder, this.#nameFile), "utf8").trim();
    } catch {
      return undefined;
    }
  }
}

export class SysfsHwmon implements HwmonPort {
  readonly #chips: SysfsClass;
  readonly #zones: SysfsClass;

  /** @param sys where sysfs is */
  constructor(sys = "/sys") {
    this.#chips = new SysfsClass(join(sys, "class/hwmon"), "name", "hwmon chip");
    this.#zones = new SysfsClass(join(sys, "class/thermal"), "type", "thermal zone");
  }

  async read(chip: string, file: string): Promise<number> {
    return numberIn(join(this.#chips.find(chip), file), `${file} of hwmon chip ${chip}`);
  }

  async write(chip: string, file: string, value: number): Promise<void> {
    const path = join(this.#chips.find(chip), file);
    try {
      // Without O_CREAT and O_TRUNC, which have no meaning here.
      await writeFile(path, `${value}\n`, { flag: "r+" });
    } catch (error) {
      throw unavailable(`${file} of hwmon chip ${chip} cannot be written`, error);
    }
  }

  /** The kernel gives m°C. */
  async zone(type: string): Promise<number> {
    return (await numberIn(join(this.#zones.find(type), "temp"), `thermal zone ${type}`)) / 1000;
  }
}

async function numberIn(path: string, what: string): Promise<number> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw unavailable(`${what} cannot be read`, error);
  });
  if (!/^-?\d+\s*$/.test(text)) throw new BusError("unavailable", `${what} gives no number`);
  return Number(text);
}

function unavailable(what: string, error: unknown): BusError {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return new BusError("unavailable", `${what} (${code})`);
}
