import assert from "node:assert/strict";
import test from "node:test";
import { findBus, type I2cPromises, KernelI2c } from "../../../src/board/adapters/i2cBus.ts";
import { BusError } from "../../../src/board/ports.ts";
import { tree } from "./tree.ts";

const adapters = {
  "bus/i2c/devices/i2c-0/name": "rk3x-i2c\n",
  "bus/i2c/devices/i2c-1/name": "SMBus stub driver\n",
  "bus/i2c/devices/i2c-10/name": "rk3x-i2c\n",
  "bus/i2c/devices/1-0050/name": "24c02\n",
};

test("a bus is found by its adapter's name", async (t) => {
  assert.equal(await findBus("SMBus stub driver", await tree(t, adapters)), 1);
});

test("adapters of the same name are told apart by device tree alias only", async (t) => {
  const root = await tree(t, {
    ...adapters,
    "firmware/devicetree/base/aliases/receivers": "/i2c@fec80000\0",
    "firmware/devicetree/base/aliases/gone": "/i2c@0\0",
    "firmware/devicetree/base/i2c@fec80000/status": "okay\0",
    "firmware/devicetree/base/i2c@fd880000/status": "okay\0",
    "bus/i2c/devices/i2c-0/of_node": { to: "../../../../firmware/devicetree/base/i2c@fd880000" },
    "bus/i2c/devices/i2c-10/of_node": { to: "../../../../firmware/devicetree/base/i2c@fec80000" },
  });
  assert.equal(await findBus("receivers", root), 10);
  await assert.rejects(findBus("rk3x-i2c", root), {
    code: "unavailable",
    message: /i2c-0, i2c-10 have the name "rk3x-i2c"/,
  });
  await assert.rejects(findBus("gone", root), { code: "unavailable", message: /no I2C adapter "gone"/ });
});

test("an adapter that is not there is named, beside those that are", async (t) => {
  const message = /no I2C adapter "front"; there is "rk3x-i2c", "SMBus stub driver", "rk3x-i2c"/;
  await assert.rejects(findBus("front", await tree(t, adapters)), { code: "unavailable", message });
  await assert.rejects(findBus("front", await tree(t, {})), { message: /there is none at all/ });
});

/** A bus of i2c-bus that notes what is called and answers as it is told. */
class FakeBus {
  readonly calls: string[] = [];
  answer: () => Promise<void> = async () => {};

  readonly promises: I2cPromises = {
    readByte: (address, register) => this.#call("readByte", 0x5a, address, register),
    readI2cBlock: (address, register, length, buffer) =>
      this.#call("readI2cBlock", { bytesRead: length, buffer: buffer.fill(7) }, address, register, length),
    receiveByte: (address) => this.#call("receiveByte", 0x40, address),
    sendByte: (address, byte) => this.#call("sendByte", undefined, address, byte),
    writeByte: (address, register, byte) => this.#call("writeByte", undefined, address, register, byte),
    writeI2cBlock: (address, register, length, buffer) =>
      this.#call("writeI2cBlock", { bytesWritten: length, buffer }, address, register, length, ...buffer),
    i2cRead: (address, length, buffer) =>
      this.#call("i2cRead", { bytesRead: length, buffer: buffer.fill(9) }, address, length),
    i2cWrite: (address, length, buffer) =>
      this.#call("i2cWrite", { bytesWritten: length, buffer }, address, length, ...buffer),
    close: () => this.#call("close", undefined),
  };

  async #call<T>(name: string, result: T, ...args: number[]): Promise<T> {
    this.calls.push([name, ...args].join(" "));
    if (name !== "close") await this.answer();
    return result;
  }
}

const open = async (bus: FakeBus) => KernelI2c.open("receivers", async () => bus.promises);
const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i + 1);

