/** An I2C bus of the kernel (/dev/i2c-N) by the package i2c-bus. Its number is found from the name of its adapter. */
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import type { PromisifiedBus } from "i2c-bus";
import { BusError, type I2cPort } from "../ports.ts";
import { namesIn, readValue } from "./sysfs.ts";

/** What is used of i2c-bus's promises. */
export type I2cPromises = Pick<
  PromisifiedBus,
  | "readByte"
  | "readI2cBlock"
  | "receiveByte"
  | "sendByte"
  | "writeByte"
  | "writeI2cBlock"
  | "i2cRead"
  | "i2cWrite"
  | "close"
>;

/** Most data bytes of an SMBus I2C block transfer (I2C_SMBUS_BLOCK_MAX). */
const BLOCK_MAX = 32;

/**
 * The number of the bus whose adapter has this name (/sys/bus/i2c/devices/i2c-N/name) or device tree alias.
 * @throws BusError `unavailable` when there is none, or more than one of this name
 */
export async function findBus(adapter: string, sysfs = "/sys"): Promise<number> {
  const root = join(sysfs, "bus/i2c/devices");
  const buses = await namesIn(root, /^i2c-\d+$/);
  const named = await Promise.all(buses.map(async (bus) => ({ bus, name: await readValue(join(root, bus, "name")) })));
  const found = named.filter(({ name }) => name === adapter);
  if (found.length > 1) {
    const which = found.map(({ bus }) => bus).join(", ");
    throw new BusError(
      "unavailable",
      `${which} have the name "${adapter}": use a device tree alias to tell them apart`,
    );
  }
  const bus = found[0]?.bus ?? (await busOfAlias(adapter, sysfs, buses));
  if (bus === undefined) {
    const there = named.map(({ name }) => `"${name}"`).join(", ");
    throw new BusError("unavailable", `there is no I2C adapter "${adapter}"; there is ${there || "none at all"}`);
  }
  return Number(bus.slice("i2c-".length));
}

/** An alias holds the path of a node in the device tree; the adapter's of_node leads to the same. */
async function busOfAlias(alias: string, sysfs: string, buses: readonly string[]): Promise<string | undefined> {
  if (alias.includes("/")) return undefined;
  const tree = join(sysfs, "firmware/devicetree/base");
  const path = await readValue(join(tree, "aliases", alias));
  const node = path && (await realpath(join(tree, path)).catch(() => undefined));
  if (!node) return undefined;
  for (const bus of buses) {
    const own = await realpath(join(sysfs, "bus/i2c/devices", bus, "of_node")).catch(() => undefined);
    if (own === node) return bus;
  }
  return undefined;
}

/** Opens a bus of the kernel. @throws BusError `unavailable` */
export async function openI2cBus(adapter: string, sysfs = "/sys"): Promise<I2cPort> {
  const number = await findBus(adapter, sysfs);
  const open = async () => {
    const { default: i2c } = await import("i2c-bus");
    return i2c.openPromisified(number);
  };
  try {
    return await KernelI2c.open(adapter, open);
  } catch (error) {
    throw new BusError("unavailable", `I2C bus ${adapter}: ${(error as Error).message}`);
  }
}

/**
 * Transfers run on threads that all buses and file accesses share, and one that the kernel does not end holds its
 * thread. So a bus has one transfer under way at most: until the kernel gives it back, others are refused.
 */
export class KernelI2c implements I2cPort {
  readonly #name: string;
  readonly #open: () => Promise<I2cPromises>;
  #bus: I2cPromises;
  #underWay: Promise<unknown> | undefined;
  #closed = false;

  private constructor(name: string, open: () => Promise<I2cPromises>, bus: I2cPromises) {
    this.#name = name;
    this.#open = open;
    this.#bus = bus;
  }

  /** @param name of the bus, for messages; @param open opens it, also anew */
  static async open(name: string, open: () => Promise<I2cPromises>): Promise<KernelI2c> {
    return new KernelI2c(name, open, await open());
  }

