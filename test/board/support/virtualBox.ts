/** The virtual box on a clock of the test's own: its models, its inputs, and what is told of them. */
import { fileURLToPath } from "node:url";
import type { BoardFile } from "../../../src/board/boardFile.ts";
import { loadBoardFile } from "../../../src/board/boardFile.ts";
import { Hardware } from "../../../src/board/hardware.ts";
import type { BusState } from "../../../src/board/i2c.ts";
import { type InputStatus, Inputs } from "../../../src/board/inputs/inputs.ts";
import { VirtualBoard } from "../../../src/board/virtual/virtualBoard.ts";
import { Bus } from "../../../src/bus.ts";
import { type Config, config as configSchema } from "../../../src/config/schema.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

export function boardPath(model: string): string {
  return fileURLToPath(new URL(`../../../firmware/boards/${model}.json`, import.meta.url));
}

export class VirtualBox {
  readonly clock = new VirtualClock();
  readonly bus = new Bus();
  readonly board: VirtualBoard;
  readonly inputs: Inputs;
  /** Every status that was told, the latest of each connector, and how often each was told. */
  readonly latest = new Map<string, InputStatus>();
  readonly told = new Map<string, number>();
  readonly buses: [id: string, state: BusState][] = [];
  readonly missing: string[] = [];
  readonly #hardware: Hardware;
  #config: Config;

  private constructor(
    readonly file: BoardFile,
    config: object,
  ) {
    this.#config = configSchema.parse({ version: 3, ...config });
    this.board = new VirtualBoard(file, this.clock);
    this.#hardware = new Hardware({
      file,
      ports: this.board,
      clock: this.clock,
      bus: (id, state) => this.buses.push([id, state]),
      missing: (what) => this.missing.push(what),
    });
    const self = this;
    this.inputs = new Inputs({
      connectors: file.connectors,
      hardware: this.#hardware,
      config: {
        get current() {
          return self.#config;
        },
      },
      bus: this.bus,
      serial: "0001",
      clock: this.clock,
    });
    this.bus.on("input", (status) => {
      this.latest.set(status.connector, status);
      this.told.set(status.connector, (this.told.get(status.connector) ?? 0) + 1);
    });
  }

  static async start(config: object = {}): Promise<VirtualBox> {
    const box = new VirtualBox(await loadBoardFile(boardPath("virtual")), config);
    await box.#hardware.start();
    box.inputs.start();
    // The chip on HDMI 3 has its EDID in flash, which takes seconds to write the first time.
    await box.clock.advance(10_000);
    return box;
  }

  /** The driver of a connector. */
  receiver(connector: string) {
    const file = this.file.connectors.find(({ id }) => id === connector);
    const receiver = file && this.#hardware.receiver(file);
    if (receiver === undefined) throw new Error(`${connector} has no receiver`);
    return receiver;
  }

  configure(config: object): void {
    this.#config = configSchema.parse({ version: 3, ...config });
    this.bus.emit("config", { revision: 2 });
  }

  async stop(): Promise<void> {
    const stopped = this.inputs.stop();
    await this.clock.advance(5000);
    await stopped;
    await this.#hardware.stop();
  }
}
