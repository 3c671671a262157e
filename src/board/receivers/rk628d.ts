/**
 * Rockchip RK628D, HDMI to MIPI CSI-2 or BT.1120, with the HDMI receiver of Synopsys: TMDS up to 300 MHz, so up to
 * 2160p30, and 2160p60 in 4:2:0. Registers have 32-bit addresses and 32-bit values, both low byte first. Names are those
 * of the public vendor driver. There is no 5 V status: the board has a line for it.
 *
 * The receiver's analogue part (combo PHY) and the chip's output are not touched: they belong to whoever takes the
 * picture.
 */
import type { I2cChip } from "../i2c.ts";
import {
  type AudioSignal,
  type ColourSpace,
  exactRate,
  type FrameRate,
  type Signal,
  standardAudioRate,
} from "../signal.ts";
import { coarseRate } from "./coarseRate.ts";
import { type Condition, EdidRamReceiver } from "./edidRam.ts";
import { type Receiver, type ReceiverContext, WrongChip } from "./receiver.ts";

const GRF_SYSTEM_CON0 = 0x00000;
const GRF_SOC_VERSION = 0x00200;
const HDMI_SETUP_CTRL = 0x30000;
const HDMI_TIMER_CTRL = 0x30008;
const HDMI_CKM_EVLTM = 0x30094;
const HDMI_CKM_RESULT = 0x3009c;
const HDCP_CTRL = 0x300c0;
const HDCP_SETTINGS = 0x300c4;
const HDCP_STS = 0x300fc;
const MD_HT0 = 0x30148;
const MD_HT1 = 0x3014c;
const MD_HACT_PX = 0x30150;
const MD_VAL = 0x30168;
const MD_VTL = 0x30170;
const MD_STS = 0x30180;
const PDEC_STS = 0x30360;
const PDEC_GCP_AVMUTE = 0x30380;
const PDEC_ACR_CTS = 0x30390;
const PDEC_ACR_N = 0x30394;
const PDEC_AVI_HB = 0x303a0;
const PDEC_AVI_PB = 0x303a4;
const PDEC_AIF_PB0 = 0x303c8;
const SCDC_REGS0 = 0x30820;
const SCDC_REGS1 = 0x30824;
const DMI_SW_RST = 0x30ff0;
const DMI_DISABLE_IF = 0x30ff4;
const EDID_BASE = 0xa0000;

/** Of GRF_SOC_VERSION; the RK628F has 0x20230321 and another PHY. */
const RK628D = 0x20200326;
/** Of GRF_SYSTEM_CON0: the EDID RAM is ours (1) or the source's (0). */
const EDID_MODE = 1 << 21;
/** Of GRF_SYSTEM_CON0: I2C address of the RAM for the source, and what is received. */
const I2C_SLAVE_ADDRESS = 0x7 << 22;
const INPUT_MODE = 0x7;
/** Of HDMI_SETUP_CTRL. */
const HOT_PLUG_DETECT = 1 << 0;
/** Of HDMI_CKM_EVLTM: clocks are counted over 1000 periods of the chip's own. */
const EVALUATION = 0x00103e70;
/** Of DMI_DISABLE_IF: every part of the receiver runs. */
const ALL_ENABLED = 0x0001017f;
/** Of HDCP_CTRL: enabled, and encryption. */
const HDCP_ON = (1 << 24) | (1 << 0);

/** Hz, the chip's own clock for measuring. */
const MODET_CLOCK = 49_500_000;
/** Hz; what is slower is noise (the slowest TMDS clock is 25 MHz). */
const MIN_TMDS_CLOCK = 20_000_000;
/** Hz, with what a source may be off. */
const MAX_TMDS_CLOCK = 300_000_000;
const MAX_BLOCKS = 2;
/** Bytes of the EDID RAM written before others may use the bus, each of them being a transfer. */
const SLICE = 32;

