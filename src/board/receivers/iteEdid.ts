/** The EDID in ITE's receivers: a RAM of two blocks, behind an I2C address of its own that a register opens. */
import type { I2cChip } from "../i2c.ts";

/** Blocks of 128 bytes in the RAM. */
export const edidBlocks = 2;

const RAM_ADDRESS = 0x54;
const OPEN = (RAM_ADDRESS << 1) | 1;
/** What the register of the window holds while it is closed. */
export const windowClosed = RAM_ADDRESS << 1;
const BURST = 32;

/** The whole content of the RAM for an EDID. @throws RangeError when it is not one of 1 or 2 blocks */
export function ramContent(edid: Uint8Array): Uint8Array {
  if (edid.length === 0 || edid.length % 128 !== 0 || edid.length > edidBlocks * 128) {
    throw new RangeError("the receiver takes an EDID of 128 or 256 bytes");
  }
  const content = new Uint8Array(edidBlocks * 128);
  content.set(edid);
  return content;
}

/** Fills the RAM. `window`: the register that opens it. @throws BusError */
export async function writeRam(chip: I2cChip, window: number, content: Uint8Array): Promise<void> {
  await chip.write(window, OPEN);
  try {
    for (let at = 0; at < content.length; at += BURST) {
      await chip.at(RAM_ADDRESS).write(at, content.subarray(at, at + BURST));
    }
  } finally {
    await chip.write(window, windowClosed);
  }
}

/** `length` bytes of the RAM. @throws BusError */
export async function readRam(chip: I2cChip, window: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  await chip.write(window, OPEN);
  try {
    for (let at = 0; at < length; at += BURST) {
      bytes.set(await chip.at(RAM_ADDRESS).read(at, Math.min(BURST, length - at)), at);
    }
  } finally {
    await chip.write(window, windowClosed);
  }
  return bytes;
}

/** Tag of a vendor's data block, and HDMI's own number as it stands there. */
const VENDOR_BLOCK = 3;
const HDMI = "3,12,0";

/**
 * Where the physical address (HDMI 1.4, 8.7) stands in an EDID of two blocks, or undefined when there is none: behind
 * the vendor's number in HDMI's data block of the CEA extension (CEA-861-F, 7.5).
 */
export function physicalAddressAt(edid: Uint8Array): number | undefined {
  if (edid[128] !== 0x02) return undefined;
  const end = 128 + (edid[130] ?? 0);
  for (let at = 132; at < end; ) {
    const head = edid[at] ?? 0;
    const length = head & 0x1f;
    if (head >> 5 === VENDOR_BLOCK && length >= 5 && `${edid.subarray(at + 1, at + 4)}` === HDMI) return at + 4;
    at += 1 + length;
  }
  return undefined;
}
