/** An RK628D at register level, as far as a receiver's driver sees it; its PHY is taken to run. */
import { BusError, type Clock } from "../../ports.ts";
import { type Connector, type I2cModel, type Programme, timing } from "../model.ts";
import { codes } from "./infoframes.ts";

const GRF_SYSTEM_CON0 = 0x00000;
const HDMI_SETUP_CTRL = 0x30000;
const EDID_BASE = 0xa0000;
const EDID_SIZE = 256;
const EDID_MODE = 1 << 21;

/** Hz. */
const MODET_CLOCK = 49_500_000;
/** More than this has 1/40 of the bit rate as its clock, and is scrambled (HDMI 2.0, 6.1.1); the chip can't follow. Hz. */
const HDMI_1_LIMIT = 340_000_000;

/** N of ACR by audio rate (HDMI 1.4, 7.2). */
const acrN: Record<number, number> = {
  32000: 4096,
  44100: 6272,
  48000: 6144,
  88200: 12544,
  96000: 12288,
  176400: 25088,
  192000: 24576,
};

export class Rk628dModel implements I2cModel {
  readonly addresses: readonly number[];
  readonly #connector: Connector;
  readonly #registers = new Map<number, number>();
  readonly #edid = new Uint8Array(EDID_SIZE);
  #held = false;

  constructor(connector: Connector, address: number, _clock: Clock) {
    this.#connector = connector;
    this.addresses = [address];
    this.#powerUp();
  }

  reset(active: boolean): void {
    this.#held = active;
    if (active) this.#powerUp();
  }

