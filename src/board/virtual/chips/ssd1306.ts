/** OLED controllers on I2C, SSD1306 and SH1106, with a panel as modules have it. */
import { Bitmap } from "../../panel/display/bitmap.ts";
import type { Picture } from "../../panel/view.ts";
import { BusError, type Clock } from "../../ports.ts";
import type { I2cModel } from "../model.ts";

export interface OledGeometry {
  width: number;
  /** 32 or 64. */
  height: number;
}

/** Rows of the controllers' memory and drivers. */
const ROWS = 64;
const PAGES = ROWS / 8;

/** What both have in common: commands with their parameters, a memory of pages, and the way from it to the panel. */
abstract class OledModel implements I2cModel {
  readonly addresses: readonly number[];
  protected readonly geometry: OledGeometry;
  protected readonly memory: Uint8Array;
  protected page = 0;
  protected column = 0;
  /** The voltage for the panel is generated on the module, by the controller's pump. */
  protected pump = false;
  readonly #columns: number;
  /** Column of the memory whose driver is at the panel's first one. */
  readonly #firstColumn: number;
  #isInReset = false;
  /** A command whose parameters are not complete. */
  #pending: number[] = [];
  #on = false;
  #contrast = 0;
  #allOn = false;
  #inverse = false;
  #segmentRemap = false;
  #comRemap = false;
  #startLine = 0;
  #offset = 0;
  #multiplex = 0;
  #comPins = 0;

  constructor(address: number, geometry: OledGeometry, columns: number) {
    this.addresses = [address];
    this.geometry = geometry;
    this.#columns = columns;
    this.#firstColumn = (columns - geometry.width) >> 1;
    this.memory = new Uint8Array(columns * PAGES);
  }

  /** 0 to 255. */
  get contrast(): number {
    return this.#contrast;
  }

  get isOn(): boolean {
    return this.#on;
  }

