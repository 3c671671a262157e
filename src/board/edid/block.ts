/** What all blocks of an EDID have in common (VESA E-EDID, section 2.2). */

/** Bytes of a block. */
export const BLOCK = 128;

/** How each EDID begins. */
export const HEADER: readonly number[] = [0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00];

/** An EDID that can't be read; the message says in plain words what is wrong with it. */
export class EdidError extends Error {
  override readonly name = "EdidError";
}

/**
 * The least that every EDID is: whole blocks, of which the first begins with the header.
 * @throws EdidError
 */
export function checkShape(bytes: Uint8Array): void {
  if (bytes.length === 0) throw new EdidError("it is empty");
  if (bytes.length % BLOCK !== 0) {
    throw new EdidError(`it has ${bytes.length} bytes, must be whole blocks of ${BLOCK}`);
  }
  if (HEADER.some((byte, i) => bytes[i] !== byte)) {
    throw new EdidError("it does not begin with the header of an EDID, 00 FF FF FF FF FF FF 00");
  }
}

/** What the last byte of the block must be, so that all 128 add up to 0 modulo 256. */
export function checksumOf(block: Uint8Array): number {
  let sum = 0;
  for (const byte of block.subarray(0, BLOCK - 1)) sum += byte;
  return -sum & 0xff;
}

/** Tag of a CTA-861 extension block, in its first byte. */
export const CTA_EXTENSION = 0x02;

/** Tags of data blocks (CTA-861-H, tables 54 and 55); with 7, the next byte has the extended tag. */
export const dataBlock = { audio: 1, video: 2, vendor: 3, speakers: 4, extended: 7 } as const;
export const extendedBlock = { videoCapability: 0x00, video420: 0x0e, blockCount: 0x78 } as const;

/** Organisations (IEEE OUI) of vendor-specific data blocks. */
export const HDMI_LICENSING = 0x000c03;
export const HDMI_FORUM = 0xc45dd8;
