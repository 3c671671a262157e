/** Checks an EDID that somebody uploads, before any chip shows it to a source. */
import { BLOCK, CTA_EXTENSION, checkShape, checksumOf, dataBlock, EdidError, extendedBlock } from "./block.ts";
import { type Edid, parseEdid } from "./parse.ts";

export type CheckedEdid =
  | { ok: true; bytes: Uint8Array; edid: Edid }
  /** What is wrong, in words that follow "This EDID can't be used:". */
  | { ok: false; what: string };

/**
 * Reads a custom EDID in base64, as the configuration holds it.
 * @param maxBlocks most blocks of 128 bytes that the receiver holds
 */
export function decodeEdid(base64: string, maxBlocks: number): CheckedEdid {
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
  // Buffer takes whatever it is given; a text that was cut or damaged does not come back the same.
  const plain = (text: string) => text.replace(/=+$/, "");
  if (plain(Buffer.from(bytes).toString("base64")) !== plain(base64)) return { ok: false, what: "it is not base64" };
  return checkEdid(bytes, maxBlocks);
}

/** Checks the bytes of an EDID: nothing is repaired, as who made it must know that it is damaged. */
export function checkEdid(bytes: Uint8Array, maxBlocks: number): CheckedEdid {
  try {
    checkShape(bytes);
    if (bytes.length > maxBlocks * BLOCK) {
      const blocks = count(bytes.length / BLOCK, "block");
      throw new EdidError(`it has ${blocks} of ${BLOCK} bytes, this input holds ${maxBlocks} at most`);
    }
    checkSums(bytes);
    checkCount(bytes);
    return { ok: true, bytes, edid: parseEdid(bytes) };
  } catch (error) {
    if (error instanceof EdidError) return { ok: false, what: error.message };
    throw error;
  }
}

function checkSums(bytes: Uint8Array): void {
  for (let start = 0; start < bytes.length; start += BLOCK) {
    const block = bytes.subarray(start, start + BLOCK);
    const due = checksumOf(block);
    const is = block[BLOCK - 1] ?? 0;
    if (is !== due) {
      throw new EdidError(`the checksum of block ${start / BLOCK} is ${hex(is)}, must be ${hex(due)}`);
    }
  }
}

function checkCount(bytes: Uint8Array): void {
  const promised = extensionCount(bytes);
  const present = bytes.length / BLOCK - 1;
  if (promised !== present) {
    const behind = present === 0 ? "none" : present;
    throw new EdidError(`it names ${count(promised, "extension block")}, but ${behind} follow the first block`);
  }
}

/**
 * Blocks behind the first. HDMI 2.1 (10.3.6) puts the count into the first data block of block 1 where it is more than
 * old sources read; the base block then says 1.
 */
function extensionCount(bytes: Uint8Array): number {
  const base = bytes[126] ?? 0;
  const [tag, , offset = 0, , head, extended, blocks] = bytes.subarray(BLOCK);
  const overridden =
    base === 1 &&
    tag === CTA_EXTENSION &&
    offset >= 7 &&
    head === ((dataBlock.extended << 5) | 2) &&
    extended === extendedBlock.blockCount;
  return overridden ? (blocks ?? base) : base;
}

const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, "0");

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
