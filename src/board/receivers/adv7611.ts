/**
 * Analog Devices ADV7611 and ADV7612: HDMI receivers (of the ADV7612, port A). The chip is a family of register maps: the
 * IO map at its own address, and others at addresses that are set in the IO map and are gone after a reset.
 * Registers: ADV7611 reference manual UG-180; settings: ADI's register settings recommendations, revision 1.5.
 */
import type { I2cChip } from "../i2c.ts";
import { BusError } from "../ports.ts";
import { type AudioSignal, exactRate, type Signal, standardAudioRate, type VideoSignal } from "../signal.ts";
import { coloursOf } from "./aviInfoframe.ts";
import { type EdidAccess, HOT_PLUG_PAUSE, type Receiver, type ReceiverContext, WrongChip } from "./receiver.ts";
import { ResetOnce } from "./resetOnce.ts";

interface Model {
  name: string;
  /** IO 0xEA and 0xEB. */
  id: number;
  /** Highest TMDS clock, Hz (data sheet). */
  maxClock: number;
  /** Settings of the HDMI map that ADI recommends beyond those of both chips. */
  settings: readonly (readonly [register: number, value: number])[];
}

/** An ADV7611: up to 165 MHz, which is 1080p60 of 8 bits. */
export function adv7611(context: ReceiverContext): Receiver {
  const settings = [
    [0x8d, 0x04],
    [0x8e, 0x1e],
  ] as const;
  return new Adv7611(context, { name: "ADV7611", id: 0x2051, maxClock: 165e6, settings });
}

/** An ADV7612, of which port A is used: up to 225 MHz, which is 1080p60 of 12 bits. */
export function adv7612(context: ReceiverContext): Receiver {
  return new Adv7611(context, { name: "ADV7612", id: 0x2041, maxClock: 225e6, settings: [] });
}

/** 7-bit addresses of the maps, those that Linux gives them too. */
const maps = { cec: 0x40, infoframe: 0x3e, dpll: 0x26, repeater: 0x32, edid: 0x36, hdmi: 0x34, cp: 0x22 } as const;

/** Where in the IO map each map's address is set. */
const FIRST_MAP = 0xf4;
const mapRegisters = [
  [FIRST_MAP, maps.cec],
  [0xf5, maps.infoframe],
  [0xf8, maps.dpll],
  [0xf9, maps.repeater],
  [0xfa, maps.edid],
  [0xfb, maps.hdmi],
  [0xfd, maps.cp],
] as const;

/** ADI's settings for the HDMI map, of both chips: port A, then its analogue parts. */
const hdmiSettings = [
  [0x00, 0x00],
  [0x9b, 0x03],
  [0x6f, 0x08],
  [0x85, 0x1f],
  [0x87, 0x70],
  [0x57, 0xda],
  [0x58, 0x01],
  [0x03, 0x98],
  [0x4c, 0x44],
] as const;

/** IO 0x20: bit 7 is hot plug of port A. */
const HOT_PLUG_ON = 0xf0;
const HOT_PLUG_OFF = 0x70;
/** IO 0x6A. */
const CLOCK = 0x10;
const PLL_LOCK = 0x40;
/** PLL, vertical and DE lock. */
const LOCKED = 0x43;
/** The EDID memory is seen through a window of 256 bytes; as many go in one transfer as SMBus can. */
const EDID_WINDOW = 256;
const EDID_BURST = 32;
/** The chip shows its EDID within this time (it sums it up first), in looks of some ms. */
const EDID_LOOKS = 50;
const EDID_LOOK_INTERVAL = 5;
/** The reset line's pulse, and the time the chip needs after it (UG-180), ms. */
const RESET_TIME = 5;

class Adv7611 implements Receiver {
  readonly edid: EdidAccess = {
    maxBlocks: 4,
    write: (edid) => this.#writeEdid(edid),
    read: (length) => this.#context.i2c.use((chip) => this.#readEdid(chip, length)),
  };
  readonly #context: ReceiverContext;
  readonly #reset: ResetOnce;
  readonly #model: Model;
  /** The last set-up was written to its end. */
  #whole = false;
  /** What the source shall see; undefined: whatever the chip has. */
  #edid: Uint8Array | undefined;
  /** `#edid` was written as a whole. */
  #written = false;
  /** Hot plug stays off until then, by the clock. */
  #hotPlugAt = 0;