  /**
   * Reads of up to 32 bytes from a register of 8 bits go as SMBus byte or I2C block reads, which real adapters make one
   * transaction with a repeated start; writes of up to 33 bytes go as their counterparts, and a byte that is read without
   * a register as SMBus receive byte. Adapters that know SMBus alone can do these. All else is a plain write, then a plain read with a stop in between.
   */
  async transfer(address: number, write: Uint8Array, length: number): Promise<Uint8Array> {
    if (this.#closed) throw new BusError("unavailable", `I2C bus ${this.#name} is closed`);
    if (this.#underWay !== undefined) {
      throw new BusError("timeout", `I2C bus ${this.#name}: the kernel has not ended the transfer before`);
    }
    const work = exchange(this.#bus, address, Buffer.from(write), length);
    const underWay = work.then(
      () => {},
      () => {},
    );
    this.#underWay = underWay;
    try {
      return await work;
    } catch (error) {
      throw busError(this.#name, address, error);
    } finally {
      this.#underWay = undefined;
    }
  }

  /**
   * Closes the bus and opens it again, which drops what i2c-bus and the kernel hold for this process. The wires
   * themselves can't be reached from here: a chip that holds SDA low is freed by the adapter's driver, which after a
   * transfer that timed out gives up to nine clocks until SDA is high, and a stop (the kernel's i2c_recover_bus; where
   * the board describes its recovery pins). While a transfer is with the kernel, the bus stays open: a closed file's
   * number could be another file's by then.
   */
  async recover(): Promise<void> {
    if (this.#closed || this.#underWay !== undefined) return;
    const before = this.#bus;
    this.#bus = await this.#open();
    await before.close().catch(() => {});
  }

  /** Closes it at once, or as soon as the kernel ends the transfer that is under way. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const close = () => this.#bus.close().catch(() => {});
    if (this.#underWay === undefined) await close();
    else this.#underWay.then(close, close);
  }
}

async function exchange(bus: I2cPromises, address: number, write: Buffer, length: number): Promise<Uint8Array> {
  const [register] = write;
  if (register !== undefined && write.length === 1 && length === 1) {
    return Uint8Array.of(await bus.readByte(address, register));
  }
  if (register !== undefined && write.length === 1 && length > 1 && length <= BLOCK_MAX) {
    const { bytesRead, buffer } = await bus.readI2cBlock(address, register, length, Buffer.alloc(length));
    return whole(buffer, bytesRead, length);
  }
  if (length === 0 && register !== undefined && write.length <= BLOCK_MAX + 1) {
    const data = write.subarray(1);
    if (data.length === 0) await bus.sendByte(address, register);
    else if (data.length === 1) await bus.writeByte(address, register, data[0] as number);
    else await bus.writeI2cBlock(address, register, data.length, data);
    return new Uint8Array();
  }
  if (write.length === 0 && length === 1) return Uint8Array.of(await bus.receiveByte(address));
  if (write.length > 0) await bus.i2cWrite(address, write.length, write);
  if (length === 0) return new Uint8Array();
  const { bytesRead, buffer } = await bus.i2cRead(address, length, Buffer.alloc(length));
  return whole(buffer, bytesRead, length);
}

function whole(buffer: Buffer, bytesRead: number, length: number): Uint8Array {
  if (bytesRead === length) return Uint8Array.from(buffer);
  throw Object.assign(new Error(`${bytesRead} of ${length} bytes`), { code: "EPROTO" });
}

/**
 * What the kernel's codes mean (its Documentation/i2c/fault-codes).
 * `nack`: ENXIO, EREMOTEIO and, of some adapters, ENODEV: no acknowledge. EPROTO, EBADMSG: the chip answers, but against
 * the protocol. `timeout`: ETIMEDOUT; EAGAIN: arbitration lost, on a bus of one master a wire that is held low; EBUSY of
 * a transfer: the bus does not become free; EIO: the adapter could not tell what went wrong.
 */
const codes: Record<string, BusError["code"]> = {
  ENXIO: "nack",
  EREMOTEIO: "nack",
  ENODEV: "nack",
  EPROTO: "nack",
  EBADMSG: "nack",
  ETIMEDOUT: "timeout",
  EAGAIN: "timeout",
  EBUSY: "timeout",
  EIO: "timeout",
};

function busError(name: string, address: number, error: unknown): BusError {
  const { code = "", syscall, message } = error as NodeJS.ErrnoException;
  const where = `I2C bus ${name}, address 0x${address.toString(16).padStart(2, "0")}`;
  // The kernel refuses the address itself, not a transfer, where a driver of its own is bound to the chip.
  if (code === "EBUSY" && syscall === "setAddr") {
    return new BusError("unavailable", `${where}: a driver of the kernel has the chip`);
  }
  return new BusError(codes[code] ?? "unavailable", `${where}: ${message}`);
}
