/** A real board of models. */
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Board } from "../../../src/board/board.ts";
import { loadBoardFile } from "../../../src/board/boardFile.ts";
import type { Clock } from "../../../src/board/ports.ts";
import { Bus } from "../../../src/bus.ts";
import { config as configSchema } from "../../../src/config/schema.ts";
import { VirtualClock } from "../../support/virtualClock.ts";

const path = fileURLToPath(new URL("../../../firmware/boards/virtual.json", import.meta.url));

export interface BoardBench {
  bus: Bus;
  clock: VirtualClock;
  board: Board;
}

export async function makeBoard(bus: Bus, clock: Clock): Promise<Board> {
  const current = configSchema.parse({ version: 3, inputs: [{ connector: "sdi1", name: "Camera 3" }] });
  return new Board({
    ...{ file: await loadBoardFile(path), config: { current }, bus, serial: "0001", clock },
    host: {
      configuration: () => current,
      change: async () => "done",
      channels: () => [],
      network: () => ({ addresses: [] }),
      device: () => ({ version: "1.2.3", slot: "A", serial: "0001" }),
      reboot: async () => "done",
      presets: () => [],
      applyPreset: async () => "done",
      resetPassword: async () => ({ user: "admin", password: "abcd-efgh" }),
      factoryReset: async () => "done",
    },
    lights: () => ({ power: "live", status: "live", network: "live", channels: [] }),
    thermal: { preview: () => {}, shed: () => {} },
  });
}

/** Starts it, and waits on its clock until the inputs know what is there. */
export async function startBoard(t: TestContext): Promise<BoardBench> {
  const bus = new Bus();
  const clock = new VirtualClock();
  const board = await makeBoard(bus, clock);
  await board.start();
  await clock.advance(5000);
  t.after(async () => {
    const stopped = board.stop();
    await clock.advance(5000);
    await stopped;
  });
  return { bus, clock, board };
}
