/** Reads an EDID: who a sink says it is, and what it says it takes. */
import {
  BLOCK,
  CTA_EXTENSION,
  checkShape,
  dataBlock,
  EdidError,
  extendedBlock,
  HDMI_FORUM,
  HDMI_LICENSING,
} from "./block.ts";
import { formatOf } from "./formats.ts";

export interface EdidTiming {
  /** Active pixels and lines of a whole picture (both fields). */
  width: number;
  height: number;
  interlaced: boolean;
  /** Pictures per second (of an interlaced timing too), as exact as a pixel clock in steps of 10 kHz tells it. */
  rate: number;
}

export interface DetailedTiming extends EdidTiming {
  /** kHz. */
  pixelClock: number;
}

export interface EdidFormat {
  /** Video identification code of CTA-861. */
  vic: number;
  native: boolean;
  /** Undefined: a format that is none of television up to 2160p60. */
  timing: EdidTiming | undefined;
}

export interface EdidAudio {
  /** Two channels of LPCM at 32, 44.1 and 48 kHz at least. */
  basic: boolean;
  formats: readonly { coding: string; channels: number; rates: readonly number[] }[];
}

export interface EdidHdmi {
  /** Such as 1.0.0.0. */
  physicalAddress: string;
  /** MHz; undefined: 165. */
  maxTmdsClock: number | undefined;
}

export interface Edid {
  revision: number;
  /** Three letters. */
  manufacturer: string;
  product: number;
  serialNumber: number;
  /** Descriptors in letters, where there are such. */
  name: string | undefined;
  serial: string | undefined;
  /** The first detailed timing. */
  preferred: DetailedTiming | undefined;
  /** All detailed timings, of the base block and of CTA-861 extensions. */
  timings: readonly DetailedTiming[];
  /** Short video descriptors, and those in 4:2:0 only. */
  formats: readonly EdidFormat[];
  audio: EdidAudio;
  underscan: boolean;
  ycbcr444: boolean;
  ycbcr422: boolean;
  /** Undefined: DVI. */
  hdmi: EdidHdmi | undefined;
  /** Of HDMI 2, MHz; undefined where it takes no more than HDMI 1.4. */
  maxCharacterRate: number | undefined;
  /** Blocks behind the first, by their tags. */
  extensions: readonly number[];
}

type Draft = { -readonly [K in keyof Edid]: Edid[K] extends readonly (infer T)[] ? T[] : Edid[K] };

const codings = [
  ...["reserved", "LPCM", "AC-3", "MPEG-1", "MP3", "MPEG-2", "AAC", "DTS", "ATRAC", "DSD", "E-AC-3", "DTS-HD"],
  ...["MAT", "DST", "WMA Pro", "extension"],
];
const sampleRates = [32000, 44100, 48000, 88200, 96000, 176400, 192000];

/**
 * Reads whole blocks; checksums are check.ts's matter.
 * @throws EdidError where the bytes contradict themselves
 */
export function parseEdid(bytes: Uint8Array): Edid {
  checkShape(bytes);
  if (at(bytes, 18) !== 1) throw new EdidError(`its version is ${at(bytes, 18)}.${at(bytes, 19)}, must be 1.x`);
  const edid: Draft = {
    revision: at(bytes, 19),
    manufacturer: [10, 5, 0].map((shift) => letter((at(bytes, 8) << 8) | at(bytes, 9), shift)).join(""),
    product: little(bytes, 10, 2),
    serialNumber: little(bytes, 12, 4),
    ...{ name: undefined, serial: undefined, preferred: undefined, timings: [], formats: [] },
    audio: { basic: false, formats: [] },
    ...{ underscan: false, ycbcr444: false, ycbcr422: false, hdmi: undefined, maxCharacterRate: undefined },
    extensions: [],
  };
  for (let offset = 54; offset < 126; offset += 18) readDescriptor(edid, bytes.subarray(offset, offset + 18));
  edid.preferred = edid.timings[0];
  for (let start = BLOCK; start < bytes.length; start += BLOCK) {
    const block = bytes.subarray(start, start + BLOCK);
    edid.extensions.push(at(block, 0));
    if (at(block, 0) === CTA_EXTENSION) readCta(edid, block, start / BLOCK);
  }
  return edid;
}

/** E-EDID, 3.10: 18 bytes with a timing, or with a tag and text. */
function readDescriptor(edid: Draft, bytes: Uint8Array): void {
  if (little(bytes, 0, 2) !== 0) {
    edid.timings.push(detailedTiming(bytes));
  } else if (at(bytes, 3) === 0xfc) {
    edid.name = text(bytes);
  } else if (at(bytes, 3) === 0xff) {
    edid.serial = text(bytes);
  }
}

