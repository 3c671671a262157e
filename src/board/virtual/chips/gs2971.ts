/** Semtech GS2971, SDI receiver, as its registers behave. */
import type { Clock } from "../../ports.ts";
import { type Connector, type Programme, type SpiModel, timing } from "../model.ts";

const ERROR_STAT_1 = 0x02;
const DATA_FORMAT = 0x06;
const RASTER = 0x1f;
const HVLOCK = 0x23;
const HD_AUDIO_STATUS = 0x206;
const SD_AUDIO = 0x400;
const SD_AUDIO_STATUS = 0x406;
const SD_AUDIO_END = 0x4ff;

/** Errors are forgotten with the next field, ms at 50 Hz. */
const FIELD = 20;

/** Registers of the present signal: 0x06, 0x1F to 0x22. */
interface Detected {
  sd: boolean;
  format: number;
  raster: readonly [activeWords: number, words: number, lines: number, standard: number];
  /** A bit for each channel of sound. */
  channels: number;
}

const nothing: Detected = { sd: false, format: 0, raster: [0, 0, 0, 0], channels: 0 };

const rateSelect = { hd: 0, sd: 1, "3g": 2 } as const;

/** VD_STD by rate selection, lines, scan and nominal pictures per second. Unknown ones have 0x1D. */
const standards: Record<string, number> = {
  sd480i30: 0x16,
  sd576i25: 0x18,
  hd720p60: 0x20,
  hd720p30: 0x22,
  hd720p50: 0x24,
  hd720p25: 0x26,
  hd720p24: 0x28,
  hd1080i30: 0x0a,
  hd1080p30: 0x0b,
  hd1080i25: 0x0c,
  hd1080p25: 0x0d,
  hd1080p24: 0x10,
  "3g1080p60": 0x2b,
  "3g1080p50": 0x2d,
};

export class Gs2971Model implements SpiModel {
  readonly #connector: Connector;
  readonly #clock: Clock;
  /** What was written; all registers begin as 0. */
  readonly #written = new Map<number, number>();
  /** The signal that it had lock on last: its registers stay as they are when it goes. */
  #detected = nothing;
  #errors = 0;
  #errorsUntil = 0;
  #inReset = false;

  constructor(connector: Connector, clock: Clock) {
    this.#connector = connector;
    this.#clock = clock;
  }

  /** Command word, then data words; with bit 12, each next one is for the next register. */
  transfer(write: Uint8Array): Uint8Array {
    const answer = new Uint8Array(write.length);
    // In reset, nobody drives the line: it is pulled up.
    if (this.#inReset) return answer.fill(0xff);
    const view = new DataView(write.buffer, write.byteOffset, write.byteLength);
    const out = new DataView(answer.buffer);
    if (write.length < 4) return answer;
    const command = view.getUint16(0);
    const hvLock = this.#detect();
    for (let at = 2, register = command & 0xfff; at + 2 <= write.length; at += 2) {
      if ((command & 0x8000) !== 0) out.setUint16(at, this.#read(register, hvLock));
      else this.#write(register, view.getUint16(at), hvLock);
      if ((command & 0x1000) !== 0) register = (register + 1) & 0xfff;
    }
    return answer;
  }

  reset(active: boolean): void {
    this.#inReset = active;
    this.#written.clear();
    this.#detected = nothing;
    this.#errors = 0;
  }

  /** A fault of transmission, by the bits of ERROR_STAT_1. */
  disturb(errors: number): void {
    if (this.#detect() !== 3) return;
    this.#errors |= errors;
    this.#errorsUntil = this.#clock.now() + FIELD;
  }

  /** Follows the signal as far as the chip can. Returns the locks of the flywheels: bit 0 horizontal, bit 1 vertical. */
  #detect(): number {
    const { plug } = this.#connector;
    const signal = plug === undefined || plug.health === "no-clock" ? undefined : detect(plug.programme);
    if (signal === undefined || plug?.health === "no-lock") {
      this.#errors = 0;
      return signal === undefined ? 0 : 1;
    }
    this.#detected = signal;
    return 3;
  }

  #read(register: number, hvLock: number): number {
    const { sd, format, raster, channels } = this.#detected;
    if (register >= RASTER && register < HVLOCK) return raster[register - RASTER] ?? 0;
    if (register >= SD_AUDIO && register <= SD_AUDIO_END && !(sd && hvLock === 3)) return 0;
    switch (register) {
      case HVLOCK:
        return hvLock;
      case DATA_FORMAT:
        // Both data formats: SDI with lock, else undefined.
        return (format << 8) | (hvLock === 3 ? 0x66 : 0xff);
      case ERROR_STAT_1: {
        const errors = this.#clock.now() < this.#errorsUntil ? this.#errors : 0;
        this.#errors = 0;
        return errors;
      }
      case HD_AUDIO_STATUS:
        return hvLock === 3 && !sd ? channels : 0;
      case SD_AUDIO_STATUS:
        return channels;
      default:
        return this.#written.get(register) ?? 0;
    }
  }

  #write(register: number, value: number, hvLock: number): void {
    // The registers of SD sound are there only while there is SD.
    const closed = register >= SD_AUDIO && register <= SD_AUDIO_END && !(this.#detected.sd && hvLock === 3);
    if (!closed) this.#written.set(register, value);
  }
}

/** What the chip finds of a programme, or undefined where SDI has no way to carry it: then there is no carrier. */
function detect(programme: Programme): Detected | undefined {
  const { width, height, interlaced, rate, audio } = programme;
  const nominal = Math.round(rate[0] / rate[1]);
  // 2048×1080 is sent in the raster of 1920×1080 (SMPTE ST 2048-2). A clock that is off is followed all the same.
  const nominalTiming = timing({ ...programme, width: width === 2048 ? 1920 : width, clockOffset: 0 });
  const { totalWidth, totalHeight, pixelClock } = nominalTiming;
  const link = linkOf(programme, pixelClock);
  if (link === undefined) return undefined;
  const sd = link === "sd";
  // In SD, luma and chroma share one stream of words; of 525 lines, 487 are active.
  const words = sd ? 2 : 1;
  const activeLines = height === 480 ? 487 : height;
  const slow = !sd && rate[1] === 1001;
  return {
    sd,
    format: (width === 2048 ? undefined : standards[`${link}${height}${interlaced ? "i" : "p"}${nominal}`]) ?? 0x1d,
    raster: [
      ...([words * width, words * totalWidth, totalHeight] as const),
      (rateSelect[link] << 14) | (slow ? 0x2000 : 0) | 0x1000 | (interlaced ? 0x0800 : 0) | activeLines,
    ],
    // Only sound at 48 kHz can be embedded.
    channels: audio?.rate === 48000 ? (1 << Math.min(audio.channels, 8)) - 1 : 0,
  };
}

function linkOf({ width, height, interlaced }: Programme, pixelClock: number): keyof typeof rateSelect | undefined {
  const clocked = (clock: number) => [1, 1.001].some((m) => Math.abs(pixelClock - clock / m) < clock / 1e5);
  if (width === 720) return interlaced && (height === 480 || height === 576) && clocked(13.5e6) ? "sd" : undefined;
  if (width === 1280 ? height !== 720 || interlaced : height !== 1080 || (width !== 1920 && width !== 2048)) return;
  if (clocked(74.25e6)) return "hd";
  return clocked(148.5e6) && !interlaced ? "3g" : undefined;
}
