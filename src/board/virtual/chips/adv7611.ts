/**
 * The ADV7611 and ADV7612 at register level: register maps of 256 bytes at addresses that the IO map holds, an EDID
 * memory of 512 bytes, and what the chip counts of the source's signal.
 */
import { BusError, type Clock } from "../../ports.ts";
import { type Connector, type I2cModel, type Programme, timing } from "../model.ts";
import { audioInfoframe, aviInfoframe } from "./infoframes.ts";
import { type RegisterValue, registerFile, word } from "./registerValues.ts";

/** Register of the IO map in which a map's address is, times two. */
const mapRegisters = {
  cec: 0xf4,
  infoframe: 0xf5,
  dpll: 0xf8,
  repeater: 0xf9,
  edid: 0xfa,
  hdmi: 0xfb,
  cp: 0xfd,
} as const;
type SubMap = keyof typeof mapRegisters;
type MapName = "io" | SubMap;
const subMaps = Object.keys(mapRegisters) as SubMap[];

/** Power-up values that matter here (software manual): powered down, outputs off, hot plug on its own. */
const ioDefaults: readonly RegisterValue[] = [
  [0x00, 0x08],
  [0x01, 0x06],
  [0x02, 0xf0],
  [0x0c, 0x62],
  [0x15, 0xbe],
  [0x20, 0xf0],
];
const hdmiDefaults: readonly RegisterValue[] = [
  [0x6c, 0xa2],
  [0x83, 0xff],
];

/** The chip sums up the EDID before it shows it, ms. */
const EDID_TIME = 8;

interface Registers {
  bytes: Uint8Array;
  pointer: number;
}

/** The source's signal, as far as it gets. */
interface Received {
  locked: boolean;
  programme: Programme;
  /** Hz. */
  tmds: number;
  /** How often the source sends each pixel: TMDS does not go below 25 MHz. */
  repetition: number;
}

abstract class Adv76xxModel implements I2cModel {
  readonly #id: number;
  readonly #connector: Connector;
  readonly #address: number;
  readonly #clock: Clock;
  #maps = powerUp();
  #edid = new Uint8Array(512);
  /** When the EDID is shown, by the clock. */
  #edidAt: number | undefined;
  #inReset = false;

  constructor(connector: Connector, address: number, clock: Clock, id: number) {
    this.#id = id;
    this.#connector = connector;
    this.#address = address;
    this.#clock = clock;
    this.#hotPlug();
  }

  get addresses(): readonly number[] {
    const { bytes } = this.#maps.io;
    const set = subMaps.map((map) => (bytes[mapRegisters[map]] ?? 0) >> 1);
    return this.#inReset ? [] : [this.#address, ...set.filter((address) => address !== 0)];
  }

  /** What a source reads over DDC, or undefined where nobody answers. */
  get ddc(): Uint8Array | undefined {
    return this.#edidShown ? this.#edid.slice() : undefined;
  }

  transfer(address: number, write: Uint8Array, length: number): Uint8Array {
    const map = this.#mapAt(address);
    if (map === undefined) throw new BusError("nack", `0x${address.toString(16)} does not answer`);
    const registers = this.#maps[map];
    const [pointer, ...data] = write;
    if (pointer !== undefined) registers.pointer = pointer;
    for (const value of data) this.#write(map, registers.pointer++ & 0xff, value);
    const values = new Map(length > 0 ? this.#live(map) : []);
    const read = Uint8Array.from({ length }, () => {
      const register = registers.pointer++ & 0xff;
      if (map === "edid") return this.#edid[this.#window + register] ?? 0;
      return values.get(register) ?? registers.bytes[register] ?? 0;
    });
    this.#hotPlug();
    return read;
  }

  reset(active: boolean): void {
    this.#inReset = active;
    if (!active) return;
    this.#maps = powerUp();
    this.#edid = new Uint8Array(512);
    this.#edidAt = undefined;
    this.#hotPlug();
  }

  // ---- registers -----------------------------------------------------------------------------------------------------

  #mapAt(address: number): MapName | undefined {
    if (this.#inReset) return undefined;
    if (address === this.#address) return "io";
    return subMaps.find((map) => this.#byte("io", mapRegisters[map]) >> 1 === address && address !== 0);
  }

  #byte(map: MapName, register: number): number {
    return this.#maps[map].bytes[register] ?? 0;
  }

  #write(map: MapName, register: number, value: number): void {
    if (map === "edid") {
      // The memory is the source's while it is shown.
      if (this.#edidAt === undefined) this.#edid[this.#window + register] = value;
      return;
    }
    if (map === "io" && register === 0xff && (value & 0x80) !== 0) {
      this.reset(true);
      this.reset(false);
      return;
    }
    this.#maps[map].bytes[register] = value;
    if (map === "repeater" && register === 0x74) this.#enableEdid((value & 0x01) !== 0);
  }

  #enableEdid(enable: boolean): void {
    if (!enable) this.#edidAt = undefined;
    else if (this.#edidAt === undefined) {
      for (let at = 0; at < this.#edid.length; at += 128) {
        const sum = this.#edid.subarray(at, at + 127).reduce((total, byte) => total + byte, 0);
        this.#edid[at + 127] = -sum & 0xff;
      }
      this.#edidAt = this.#clock.now() + EDID_TIME;
    }
  }

  get #edidShown(): boolean {
    return this.#edidAt !== undefined && this.#clock.now() >= this.#edidAt;
  }

  /** Repeater 0x7A: which half of the EDID memory is seen. */
  get #window(): number {
    return (this.#byte("repeater", 0x7a) & 0x01) * 256;
  }

