/** What every receiver driver is: knows one chip, its registers and procedures, and nothing of the box around it. */
import type { I2cDevice } from "../i2c.ts";
import type { Clock, GpioInput, GpioOutput, SpiPort } from "../ports.ts";
import type { AnalogueStandard, Signal } from "../signal.ts";

export interface ReceiverContext {
  /** Where the chip is; absent for SPI chips. */
  i2c: I2cDevice;
  spi: SpiPort;
  clock: Clock;
  /** Lines of the board that belong to the connector. Undefined where the chip has its own. */
  cablePower: GpioInput | undefined;
  hotPlug: GpioOutput | undefined;
  reset: GpioOutput | undefined;
}

/** Which chip answers is not the one that the board file names. */
export class WrongChip extends Error {
  override readonly name = "WrongChip";
}

export interface Receiver {
  /**
   * Checks the chip's identity and sets it up, also after a reset of the chip. May be called again at any time.
   * @throws WrongChip, BusError
   */
  start(): Promise<void>;
  /** One look at the connector. @throws BusError */
  read(): Promise<Signal>;
  /** Calls back when the chip has told that something changed. Returns the function that ends it. */
  watch?(listener: () => void): () => void;
  /** Of HDMI receivers with an EDID that may be written. */
  readonly edid?: EdidAccess;
  /** Of analogue receivers. */
  readonly analogue?: AnalogueAccess;
}

export interface EdidAccess {
  /** Most blocks of 128 bytes that the chip holds. */
  readonly maxBlocks: number;
  /**
   * Writes whole blocks and shows them to the source: hot plug goes off, the EDID is written, hot plug comes on again
   * (143 ms later, where the cable has power). @throws BusError
   */
  write(edid: Uint8Array): Promise<void>;
  /** What the chip holds, `length` bytes. @throws BusError */
  read(length: number): Promise<Uint8Array>;
}

export interface AnalogueAccess {
  readonly inputs: readonly ("cvbs" | "s-video" | "ypbpr")[];
  select(input: "cvbs" | "s-video" | "ypbpr"): Promise<void>;
  /** Decodes one standard only, or finds it itself. */
  force(standard: AnalogueStandard | "auto"): Promise<void>;
}

/** Longest time between hot plug off and on (HDMI 1.4, 8.5 asks for 100 ms at least; sources want more), ms. */
export const HOT_PLUG_PAUSE = 143;
