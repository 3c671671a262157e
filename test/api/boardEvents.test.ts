import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type BoardSnapshot, boardSnapshot, type PanelStatus } from "../../src/api/boardControl.ts";
import type { InputStatus } from "../../src/board/inputs/inputs.ts";
import type { BoardReadings } from "../../src/board/sensors/readings.ts";
import { startBoard } from "./support/board.ts";
import { Box } from "./support/box.ts";
import { Listener } from "./support/listener.ts";

test("a client gets the board first, then what changes: inputs, readings, faults, the panel", async (t) => {
  const { board, bus, clock } = await startBoard(t);
  const box = await Box.start(t, { board, bus });
  const client = await Listener.open(t, box);
  const [snapshot] = client.of("snapshot") as (BoardSnapshot & { revision: number })[];
  assert(snapshot !== undefined);
  const { inputs, panel, board: status } = JSON.parse(JSON.stringify(boardSnapshot(board))) as BoardSnapshot;
  assert.deepEqual([snapshot.inputs, snapshot.panel], [inputs, panel]);
  // The machine under the test is read on its own time.
  const { readings, ...rest } = snapshot.board;
  assert.deepEqual(
    { ...rest, readings: { ...readings, machine: null } },
    { ...status, readings: { ...status.readings, machine: null } },
  );

  board.virtual?.connector("hdmi1").set({ plugged: false });
  board.virtual?.supply("b", "failed");
  await clock.advance(5000);
  await client.until(() => client.of("readings").length > 0 && client.of("input").length > 0);
  const input = client.of("input").at(-1) as InputStatus;
  assert.deepEqual([input.connector, input.signal?.state], ["hdmi1", "no-cable"]);
  assert.equal((client.of("readings").at(-1) as BoardReadings).supplies[1]?.state, "critical");

  board.virtual?.bus("receivers-a").hang(true);
  await clock.advance(60_000);
  await client.until(() => JSON.stringify(client.of("faults").at(-1) ?? "").includes("i2c:receivers-a"));

  board.panel.press("ok");
  await clock.advance(1000);
  const view = JSON.stringify(board.panel.view());
  await client.until(() => JSON.stringify((client.of("panel").at(-1) as PanelStatus | undefined)?.view) === view);
});

test("the panel is told at most five times a second, and looked at only while somebody listens", async (t) => {
  const { board, bus } = await startBoard(t);
  let looks = 0;
  const box = await Box.start(t, {
    bus,
    board: {
      ...{ file: board.file, virtual: undefined, inputs: board.inputs, sensors: board.sensors },
      readings: () => board.readings(),
      faults: () => board.faults(),
      panel: {
        press: () => {},
        findMe: () => {},
        get mirror() {
          return { view: { title: `${looks++}`, rows: [] }, picture: undefined };
        },
        brightness: "normal",
      },
    },
  });
  await sleep(300);
  assert.equal(looks, 0, "nobody listens");
  const client = await Listener.open(t, box);
  const began = performance.now();
  await client.until(() => client.of("panel").length >= 5);
  const seconds = (performance.now() - began) / 1000;
  assert.ok(seconds > 0.8, `5 in ${seconds} s`);
  client.socket.destroy();
  await sleep(300);
  const before = looks;
  await sleep(500);
  assert.equal(looks, before, "nobody listens any more");
});