  transfer(address: number, write: Uint8Array, length: number): Uint8Array {
    if (this.#isInReset) throw new BusError("nack", `no answer from 0x${address.toString(16)}`);
    // Control bytes: bit 7 for one byte only, bit 6 for data.
    for (let at = 0; at < write.length; ) {
      const control = write[at++] ?? 0;
      const end = control & 0x80 ? Math.min(at + 1, write.length) : write.length;
      for (; at < end; at++) {
        const byte = write[at] ?? 0;
        if (control & 0x40) this.store(byte);
        else this.#take(byte);
      }
    }
    return new Uint8Array(length).fill(this.identity | (this.#on ? 0 : 0x40));
  }

  reset(active: boolean): void {
    this.#isInReset = active;
    if (active) this.powerUp();
  }

  /** What an eye sees: nothing while the panel has no voltage. */
  picture(): Picture {
    const { width, height } = this.geometry;
    const bitmap = new Bitmap(width, height);
    if (!this.#on || !this.pump) return bitmap.picture();
    for (let y = 0; y < height; y++) {
      const line = this.#lineAt(y);
      if (line === undefined) continue;
      for (let x = 0; x < width; x++) {
        // Modules have their first column at the right.
        const driver = this.#firstColumn + width - 1 - x;
        const column = this.#segmentRemap ? this.#columns - 1 - driver : driver;
        const bit = ((this.memory[(line >> 3) * this.#columns + column] ?? 0) >> (line & 7)) & 1;
        bitmap.set(x, y, this.#allOn || (bit === 1) !== this.#inverse);
      }
    }
    return bitmap.picture();
  }

  protected abstract readonly identity: number;

  /** Parameters that a command takes. */
  protected abstract parameters(command: number): number;

  /** Commands that the other controller has not. */
  protected abstract own(command: number, parameters: readonly number[]): void;

  /** A byte of data, and the step to the next place. */
  protected abstract store(byte: number): void;

  protected put(byte: number): void {
    this.memory[this.page * this.#columns + this.column] = byte;
  }

  /** The data sheets' defaults. The memory has anything. */
  protected powerUp(): void {
    this.#pending = [];
    this.#on = false;
    this.#contrast = this.defaultContrast;
    this.#allOn = this.#inverse = this.#segmentRemap = this.#comRemap = false;
    this.#startLine = this.#offset = this.page = this.column = 0;
    this.#multiplex = ROWS - 1;
    this.#comPins = 0x12;
    for (let i = 0; i < this.memory.length; i++) this.memory[i] = (i * 73) ^ (i >> 3);
  }

  protected get defaultContrast(): number {
    return 0x7f;
  }

  /** The memory's line at a row of the panel; undefined when that row is not driven. */
  #lineAt(y: number): number | undefined {
    // Modules have their first row at the bottom. Those of 64 rows are wired in turn to both halves of the drivers, and
    // the controller must know it (bit 4 of "COM pins"), or the rows are mixed up.
    const pin = this.geometry.height - 1 - y;
    const isTurned = this.geometry.height > 32;
    const knows = (this.#comPins & 0x10) !== 0;
    const half = this.geometry.height / 2;
    let com = pin;
    if (isTurned && !knows) com = (pin >> 1) + (pin & 1 ? half : 0);
    if (!isTurned && knows) com = pin < half ? 2 * pin : 2 * (pin - half) + 1;
    if (com > this.#multiplex) return undefined;
    const row = this.#comRemap ? this.#multiplex - com : com;
    return (row + this.#offset + this.#startLine) % ROWS;
  }

  #take(byte: number): void {
    this.#pending.push(byte);
    const [command = 0, ...parameters] = this.#pending;
    if (parameters.length < this.parameters(command)) return;
    this.#pending = [];
    this.#run(command, parameters);
  }

  #run(command: number, parameters: readonly number[]): void {
    const [value = 0] = parameters;
    if (command >= 0x40 && command <= 0x7f) this.#startLine = command & 0x3f;
    else if (command >= 0xb0 && command < 0xb0 + PAGES) this.page = command & 0x07;
    else if (command < 0x10) this.column = (this.column & 0xf0) | command;
    else if (command < 0x20) this.column = (this.column & 0x0f) | ((command & 0x0f) << 4);
    else
      switch (command) {
        case 0x81:
          this.#contrast = value;
          break;
        case 0xa0:
        case 0xa1:
          this.#segmentRemap = command === 0xa1;
          break;
        case 0xa4:
        case 0xa5:
          this.#allOn = command === 0xa5;
          break;
        case 0xa6:
        case 0xa7:
          this.#inverse = command === 0xa7;
          break;
        case 0xa8:
          this.#multiplex = value & 0x3f;
          break;
        case 0xae:
        case 0xaf:
          this.#on = command === 0xaf;
          break;
        case 0xc0:
        case 0xc8:
          this.#comRemap = command === 0xc8;
          break;
        case 0xd3:
          this.#offset = value & 0x3f;
          break;
        case 0xda:
          this.#comPins = value;
          break;
        default:
          this.own(command, parameters);
      }
  }
}

const modules: OledGeometry = { width: 128, height: 64 };

/** Solomon Systech SSD1306: 128 columns, three addressing modes, pump off after a reset. */
export class Ssd1306Model extends OledModel {
  protected readonly identity = 0x03;
  #mode: "horizontal" | "vertical" | "page" = "page";
  #columnRange: [number, number] = [0, 127];
  #pageRange: [number, number] = [0, 7];

  constructor(address: number, _clock: Clock, geometry: OledGeometry = modules) {
    super(address, geometry, 128);
    this.powerUp();
  }

  protected override powerUp(): void {
    super.powerUp();
    this.pump = false;
    this.#mode = "page";
    this.#columnRange = [0, 127];
    this.#pageRange = [0, 7];
  }

  protected parameters(command: number): number {
    if ([0x20, 0x81, 0x8d, 0xa8, 0xd3, 0xd5, 0xd9, 0xda, 0xdb].includes(command)) return 1;
    if ([0x21, 0x22, 0xa3].includes(command)) return 2;
    if (command === 0x26 || command === 0x27) return 6;
    return command === 0x29 || command === 0x2a ? 5 : 0;
  }

  protected own(command: number, [first = 0, second = 0]: readonly number[]): void {
    if (command === 0x8d) this.pump = (first & 0x04) !== 0;
    if (command === 0x20) this.#mode = (["horizontal", "vertical", "page", "page"] as const)[first & 0x03] ?? "page";
    if (command === 0x21) {
      this.#columnRange = [first & 0x7f, second & 0x7f];
      this.column = first & 0x7f;
    }
    if (command === 0x22) {
      this.#pageRange = [first & 0x07, second & 0x07];
      this.page = first & 0x07;
    }
  }

  protected store(byte: number): void {
    this.column &= 0x7f;
    this.put(byte);
    const [firstColumn, lastColumn] = this.#columnRange;
    const [firstPage, lastPage] = this.#pageRange;
    const nextPage = this.page === lastPage ? firstPage : (this.page + 1) & 0x07;
    const nextColumn = this.column === lastColumn ? firstColumn : (this.column + 1) & 0x7f;
    if (this.#mode === "page") this.column = (this.column + 1) & 0x7f;
    else if (this.#mode === "horizontal") {
      if (this.column === lastColumn) this.page = nextPage;
      this.column = nextColumn;
    } else {
      if (this.page === lastPage) this.column = nextColumn;
      this.page = nextPage;
    }
  }
}

/** Sino Wealth SH1106: 132 columns of which a panel shows the middle, page addressing only, pump on after a reset. */
export class Sh1106Model extends OledModel {
  protected readonly identity = 0x08;

  constructor(address: number, _clock: Clock, geometry: OledGeometry = modules) {
    super(address, geometry, 132);
    this.powerUp();
  }

  protected override get defaultContrast(): number {
    return 0x80;
  }

  protected override powerUp(): void {
    super.powerUp();
    this.pump = true;
  }

  protected parameters(command: number): number {
    return [0x81, 0xa8, 0xad, 0xd3, 0xd5, 0xd9, 0xda, 0xdb].includes(command) ? 1 : 0;
  }

  protected own(command: number, [value = 0]: readonly number[]): void {
    if (command === 0xad) this.pump = (value & 0x01) !== 0;
  }

  /** The address counter stops behind the last column. */
  protected store(byte: number): void {
    if (this.column > 131) return;
    this.put(byte);
    this.column++;
  }
}
