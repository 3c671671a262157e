import assert from "node:assert/strict";
import test from "node:test";
import type { CompleteCallback, SpiDevice, SpiMessage, TransferCallback } from "spi-device";
import { openSpi } from "../../../src/board/adapters/spiDevice.ts";

type Load = NonNullable<Parameters<typeof openSpi>[1]>;

/** spi-device with a chip that answers each byte with its complement. */
function fake(log: string[], failures: { open?: Error; transfer?: Error } = {}): Load {
  const chip = {
    transfer: (message: SpiMessage, done: TransferCallback) => {
      for (const { byteLength, sendBuffer, receiveBuffer, speedHz } of message) {
        log.push(`transfer ${byteLength} at ${speedHz}`);
        for (let i = 0; i < byteLength; i++) receiveBuffer?.writeUInt8(~(sendBuffer?.[i] ?? 0) & 0xff, i);
      }
      setImmediate(done, failures.transfer ?? null, message);
    },
    close: (done: CompleteCallback) => {
      log.push("close");
      setImmediate(done, null);
    },
  };
  const open = (bus: number, device: number, _options: unknown, done: CompleteCallback) => {
    log.push(`open ${bus}.${device}`);
    setImmediate(done, failures.open ?? null);
    return chip as unknown as SpiDevice;
  };
  return async () => ({ open }) as unknown as Awaited<ReturnType<Load>>;
}

test("as many bytes come back as are sent", async () => {
  const log: string[] = [];
  const port = await openSpi("/dev/spidev1.2", fake(log));
  assert.deepEqual([...(await port.transfer(Uint8Array.of(0x80, 0x22, 0, 0)))], [0x7f, 0xdd, 0xff, 0xff]);
  await port.close();
  assert.deepEqual(log, ["open 1.2", "transfer 4 at 1000000", "close"]);
});

test("what fails is told as a bus error, with the device", async () => {
  const missing = Object.assign(new Error("ENOENT, open"), { code: "ENOENT" });
  await assert.rejects(openSpi("/dev/spidev0.0", fake([], { open: missing })), {
    name: "BusError",
    code: "unavailable",
    message: "/dev/spidev0.0: ENOENT, open",
  });
  await assert.rejects(openSpi("/dev/ttyS0", fake([])), { code: "unavailable" });
  const late = Object.assign(new Error("ETIMEDOUT, transfer"), { code: "ETIMEDOUT" });
  const port = await openSpi("/dev/spidev0.0", fake([], { transfer: late }));
  await assert.rejects(port.transfer(Uint8Array.of(1)), { code: "timeout" });
});

test("the package itself says that there is no such device", async () => {
  await assert.rejects(openSpi("/dev/spidev99.0"), { name: "BusError", code: "unavailable" });
});
