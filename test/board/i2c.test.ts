import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import test from "node:test";
import { type BusState, I2cBus } from "../../src/board/i2c.ts";
import { BusError, type I2cPort } from "../../src/board/ports.ts";
import { Random } from "../support/random.ts";
import { VirtualClock } from "../support/virtualClock.ts";

/** A bus of chips that echo their address, which can hang, and is freed by a recovery if it is told so. */
class TestPort implements I2cPort {
  readonly log: string[] = [];
  mode: "good" | "hangs" | "nack" | "unavailable" | "times-out" = "good";
  freedByRecovery = false;
  recoveries = 0;

  async transfer(address: number, write: Uint8Array, length: number): Promise<Uint8Array> {
    this.log.push(`${address}:${[...write].join(",")}`);
    if (this.mode === "hangs") await new Promise(() => {});
    if (this.mode === "times-out") throw new BusError("timeout", "the kernel gave up");
    if (this.mode === "nack" || this.mode === "unavailable") throw new BusError(this.mode, "as told");
    await new Promise(setImmediate);
    return new Uint8Array(length).fill(address);
  }

  async recover(): Promise<void> {
    this.recoveries++;
    if (this.freedByRecovery) this.mode = "good";
  }

  async close(): Promise<void> {
    this.log.push("close");
  }
}

function setUp() {
  const clock = new VirtualClock();
  const port = new TestPort();
  const states: BusState[] = [];
  const bus = new I2cBus({ name: "receivers", port, clock, changed: (state) => states.push(state) });
  return { clock, port, states, bus };
}

const read = (bus: I2cBus, address: number) => bus.device(address).use((chip) => chip.read(0, 1));

test("one piece of work at a time: bank switches are never interleaved", async () => {
  const { bus, port } = setUp();
  const random = new Random(1);
  const works = Array.from({ length: 50 }, async (_, i) => {
    for (let n = random.below(3); n > 0; n--) await new Promise(setImmediate);
    await bus.device(0x20 + (i % 4)).use(async (chip) => {
      await chip.write(0xff, i);
      await chip.read([i], 4);
      await chip.at(0x50).write(i, Uint8Array.of(1, 2));
      if (random.chance(0.2)) throw new Error("work may fail");
    });
  });
  await Promise.allSettled(works);
  assert.equal(port.log.length, 150);
  for (let at = 0; at < port.log.length; at += 3) {
    const [bank = "", register = "", other = ""] = port.log.slice(at, at + 3);
    const [address, i] = [bank.split(":")[0], bank.split(",")[1]];
    assert.deepEqual([register, other], [`${address}:${i}`, `80:${i},1,2`], `at transfer ${at}`);
  }
});

test("a transfer that never returns times out, and the bus is freed and said to hang, once", async () => {
  const { bus, port, states, clock } = setUp();
  port.mode = "hangs";
  const work = assert.rejects(read(bus, 0x20), { name: "BusError", code: "timeout", message: /receivers hangs/ });
  await clock.advance(1499);
  assert.deepEqual(states, []);
  await clock.advance(1);
  await work;
  assert.deepEqual([states, port.recoveries], [["hung"], 1]);

  // Tried again after a second: still nothing, and nothing new to say.
  await clock.advance(1000);
  const again = assert.rejects(read(bus, 0x20), { code: "timeout" });
  await clock.advance(1500);
  await again;
  assert.deepEqual([states, port.recoveries, port.log.length], [["hung"], 2, 2]);
});

test("while it hangs, work is refused at once and does not reach the bus", async () => {
  const { bus, port, clock } = setUp();
  port.mode = "times-out";
  await assert.rejects(read(bus, 0x20), { code: "timeout" });
  const before = clock.now();
  for (let i = 0; i < 20; i++) await assert.rejects(read(bus, 0x21), { code: "timeout" });
  assert.deepEqual([clock.now() - before, port.log.length], [0, 1]);
});

test("it works again after the recovery, and says so", async () => {
  const { bus, port, states, clock } = setUp();
  port.mode = "hangs";
  port.freedByRecovery = true;
  const work = assert.rejects(read(bus, 0x20), { code: "timeout" });
  await clock.advance(1500);
  await work;
  assert.equal(bus.state, "hung");
  await clock.advance(1000);
  assert.deepEqual([...(await read(bus, 0x20))], [0x20]);
  assert.deepEqual([states, bus.state], [["hung", "working"], "working"]);
});

test("a chip that does not answer proves that the bus works; a bus that is not there does not", async () => {
  const { bus, port, states, clock } = setUp();
  port.mode = "times-out";
  await assert.rejects(read(bus, 0x20), { code: "timeout" });
  await clock.advance(1000);
  port.mode = "unavailable";
  await assert.rejects(read(bus, 0x20), { code: "unavailable" });
  assert.deepEqual(states, ["hung"]);
  port.mode = "nack";
  await assert.rejects(read(bus, 0x20), { code: "nack" });
  assert.deepEqual(states, ["hung", "working"]);
  assert.equal(port.recoveries, 1);
});

test("other buses go on while one hangs", async () => {
  const hanging = setUp();
  const good = setUp();
  hanging.port.mode = "hangs";
  const work = assert.rejects(read(hanging.bus, 0x20), { code: "timeout" });
  for (let i = 0; i < 10; i++) assert.deepEqual([...(await read(good.bus, 0x30))], [0x30]);
  await hanging.clock.advance(1500);
  await work;
});

test("a recovery that never ends does not hold the bus for longer than a transfer", async () => {
  const { bus, port, clock } = setUp();
  port.mode = "hangs";
  port.recover = () => new Promise(() => {});
  const work = assert.rejects(read(bus, 0x20), { code: "timeout" });
  const next = assert.rejects(read(bus, 0x21), { code: "timeout" });
  await clock.advance(2000);
  await Promise.all([work, next]);
  assert.deepEqual(port.log, ["32:0"]);
});

test("work that failed leaves the bus to the next; closing waits for it", async () => {
  const { bus, port } = setUp();
  await assert.rejects(
    bus.device(0x20).use(async () => {
      throw new RangeError("of the driver");
    }),
    RangeError,
  );
  const last = read(bus, 0x22);
  await bus.close();
  assert.deepEqual([...(await last)], [0x22]);
  assert.deepEqual(port.log, ["34:0", "close"]);
});

test("a process that was held up does not blame the bus", async () => {
  const states: BusState[] = [];
  const port: I2cPort = {
    // Done by a thread, as the kernel's transfers are.
    transfer: async () => {
      await stat(".");
      return Uint8Array.of(1);
    },
    recover: async () => {},
    close: async () => {},
  };
  const bus = new I2cBus({ name: "receivers", port, transferTimeout: 20, changed: (state) => states.push(state) });
  const reading = read(bus, 0x20);
  await new Promise(setImmediate);
  const again = read(bus, 0x20);
  await Promise.resolve();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
  assert.deepEqual([...(await reading), ...(await again)], [1, 1]);
  assert.deepEqual(states, []);
});