/** The receiver's settings, as the vendor driver has them. */
const settings: readonly (readonly [register: number, value: number])[] = [
  [0x30800, 0x10000011], // HDMI20_CONTROL
  [0x30080, 0x00000021], // MODE_RECOVER
  [0x30300, 0xbfff8011], // PDEC_CTRL
  [0x30340, 0x00000040], // PDEC_ASP_CTRL
  [0x300a4, 0x00000000], // RESMPL_CTRL: pixels as they come
  [0x30090, 0x00000014], // SYNC_CTRL
  [0x3033c, 0x00000008], // PDEC_ERR_FILTER
  [0x30804, 0x01000000], // SCDC_I2CCONFIG
  [0x30808, 0x00000001], // SCDC_CONFIG
  [0x30860, 0xabcdef01], // SCDC_WRDATA0
  [0x3080c, 0x0030c15c], // CHLOCK_CONFIG
  [0x30084, 0x000d0c98], // ERROR_PROTECT
  [0x30140, 0x00000010], // MD_HCTRL1
  [0x30144, 0x00001738], // MD_HCTRL2
  [0x30158, 0x00000002], // MD_VCTRL
  [0x3016c, 0x0000073a], // MD_VTH
  [0x3017c, 0x00000004], // MD_IL_POL
  [0x30330, 0x00000000], // PDEC_ACRM_CTRL
  [0x300a8, 0x00040414], // DCM_CTRL
  [0x30098, 0x0c1c0b54], // CKM_F
  // Last: condition() takes it as the sign that all are written.
  [HDMI_CKM_EVLTM, EVALUATION],
];

/** The driver of an RK628D at its I2C address (0x50). */
export function rk628d(context: ReceiverContext): Receiver {
  return new Rk628d(context);
}

class Rk628d extends EdidRamReceiver {
  constructor(context: ReceiverContext) {
    super(context, MAX_BLOCKS);
  }

  protected async identify(): Promise<void> {
    const version = await this.#use((chip) => chip.read(GRF_SOC_VERSION));
    if (version !== RK628D) {
      throw new WrongChip(
        `expected an RK628D (version 0x${RK628D.toString(16)}), read 0x${version.toString(16).padStart(8, "0")}`,
      );
    }
  }

