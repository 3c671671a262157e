/**
 * OLED displays with an SSD1306 or SH1106 controller on I2C. Both are written page by page (a page is eight rows, a
 * byte a column of it, bit 0 on top), which is the one addressing mode that both have.
 */
import type { I2cChip, I2cDevice } from "../../i2c.ts";
import type { Brightness, Display, Picture, View } from "../view.ts";
import { Bitmap, pixelOf } from "./bitmap.ts";
import { renderGraphic } from "./renderGraphic.ts";

export type OledController = "ssd1306" | "sh1106";

interface OledOptions {
  controller?: OledController;
  width?: number;
  /** 32 or 64. */
  height?: number;
}

/** First byte of a transfer: what follows are commands, or data for the display's memory. */
const COMMANDS = 0x00;
const DATA = 0x40;

const CONTRAST = { normal: 0xcf, dim: 0x04 } as const;
const DISPLAY_OFF = 0xae;
const DISPLAY_ON = 0xaf;
/** Status byte: the display is off, as it is after a reset. */
const STATUS_OFF = 0x40;

/** Bytes of data in a transfer: as many as SMBus adapters take. */
const BURST = 32;
/** Unchanged bytes that cost less to send again than to jump over. */
const GAP = 6;

/** Shows pictures of one bit a pixel; what is transferred is what changed. */
export class Oled implements Display {
  readonly kind = "graphic";
  readonly #device: I2cDevice;
  readonly #controller: OledController;
  readonly #width: number;
  readonly #height: number;
  #level: Brightness = "normal";
  /** What the display should show, in pages. */
  #wanted: Uint8Array;
  /** What its memory holds; undefined while that is unknown. */
  #shown: Uint8Array | undefined;
  /** The status byte can be read and tells the truth. */
  #tellsStatus = false;

  constructor(device: I2cDevice, { controller = "ssd1306", width = 128, height = 64 }: OledOptions = {}) {
    this.#device = device;
    this.#controller = controller;
    this.#width = width;
    this.#height = height;
    this.#wanted = pagesOf(new Bitmap(width, height).picture());
  }

  async start(): Promise<void> {
    await this.#device.use((chip) => this.#setUp(chip));
  }

  render(view: View): Picture {
    return renderGraphic(view, this.#width, this.#height);
  }

  async show(picture: Picture): Promise<void> {
    if (picture.kind !== "graphic" || picture.width !== this.#width || picture.height !== this.#height) {
      throw new TypeError(`the display shows pictures of ${this.#width}×${this.#height} pixels`);
    }
    this.#wanted = pagesOf(picture);
    await this.#device.use(async (chip) => {
      if (this.#shown === undefined || (await this.#wasReset(chip))) await this.#setUp(chip);
      else await this.#update(chip);
    });
  }

  async brightness(level: Brightness): Promise<void> {
    if (level === this.#level) return;
    const wasOff = this.#level === "off";
    this.#level = level;
    await this.#device.use(async (chip) => {
      // While it was off by our will, a reset could not be told from it.
      if (wasOff || this.#shown === undefined || (await this.#wasReset(chip))) await this.#setUp(chip);
      else await this.#light(chip);
    });
  }

  /** Set-up as the data sheets' flow charts; the memory is filled before the display is lit. */
  async #setUp(chip: I2cChip): Promise<void> {
    this.#shown = undefined;
    await chip.write(COMMANDS, DISPLAY_OFF, ...this.#panelCommands());
    await this.#update(chip);
    await this.#light(chip);
    const [status = 0] = await chip.read([], 1);
    this.#tellsStatus = (status & STATUS_OFF) === (this.#level === "off" ? STATUS_OFF : 0);
  }

  #panelCommands(): number[] {
    return [
      ...(this.#controller === "ssd1306" ? [0x8d, 0x14, 0x20, 0x02] : [0xad, 0x8b]), // Voltage pump on; page mode.
      ...[0xd5, 0x80], // Clock as after a reset.
      ...[0xa8, this.#height - 1], // Rows.
      ...[0xd3, 0x00, 0x40], // No offset, first line 0.
      ...[0xa1, 0xc8], // Columns and rows in the direction in which modules are mounted.
      ...[0xda, this.#height > 32 ? 0x12 : 0x02], // How the rows are wired.
      ...[0xd9, 0xf1], // Precharge for the pump's voltage.
      ...[0xa4, 0xa6], // Shows the memory, lit where it is 1.
    ];
  }

  async #light(chip: I2cChip): Promise<void> {
    try {
      if (this.#level === "off") await chip.write(COMMANDS, DISPLAY_OFF);
      else await chip.write(COMMANDS, 0x81, CONTRAST[this.#level], DISPLAY_ON);
    } catch (error) {
      this.#shown = undefined;
      throw error;
    }
  }

  async #wasReset(chip: I2cChip): Promise<boolean> {
    if (!this.#tellsStatus || this.#level === "off") return false;
    const [status = 0] = await chip.read([], 1);
    return (status & STATUS_OFF) !== 0;
  }

  async #update(chip: I2cChip): Promise<void> {
    const wanted = this.#wanted;
    const shown = this.#shown;
    // If a transfer fails, nobody knows how far it got.
    this.#shown = undefined;
    for (let page = 0; page < this.#height / 8; page++) {
      const start = page * this.#width;
      for (const [from, to] of changes(shown, wanted, start, start + this.#width)) {
        await this.#write(chip, page, from - start, wanted.subarray(from, to));
      }
    }
    this.#shown = wanted;
  }

  async #write(chip: I2cChip, page: number, column: number, bytes: Uint8Array): Promise<void> {
    // The SH1106 has 132 columns, of which modules show those in the middle.
    const at = this.#controller === "sh1106" ? column + 2 : column;
    await chip.write(COMMANDS, 0xb0 | page, at & 0x0f, 0x10 | (at >> 4));
    for (let i = 0; i < bytes.length; i += BURST) await chip.write(DATA, bytes.subarray(i, i + BURST));
  }
}

/** A picture as the controller's memory has it. */
function pagesOf(picture: Picture & { kind: "graphic" }): Uint8Array {
  const { width, height } = picture;
  const pages = new Uint8Array((width * height) / 8);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y >> 3) * width + x;
      if (pixelOf(picture, x, y)) pages[at] = (pages[at] ?? 0) | (1 << (y & 7));
    }
  }
  return pages;
}

/** Runs of bytes that differ, from and to (exclusive); those close together are one. */
function changes(shown: Uint8Array | undefined, wanted: Uint8Array, start: number, end: number): [number, number][] {
  if (shown === undefined) return [[start, end]];
  const runs: [number, number][] = [];
  for (let at = start; at < end; at++) {
    if (shown[at] === wanted[at]) continue;
    const last = runs.at(-1);
    if (last !== undefined && at - last[1] <= GAP) last[1] = at + 1;
    else runs.push([at, at + 1]);
  }
  return runs;
}