  /** HDMI 0x6C bit 0: by IO 0x20, else by itself when an EDID is shown. */
  #hotPlug(): void {
    const manual = (this.#byte("hdmi", 0x6c) & 0x01) !== 0;
    this.#connector.hotPlug = manual ? (this.#byte("io", 0x20) & 0x80) !== 0 : this.#edidShown;
  }

  // ---- signal --------------------------------------------------------------------------------------------------------

  get #received(): Received | undefined {
    const { plug, hotPlug } = this.#connector;
    const poweredDown = (this.#byte("io", 0x0c) & 0x20) !== 0;
    const terminated = (this.#byte("hdmi", 0x83) & 0x01) === 0;
    if (plug === undefined || !hotPlug || plug.health === "no-clock" || poweredDown || !terminated) return undefined;
    const { programme } = plug;
    const clock = timing(programme).pixelClock / (programme.colourSpace === "ycbcr-420" ? 2 : 1);
    const repetition = Math.ceil(25e6 / clock);
    return { programme, locked: plug.health === "good", tmds: clock * repetition, repetition };
  }

  /** What the chip itself writes in a map's registers now. */
  #live(map: MapName): readonly RegisterValue[] {
    const received = this.#received;
    const picture = received?.locked ? received : undefined;
    switch (map) {
      case "io":
        return [
          [0x12, picture?.programme.interlaced ? 0x10 : 0x00],
          [0x60, picture?.programme.hdmi ? (picture.programme.audio ? 0x03 : 0x01) : 0x00],
          [0x6a, picture ? 0x53 : received ? 0x10 : 0x00],
          [0x6f, this.#connector.plug ? 0x01 : 0x00],
          ...word(0xea, this.#id),
        ];
      case "repeater":
        return [[0x76, this.#edidShown ? 0x01 : 0x00]];
      case "cp":
        return [[0xb1, picture ? 0x80 : 0x00]];
      case "infoframe":
        return picture?.programme.hdmi ? infoframes(picture.programme) : [];
      case "hdmi":
        return picture ? [...counters(picture), ...audioClock(picture)] : [];
      default:
        return [];
    }
  }
}

export class Adv7611Model extends Adv76xxModel {
  constructor(connector: Connector, address: number, clock: Clock) {
    super(connector, address, clock, 0x2051);
  }
}

export class Adv7612Model extends Adv76xxModel {
  constructor(connector: Connector, address: number, clock: Clock) {
    super(connector, address, clock, 0x2041);
  }
}

function powerUp(): Record<MapName, Registers> {
  const registers = (defaults?: readonly RegisterValue[]) => ({ bytes: registerFile(defaults), pointer: 0 });
  return {
    io: registers(ioDefaults),
    hdmi: registers(hdmiDefaults),
    cec: registers(),
    infoframe: registers(),
    dpll: registers(),
    repeater: registers(),
    edid: registers(),
    cp: registers(),
  };
}

/** The AVI infoframe from 0x00 and the audio infoframe from 0x1C. */
function infoframes(programme: Programme): RegisterValue[] {
  const audio = programme.audio && audioInfoframe(programme.audio.channels);
  return [
    ...[...aviInfoframe(programme)].map((byte, i) => [i, byte] as const),
    ...[...(audio ?? [])].map((byte, i) => [0x1c + i, byte] as const),
  ];
}

/** HDMI 0x05 to 0x52: mode, size, blanking and clock. Blanking is dealt out as a source may, lines in halves. */
function counters({ programme, tmds, repetition }: Received): RegisterValue[] {
  const { height, interlaced, hdmi, hdcp } = programme;
  const { totalWidth, totalHeight } = timing(programme);
  // Of 4:2:0, two pixels come with a clock. Only HDMI tells that pixels are repeated; of DVI, each counts.
  const perPixel = (hdmi ? 1 : repetition) / (programme.colourSpace === "ycbcr-420" ? 2 : 1);
  const width = programme.width * perPixel;
  const [hFront, hSync, hBack] = dealt(totalWidth * perPixel - width);
  const [vFront, vSync, vBack] = dealt((totalHeight - height) * (interlaced ? 1 : 2));
  return [
    [0x05, (hdmi ? 0x80 : 0) | (hdcp ? 0x40 : 0) | 0x30 | (hdmi ? repetition - 1 : 0)],
    // Bits 7 and 5: the filters of lines and pixels are locked.
    ...word(0x07, 0xa000 | width),
    ...word(0x09, interlaced ? height / 2 : height),
    ...word(0x0b, interlaced ? height / 2 : 0),
    ...[...word(0x20, hFront), ...word(0x22, hSync), ...word(0x24, hBack)],
    ...[...word(0x2a, vFront), ...word(0x2e, vSync), ...word(0x32, vBack)],
    ...(interlaced ? [...word(0x2c, vFront), ...word(0x30, vSync), ...word(0x34, vBack)] : []),
    ...word(0x51, Math.floor((tmds / 1e6) * 128)),
  ];
}

function dealt(blanking: number): [front: number, sync: number, back: number] {
  const front = Math.floor(blanking / 4);
  const sync = Math.floor(blanking / 5);
  return [front, sync, blanking - front - sync];
}

/** N of HDMI 1.4, 7.2.3, and the CTS that goes with the clock. */
function audioClock({ programme: { hdmi, audio }, tmds }: Received): RegisterValue[] {
  if (!hdmi || audio === undefined) return [];
  const n = audio.rate % 44100 === 0 ? (audio.rate / 44100) * 6272 : (audio.rate * 128) / 1000;
  const cts = Math.round((tmds * n) / (128 * audio.rate));
  const mixed = ((cts & 0x0f) << 4) | (n >> 16);
  return [[0x04, 0x03], [0x18, 0x01], ...word(0x5b, cts >> 4), [0x5d, mixed], ...word(0x5e, n & 0xffff)];
}