  protected condition(): Promise<Condition> {
    return this.#use(async (chip) => {
      const evaluation = await chip.read(HDMI_CKM_EVLTM);
      const parts = await chip.read(DMI_DISABLE_IF);
      const setup = await chip.read(HDMI_SETUP_CTRL);
      const system = await chip.read(GRF_SYSTEM_CON0);
      return {
        // An EDID RAM that was not given back to the source shows that something was broken off.
        configured: evaluation === EVALUATION && parts === ALL_ENABLED && (system & EDID_MODE) === 0,
        hotPlug: (setup & HOT_PLUG_DETECT) !== 0,
      };
    });
  }

  protected async configure(): Promise<void> {
    await this.show(false);
    await this.#use(async (chip) => {
      await chip.change(GRF_SYSTEM_CON0, I2C_SLAVE_ADDRESS | EDID_MODE | INPUT_MODE, 0);
      await chip.write(DMI_SW_RST, 0x000101ff);
      await chip.write(DMI_DISABLE_IF, 0);
      await chip.write(DMI_DISABLE_IF, ALL_ENABLED & 0xffff);
      await chip.write(DMI_DISABLE_IF, ALL_ENABLED);
      // No keys: the chip takes no part in HDCP.
      await chip.change(HDCP_CTRL, HDCP_ON, 0);
      // HDMI capable; neither fast I2C, nor features 1.1, nor fast reauthentication.
      await chip.change(HDCP_SETTINGS, 0x3300, 0x2000);
      await chip.change(HDMI_TIMER_CTRL, 1 << 11, 1 << 11);
      for (const [register, value] of settings) await chip.write(register, value);
    });
  }

  protected async show(hotPlug: boolean): Promise<void> {
    await this.#use((chip) => chip.change(HDMI_SETUP_CTRL, HOT_PLUG_DETECT, hotPlug ? HOT_PLUG_DETECT : 0));
    await this.context.hotPlug?.write(hotPlug);
  }

  protected async powered(): Promise<boolean> {
    return (await this.context.cablePower?.read()) ?? true;
  }

  protected async store(edid: Uint8Array): Promise<void> {
    for (let from = 0; from < edid.length; from += SLICE) {
      const slice = edid.subarray(from, from + SLICE);
      await this.#useRam(async (chip) => {
        for (const [i, byte] of slice.entries()) await chip.write(EDID_BASE + 4 * (from + i), byte);
      });
    }
  }

  /**
   * The source can't read the EDID meanwhile, so it is done in one go, for as short as possible (some 0.3 ms a byte at
   * 400 kHz).
   */
  protected load(length: number): Promise<Uint8Array> {
    return this.#useRam(async (chip) => {
      const edid = new Uint8Array(length);
      for (let i = 0; i < length; i += 1) edid[i] = (await chip.read(EDID_BASE + 4 * i)) & 0xff;
      return edid;
    });
  }

  protected async look(): Promise<Signal> {
    const power = await this.context.cablePower?.read();
    if (power === false) return { state: "no-cable", cablePower: false };
    const cable = power === undefined ? {} : { cablePower: power };
    return this.#use(async (chip) => {
      const tmds = (await chip.read(HDMI_CKM_RESULT)) & 0xffff;
      const tmdsClock = tmds * (MODET_CLOCK / 1000);
      if (tmdsClock < MIN_TMDS_CLOCK) return { state: "no-clock", ...cable, clock: false };
      // SCDC bit clock ratio 1/40: the source sends more than 340 MHz, which the chip can't follow at all.
      if (((await chip.read(SCDC_REGS0)) & (1 << 17)) !== 0) return { state: "out-of-range", ...cable, clock: true };
      if (((await chip.read(SCDC_REGS1)) & 0xfff) !== 0xf00) {
        return { state: "no-lock", ...cable, clock: true, lock: false };
      }
      const hdmi = ((await chip.read(PDEC_STS)) & (1 << 28)) === 0;
      const hdcp = ((await chip.read(HDCP_STS)) & (1 << 9)) !== 0;
      const colour = hdmi ? await readColour(chip) : dvi;
      const picture = await readPicture(chip, tmdsClock, colour.colourSpace);
      if (picture === undefined) return { state: "no-lock", ...cable, clock: true, lock: false };
      const audio = hdmi ? await readAudio(chip, tmdsClock) : undefined;
      return {
        state: tmdsClock > MAX_TMDS_CLOCK ? "out-of-range" : hdcp ? "protected" : "locked",
        ...cable,
        ...{ clock: true, lock: true, video: { ...picture, ...colour }, hdmi, hdcp },
        ...(audio && { audio }),
      };
    });
  }

  #use<T>(work: (chip: Registers) => Promise<T>): Promise<T> {
    return this.context.i2c.use((chip) => work(new Registers(chip)));
  }

  /** Uses the EDID RAM, and gives it back to the source. */
  #useRam<T>(work: (chip: Registers) => Promise<T>): Promise<T> {
    return this.#use(async (chip) => {
      await chip.change(GRF_SYSTEM_CON0, I2C_SLAVE_ADDRESS | EDID_MODE, EDID_MODE);
      try {
        return await work(chip);
      } finally {
        await chip.change(GRF_SYSTEM_CON0, EDID_MODE, 0);
      }
    });
  }
}

// ---- measuring -------------------------------------------------------------------------------------------------------

interface Picture {
  width: number;
  height: number;
  interlaced: boolean;
  rate: FrameRate;
}

interface Colour {
  colourSpace: ColourSpace;
  range: "full" | "limited";
}

/** DVI has no InfoFrames: RGB, by convention of full range. */
const dvi: Colour = { colourSpace: "rgb", range: "full" };

const colourSpaces: readonly ColourSpace[] = ["rgb", "ycbcr-422", "ycbcr-444", "ycbcr-420"];

/** The AVI InfoFrame (CTA-861, 6.4): data bytes 1 to 4 in AVI_PB, byte 5 in the highest of AVI_HB. */
async function readColour(chip: Registers): Promise<Colour> {
  const frame = await chip.read(PDEC_AVI_PB);
  const colourSpace = colourSpaces[(frame >>> 5) & 0x3] ?? "rgb";
  if (colourSpace !== "rgb") {
    const quantisation = (await chip.read(PDEC_AVI_HB)) >>> 30;
    return { colourSpace, range: quantisation === 1 ? "full" : "limited" };
  }
  const quantisation = (frame >>> 18) & 0x3;
  if (quantisation !== 0) return { colourSpace, range: quantisation === 2 ? "full" : "limited" };
  // By default, television formats are limited; computers' and 640x480 (code 1) are not (CTA-861, 5.1).
  return { colourSpace, range: frame >>> 24 > 1 ? "limited" : "full" };
}

