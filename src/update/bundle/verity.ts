/**
 * The hash tree of dm-verity (version 1, SHA-256, blocks of 4096 bytes, no superblock) over what a bundle holds. Its root is
 * in the signed manifest, so it tells whether every byte is as it was signed.
 */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

export const BLOCK = 4096;
const HASH = 32;
const PER_BLOCK = BLOCK / HASH;
/** Bytes that are read and hashed in one go, which holds nothing else up for more than some milliseconds. */
const CHUNK = 128 * BLOCK;

export interface HashTree {
  root: Buffer;
  /** As it is stored: the level below the root first, that of the data last. */
  levels: Buffer;
}

/**
 * @param size bytes from the beginning of the file, a multiple of 4096, more than 0
 * @param tell how many bytes have been read
 * @throws Error when the file cannot be read or is shorter, and the signal's reason
 */
export async function hashTree(
  file: FileHandle,
  size: number,
  salt: Buffer,
  tell: (bytes: number) => void,
  signal: AbortSignal,
): Promise<HashTree> {
  const chunk = Buffer.alloc(CHUNK);
  let level = Buffer.alloc(Math.ceil(size / BLOCK) * HASH);
  for (let at = 0; at < size; ) {
    signal.throwIfAborted();
    const wanted = Math.min(CHUNK, size - at);
    const { bytesRead } = await file.read(chunk, 0, wanted, at);
    const whole = bytesRead - (bytesRead % BLOCK);
    if (whole === 0) throw new Error("the file is shorter than it was");
    hashBlocks(chunk.subarray(0, whole), salt, level, (at / BLOCK) * HASH);
    at += whole;
    tell(at);
  }
  const levels: Buffer[] = [];
  while (level.length > HASH) {
    const padded = Buffer.alloc(Math.ceil(level.length / BLOCK) * BLOCK);
    level.copy(padded);
    levels.unshift(padded);
    level = Buffer.alloc((padded.length / BLOCK) * HASH);
    hashBlocks(padded, salt, level, 0);
  }
  return { root: level, levels: Buffer.concat(levels) };
}

/** How large the stored tree of so many bytes is. */
export function treeSize(size: number): number {
  let sum = 0;
  for (let blocks = size / BLOCK; blocks > 1; ) {
    blocks = Math.ceil(blocks / PER_BLOCK);
    sum += blocks * BLOCK;
  }
  return sum;
}

function hashBlocks(data: Buffer, salt: Buffer, into: Buffer, at: number): void {
  for (let block = 0; block < data.length; block += BLOCK) {
    createHash("sha256")
      .update(salt)
      .update(data.subarray(block, block + BLOCK))
      .digest()
      .copy(into, at + (block / BLOCK) * HASH);
  }
}
