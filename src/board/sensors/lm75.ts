/**
 * Temperature sensor LM75 and its kin (LM75A/B, TMP75, DS75 …) over I2C, where the kernel has no driver bound to it.
 * Register 0 is the temperature, two's complement, high byte first, in 1/256 °C; every kind has the upper nine bits.
 */

import type { I2cDevice } from "../i2c.ts";
import { BusError } from "../ports.ts";

const TEMPERATURE = 0x00;
const CONFIGURATION = 0x01;
const SHUTDOWN = 0x01;

/**
 * °C in steps of 0.5, from -55 to 125.
 * @throws BusError; `unavailable` when the sensor was found shut down: it is started, and its next value is a true one
 */
export function readLm75(device: I2cDevice): Promise<number> {
  return device.use(async (chip) => {
    const [configuration = 0] = await chip.read(CONFIGURATION, 1);
    if ((configuration & SHUTDOWN) !== 0) {
      await chip.write(CONFIGURATION, configuration & ~SHUTDOWN);
      throw new BusError("unavailable", "the LM75 was shut down and has been started");
    }
    const [high = 0, low = 0] = await chip.read(TEMPERATURE, 2);
    // The sign is in the high byte's upper bit; the lower seven bits are undefined on the plain LM75.
    return (((high << 24) >> 16) | (low & 0x80)) / 256;
  });
}
