/** The boot state as U-Boot's boot script and RAUC write it: U-Boot's environment in one sector, CRC-32 first. */
import { crc32 } from "node:zlib";
import type { SlotName } from "../status.ts";

/** Bytes. */
export const STATE_SIZE = 512;

export interface BootState {
  /** Slots that may be booted, the preferred one first. */
  order: SlotName[];
  left: Record<SlotName, number>;
}

/** Undefined when it makes no sense: then the boot script begins anew. */
export function parseBootState(sector: Uint8Array): BootState | undefined {
  const bytes = Buffer.from(sector.buffer, sector.byteOffset, sector.byteLength);
  if (bytes.length < STATE_SIZE || bytes.readUInt32LE(0) !== crc32(bytes.subarray(4, STATE_SIZE))) return undefined;
  const text = bytes.subarray(4, STATE_SIZE).toString("latin1");
  const variables = new Map<string, string>();
  for (const entry of (text.split("\0\0", 1)[0] ?? "").split("\0")) {
    const at = entry.indexOf("=");
    if (at > 0) variables.set(entry.slice(0, at), entry.slice(at + 1));
  }
  const order = (variables.get("BOOT_ORDER") ?? "").split(" ").filter((name) => name === "A" || name === "B");
  const left = (name: SlotName): number => {
    const value = Number.parseInt(variables.get(`BOOT_${name}_LEFT`) ?? "0", 16);
    return value >= 0 && value <= 3 ? value : 0;
  };
  return { order: order as SlotName[], left: { A: left("A"), B: left("B") } };
}

/** The slot that the boot script chooses; undefined: none has attempts left. */
export function firstOf({ order, left }: BootState): SlotName | undefined {
  return order.find((name) => left[name] > 0);
}