function detailedTiming(bytes: Uint8Array): DetailedTiming {
  const clock = little(bytes, 0, 2) * 10;
  const width = at(bytes, 2) | ((at(bytes, 4) & 0xf0) << 4);
  const hBlank = at(bytes, 3) | ((at(bytes, 4) & 0x0f) << 8);
  const lines = at(bytes, 5) | ((at(bytes, 7) & 0xf0) << 4);
  const vBlank = at(bytes, 6) | ((at(bytes, 7) & 0x0f) << 8);
  const interlaced = (at(bytes, 17) & 0x80) !== 0;
  // The second field of a picture has a line more.
  const total = interlaced ? 2 * (lines + vBlank) + 1 : lines + vBlank;
  const pixels = (width + hBlank) * total;
  if (width === 0 || lines === 0) throw new EdidError(`a detailed timing has a picture of ${width}×${lines}`);
  return {
    ...{ width, height: interlaced ? 2 * lines : lines, interlaced, pixelClock: clock },
    rate: Math.round((clock * 1e6) / pixels) / 1000,
  };
}

/** CTA-861-H, 7.5. Data blocks are there from revision 3 on. */
function readCta(edid: Draft, block: Uint8Array, number: number): void {
  const [, revision = 0, offset = 0, flags = 0] = block;
  // Without an offset, there is nothing at all behind the flags.
  const end = offset === 0 ? 4 : offset;
  if (end < 4 || end > BLOCK - 1) {
    throw new EdidError(`in block ${number}, the detailed timings begin at byte ${offset}, must be 4 to ${BLOCK - 1}`);
  }
  if (revision >= 2) {
    edid.underscan ||= (flags & 0x80) !== 0;
    edid.audio = { ...edid.audio, basic: edid.audio.basic || (flags & 0x40) !== 0 };
    edid.ycbcr444 ||= (flags & 0x20) !== 0;
    edid.ycbcr422 ||= (flags & 0x10) !== 0;
  }
  for (let next = 4; revision >= 3 && next < end; ) {
    const length = at(block, next) & 0x1f;
    if (next + 1 + length > end) {
      throw new EdidError(
        `in block ${number}, the data block at byte ${next} is ${length} bytes long and runs past ${end}`,
      );
    }
    readDataBlock(edid, at(block, next) >> 5, block.subarray(next + 1, next + 1 + length));
    next += 1 + length;
  }
  if (offset === 0) return;
  for (let next = end; next + 18 < BLOCK && little(block, next, 2) !== 0; next += 18) {
    edid.timings.push(detailedTiming(block.subarray(next, next + 18)));
  }
}

function readDataBlock(edid: Draft, tag: number, payload: Uint8Array): void {
  if (tag === dataBlock.video) {
    for (const byte of payload) {
      // CTA-861-H, 7.5.1: up to code 64, the highest bit marks a native format.
      const native = byte >= 129 && byte <= 192;
      edid.formats.push(formatFor(native ? byte & 0x7f : byte, native));
    }
  } else if (tag === dataBlock.audio) {
    const formats = [...edid.audio.formats];
    for (let i = 0; i + 3 <= payload.length; i += 3) {
      const [head = 0, rates = 0] = payload.subarray(i);
      formats.push({
        coding: codings[(head >> 3) & 0x0f] ?? "reserved",
        channels: (head & 7) + 1,
        rates: sampleRates.filter((_, bit) => (rates & (1 << bit)) !== 0),
      });
    }
    edid.audio = { ...edid.audio, formats };
  } else if (tag === dataBlock.vendor && payload.length >= 3) {
    const organisation = little(payload, 0, 3);
    if (organisation === HDMI_LICENSING && payload.length >= 5) {
      const nibbles = [at(payload, 3) >> 4, at(payload, 3) & 15, at(payload, 4) >> 4, at(payload, 4) & 15];
      edid.hdmi = { physicalAddress: nibbles.join("."), maxTmdsClock: at(payload, 6) * 5 || undefined };
    } else if (organisation === HDMI_FORUM) {
      edid.maxCharacterRate = at(payload, 4) * 5 || undefined;
    }
  } else if (tag === dataBlock.extended && payload[0] === extendedBlock.video420) {
    for (const vic of payload.subarray(1)) edid.formats.push(formatFor(vic, false));
  }
}

function formatFor(vic: number, native: boolean): EdidFormat {
  const entry = formatOf(vic);
  if (entry === undefined) return { vic, native, timing: undefined };
  const { width, height, interlaced, rate } = entry;
  return { vic, native, timing: { width, height, interlaced, rate } };
}

function text(bytes: Uint8Array): string {
  const [line = ""] = Buffer.from(bytes.subarray(5)).toString("latin1").split("\n");
  return line.replace(/[^\x20-\x7e]/g, "").trim();
}

function letter(id: number, shift: number): string {
  const code = (id >> shift) & 0x1f;
  return code >= 1 && code <= 26 ? String.fromCharCode(64 + code) : "?";
}

const at = (bytes: Uint8Array, index: number) => bytes[index] ?? 0;

function little(bytes: Uint8Array, offset: number, length: number): number {
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + at(bytes, offset + i);
  return value;
}