  constructor(context: ReceiverContext, model: Model) {
    this.#context = context;
    this.#reset = new ResetOnce(context, RESET_TIME);
    this.#model = model;
  }

  async start(): Promise<void> {
    await this.#reset.pulse();
    await this.#context.i2c.use(async (chip) => {
      await this.#identify(chip);
      await this.#configure(chip);
    });
  }

  read(): Promise<Signal> {
    return this.#context.i2c.use(async (chip) => {
      await this.#care(chip);
      return this.#look(chip);
    });
  }

  // ---- set-up --------------------------------------------------------------------------------------------------------

  async #identify(chip: I2cChip): Promise<void> {
    const { name, id } = this.#model;
    const found = word(await chip.read(0xea, 2), 0);
    if (found === id) return;
    throw new WrongChip(`expected an ${name} (id 0x${id.toString(16)}), but read id 0x${found.toString(16)}`);
  }

  /** A later look checks what is written first, and so sees a reset in between too. */
  async #configure(chip: I2cChip): Promise<void> {
    this.#whole = false;
    for (const [register, address] of mapRegisters) await chip.write(register, address << 1);
    // An EDID that is shown already stays so, and hot plug with it: a restart of the box's program is no interruption.
    if (!(await shown(chip))) await chip.write(0x20, HOT_PLUG_OFF);
    const hdmi = chip.at(maps.hdmi);
    // Hot plug as IO 0x20 says, instead of on its own.
    await hdmi.write(0x6c, 0xa3);
    for (const [register, value] of [...hdmiSettings, ...this.#model.settings]) await hdmi.write(register, value);
    // Termination of port A on: the chip sees no clock without.
    await hdmi.write(0x83, 0xfe);
    await chip.at(maps.cp).write(0x6c, 0x00);
    // HDMI, colours as they come, out as 4:2:2 of 16 bits, outputs on; all powered but the VBI processor.
    await chip.write(0x01, 0x06);
    await chip.write(0x02, 0xf5);
    await chip.write(0x03, 0x80);
    await chip.write(0x15, 0x80);
    await chip.write(0x0c, 0x42);
    this.#whole = true;
  }

  /** Puts right what a reset of the chip, or an error of the bus, has left undone. */
  async #care(chip: I2cChip): Promise<void> {
    const set = await chip.read(FIRST_MAP, 10);
    const reachable = mapRegisters.every(([register, address]) => set[register - FIRST_MAP] === address << 1);
    if (!(this.#whole && reachable)) await this.#configure(chip);
    if (this.#edid !== undefined && !(this.#written && (await shown(chip)))) await this.#load(chip, this.#edid);
    await this.#showHotPlug(chip);
  }

  // ---- EDID ----------------------------------------------------------------------------------------------------------

  async #writeEdid(edid: Uint8Array): Promise<void> {
    const { i2c, clock } = this.#context;
    if (edid.length === 0 || edid.length % 128 !== 0 || edid.length > this.edid.maxBlocks * 128) {
      throw new RangeError(
        `an EDID has 1 to ${this.edid.maxBlocks} blocks of 128 bytes, this one ${edid.length} bytes`,
      );
    }
    this.#edid = edid.slice();
    this.#written = false;
    await i2c.use((chip) => this.#care(chip));
    await clock.sleep(HOT_PLUG_PAUSE);
    await i2c.use((chip) => this.#care(chip));
  }

  async #load(chip: I2cChip, edid: Uint8Array): Promise<void> {
    const { clock } = this.#context;
    const repeater = chip.at(maps.repeater);
    this.#written = false;
    await chip.write(0x20, HOT_PLUG_OFF);
    await repeater.write(0x74, 0x00);
    for (let at = 0; at < edid.length; at += EDID_BURST) {
      if (at % EDID_WINDOW === 0) await repeater.write(0x7a, at / EDID_WINDOW);
      await chip.at(maps.edid).write(at % EDID_WINDOW, edid.subarray(at, at + EDID_BURST));
    }
    await repeater.write(0x74, 0x01);
    for (let look = 0; !(await shown(chip)); look++) {
      if (look === EDID_LOOKS) throw new BusError("timeout", `the ${this.#model.name} does not show its EDID`);
      await clock.sleep(EDID_LOOK_INTERVAL);
    }
    this.#written = true;
    this.#hotPlugAt = clock.now() + HOT_PLUG_PAUSE;
  }

  /** What the source sees: zeros while it is shown nothing. */
  async #readEdid(chip: I2cChip, length: number): Promise<Uint8Array> {
    await this.#care(chip);
    const edid = new Uint8Array(length);
    if (!(await shown(chip))) return edid;
    for (let at = 0; at < length; at += EDID_BURST) {
      if (at % EDID_WINDOW === 0) await chip.at(maps.repeater).write(0x7a, at / EDID_WINDOW);
      edid.set(await chip.at(maps.edid).read(at % EDID_WINDOW, Math.min(EDID_BURST, length - at)), at);
    }
    return edid;
  }

  /** Turns hot plug on when there is an EDID to read and somebody to read it. */
  async #showHotPlug(chip: I2cChip): Promise<void> {
    if (this.#context.clock.now() < this.#hotPlugAt) return;
    const [now = 0] = await chip.read(0x20, 1);
    if ((now & 0x80) !== 0 || !(await powered(chip)) || !(await shown(chip))) return;
    await chip.write(0x20, HOT_PLUG_ON);
  }

  // ---- signal --------------------------------------------------------------------------------------------------------

  async #look(chip: I2cChip): Promise<Signal> {
    if (!(await powered(chip))) return { state: "no-cable", cablePower: false };
    const [link = 0] = await chip.read(0x6a, 1);
    if ((link & CLOCK) === 0) return { state: "no-clock", cablePower: true, clock: false };
    const noLock: Signal = { state: "no-lock", cablePower: true, clock: true, lock: false };
    if ((link & PLL_LOCK) === 0) return noLock;
    const tmds = await tmdsClock(chip);
    const tooFast = tmds > this.#model.maxClock;
    if (!(await locked(chip))) return tooFast ? { ...noLock, state: "out-of-range" } : noLock;
    const mode = await readMode(chip);
    const video = await measure(chip, tmds, mode);
    const audio = mode.hdmi ? await readAudio(chip, tmds) : undefined;
    // Counted while it went away, nothing of this is true.
    if (video === undefined || !(await locked(chip))) return noLock;
    return {
      state: tooFast ? "out-of-range" : mode.hdcp ? "protected" : "locked",
      cablePower: true,
      clock: true,
      lock: true,
      video,
      hdmi: mode.hdmi,
      hdcp: mode.hdcp,
      ...(audio && { audio }),
    };
  }
}