/** Undefined while the chip has not measured a whole picture yet. */
async function readPicture(chip: Registers, tmdsClock: number, colourSpace: ColourSpace): Promise<Picture | undefined> {
  const interlaced = ((await chip.read(MD_STS)) & (1 << 3)) !== 0;
  // 4:2:0 has two pixels in each period of the clock (HDMI 2.0, 7.1).
  const perClock = colourSpace === "ycbcr-420" ? 2 : 1;
  const active = ((await chip.read(MD_HACT_PX)) & 0xffff) * perClock;
  const totalWidth = (await chip.read(MD_HT1)) >>> 16;
  const lines = (await chip.read(MD_VAL)) & 0xffff;
  const totalLines = (await chip.read(MD_VTL)) & 0xffff;
  if (active === 0 || totalWidth === 0 || lines === 0 || totalLines === 0) return undefined;
  const height = interlaced ? 2 * lines : lines;
  // The lines of an interlaced picture are odd; half a line of each field is not counted.
  const totalHeight = interlaced ? 2 * totalLines + 1 : totalLines;
  // Deep colour takes more periods of the clock for a pixel (HDMI 1.4, 6.5.2).
  const depth = ((await chip.read(PDEC_GCP_AVMUTE)) >>> 4) & 0xf;
  const perPixel = depth === 5 ? 1.25 : depth === 6 ? 1.5 : depth === 7 ? 2 : 1;
  const coarse = tmdsClock / perPixel / (totalWidth * totalHeight);
  const fine = rateByLines((await chip.read(MD_HT0)) >>> 16, totalHeight, coarse);
  return {
    // HDMI sends interlaced standard definition with each pixel twice (CTA-861, 4.2).
    width: interlaced && active === 1440 ? 720 : active,
    ...{ height, interlaced },
    rate: fine === undefined ? coarseRate(coarse, 0.004, height) : exactRate(fine),
  };
}

/**
 * Pictures per second by the periods of the chip's own clock in 32 lines, which is much finer than the TMDS clock is
 * counted. The count has 16 bits; how often it went over follows from the coarse rate. Undefined where the two don't agree.
 */
function rateByLines(count: number, totalHeight: number, coarse: number): number | undefined {
  const expected = (32 * MODET_CLOCK) / (coarse * totalHeight);
  const periods = count + 0x10000 * Math.round((expected - count) / 0x10000);
  const fine = (32 * MODET_CLOCK) / (periods * totalHeight);
  return Math.abs(fine / coarse - 1) < 0.005 ? fine : undefined;
}

/** 128 · rate = TMDS clock · N / CTS (HDMI 1.4, 7.2). Channels less one are in the audio InfoFrame; 0 leaves them open. */
async function readAudio(chip: Registers, tmdsClock: number): Promise<AudioSignal | undefined> {
  const n = (await chip.read(PDEC_ACR_N)) & 0xfffff;
  const cts = (await chip.read(PDEC_ACR_CTS)) & 0xfffff;
  if (n === 0 || cts === 0) return undefined;
  const rate = standardAudioRate((tmdsClock * n) / cts / 128);
  if (rate === undefined) return undefined;
  const count = (await chip.read(PDEC_AIF_PB0)) & 0x07;
  return { rate, channels: count === 0 ? 2 : count + 1 };
}

// ---- registers -------------------------------------------------------------------------------------------------------

class Registers {
  readonly #chip: I2cChip;

  constructor(chip: I2cChip) {
    this.#chip = chip;
  }

  async read(register: number): Promise<number> {
    const bytes = await this.#chip.read([...littleEndian(register)], 4);
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  }

  write(register: number, value: number): Promise<void> {
    return this.#chip.write(littleEndian(register), littleEndian(value));
  }

  async change(register: number, mask: number, value: number): Promise<void> {
    await this.write(register, (((await this.read(register)) & ~mask) | value) >>> 0);
  }
}

function littleEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
