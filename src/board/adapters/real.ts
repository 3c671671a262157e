/** The kernel's interfaces of the machine that this runs on, as the ports of a board. */
import type { BoardFile } from "../boardFile.ts";
import type { BoardPorts } from "../hardware.ts";
import type { Clock, I2cPort, SpiPort } from "../ports.ts";
import { V4l2Receiver } from "../receivers/v4l2.ts";
import { V4l2Capture } from "./capture.ts";
import { OnoffGpio } from "./gpioOnoff.ts";
import { SysfsHwmon } from "./hwmon.ts";
import { openI2cBus } from "./i2cBus.ts";
import { openSpi } from "./spiDevice.ts";

/** Opens nothing by itself: each bus, line and device is opened by who asks for it, and belongs to that one. */
export class RealBoard implements BoardPorts {
  readonly gpio: OnoffGpio;
  readonly hwmon = new SysfsHwmon();
  readonly #clock: Clock;
  readonly #captures: V4l2Receiver[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.gpio = new OnoffGpio({ clock });
  }

  i2c({ adapter }: BoardFile["i2c"][number]): Promise<I2cPort> {
    return openI2cBus(adapter);
  }

  spi(device: string): Promise<SpiPort> {
    return openSpi(device);
  }

  capture(subdevice: string): V4l2Receiver {
    const receiver = new V4l2Receiver(new V4l2Capture({ device: subdevice, clock: this.#clock }), this.#clock);
    this.#captures.push(receiver);
    return receiver;
  }

  /** Ends the watchers of the receivers that the kernel drives. */
  close(): void {
    for (const receiver of this.#captures.splice(0)) receiver.close();
  }
}