/** Two bytes, the high one first. */
function word(bytes: Uint8Array, at: number, mask = 0xffff): number {
  return (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)) & mask;
}

/** Repeater 0x76: the chip answers the source with its EDID. */
async function shown(chip: I2cChip): Promise<boolean> {
  const [status = 0] = await chip.at(maps.repeater).read(0x76, 1);
  return (status & 0x01) !== 0;
}

/** IO 0x6F: 5 V of the cable. */
async function powered(chip: I2cChip): Promise<boolean> {
  const [cable = 0] = await chip.read(0x6f, 1);
  return (cable & 0x01) !== 0;
}

/** IO 0x6A, and CP 0xB1: the sync counter is steady. */
async function locked(chip: I2cChip): Promise<boolean> {
  const [link = 0] = await chip.read(0x6a, 1);
  const [sync = 0] = await chip.at(maps.cp).read(0xb1, 1);
  return (link & LOCKED) === LOCKED && (sync & 0x80) !== 0;
}

/** HDMI 0x51 and 0x52: Hz, in steps of 1/128 MHz. */
async function tmdsClock(chip: I2cChip): Promise<number> {
  return (word(await chip.at(maps.hdmi).read(0x51, 2), 0) * 1e6) / 128;
}

interface Mode {
  hdmi: boolean;
  hdcp: boolean;
  /** How often each pixel is sent. */
  repetition: number;
}

