import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { type TestContext } from "node:test";
import { systemClock } from "../../../src/board/ports.ts";
import { Machine } from "../../../src/board/sensors/machine.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

function made(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), "machine-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const clock = new VirtualClock();
  let disks = 0;
  const machine = new Machine({
    ...{ clock, proc: join(root, "proc"), sys: join(root, "sys") },
    facts: {
      mem: async () => ({ total: 8e9, available: 6e9 }),
      fsSize: async () => {
        disks++;
        return [{ mount: "/data", size: 1000, used: 400, available: 500 }];
      },
    },
  });
  return { write, clock, machine, disks: () => disks };
}

const stat = (a: string, b: string, all: string) => `cpu  ${all}\ncpu0 ${a}\ncpu1 ${b}\nintr 123 0 0\nctxt 5\n`;

test("cores: busy since the reading before, waiting for disks is idle, guests count once", async (t) => {
  const { write, machine } = made(t);
  write("proc/stat", stat("100 0 100 800 0 0 0 0 0 0", "0 0 0 1000 0 0 0 0 0 0", "100 0 100 1800 0 0 0 0 0 0"));
  assert.equal((await machine.read()).cpu, null);
  write(
    "proc/stat",
    stat("150 10 120 850 70 0 0 0 50 0", "0 0 0 1100 100 0 0 0 0 0", "150 10 120 1950 170 0 0 0 50 0"),
  );
  assert.deepEqual((await machine.read()).cpu, { total: 20, cores: [40, 0] });
  write("proc/stat", "");
  assert.equal((await machine.read()).cpu, null);
});

const dev = (received: number, sent: number) =>
  [
    "Inter-|   Receive                                                |  Transmit",
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed",
    "    lo: 999 9 0 0 0 0 0 0 999 9 0 0 0 0 0 0",
    `  eth0: ${received} 10 1 2 0 0 0 0 ${sent} 20 3 4 0 0 0 0`,
    "eth1.100:0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
    "",
  ].join("\n");

test("network: state, speed, rates in bit/s, errors", async (t) => {
  const { write, machine, clock } = made(t);
  write("proc/net/dev", dev(1000, 5000));
  write("sys/class/net/eth0/operstate", "up\n");
  write("sys/class/net/eth0/speed", "1000\n");
  write("sys/class/net/eth1.100/operstate", "down\n");
  write("sys/class/net/eth1.100/speed", "-1\n");
  const first = (await machine.read()).network;
  assert.deepEqual(
    first.map(({ name, receiveRate }) => [name, receiveRate]),
    [
      ["eth0", null],
      ["eth1.100", null],
    ],
  );
  await clock.advance(4000);
  write("proc/net/dev", dev(1_001_000, 5000));
  assert.deepEqual((await machine.read()).network[0], {
    ...{ name: "eth0", state: "up", speed: 1e9, receiveRate: 2e6, sendRate: 0 },
    ...{ receiveErrors: 1, receiveDropped: 2, sendErrors: 3, sendDropped: 4 },
  });
  assert.deepEqual((await machine.read()).network[1]?.speed, null);
  // Made anew, its counters begin at 0.
  await clock.advance(4000);
  write("proc/net/dev", dev(10, 10));
  assert.equal((await machine.read()).network[0]?.receiveRate, null);
});

test("storage and its wear are read at the start and every ten minutes", async (t) => {
  const { write, machine, clock, disks } = made(t);
  const chip = "sys/class/mmc_host/mmc0/mmc0:0001";
  write(`${chip}/life_time`, "0x02 0x0b\n");
  write(`${chip}/pre_eol_info`, "0x02\n");
  // An SD card tells nothing, and a chip may not know.
  write("sys/class/mmc_host/mmc1/mmc1:aaaa/type", "SD\n");
  write("sys/class/mmc_host/mmc2/mmc2:0001/life_time", "0x00 0x00\n");
  await machine.read();
  const { storage, wear, memory } = await machine.read();
  assert.deepEqual(storage, [{ path: "/data", size: 1000, used: 400, available: 500 }]);
  assert.deepEqual(wear, [{ device: "mmc0:0001", lifeUsed: 110, spare: "warning" }]);
  assert.deepEqual(memory, { total: 8e9, available: 6e9 });
  await clock.advance(599_000);
  await machine.read();
  assert.equal(disks(), 1);
  await clock.advance(1000);
  await machine.read();
  assert.equal(disks(), 2);
});

test("a kernel that tells nothing leaves nulls and empty lists", async () => {
  const facts = { mem: () => Promise.reject(new Error("no")), fsSize: () => Promise.reject(new Error("no")) };
  const machine = new Machine({ clock: new VirtualClock(), proc: "/nonexistent", sys: "/nonexistent", facts });
  const { cpu, memory, network, storage, wear } = await machine.read();
  assert.deepEqual([cpu, memory, network, storage, wear], [null, null, [], [], []]);
});

test("this machine", async () => {
  const machine = new Machine({ clock: systemClock });
  const { memory, load, uptime } = await machine.read();
  assert.ok(memory !== null && memory.available > 0 && memory.available < memory.total);
  assert.ok(load.every((value) => value >= 0) && uptime > 0);
  const { cpu } = await machine.read();
  assert.ok(cpu === null || cpu.cores.every((part) => part >= 0 && part <= 100));
});
