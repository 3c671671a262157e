/**
 * Toshiba TC358743, HDMI to CSI-2: up to 165 MHz, 1080p60. Registers have 16-bit addresses, high byte first; values of
 * several bytes have the low byte first. Names are those of the functional specification. The reference clock is 27 MHz.
 * The CSI-2 side is not touched: it belongs to whoever takes the picture.
 *
 * Its frame interval counts 0.1 ms (FV_CNT): 59.94 and 60 pictures a second are the same to it, as are all rates and
 * their 1/1.001; see coarseRate.ts for which of them is given.
 */
import type { I2cChip } from "../i2c.ts";
import type { AudioSignal, ColourSpace, Signal, VideoSignal } from "../signal.ts";
import { coarseRate } from "./coarseRate.ts";
import { type Condition, EdidRamReceiver } from "./edidRam.ts";
import { type Receiver, type ReceiverContext, WrongChip } from "./receiver.ts";

const CHIPID = 0x0000;
const SYSCTL = 0x0002;
const CONFCTL = 0x0004;
const SYS_STATUS = 0x8520;
const AU_STATUS0 = 0x8523;
const PHY_CTL0 = 0x8531;
const PHY_CTL1 = 0x8532;
const PHY_CTL2 = 0x8533;
const PHY_EN = 0x8534;
const PHY_RST = 0x8535;
const PHY_BIAS = 0x8536;
const PHY_CSQ = 0x853f;
const SYS_FREQ = 0x8540;
const DDC_CTL = 0x8543;
const HPD_CTL = 0x8544;
const ANA_CTL = 0x8545;
const AVM_CTL = 0x8546;
const HDMI_DET = 0x8552;
const HDCP_MODE = 0x8560;
const VI_MODE = 0x8570;
const DE_WIDTH_H = 0x8582;
const FV_CNT = 0x85a1;
const FH_MIN = 0x85aa;
const HV_RST = 0x85af;
const EDID_MODE = 0x85c7;
const EDID_LEN = 0x85ca;
const FORCE_MUTE = 0x8600;
const FS_SET = 0x8621;
const LOCKDET_REF = 0x8630;
const NCO_F0_MOD = 0x8670;
const PK_INT_MODE = 0x8709;
const PK_AUD_HEAD = 0x8730;
const BKSV = 0x8800;
const EDID_RAM = 0x8c00;

/** Of SYSCTL: infrared, CEC, CSI-2 and HDMI in reset, sleep. */
const IRRST = 0x0800;
const CECRST = 0x0400;
const CTXRST = 0x0200;
const HDMIRST = 0x0100;
const SLEEP = 0x0001;
/** Of CONFCTL. */
const AUTOINDEX = 0x0004;
/** Of EDID_MODE: served over E-DDC, all blocks. */
const E_DDC = 0x02;
/** Of HPD_CTL. */
const HPD_OUT0 = 0x01;
/** Of HDCP_MODE: the chip answers no authentication by itself. */
const MANUAL_AUTHENTICATION = 0x02;
/** Of ANA_CTL: audio clock recovery at work. The chip drops it whenever a source sends DVI. */
const AUDIO_PLL_ON = 0x31;

/** Hz. SYS_FREQ is in 10 kHz. */
const REFERENCE_CLOCK = 27_000_000;
/** Hz. */
const MAX_PIXEL_CLOCK = 165_000_000;
const MAX_BLOCKS = 8;
/** How often the PHY is started anew while it finds no lock, ms. */
const PHY_RETRY = 2000;

/** Audio rates by the code of FS_SET (IEC 60958-3), Hz. */
const audioRates: Record<number, number> = {
  0: 44100,
  2: 48000,
  3: 32000,
  8: 88200,
  10: 96000,
  12: 176400,
  14: 192000,
};

/** The driver of a TC358743 at its I2C address (0x0F). */
export function tc358743(context: ReceiverContext): Receiver {
  return new Tc358743(context);
}

class Tc358743 extends EdidRamReceiver {
  #phyStarted = Number.NEGATIVE_INFINITY;

  constructor(context: ReceiverContext) {
    super(context, MAX_BLOCKS);
  }