async function readMode(chip: I2cChip): Promise<Mode> {
  const [mode = 0] = await chip.at(maps.hdmi).read(0x05, 1);
  return { hdmi: (mode & 0x80) !== 0, hdcp: (mode & 0x40) !== 0, repetition: (mode & 0x0f) + 1 };
}

/** Bits of each sample, by HDMI 0x0B bits 6:5. */
const depths = [8, 10, 12, 16] as const;

/** The picture by the chip's counters, or undefined when they count nothing. Lines of blanking come in halves. */
async function measure(chip: I2cChip, tmds: number, mode: Mode): Promise<VideoSignal | undefined> {
  const hdmi = chip.at(maps.hdmi);
  const active = await hdmi.read(0x07, 6);
  const blanking = await hdmi.read(0x20, 22);
  const [scan = 0] = await chip.read(0x12, 1);
  const [received = 0] = await chip.read(0x60, 1);
  const avi = mode.hdmi && (received & 0x01) !== 0 ? await chip.at(maps.infoframe).read(0x00, 6) : undefined;

  const interlaced = (scan & 0x10) !== 0;
  const columns = word(active, 0, 0x1fff);
  const rows = word(active, 2, 0x1fff) + (interlaced ? word(active, 4, 0x1fff) : 0);
  if (columns === 0 || rows === 0) return undefined;
  const pixels = (register: number) => word(blanking, register - 0x20, 0x1fff);
  const halfLines = (register: number) => word(blanking, register - 0x20, 0x3fff);
  const width = columns + pixels(0x20) + pixels(0x22) + pixels(0x24);
  const first = halfLines(0x2a) + halfLines(0x2e) + halfLines(0x32);
  const second = halfLines(0x2c) + halfLines(0x30) + halfLines(0x34);
  const height = rows + (interlaced ? first + second : first) / 2;
  const depth = mode.hdmi ? (depths[((active[4] ?? 0) >> 5) & 0b11] ?? 8) : 8;
  const pixelClock = (tmds * 8) / depth / (mode.hdmi ? mode.repetition : 1);
  const colours = coloursOf(avi);
  return {
    // 4:2:0 sends two pixels a clock.
    width: colours.colourSpace === "ycbcr-420" ? columns * 2 : columns,
    height: rows,
    interlaced,
    rate: exactRate(pixelClock / (width * height)),
    ...colours,
  };
}

/** The sound by the source's clock regeneration (HDMI 1.4, 7.2): fs = TMDS clock · N / (128 · CTS). */
async function readAudio(chip: I2cChip, tmds: number): Promise<AudioSignal | undefined> {
  const hdmi = chip.at(maps.hdmi);
  const [status = 0] = await hdmi.read(0x04, 1);
  const [packets = 0] = await hdmi.read(0x18, 1);
  if ((status & 0x01) === 0 || (packets & 0x01) === 0) return undefined;
  const [c2 = 0, c1 = 0, mixed = 0, n1 = 0, n0 = 0] = await hdmi.read(0x5b, 5);
  const cts = (c2 << 12) | (c1 << 4) | (mixed >> 4);
  const n = ((mixed & 0x0f) << 16) | (n1 << 8) | n0;
  const rate = cts === 0 ? undefined : standardAudioRate((tmds * n) / (128 * cts));
  return rate === undefined ? undefined : { rate, channels: await channels(chip) };
}

/** By the audio infoframe's channel count, which may be left to the stream (CEA-861-F, 6.6). */
async function channels(chip: I2cChip): Promise<number> {
  const [received = 0] = await chip.read(0x60, 1);
  if ((received & 0x02) === 0) return 2;
  const [count = 0] = await chip.at(maps.infoframe).read(0x1d, 1);
  return (count & 0b111) === 0 ? 2 : (count & 0b111) + 1;
}
