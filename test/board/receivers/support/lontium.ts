/** A receiver with its model on a bus that can be made to fail, and the pictures to try it with. */
import assert from "node:assert/strict";
import { I2cBus } from "../../../../src/board/i2c.ts";
import { BusError, type Clock, type I2cPort } from "../../../../src/board/ports.ts";
import type { Receiver, ReceiverContext } from "../../../../src/board/receivers/receiver.ts";
import { exactRate, type Signal } from "../../../../src/board/signal.ts";
import type { Connector, Health, I2cModel, Plug, Programme } from "../../../../src/board/virtual/model.ts";
import { Random } from "../../../support/random.ts";
import { VirtualClock } from "../../../support/virtualClock.ts";

export class TestConnector implements Connector {
  plug: Plug | undefined;
  hotPlug = false;
}

/** The bus of one model. */
class TestPort implements I2cPort {
  /** Counts all transfers. */
  transfers = 0;
  /** Says which transfers fail. */
  fault: (transfer: number) => BusError["code"] | undefined = () => undefined;
  readonly #model: I2cModel;

  constructor(model: I2cModel) {
    this.#model = model;
  }

  async transfer(address: number, write: Uint8Array, length: number): Promise<Uint8Array> {
    const fault = this.fault(this.transfers++);
    if (fault !== undefined) throw new BusError(fault, "a fault of the test");
    if (!this.#model.addresses.includes(address)) throw new BusError("nack", `nothing at ${address}`);
    return this.#model.transfer(address, write, length);
  }

  async recover(): Promise<void> {}
  async close(): Promise<void> {}
}

export interface Rig<M extends I2cModel> {
  clock: VirtualClock;
  connector: TestConnector;
  model: M;
  port: TestPort;
  receiver: Receiver;
  /** Takes a time without anybody doing anything. */
  wait(ms: number): Promise<void>;
}

export interface RigOptions<M extends I2cModel> {
  address: number;
  model: new (connector: Connector, address: number, clock: Clock) => M;
  receiver: (context: ReceiverContext) => Receiver;
  /** Lines that the board has for the connector. */
  lines: readonly ("cablePower" | "hotPlug" | "reset")[];
}

export function rig<M extends I2cModel>({ address, model: Model, receiver, lines }: RigOptions<M>): Rig<M> {
  const clock = new VirtualClock();
  const connector = new TestConnector();
  const model = new Model(connector, address, clock);
  const port = new TestPort(model);
  const bus = new I2cBus({ name: "test", port, clock });
  const input = { read: async () => connector.plug !== undefined, watch: () => () => {}, close: () => {} };
  const output = (write: (active: boolean) => void) => ({
    write: async (active: boolean) => write(active),
    close: () => {},
  });
  const hotPlug = output((shown) => {
    connector.hotPlug = shown;
  });
  const context: ReceiverContext = {
    i2c: bus.device(address),
    spi: { transfer: () => Promise.reject(new BusError("unavailable", "no SPI")), close: async () => {} },
    clock,
    cablePower: lines.includes("cablePower") ? input : undefined,
    hotPlug: lines.includes("hotPlug") ? hotPlug : undefined,
    reset: lines.includes("reset") ? output((active) => model.reset?.(active)) : undefined,
  };
  return { clock, connector, model, port, receiver: receiver(context), wait: (ms) => clock.advance(ms) };
}

/** The chip loses its power for a moment. */
export function resetChip(model: I2cModel): void {
  model.reset?.(true);
  model.reset?.(false);
}

export function programme(name: string, changes: Partial<Programme> = {}): Programme {
  const [, width = "", height = "", scan = "", rate = ""] = /^(\d+)x(\d+)([pi])([\d.]+)$/.exec(name) ?? [];
  return {
    width: Number(width),
    height: Number(height),
    interlaced: scan === "i",
    rate: exactRate(Number(rate)),
    colourSpace: "rgb",
    range: "limited",
    hdmi: true,
    hdcp: false,
    audio: { rate: 48000, channels: 2 },
    standard: undefined,
    ...changes,
  };
}

export function plug(name: string, changes: Partial<Programme> = {}, health: Health = "good"): Plug {
  return { health, programme: programme(name, changes) };
}

/** A valid EDID of that many blocks. */
export function edid(blocks: number, seed: number): Uint8Array {
  const random = new Random(seed);
  const bytes = Uint8Array.from({ length: blocks * 128 }, () => random.below(256));
  bytes.set([0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00]);
  bytes[126] = blocks - 1;
  for (let block = 0; block < blocks; block++) {
    const sum = bytes.subarray(block * 128, block * 128 + 127).reduce((total, byte) => total + byte, 0);
    bytes[block * 128 + 127] = -sum & 0xff;
  }
  return bytes;
}

/** Fails the first transfers from now on. */
export function failNext(port: TestPort, count: number, code: BusError["code"]): void {
  const from = port.transfers;
  port.fault = (transfer) => (transfer >= from && transfer < from + count ? code : undefined);
}

/** Reads, and takes a bus error as an answer. */
export async function tryRead(receiver: Receiver): Promise<Signal | BusError> {
  try {
    return await receiver.read();
  } catch (error) {
    if (error instanceof BusError) return error;
    throw error;
  }
}

/**
 * Cables, pictures, resets and bus errors in a random order, with readings in between, and new EDIDs where these are in
 * RAM; then all is calm, and the last reading must be the truth. After a bus error the receiver is started anew and its
 * EDID compared, as its input does it.
 */
export async function storm<M extends I2cModel>(
  options: RigOptions<M>,
  plugs: readonly Plug[],
  expected: (plug: Plug | undefined) => Signal,
  seed: number,
  edids: boolean,
): Promise<Rig<M>> {
  const random = new Random(seed);
  const storming = rig(options);
  const { connector, model, port, receiver, wait } = storming;
  let started = false;
  let wanted: Uint8Array | undefined;
  const look = async () => {
    try {
      if (!started) await receiver.start();
      if (
        !started &&
        wanted !== undefined &&
        Buffer.compare((await receiver.edid?.read(256)) ?? wanted, wanted) !== 0
      ) {
        await receiver.edid?.write(wanted);
      }
      started = true;
      await receiver.read();
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      started = false;
    }
  };
  for (let step = 0; step < 30; step++) {
    const action = random.below(8);
    if (action === 0) connector.plug = undefined;
    else if (action <= 2) connector.plug = random.pick(plugs);
    else if (action === 3 && connector.plug !== undefined) {
      connector.plug = { ...connector.plug, health: random.pick(["good", "no-clock", "no-lock"]) };
    } else if (action === 4) resetChip(model);
    else if (action === 5) {
      const from = port.transfers + random.below(12);
      const count = 1 + random.below(6);
      const code = random.pick(["nack", "timeout"] as const);
      port.fault = (transfer) => (transfer >= from && transfer < from + count ? code : undefined);
    } else if (action === 6) await wait(random.below(700));
    else if (edids) {
      wanted = edid(2, step);
      started = false;
    }
    await look();
  }
  port.fault = () => undefined;
  for (let calm = 0; calm < 4; calm++) {
    await wait(4000);
    await look();
  }
  assert.deepEqual(await receiver.read(), expected(connector.plug), `seed ${seed}`);
  if (wanted !== undefined) assert.deepEqual(await receiver.edid?.read(256), wanted, `seed ${seed}`);
  return storming;
}
