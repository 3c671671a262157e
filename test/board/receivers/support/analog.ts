/** A chip's model on a bus that can be made unreliable, and the driver on it. */
import { I2cBus, type I2cDevice } from "../../../../src/board/i2c.ts";
import { BusError, type I2cPort } from "../../../../src/board/ports.ts";
import type { Receiver, ReceiverContext } from "../../../../src/board/receivers/receiver.ts";
import type { AnalogueStandard, Signal } from "../../../../src/board/signal.ts";
import type { Connector, I2cModel, Plug, Programme } from "../../../../src/board/virtual/model.ts";
import { Random } from "../../../support/random.ts";
import { VirtualClock } from "../../../support/virtualClock.ts";

export class TestConnector implements Connector {
  plug: Plug | undefined;
  hotPlug = false;
}

/** Passes transfers on to the model, with what a test wants to happen on the way. */
export class TestPort implements I2cPort {
  readonly #model: I2cModel;
  /** Called before each transfer; may throw. */
  before: (address: number, write: Uint8Array) => void = () => {};
  /** What is read in place of what the model gives. */
  patch: (address: number, write: Uint8Array, read: Uint8Array) => Uint8Array = (_address, _write, read) => read;

  constructor(model: I2cModel) {
    this.#model = model;
  }

  async transfer(address: number, write: Uint8Array, length: number): Promise<Uint8Array> {
    this.before(address, write);
    if (!this.#model.addresses.includes(address)) throw new BusError("nack", `nobody at 0x${address.toString(16)}`);
    return this.patch(address, write, this.#model.transfer(address, write, length));
  }

  async recover(): Promise<void> {}

  async close(): Promise<void> {}
}

type ModelClass<M> = new (connector: Connector, address: number, clock: VirtualClock) => M;

export class Bench<M extends I2cModel> {
  readonly clock = new VirtualClock();
  readonly connector = new TestConnector();
  readonly model: M;
  readonly port: TestPort;
  readonly device: I2cDevice;
  /** What was written to the reset line. */
  readonly resets: boolean[] = [];

  constructor(model: ModelClass<M>, address: number) {
    this.model = new model(this.connector, address, this.clock);
    this.port = new TestPort(this.model);
    this.device = new I2cBus({ name: "test", port: this.port, clock: this.clock }).device(address);
  }

  driver(factory: (context: ReceiverContext) => Receiver, withReset = false): Receiver {
    const reset = {
      write: async (active: boolean) => {
        this.resets.push(active);
        this.model.reset?.(active);
      },
      close: () => {},
    };
    const none = { cablePower: undefined, hotPlug: undefined, reset: withReset ? reset : undefined };
    const spi = { transfer: () => Promise.reject(new Error("no SPI")), close: async () => {} };
    return factory({ i2c: this.device, spi, clock: this.clock, ...none });
  }

  plug(programme: Programme, health: Plug["health"] = "good"): void {
    this.connector.plug = { programme, health };
  }

  /** A pulse of the chip's reset, which the driver does not know of. */
  reset(): void {
    this.model.reset?.(true);
    this.model.reset?.(false);
  }
}

export const programme: Programme = {
  ...{ width: 1920, height: 1080, interlaced: false, rate: [60, 1], colourSpace: "ycbcr-422", range: "limited" },
  ...{ hdmi: true, hdcp: false, audio: { rate: 48000, channels: 2 }, standard: undefined },
};

export interface Chaos<M extends I2cModel> {
  seed: number;
  bench: Bench<M>;
  receiver: Receiver;
  programme: (random: Random) => Programme;
  /** Something else that the driver may be asked for. */
  ask: (random: Random) => Promise<unknown>;
  /** What is true in the end. */
  truth: () => Signal;
}

/**
 * A random story of plugs, programmes, resets (also between two transfers) and errors of the bus; once all is calm the
 * driver must tell what is true. Gives both.
 */
export async function chaos<M extends I2cModel>({ seed, bench, receiver, programme, ask, truth }: Chaos<M>) {
  const random = new Random(seed);
  const tried = async (call: () => Promise<unknown>) => {
    try {
      await call();
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
    }
  };
  bench.port.before = () => {
    if (random.chance(0.004)) bench.reset();
    if (random.chance(0.01)) throw new BusError(random.chance(0.8) ? "nack" : "timeout", "by chance");
  };
  await tried(() => receiver.start());
  for (let step = 0; step < 40; step++) {
    const what = random.below(8);
    if (what === 0) bench.connector.plug = undefined;
    else if (what === 1) bench.plug(programme(random), random.pick(["good", "good", "no-clock", "no-lock"]));
    else if (what === 2) bench.reset();
    else if (what === 3) await tried(() => ask(random));
    else if (what === 4) await bench.clock.advance(random.below(1500));
    else if (what === 5) await tried(() => receiver.start());
    else await tried(() => receiver.read());
  }
  bench.port.before = () => {};
  for (let look = 0; look < 4; look++) {
    await bench.clock.advance(1100);
    await receiver.read();
  }
  return { told: await receiver.read(), truth: truth() };
}

/** Seeds of a property test. */
export const seeds: readonly number[] = Array.from({ length: 60 }, (_, i) => i + 1);

/** What a player of this colour system sends; undefined: YPbPr of 625 lines. */
export function analogueProgramme(standard: AnalogueStandard | undefined): Programme {
  const lines525 = standard !== undefined && ["ntsc", "ntsc-443", "pal-m", "pal-60"].includes(standard);
  const picture = lines525
    ? ({ height: 480, rate: [30000, 1001] } as const)
    : ({ height: 576, rate: [25, 1] } as const);
  return { ...programme, width: 720, interlaced: true, ...picture, hdmi: false, audio: undefined, standard };
}

export const analogueStandards = ["ntsc", "ntsc-443", "pal", "pal-m", "pal-n", "pal-60", "secam"] as const;

/** What a decoder of composite video should tell that is set to a standard, and knows some. */
export function decoded(
  { plug }: Connector,
  forced: AnalogueStandard | "auto",
  known: readonly AnalogueStandard[],
): Signal {
  if (plug === undefined || plug.health === "no-clock") return { state: "no-cable" };
  const { height, rate, standard } = plug.programme;
  const fits = standard !== undefined && known.includes(standard) && (forced === "auto" || forced === standard);
  if (plug.health === "no-lock" || !fits) return { state: "no-lock", lock: false };
  const video = { width: 720, height, interlaced: true, rate, colourSpace: "ycbcr-422", range: "limited" } as const;
  return { state: "locked", lock: true, video, standard };
}