test("what SMBus can do goes as SMBus, all else plainly", async () => {
  const bus = new FakeBus();
  const port = await open(bus);
  const transfer = async (write: Uint8Array, length: number) => {
    bus.calls.length = 0;
    const read = await port.transfer(0x20, write, length);
    return { calls: bus.calls.map((call) => call.split(" ").slice(0, 4).join(" ")), read: [...read] };
  };
  assert.deepEqual(await transfer(bytes(1), 1), { calls: ["readByte 32 1"], read: [0x5a] });
  assert.deepEqual(await transfer(bytes(1), 2), { calls: ["readI2cBlock 32 1 2"], read: [7, 7] });
  assert.deepEqual((await transfer(bytes(1), 32)).calls, ["readI2cBlock 32 1 32"]);
  assert.deepEqual((await transfer(bytes(1), 33)).calls, ["i2cWrite 32 1 1", "i2cRead 32 33"]);
  assert.deepEqual((await transfer(bytes(2), 1)).calls, ["i2cWrite 32 2 1", "i2cRead 32 1"]);
  assert.deepEqual(await transfer(bytes(0), 1), { calls: ["receiveByte 32"], read: [0x40] });
  assert.deepEqual(await transfer(bytes(0), 4), { calls: ["i2cRead 32 4"], read: [9, 9, 9, 9] });
  assert.deepEqual(await transfer(bytes(1), 0), { calls: ["sendByte 32 1"], read: [] });
  assert.deepEqual((await transfer(bytes(2), 0)).calls, ["writeByte 32 1 2"]);
  assert.deepEqual((await transfer(bytes(3), 0)).calls, ["writeI2cBlock 32 1 2"]);
  assert.deepEqual((await transfer(bytes(33), 0)).calls, ["writeI2cBlock 32 1 32"]);
  assert.deepEqual((await transfer(bytes(34), 0)).calls, ["i2cWrite 32 34 1"]);
});

test("the bytes of a block write are those after the register", async () => {
  const bus = new FakeBus();
  await (await open(bus)).transfer(0x3c, Uint8Array.of(0x40, 1, 2, 3), 0);
  assert.deepEqual(bus.calls, ["writeI2cBlock 60 64 3 1 2 3"]);
});

const failing = (code: string, syscall: string) => async () => {
  throw Object.assign(new Error(`${code}, ${syscall}`), { code, syscall });
};

test("the kernel's codes become the three of a bus", async () => {
  const expected: Record<string, BusError["code"]> = {
    ...{ ENXIO: "nack", EREMOTEIO: "nack", ENODEV: "nack", EPROTO: "nack", EBADMSG: "nack" },
    ...{ ETIMEDOUT: "timeout", EAGAIN: "timeout", EIO: "timeout", EBUSY: "timeout" },
    ...{ EOPNOTSUPP: "unavailable", ENOENT: "unavailable", EACCES: "unavailable", ESHUTDOWN: "unavailable" },
  };
  const bus = new FakeBus();
  const port = await open(bus);
  for (const [code, kind] of Object.entries(expected)) {
    bus.answer = failing(code, "readByte");
    await assert.rejects(port.transfer(0x4c, bytes(1), 1), (error) => {
      assert.ok(error instanceof BusError);
      assert.equal(error.code, kind, code);
      assert.match(error.message, new RegExp(`receivers, address 0x4c: ${code}`));
      return true;
    });
  }
});

test("a chip that a driver of the kernel has is not a bus that hangs", async () => {
  const bus = new FakeBus();
  bus.answer = failing("EBUSY", "setAddr");
  await assert.rejects((await open(bus)).transfer(0x0f, bytes(1), 1), {
    code: "unavailable",
    message: /a driver of the kernel has the chip/,
  });
});

test("while the kernel holds a transfer no other goes to it, and the bus is not closed under it", async () => {
  const opened: FakeBus[] = [];
  const port = await KernelI2c.open("receivers", async () => {
    const bus = new FakeBus();
    opened.push(bus);
    return bus.promises;
  });
  let end = () => {};
  const [first] = opened;
  assert.ok(first);
  first.answer = () =>
    new Promise((done) => {
      end = done;
    });
  const held = port.transfer(0x20, bytes(1), 1);
  await assert.rejects(port.transfer(0x20, bytes(1), 1), { code: "timeout" });
  await port.recover();
  assert.deepEqual(first.calls, ["readByte 32 1"]);
  assert.equal(opened.length, 1);

  end();
  first.answer = async () => {};
  assert.deepEqual([...(await held)], [0x5a]);
  await port.recover();
  assert.equal(opened.length, 2);
  assert.deepEqual(first.calls.at(-1), "close");
  await port.transfer(0x21, bytes(1), 1);
  assert.deepEqual(opened[1]?.calls, ["readByte 33 1"]);
});

test("a bus that is closed during a transfer closes when the kernel ends it", async () => {
  const bus = new FakeBus();
  const port = await open(bus);
  let end = () => {};
  bus.answer = () =>
    new Promise((done) => {
      end = done;
    });
  const held = port.transfer(0x20, bytes(1), 1);
  await port.close();
  assert.deepEqual(bus.calls, ["readByte 32 1"]);
  end();
  await held;
  await new Promise(setImmediate);
  assert.deepEqual(bus.calls, ["readByte 32 1", "close"]);
  await assert.rejects(port.transfer(0x20, bytes(1), 1), { code: "unavailable" });
});