  protected async identify(): Promise<void> {
    const id = await this.#use((chip) => chip.read16(CHIPID));
    if (id >> 8 !== 0x00) {
      throw new WrongChip(`expected a TC358743 (chip id 0x00), read 0x${(id >> 8).toString(16).padStart(2, "0")}`);
    }
  }

  protected condition(): Promise<Condition> {
    return this.#use(async (chip) => {
      const system = await chip.read16(SYSCTL);
      const [frequencyLow, frequencyHigh] = [await chip.read8(SYS_FREQ), await chip.read8(SYS_FREQ + 1)];
      const configured =
        (system & (SLEEP | HDMIRST)) === 0 &&
        ((await chip.read16(CONFCTL)) & AUTOINDEX) !== 0 &&
        frequencyLow + 256 * frequencyHigh === REFERENCE_CLOCK / 10_000 &&
        ((await chip.read8(EDID_MODE)) & 0x03) === E_DDC &&
        ((await chip.read8(PHY_EN)) & 0x01) !== 0 &&
        // Off only where a restart of the PHY was broken off.
        ((await chip.read8(PHY_RST)) & 0x01) !== 0;
      return { configured, hotPlug: ((await chip.read8(HPD_CTL)) & HPD_OUT0) !== 0 };
    });
  }

  protected async configure(): Promise<void> {
    await this.#use(async (chip) => {
      await chip.change8(HPD_CTL, HPD_OUT0, 0);
      const outputReset = (await chip.read16(SYSCTL)) & CTXRST;
      await chip.write16(SYSCTL, IRRST | CECRST | outputReset | HDMIRST);
      await chip.write16(SYSCTL, IRRST | CECRST | outputReset);
      await chip.write16(CONFCTL, (await chip.read16(CONFCTL)) | AUTOINDEX);
      await setReferenceClock(chip);
      // 5 V counts after 100 ms.
      await chip.change8(DDC_CTL, 0x03, 0x02);
      await chip.change8(EDID_MODE, 0x03, E_DDC);
      await chip.change8(HDCP_MODE, MANUAL_AUTHENTICATION, MANUAL_AUTHENTICATION);
      // Of DVI, all pictures are taken as RGB of full range.
      await chip.change8(VI_MODE, 0x08, 0x00);
      await setAudio(chip);
      await setInfoFrames(chip);
      await setPhy(chip);
    });
  }

  protected async show(hotPlug: boolean): Promise<void> {
    await this.#use((chip) => chip.change8(HPD_CTL, HPD_OUT0, hotPlug ? HPD_OUT0 : 0));
  }

  protected powered(): Promise<boolean> {
    return this.#use(async (chip) => ((await chip.read8(SYS_STATUS)) & 0x01) !== 0);
  }

  protected async store(edid: Uint8Array): Promise<void> {
    await this.#use((chip) => chip.write(EDID_LEN, edid.length & 0xff, edid.length >> 8));
    for (let at = 0; at < edid.length; at += 128) {
      await this.#use((chip) => chip.write(EDID_RAM + at, ...edid.subarray(at, at + 128)));
    }
  }

  protected async load(length: number): Promise<Uint8Array> {
    const edid = new Uint8Array(length);
    for (let at = 0; at < length; at += 128) {
      const block = await this.#use((chip) => chip.read(EDID_RAM + at, Math.min(128, length - at)));
      edid.set(block, at);
    }
    return edid;
  }

  protected look(): Promise<Signal> {
    return this.#use(async (chip) => {
      // VI_STATUS1 at +2, VI_STATUS3 at +8.
      const status = await chip.read(SYS_STATUS, 9);
      const system = byteOf(status, 0);
      if ((system & 0x01) === 0) return { state: "no-cable", cablePower: false };
      const cable = { cablePower: true };
      if ((system & 0x02) === 0) return { state: "no-clock", ...cable, clock: false };
      if ((system & 0x80) === 0) {
        await this.#restartPhy(chip);
        return { state: "no-lock", ...cable, clock: true, lock: false };
      }
      const hdmi = (system & 0x10) !== 0;
      const hdcp = (system & 0x20) !== 0;
      const measured = await readVideo(chip, byteOf(status, 2), byteOf(status, 8));
      if (measured === undefined) return { state: "no-lock", ...cable, clock: true, lock: false };
      const { video, pixelClock } = measured;
      const audio = hdmi ? await readAudio(chip) : undefined;
      return {
        state: pixelClock > MAX_PIXEL_CLOCK ? "out-of-range" : hdcp ? "protected" : "locked",
        ...cable,
        ...{ clock: true, lock: true, video, hdmi, hdcp },
        ...(audio && { audio }),
      };
    });
  }

  /** A PHY that did not lock when the source changed may never do so by itself. Old keys are forgotten with it. */
  async #restartPhy(chip: Registers): Promise<void> {
    const now = this.context.clock.now();
    if (now - this.#phyStarted < PHY_RETRY) return;
    this.#phyStarted = now;
    await chip.change8(PHY_RST, 0x01, 0x00);
    await chip.change8(PHY_RST, 0x01, 0x01);
    await chip.write(BKSV, 0, 0, 0, 0, 0);
  }

  #use<T>(work: (chip: Registers) => Promise<T>): Promise<T> {
    return this.context.i2c.use((chip) => work(new Registers(chip)));
  }
}

