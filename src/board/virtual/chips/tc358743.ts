/** A TC358743 at register level, as far as a receiver's driver sees it: everything but the CSI-2 side. */
import { BusError, type Clock } from "../../ports.ts";
import { type Connector, type I2cModel, type Programme, timing } from "../model.ts";

const SYSCTL = 0x0002;
const CONFCTL = 0x0004;
const HPD_CTL = 0x8544;
const ANA_CTL = 0x8545;
const FS_SET = 0x8621;
const EDID_RAM = 0x8c00;
const EDID_END = 0x9000;

const SLEEP = 0x0001;
const HDMIRST = 0x0100;
const AUTOINDEX = 0x04;

/** The default of SYS_FREQ stands for a reference clock of 42 MHz; the board's is 27 MHz. In 10 kHz. */
const DEFAULT_FREQUENCY = 4200;
const REFERENCE_CLOCK = 2700;

const rateCodes: Record<number, number> = {
  44100: 0x0,
  48000: 0x2,
  32000: 0x3,
  88200: 0x8,
  96000: 0xa,
  176400: 0xc,
  192000: 0xe,
};

export class Tc358743Model implements I2cModel {
  readonly addresses: readonly number[];
  readonly #connector: Connector;
  readonly #registers = new Uint8Array(0x10000);
  #pointer = 0;
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
    if (this.#held) throw new BusError("nack", "the TC358743 is in reset");
    if (write.length === 1) throw new BusError("nack", "the TC358743 expects 16-bit register addresses");
    if (write.length >= 2) this.#pointer = ((write[0] ?? 0) << 8) | (write[1] ?? 0);
    for (const value of write.subarray(2)) this.#put(this.#advance(write.length - 2), value);
    return Uint8Array.from({ length }, () => this.#get(this.#advance(length)));
  }

  /** What a source reads over DDC: nothing without hot plug, without E-DDC, or without a length. */
  ddc(): Uint8Array | undefined {
    if ((this.#at(HPD_CTL) & 0x01) === 0 || (this.#at(0x85c7) & 0x03) !== 0x02) return undefined;
    const length = this.#at(0x85ca) | (this.#at(0x85cb) << 8);
    return length === 0 ? undefined : this.#registers.slice(EDID_RAM, EDID_RAM + length);
  }

  // ---- registers -----------------------------------------------------------------------------------------------------

  /** This byte's address. The next one's is the same without AUTOINDEX, but for the bytes of one register. */
  #advance(length: number): number {
    const at = this.#pointer;
    const wide = at < 0x8000 && length <= 2;
    if (wide || (this.#at(CONFCTL) & AUTOINDEX) !== 0) this.#pointer = (at + 1) & 0xffff;
    return at;
  }

  #powerUp(): void {
    this.#registers.fill(0);
    this.#registers[SYSCTL] = SLEEP;
    this.#resetReceiver();
  }

  /** What HDMIRST sets back; the EDID RAM stays. */
  #resetReceiver(): void {
    this.#registers.fill(0, 0x8500, EDID_RAM);
    this.#registers[0x8535] = 0x01;
    this.#registers[0x8540] = DEFAULT_FREQUENCY & 0xff;
    this.#registers[0x8541] = DEFAULT_FREQUENCY >> 8;
    this.#connector.hotPlug = false;
  }

  #at(address: number): number {
    return this.#registers[address] ?? 0;
  }

  #put(address: number, value: number): void {
    const readOnly =
      address < SYSCTL || (address >= 0x8520 && address <= 0x8530) || (address >= 0x8582 && address <= 0x85a2);
    if (readOnly) return;
    const inRam = address >= EDID_RAM && address < EDID_END;
    // The RAM belongs to the source while it is shown hot plug.
    if (inRam && (this.#at(HPD_CTL) & 0x01) !== 0) return;
    this.#registers[address] = value;
    if (address === SYSCTL + 1 && (value & (HDMIRST >> 8)) !== 0) this.#resetReceiver();
    if (address === HPD_CTL) this.#connector.hotPlug = (value & 0x01) !== 0;
  }

  #get(address: number): number {
    const programme = this.#programme();
    // The rate stays when the sound goes; the audio clock is dropped by DVI.
    if (programme !== undefined && !programme.hdmi) this.#registers[ANA_CTL] = 0;
    const audio = this.#audio(programme);
    if (audio !== undefined) this.#registers[FS_SET] = rateCodes[audio.rate] ?? 0x1;
    if (address === 0x8520) return this.#status(programme);
    if (address >= 0x8730 && address <= 0x8734) return audioFrame(audio?.channels)[address - 0x8730] ?? 0;
    const value = programme === undefined ? undefined : this.#measured(address, programme);
    return value ?? this.#at(address);
  }

  // ---- the signal ----------------------------------------------------------------------------------------------------

  /** The receiver is awake, and a source sends. */
  #sees(): boolean {
    const awake = (this.#at(SYSCTL) & SLEEP) === 0 && (this.#at(SYSCTL + 1) & (HDMIRST >> 8)) === 0;
    const phy = (this.#at(0x8534) & 0x01) !== 0 && (this.#at(0x8535) & 0x01) !== 0;
    const { plug, hotPlug } = this.#connector;
    return awake && phy && hotPlug && plug !== undefined && plug.health !== "no-clock";
  }

  /** What it is locked to. */
  #programme(): Programme | undefined {
    const { plug } = this.#connector;
    return this.#sees() && plug?.health === "good" ? plug.programme : undefined;
  }

  #audio(programme: Programme | undefined): Programme["audio"] {
    return programme?.hdmi && this.#at(ANA_CTL) === 0x31 ? programme.audio : undefined;
  }

