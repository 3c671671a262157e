/** Makes the EDID that an input shows to its source: what the box takes, and who it is. */
import type { edidPresets } from "../../config/schema.ts";
import {
  BLOCK,
  CTA_EXTENSION,
  checksumOf,
  dataBlock,
  extendedBlock,
  HDMI_FORUM,
  HDMI_LICENSING,
  HEADER,
} from "./block.ts";
import { formatOf, type VideoFormat } from "./formats.ts";

export type EdidPreset = Exclude<(typeof edidPresets)[number], "custom">;

export interface EdidRequest {
  preset: EdidPreset;
  /** Offers LPCM sound; without it, sources send none. */
  audio: boolean;
  /** Both together are the name that the source shows, as far as 13 letters go. */
  boxName: string;
  connectorLabel: string;
  /** Serial number of the box. */
  serial: string;
  /** Highest TMDS clock of the receiver, 75 MHz or more: formats that need more are not offered. */
  maxClock?: number;
}

/** EISA identifier of the manufacturer. */
const MANUFACTURER = "STC";
/** Week and year of manufacture: those of the model, as a box does not know its own. */
const MADE = { week: 1, year: 2025 };
/** Letters of a text descriptor. */
const TEXT = 13;
/** Highest TMDS clock that HDMI 1.4 knows; above it, HDMI 2.0 scrambles, MHz. */
const HDMI_14_CLOCK = 340;

interface Offer {
  /** The first one is preferred; by code, in the order of preference. */
  formats: readonly number[];
  /** Described in full too, beside the preferred one; `true`: at 1000/1001 of the rate. */
  detailed: readonly (readonly [vic: number, slow: boolean])[];
}

const standardDefinition = [3, 18, 2, 17, 1];
const upTo720 = [4, 19, 62, 61, 60, ...standardDefinition];
const upTo1080 = [16, 31, 34, 33, 32, 5, 20, ...upTo720];

/** Formats with a front porch above 1023 pixels (2160p50, 2160p25, 2160p24) have no room in a detailed timing. */
const offers: Record<EdidPreset, Offer> = {
  "720p": {
    formats: upTo720,
    detailed: [
      [4, true],
      [19, false],
    ],
  },
  "1080p": {
    formats: upTo1080,
    detailed: [
      [16, true],
      [31, false],
      [5, false],
      [20, false],
    ],
  },
  "4k": {
    formats: [97, 96, 95, 94, 93, ...upTo1080],
    detailed: [
      [97, true],
      [95, false],
      [16, false],
    ],
  },
};

/** HDMI 1.4 has codes of its own for 2160p (HDMI 1.4b, table 8-13), by their codes in CTA-861. */
const hdmiCodes = new Map([
  [95, 1],
  [94, 2],
  [93, 3],
]);

/**
 * The EDID of a preset: two blocks, base and CTA-861 extension, with valid checksums.
 * @throws RangeError when the highest clock is less than 75 MHz, which 720p needs
 */
export function buildEdid(request: EdidRequest): Uint8Array {
  const offer = offers[request.preset];
  const maxClock = request.maxClock ?? 600;
  const formats = offer.formats.map(known).filter((entry) => entry.pixelClock <= maxClock * 1000);
  const [preferred] = formats;
  if (preferred === undefined || maxClock < 75) {
    throw new RangeError(`no receiver has a highest clock of ${maxClock} MHz`);
  }
  const detailed = offer.detailed.filter(([vic]) => formats.includes(known(vic)));
  return Uint8Array.from([
    ...closed(baseBlock(request, preferred, formats)),
    ...closed(extensionBlock(request.audio, formats, detailed)),
  ]);
}

/** The name that a source shows for an input: at most 13 ASCII letters, of which the label comes first. */
export function monitorName(boxName: string, connectorLabel: string): string {
  const label = ascii(connectorLabel).slice(0, TEXT);
  const box = ascii(boxName)
    .slice(0, Math.max(0, TEXT - label.length - 1))
    .trim();
  return `${box} ${label}`.trim() || "Steadycast";
}

function baseBlock(request: EdidRequest, preferred: VideoFormat, formats: readonly VideoFormat[]): number[] {
  const { preset, audio, boxName, connectorLabel, serial } = request;
  // Sources remember what they have read by product and serial number: so each content and each input is a product.
  const variant = 2 * Object.keys(offers).indexOf(preset) + Number(audio);
  const product = ((hash(connectorLabel) & 0x1fff) << 3) | variant;
  const letters = [...MANUFACTURER].map((letter) => letter.charCodeAt(0) - 64);
  const manufacturer = letters.reduce((id, letter) => (id << 5) | letter, 0);
  return [
    ...HEADER,
    ...[manufacturer >> 8, manufacturer & 0xff],
    ...little(product, 2),
    // The serial number is a text, below.
    ...little(0, 4),
    ...[MADE.week, MADE.year - 1990],
    // HDMI wants revision 3, not 4 (HDMI 1.4b, 8.3).
    ...[1, 3],
    // Digital; no size, as there is no screen; gamma 2.2; RGB, sRGB by default, the first timing is preferred.
    ...[0x80, 0, 0, 120, 0x0e],
    // Chromaticities of sRGB.
    ...[0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54],
    // 640×480 and 800×600 at 60 Hz: what a computer shows while it starts.
    ...[0x21, 0, 0],
    // No standard timings: eight unused ones.
    ...Array.from({ length: 16 }, () => 0x01),
    ...detailedTiming(preferred),
    ...textDescriptor(0xfc, monitorName(boxName, connectorLabel)),
    ...rangeLimits(formats),
    ...textDescriptor(0xff, ascii(serial).slice(-TEXT) || "0"),
    1,
  ];
}