// ---- set-up ----------------------------------------------------------------------------------------------------------

async function setReferenceClock(chip: Registers): Promise<void> {
  const frequency = REFERENCE_CLOCK / 10_000;
  await chip.write(SYS_FREQ, frequency & 0xff, frequency >> 8);
  // Bit 1 stands for 42 MHz.
  await chip.change8(PHY_CTL0, 0x02, 0x00);
  const slowest = REFERENCE_CLOCK / 100_000;
  const fastest = Math.floor(slowest * 6.6);
  await chip.write(FH_MIN, slowest & 0xff, slowest >> 8, fastest & 0xff, fastest >> 8);
  const lock = REFERENCE_CLOCK / 100;
  await chip.write(LOCKDET_REF, lock & 0xff, (lock >> 8) & 0xff, (lock >> 16) & 0x0f);
  await chip.change8(NCO_F0_MOD, 0x03, 0x01);
}

async function setPhy(chip: Registers): Promise<void> {
  await chip.change8(PHY_EN, 0x01, 0x00);
  await chip.change8(PHY_RST, 0x01, 0x01);
  // Restarts itself 1.6 ms after the clock went out of range; frequency checked over one cycle.
  await chip.write(PHY_CTL1, 0x80);
  // Not also whenever TMDS comes or goes.
  await chip.change8(PHY_CTL2, 0x07, 0x00);
  await chip.write(PHY_BIAS, 0x40);
  await chip.write(PHY_CSQ, 0x0a);
  // AVMUTE ends by itself after 45 fields.
  await chip.write(AVM_CTL, 45);
  await chip.change8(HDMI_DET, 0x30, 0x00);
  await chip.change8(HV_RST, 0x30, 0x00);
  await chip.change8(PHY_EN, 0x01, 0x01);
}

async function setAudio(chip: Registers): Promise<void> {
  await chip.write(FORCE_MUTE, 0x00);
  // AUTO_CMD0 to 2: muted by itself while there is no clock or no sound, and plays on by itself.
  await chip.write(0x8602, 0xf3, 0x02, 0x0c);
  // BUFINIT_START: 500 ms after a lock. FS_MUTE: no rate is muted. FS_IMODE: rate and coding by the sound itself.
  await chip.write(0x8606, 0x05, 0x00);
  await chip.write(0x8620, 0x22);
  // ACR_MODE: by CTS; ACR_MDF0 and 1: how far the clock is pulled. SDO_MODE1: I2S. DIV_MODE: after 100 ms.
  await chip.write(0x8640, 0x01, 0x65, 0x07);
  await chip.write(0x8652, 0x02);
  await chip.write(0x8665, 0x10);
  await chip.write(ANA_CTL, AUDIO_PLL_ON);
}

async function setInfoFrames(chip: Registers): Promise<void> {
  await chip.write(PK_INT_MODE, 0xff);
  // NO_PKT_LIMIT, NO_PKT_CLR, ERR_PK_LIMIT, NO_PKT_LIMIT2: an InfoFrame that comes no more is cleared.
  await chip.write(0x870b, 0x2c, 0x53, 0x01, 0x30);
}