  transfer(_address: number, write: Uint8Array, length: number): Uint8Array {
    if (this.#held) throw new BusError("nack", "the RK628D is in reset");
    const reads = write.length === 4 && length === 4;
    const writes = write.length === 8 && length === 0;
    if (!reads && !writes) throw new BusError("nack", "the RK628D expects 32-bit registers");
    const words = new DataView(write.buffer, write.byteOffset);
    const register = words.getUint32(0, true);
    if (register % 4 !== 0 || register >= 0x100000) throw new BusError("nack", "no such register in the RK628D");
    if (writes) {
      this.#put(register, words.getUint32(4, true));
      return new Uint8Array();
    }
    const result = new DataView(new ArrayBuffer(4));
    result.setUint32(0, this.#get(register) >>> 0, true);
    return new Uint8Array(result.buffer);
  }

  /** What a source reads over DDC: nothing without hot plug, or while the RAM is not its. */
  ddc(): Uint8Array | undefined {
    const served = (this.#at(HDMI_SETUP_CTRL) & 0x01) !== 0 && (this.#at(GRF_SYSTEM_CON0) & EDID_MODE) === 0;
    return served ? Uint8Array.from(this.#edid) : undefined;
  }

  // ---- registers -----------------------------------------------------------------------------------------------------

  #powerUp(): void {
    this.#registers.clear();
    this.#edid.fill(0);
    this.#connector.hotPlug = false;
  }

  #at(register: number): number {
    return this.#registers.get(register) ?? 0;
  }

  #put(register: number, value: number): void {
    const edidAt = (register - EDID_BASE) / 4;
    if (edidAt >= 0 && edidAt < EDID_SIZE) {
      if ((this.#at(GRF_SYSTEM_CON0) & EDID_MODE) !== 0) this.#edid[edidAt] = value;
      return;
    }
    this.#registers.set(register, value);
    if (register === HDMI_SETUP_CTRL) this.#connector.hotPlug = (value & 0x01) !== 0;
  }

  #get(register: number): number {
    if (register === 0x00200) return 0x20200326;
    const edidAt = (register - EDID_BASE) / 4;
    if (edidAt >= 0 && edidAt < EDID_SIZE) {
      return (this.#at(GRF_SYSTEM_CON0) & EDID_MODE) === 0 ? 0 : (this.#edid[edidAt] ?? 0);
    }
    return this.#measured(register) ?? this.#at(register);
  }

  // ---- the signal ----------------------------------------------------------------------------------------------------

  /** What a source sends to the receiver, if it runs: TMDS, mode detection and HDMI parts. */
  #sent(): Programme | undefined {
    const parts = (1 << 16) | (1 << 2) | (1 << 1);
    const { plug, hotPlug } = this.#connector;
    if (!hotPlug || (this.#at(0x30ff4) & parts) !== parts || plug === undefined) return undefined;
    return plug.health === "no-clock" ? undefined : plug.programme;
  }

  #measured(register: number): number | undefined {
    const programme = this.#sent();
    const clock = programme === undefined ? 0 : tmdsClock(programme);
    const fast = clock > HDMI_1_LIMIT;
    const locked = this.#connector.plug?.health === "good" && !fast;
    switch (register) {
      case 0x3009c: {
        const periods = ((this.#at(0x30094) >>> 4) & 0xfff) + 1;
        return Math.floor(((fast ? clock / 4 : clock) * periods) / MODET_CLOCK);
      }
      case 0x30820:
        return fast ? 1 << 17 : 0;
      case 0x30824:
        return programme !== undefined && locked ? 0xffff0f00 : 0xffff0000;
      default:
        return programme !== undefined && locked ? picture(register, programme) : undefined;
    }
  }
}

function picture(register: number, programme: Programme): number | undefined {
  const { width, height, interlaced, rate, hdmi, hdcp, colourSpace, audio } = programme;
  const { totalWidth, totalHeight } = timing(programme);
  const pixels = perLine(programme);
  const field = interlaced ? 2 : 1;
  switch (register) {
    case 0x300fc:
      return hdmi && hdcp ? 0x300 : 0;
    case 0x30148: {
      const lineTime = rate[1] / rate[0] / totalHeight;
      return (Math.floor(32 * lineTime * MODET_CLOCK) & 0xffff) << 16;
    }
    case 0x3014c:
      return (totalWidth * pixels) << 16;
    case 0x30150:
      return width * pixels;
    case 0x30168:
      return height / field;
    case 0x30170:
      return Math.floor(totalHeight / field);
    case 0x30180:
      return interlaced ? 0x0f : 0x07;
    case 0x30360:
      return hdmi ? 0 : 1 << 28;
    case 0x30390: {
      const n = acrN[audio?.rate ?? 0];
      return !hdmi || audio === undefined || n === undefined
        ? 0
        : Math.round((tmdsClock(programme) * n) / (128 * audio.rate));
    }
    case 0x30394:
      return (hdmi && acrN[audio?.rate ?? 0]) || 0;
    case 0x303a0:
      return hdmi && colourSpace !== "rgb" && programme.range === "full" ? 1 << 30 : 0;
    case 0x303a4:
      return hdmi ? aviFrame(programme) : 0;
    case 0x303c8:
      return hdmi && audio !== undefined ? audio.channels - 1 : 0;
    default:
      return undefined;
  }
}

/** Periods of the clock that the receiver sees for each pixel. */
function perLine({ colourSpace, interlaced, width, hdmi }: Programme): number {
  if (hdmi && colourSpace === "ycbcr-420") return 0.5;
  return interlaced && width === 720 ? 2 : 1;
}

function tmdsClock(programme: Programme): number {
  return timing(programme).pixelClock * perLine(programme);
}

/** Data bytes 1 to 4 of the AVI InfoFrame; the range of RGB is only said where it is not the format's default. */
function aviFrame({ width, height, interlaced, rate, colourSpace, range }: Programme): number {
  const space = { rgb: 0, "ycbcr-422": 1, "ycbcr-444": 2, "ycbcr-420": 3 }[colourSpace];
  const code = codes[`${width}x${height}${interlaced ? "i" : "p"}${Math.round(rate[0] / rate[1])}`] ?? 0;
  const usual = code > 1 ? "limited" : "full";
  const quantisation = colourSpace !== "rgb" || range === usual ? 0 : range === "limited" ? 1 : 2;
  return (code << 24) | (quantisation << 18) | (space << 5);
}
