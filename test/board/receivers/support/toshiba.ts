/** A receiver with its model on a bus, and a player in front of it. */
import assert from "node:assert/strict";
import { I2cBus, type I2cDevice } from "../../../../src/board/i2c.ts";
import { BusError, type Clock, type GpioInput, type GpioOutput, type I2cPort } from "../../../../src/board/ports.ts";
import type { Receiver, ReceiverContext } from "../../../../src/board/receivers/receiver.ts";
import type { Signal } from "../../../../src/board/signal.ts";
import type { Connector, I2cModel, Plug, Programme } from "../../../../src/board/virtual/model.ts";
import { Random } from "../../../support/random.ts";
import { VirtualClock } from "../../../support/virtualClock.ts";

export const programme: Programme = {
  width: 1920,
  height: 1080,
  interlaced: false,
  rate: [50, 1],
  colourSpace: "rgb",
  range: "full",
  hdmi: true,
  hdcp: false,
  audio: { rate: 48000, channels: 2 },
  standard: undefined,
};

export class Player implements Connector {
  plug: Plug | undefined;
  /** Every change of hot plug with its time, ms. */
  readonly hotPlugs: { at: number; shown: boolean }[] = [];
  readonly #clock: Clock;
  #hotPlug = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get hotPlug(): boolean {
    return this.#hotPlug;
  }

  set hotPlug(shown: boolean) {
    if (shown !== this.#hotPlug) this.hotPlugs.push({ at: this.#clock.now(), shown });
    this.#hotPlug = shown;
  }

  send(change: Partial<Programme> = {}, health: Plug["health"] = "good"): void {
    this.plug = { health, programme: { ...programme, ...change } };
  }
}

/** A bus with one chip on it, whose transfers can be made to fail or to answer something else. */
export class Wire implements I2cPort {
  transfers = 0;
  /** Asked before each transfer; an error it gives is thrown. */
  fault: (transfer: number) => BusError | undefined = () => undefined;
  /** May change what is read. */
  answer: (write: Uint8Array, read: Uint8Array) => Uint8Array = (_, read) => read;

  constructor(readonly chip: I2cModel) {}

  async transfer(address: number, write: Uint8Array, length: number): Promise<Uint8Array> {
    this.transfers += 1;
    const fault = this.fault(this.transfers);
    if (fault !== undefined) throw fault;
    if (!this.chip.addresses.includes(address)) throw new BusError("nack", "no chip at this address");
    return this.answer(write, this.chip.transfer(address, write, length));
  }

  async recover(): Promise<void> {}
  async close(): Promise<void> {}
}

export interface Bench<Model> {
  clock: VirtualClock;
  player: Player;
  model: Model;
  wire: Wire;
  device: I2cDevice;
  context: ReceiverContext;
  receiver: Receiver;
}

export function bench<Model extends I2cModel>(
  driver: (context: ReceiverContext) => Receiver,
  chip: new (connector: Connector, address: number, clock: Clock) => Model,
  address: number,
  /** The board's lines for the connector, where the chip needs them. */
  lines: { cablePower?: boolean; reset?: boolean } = {},
): Bench<Model> {
  const clock = new VirtualClock();
  const player = new Player(clock);
  const model = new chip(player, address, clock);
  const wire = new Wire(model);
  const device = new I2cBus({ name: "test", port: wire, clock }).device(address);
  const cablePower: GpioInput = {
    read: async () => player.plug !== undefined,
    watch: () => () => {},
    close: () => {},
  };
  const reset: GpioOutput = {
    write: async (active) => model.reset?.(active),
    close: () => {},
  };
  const context: ReceiverContext = {
    i2c: device,
    spi: { transfer: () => Promise.reject(new Error("no SPI")), close: async () => {} },
    clock,
    cablePower: lines.cablePower ? cablePower : undefined,
    hotPlug: undefined,
    reset: lines.reset ? reset : undefined,
  };
  return { clock, player, model, wire, device, context, receiver: driver(context) };
}

/** An EDID of so many blocks with right checksums, told apart by its serial number. */
export function edid(blocks: number, serial = 1): Uint8Array {
  const bytes = new Uint8Array(blocks * 128);
  bytes.set([0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x4c, 0x2d, 1, 0, serial & 0xff, serial >> 8]);
  bytes[126] = blocks - 1;
  for (let block = 0; block < blocks; block += 1) {
    const at = block * 128;
    if (block > 0) bytes.set([0x02, 0x03, block, serial & 0xff], at);
    const sum = bytes.subarray(at, at + 127).reduce((a, b) => a + b, 0);
    bytes[at + 127] = (0x100 - (sum % 256)) % 256;
  }
  return bytes;
}

/** What a player of a storm does; the driver's test says what it should make of it. */
export type Truth = (plug: Plug | undefined) => Signal;

/**
 * Plugs, unplugs, changes programmes, resets the chip and breaks transfers at random. Once all is calm, the driver must
 * say the truth, and the source must find the last EDID.
 */
export async function storm<Model extends I2cModel & { ddc(): Uint8Array | undefined }>(
  { receiver, player, model, wire, clock }: Bench<Model>,
  { seed, programmes, truth }: { seed: number; programmes: readonly Partial<Programme>[]; truth: Truth },
): Promise<void> {
  const random = new Random(seed);
  const attempt = async (work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof BusError) return false;
      throw error;
    }
  };
  let wanted = edid(1);
  for (let step = 0; step < 60; step += 1) {
    const rate = random.pick([0, 0, 0.02, 0.2]);
    const code = random.pick(["nack", "timeout"] as const);
    wire.fault = () => (random.chance(rate) ? new BusError(code, "storm") : undefined);
    const act = random.below(8);
    if (act === 0) player.plug = undefined;
    else if (act === 1) model.reset?.(true);
    else if (act === 2) {
      wanted = edid(1 + random.below(2), step);
      await attempt(() => receiver.edid?.write(wanted) ?? Promise.resolve());
    } else if (act < 6) {
      player.send(random.pick(programmes), random.pick(["good", "good", "good", "no-clock", "no-lock"]));
    }
    if (act === 1) model.reset?.(false);
    if (random.chance(0.7)) await attempt(() => receiver.read());
    if (random.chance(0.2)) await attempt(() => receiver.start());
    await clock.advance(random.below(1500));
  }
  wire.fault = () => undefined;
  await clock.advance(2000);
  // What the input's service does: prepares again, and writes the EDID that the chip has not.
  await receiver.start();
  const held = await receiver.edid?.read(wanted.length);
  if (Buffer.compare(held ?? wanted, wanted) !== 0) await receiver.edid?.write(wanted);
  const signal = await receiver.read();
  assert.deepEqual(signal, truth(player.plug), `seed ${seed}`);
  assert.deepEqual(model.ddc()?.subarray(0, wanted.length), wanted, `EDID, seed ${seed}`);
}