/** CTA-861-H, 7.5: flags, data blocks, then detailed timings. */
function extensionBlock(audio: boolean, formats: readonly VideoFormat[], detailed: Offer["detailed"]): number[] {
  const codes = formats.map(({ vic }) => vic);
  const clock = Math.max(...formats.map(({ pixelClock }) => pixelClock)) / 1000;
  const blocks = [
    ...data(dataBlock.video, codes),
    // LPCM, two channels; 32, 44.1 and 48 kHz; 16, 20 and 24 bits. Front left and right.
    ...(audio ? [...data(dataBlock.audio, [0x09, 0x07, 0x07]), ...data(dataBlock.speakers, [0x01, 0, 0])] : []),
    ...data(dataBlock.vendor, hdmiBlock(Math.min(clock, HDMI_14_CLOCK), formats)),
    // SCDC is there; no scrambling below 340 MHz, no 3D, no deep colour in 4:2:0 (HDMI 2.0, 10.3.2).
    ...(clock > HDMI_14_CLOCK
      ? data(dataBlock.vendor, [...little(HDMI_FORUM, 3), 1, Math.ceil(clock / 5), 0x80, 0])
      : []),
    // The range of RGB and YCbCr is taken as the source says; all formats are underscanned.
    ...data(dataBlock.extended, [extendedBlock.videoCapability, 0xca]),
  ];
  // Underscan, basic audio, YCbCr 4:4:4 and 4:2:2, one native timing.
  const flags = 0x80 | (audio ? 0x40 : 0) | 0x20 | 0x10 | 1;
  const timings = detailed.flatMap(([vic, slow]) => detailedTiming(known(vic), slow));
  return [CTA_EXTENSION, 3, 4 + blocks.length, flags, ...blocks, ...timings];
}

/** HDMI 1.4b, 8.3.2: physical address 1.0.0.0, highest TMDS clock in MHz, and the codes of 2160p where they are offered. */
function hdmiBlock(clock: number, formats: readonly VideoFormat[]): number[] {
  const codes = formats.flatMap(({ vic }) => hdmiCodes.get(vic) ?? []);
  const block = [...little(HDMI_LICENSING, 3), 0x10, 0x00, 0x00, Math.ceil(clock / 5)];
  return codes.length === 0 ? block : [...block, 0x20, 0x00, codes.length << 5, ...codes];
}

/**
 * E-EDID, 3.10.2.
 * @param slow at 1000/1001 of the rate
 */
function detailedTiming(entry: VideoFormat, slow = false): number[] {
  const { width, interlaced, horizontal, vertical, positive } = entry;
  const clock = Math.round(entry.pixelClock / (slow ? 1.001 : 1) / 10);
  const height = interlaced ? entry.height / 2 : entry.height;
  const [hFront, hSync, hBack] = horizontal;
  const [vFront, vSync, vBack] = vertical;
  const hBlank = hFront + hSync + hBack;
  const vBlank = vFront + vSync + vBack;
  return [
    ...little(clock, 2),
    ...[width & 0xff, hBlank & 0xff, ((width >> 8) << 4) | (hBlank >> 8)],
    ...[height & 0xff, vBlank & 0xff, ((height >> 8) << 4) | (vBlank >> 8)],
    ...[hFront & 0xff, hSync & 0xff, ((vFront & 0xf) << 4) | (vSync & 0xf)],
    ((hFront >> 8) << 6) | ((hSync >> 8) << 4) | ((vFront >> 4) << 2) | (vSync >> 4),
    // No size and no border; separate digital sync.
    ...[0, 0, 0, 0, 0],
    (interlaced ? 0x80 : 0) | 0x18 | (positive ? 0x06 : 0),
  ];
}

/** E-EDID, 3.10.3.3.1: limits of field rate (Hz), line rate (kHz) and pixel clock (10 MHz). */
function rangeLimits(formats: readonly VideoFormat[]): number[] {
  const rates = formats.map(({ rate, interlaced }) => rate * (interlaced ? 2 : 1));
  const lines = formats.map(({ pixelClock, width, horizontal }) => pixelClock / (width + sum(horizontal)));
  const clock = Math.max(...formats.map(({ pixelClock }) => pixelClock));
  return [
    ...[0, 0, 0, 0xfd, 0],
    // One below the rates of 24/1.001 Hz.
    ...[Math.min(...rates) - 1, Math.max(...rates)],
    ...[Math.floor(Math.min(...lines) / 1.001), Math.ceil(Math.max(...lines))],
    Math.ceil(clock / 10000),
    ...[0x00, 0x0a, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20],
  ];
}

/** E-EDID, 3.10.3: ends with a line feed and is padded with spaces. */
function textDescriptor(tag: number, text: string): number[] {
  const letters = `${text}\n`.padEnd(TEXT).slice(0, TEXT);
  return [0, 0, 0, tag, 0, ...Buffer.from(letters, "latin1")];
}

const data = (tag: number, payload: readonly number[]) => [(tag << 5) | payload.length, ...payload];

const little = (value: number, bytes: number) => Array.from({ length: bytes }, (_, i) => (value >>> (8 * i)) & 0xff);

const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0);

function closed(bytes: readonly number[]): Uint8Array {
  if (bytes.length >= BLOCK) throw new RangeError(`a block has 127 bytes and its checksum, not ${bytes.length}`);
  const block = new Uint8Array(BLOCK);
  block.set(bytes);
  block[BLOCK - 1] = checksumOf(block);
  return block;
}

function known(vic: number): VideoFormat {
  const entry = formatOf(vic);
  if (entry === undefined) throw new RangeError(`no format has the code ${vic}`);
  return entry;
}

/** Accents are dropped, and so is what then is not ASCII. */
function ascii(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/[^\x20-\x7e]/g, "")
    .replace(/ +/g, " ")
    .trim();
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}
