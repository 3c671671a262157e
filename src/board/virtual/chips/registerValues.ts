/** Registers of one byte, and what is in them. */
export type RegisterValue = readonly [register: number, value: number];

/** 256 registers with these values in them, the others 0. */
export function registerFile(values: readonly RegisterValue[] = []): Uint8Array {
  const bytes = new Uint8Array(256);
  for (const [register, value] of values) bytes[register] = value;
  return bytes;
}

/** A value of two registers, the high byte first. */
export function word(register: number, value: number): RegisterValue[] {
  return [
    [register, value >> 8],
    [register + 1, value & 0xff],
  ];
}
