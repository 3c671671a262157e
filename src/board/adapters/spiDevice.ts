/** A chip on an SPI bus of the kernel (/dev/spidevB.C) by the package spi-device. */
import type { SpiDevice } from "spi-device";
import { BusError, type SpiPort } from "../ports.ts";

/** Hz: slow against what the chips take, fast against what is read of them. */
const SPEED = 1_000_000;

type SpiModule = Pick<typeof import("spi-device"), "open">;

/**
 * Opens a chip: SPI mode 0, most significant bit first, 1 MHz.
 * @param path /dev/spidevB.C
 * @param load gives the package, which only boards with such a chip need
 * @throws BusError `unavailable`
 */
export async function openSpi(path: string, load: () => Promise<SpiModule> = loadPackage): Promise<SpiPort> {
  const [, bus, device] = /^\/dev\/spidev(\d+)\.(\d+)$/.exec(path) ?? [];
  if (bus === undefined || device === undefined) throw new BusError("unavailable", `${path} is no SPI device`);
  let handle: SpiDevice | undefined;
  try {
    const spi = await load();
    await done((ready) => {
      handle = spi.open(Number(bus), Number(device), { mode: 0 }, ready);
    });
  } catch (error) {
    throw new BusError("unavailable", `${path}: ${(error as Error).message}`);
  }
  const opened = handle as SpiDevice;
  return {
    transfer: async (write) => {
      const receiveBuffer = Buffer.alloc(write.length);
      const message = { sendBuffer: Buffer.from(write), receiveBuffer, byteLength: write.length, speedHz: SPEED };
      try {
        await done((ready) => opened.transfer([message], ready));
      } catch (error) {
        const { code, message: why } = error as NodeJS.ErrnoException;
        throw new BusError(code === "ETIMEDOUT" ? "timeout" : "unavailable", `${path}: ${why}`);
      }
      return Uint8Array.from(receiveBuffer);
    },
    close: () => done((ready) => opened.close(ready)),
  };
}

async function loadPackage(): Promise<SpiModule> {
  return (await import("spi-device")).default;
}

/** Makes a promise of a call with a callback. */
function done(call: (ready: (error: Error | null | undefined) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error ? reject(error) : resolve()));
  });
}