  #status(programme: Programme | undefined): number {
    let status = this.#connector.plug === undefined ? 0 : 0x01;
    if (this.#sees()) status |= 0x02;
    if (programme !== undefined) {
      status |= 0x80 | 0x08 | 0x04;
      if (programme.hdmi) status |= 0x10;
      if (programme.hdmi && programme.hdcp) status |= 0x20;
    }
    return status;
  }

  #measured(address: number, programme: Programme): number | undefined {
    const { width, height, interlaced, rate, hdmi, colourSpace, range } = programme;
    const { totalWidth, totalHeight } = timing(programme);
    const repeated = interlaced && width === 720 ? 2 : 1;
    const field = interlaced ? 2 : 1;
    const yuv = hdmi && colourSpace !== "rgb";
    switch (address) {
      case 0x8522:
        return (interlaced ? 0x01 : 0) | (yuv && colourSpace === "ycbcr-422" ? 0x02 : 0);
      case 0x8523:
        return this.#audio(programme) === undefined ? 0 : 0x01;
      case 0x8528:
        // YCbCr is of BT.601 (1) or BT.709 (3).
        return (yuv ? (height < 720 ? 1 : 3) << 1 : 0) | (hdmi && range === "limited" ? 0x01 : 0);
      case 0x8582:
        return (width * repeated) & 0xff;
      case 0x8583:
        return (width * repeated) >> 8;
      case 0x8588:
        return (height / field) & 0xff;
      case 0x8589:
        return (height / field) >> 8;
      case 0x858a:
        return (totalWidth * repeated) & 0xff;
      case 0x858b:
        return (totalWidth * repeated) >> 8;
      case 0x858c:
        return ((totalHeight * 2) / field) & 0xff;
      case 0x858d:
        return ((totalHeight * 2) / field) >> 8;
      case 0x85a1:
        return this.#interval(rate[1] / rate[0] / field) & 0xff;
      case 0x85a2:
        return this.#interval(rate[1] / rate[0] / field) >> 8;
      default:
        return undefined;
    }
  }

  /** Seconds in 0.1 ms, as far as SYS_FREQ is what the reference clock is. */
  #interval(seconds: number): number {
    const frequency = this.#at(0x8540) | (this.#at(0x8541) << 8);
    return Math.floor((seconds * 10_000 * REFERENCE_CLOCK) / frequency) & 0x3ff;
  }
}

/** An audio InfoFrame (CTA-861, 6.6): header, checksum, and the first data byte with the channels less one. */
function audioFrame(channels: number | undefined): readonly number[] {
  if (channels === undefined) return [];
  const count = channels - 1;
  return [0x84, 0x01, 0x0a, (0x100 - (0x84 + 0x01 + 0x0a + count)) & 0xff, count];
}