// ---- measuring -------------------------------------------------------------------------------------------------------

interface Measured {
  video: VideoSignal;
  /** Hz. */
  pixelClock: number;
}

/** Undefined while the chip has not measured a whole picture yet. */
async function readVideo(chip: Registers, kind: number, colour: number): Promise<Measured | undefined> {
  // DE_WIDTH_H, then DE_WIDTH_V at +6, H_SIZE at +8, V_SIZE (half lines) at +10.
  const sizes = await chip.read(DE_WIDTH_H, 12);
  const interlaced = (kind & 0x01) !== 0;
  const interval = wordOf(await chip.read(FV_CNT, 2), 0) & 0x3ff;
  const lines = wordOf(sizes, 6) & 0x1fff;
  const totalWidth = wordOf(sizes, 8) & 0x1fff;
  const halfLines = wordOf(sizes, 10) & 0x3fff;
  const activeWidth = wordOf(sizes, 0) & 0x1fff;
  if (interval === 0 || lines === 0 || activeWidth === 0) return undefined;
  // HDMI sends interlaced standard definition with each pixel twice (CTA-861, 4.2).
  const width = interlaced && activeWidth === 1440 ? 720 : activeWidth;
  const height = interlaced ? 2 * lines : lines;
  // The interval is that of fields; a longer one than any field has is that of pictures.
  const rate = interlaced && interval < 250 ? 5000 / interval : 10_000 / interval;
  return {
    video: {
      ...{ width, height, interlaced },
      rate: coarseRate(rate, 1 / interval, height),
      colourSpace: colourSpaceOf(kind, colour),
      range: (colour & 0x01) !== 0 ? "limited" : "full",
    },
    pixelClock: totalWidth * (interlaced ? halfLines : halfLines / 2) * rate,
  };
}

/** VI_STATUS3 bits 4:1: odd codes are YCbCr of some kind, even ones RGB. VI_STATUS1 bit 1: 4:2:2. */
function colourSpaceOf(kind: number, colour: number): ColourSpace {
  if ((colour & 0x02) === 0) return "rgb";
  return (kind & 0x02) !== 0 ? "ycbcr-422" : "ycbcr-444";
}

async function readAudio(chip: Registers): Promise<AudioSignal | undefined> {
  if ((await chip.read8(ANA_CTL)) !== AUDIO_PLL_ON) await chip.write(ANA_CTL, AUDIO_PLL_ON);
  if (((await chip.read8(AU_STATUS0)) & 0x01) === 0) return undefined;
  const rate = audioRates[(await chip.read8(FS_SET)) & 0x0f];
  if (rate === undefined) return undefined;
  // The audio InfoFrame (type 0x84) has the channels less one in bits 2:0 of its first data byte; 0 leaves it open.
  const frame = await chip.read(PK_AUD_HEAD, 5);
  const count = byteOf(frame, 0) === 0x84 ? byteOf(frame, 4) & 0x07 : 0;
  return { rate, channels: count === 0 ? 2 : count + 1 };
}

// ---- registers -------------------------------------------------------------------------------------------------------

function byteOf(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

function wordOf(bytes: Uint8Array, at: number): number {
  return byteOf(bytes, at) + 256 * byteOf(bytes, at + 1);
}

class Registers {
  readonly #chip: I2cChip;

  constructor(chip: I2cChip) {
    this.#chip = chip;
  }

  read(register: number, length: number): Promise<Uint8Array> {
    return this.#chip.read([register >> 8, register & 0xff], length);
  }

  write(register: number, ...values: number[]): Promise<void> {
    return this.#chip.write(register >> 8, register & 0xff, ...values);
  }

  async read8(register: number): Promise<number> {
    return byteOf(await this.read(register, 1), 0);
  }

  async read16(register: number): Promise<number> {
    return wordOf(await this.read(register, 2), 0);
  }

  write16(register: number, value: number): Promise<void> {
    return this.write(register, value & 0xff, value >> 8);
  }

  async change8(register: number, mask: number, value: number): Promise<void> {
    await this.write(register, ((await this.read8(register)) & ~mask & 0xff) | value);
  }
}
