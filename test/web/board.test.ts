import assert from "node:assert/strict";
import test from "node:test";
import type { InputStatus } from "../../src/board/inputs/inputs.ts";
import { bytes, reading, supplyWords } from "../../web/boardFormat.ts";
import { type BoardState, reduceBoard } from "../../web/boardState.ts";
import { KeyHolder } from "../../web/keyHolder.ts";
import { canvasPixels } from "../../web/pixels.ts";
import { initialState, reduce } from "../../web/store.ts";

function input(connector: string, text: string): InputStatus {
  const none = { name: "", signal: null, mismatch: "", fault: "" };
  return { connector, label: connector, kind: "hdmi", text, since: "2026-01-01T00:00:00.000Z", ...none };
}

const board: BoardState = {
  board: {
    ...{ model: "virtual", name: "Box", virtual: true, faults: [], history: [] },
    readings: {
      ...{ temperatures: [], voltages: [], fans: [], supplies: [], machine: null },
      thermal: { state: "normal", message: "", fanFull: false, previewsOff: false, channelsShed: 0 },
    },
  },
  inputs: [input("hdmi1", "a"), input("hdmi2", "b")],
  panel: { picture: null, view: { title: "Home", rows: [] }, brightness: "normal", keys: [] },
};

test("a snapshot brings the board, or takes it away", () => {
  const withBoard = reduce(initialState, { type: "snapshot", channels: [], board, at: 0 });
  assert.equal(withBoard.board, board);
  assert.equal(reduce(withBoard, { type: "lost" }).board, board);
  assert.equal(reduce(withBoard, { type: "snapshot", channels: [], at: 1 }).board, null);
});

test("news of the board replace what they are about, and nothing else", () => {
  const changed = reduceBoard(board, { type: "input", status: input("hdmi2", "c") });
  assert.deepEqual(
    changed?.inputs.map(({ text }) => text),
    ["a", "c"],
  );
  assert.equal(reduceBoard(board, { type: "input", status: input("hdmi9", "x") }), board);
  const fault = { id: "i2c:front", severity: "error", message: "hangs", since: "2026-01-01T00:00:00.000Z" } as const;
  const faulty = reduceBoard(board, { type: "faults", faults: [fault] });
  assert.deepEqual([faulty?.board.faults, faulty?.board.readings], [[fault], board.board.readings]);
  const readings = { ...board.board.readings, supplies: [] };
  assert.equal(reduceBoard(faulty, { type: "readings", readings })?.board.faults[0], fault);
  const panel = { ...board.panel, brightness: "dim" } as const;
  assert.deepEqual(reduce({ ...initialState, board }, { type: "panel", panel }).board, { ...board, panel });
  assert.equal(reduceBoard(null, { type: "panel", panel }), null);
});

test("a picture's bits become pixels, row by row, the highest bit leftmost", () => {
  const pixels = Buffer.from([0b1000_0001, 0b0100_0000, 0b0000_0000, 0b1100_0000]).toString("base64");
  const picture = { kind: "graphic", width: 10, height: 2, pixels } as const;
  const colours = canvasPixels(picture, { lit: [255, 254, 253], dark: [0, 1, 2] });
  const lit = Array.from({ length: 20 }, (_, i) => [...colours.slice(4 * i, 4 * i + 4)].join());
  const on = lit.flatMap((colour, i) => (colour === "255,254,253,255" ? [i] : []));
  assert.deepEqual(on, [0, 7, 9, 18, 19]);
  assert.ok(lit.every((colour, i) => on.includes(i) || colour === "0,1,2,255"));
});

test("held keys go out in order, each once, and all are released in the end", async () => {
  const sent: string[] = [];
  let go = () => {};
  const first = new Promise<void>((resolve) => {
    go = resolve;
  });
  const holder = new KeyHolder<"ok" | "reset">(async (key, pressed) => {
    if (sent.length === 0) await first;
    sent.push(`${key} ${pressed}`);
  });
  holder.press("reset");
  holder.press("reset");
  holder.press("ok");
  holder.release("ok");
  holder.release("ok");
  holder.releaseAll();
  go();
  await new Promise(setImmediate);
  assert.deepEqual(sent, ["reset true", "ok true", "ok false", "reset false"]);
});

test("values are written with the digits that matter", () => {
  const written = [reading(54.55, "°C"), reading(12.104, "V"), reading(3210.4, "rpm"), reading(null, "%")];
  assert.deepEqual(
    written.map((text) => text.replace("\u00a0", " ")),
    ["54.5 °C", "12.10 V", "3210 rpm", "–"],
  );
  assert.deepEqual(
    [0, 1023, 1024, 1.5 * 2 ** 30, 200 * 2 ** 20, 2 ** 50].map((n) => bytes(n).replace("\u00a0", " ")),
    ["0 B", "1023 B", "1.0 KiB", "1.5 GiB", "200 MiB", "1024 TiB"],
  );
  const supply = { id: "a", label: "A", state: "ok", message: "" } as const;
  assert.equal(supplyWords({ ...supply, present: false, good: false }), "Not plugged in");
  assert.equal(supplyWords({ ...supply, present: null, good: true }), "Good");
  assert.equal(supplyWords({ ...supply, present: true, good: false }), "Failed");
  assert.equal(supplyWords({ ...supply, present: true, good: null }), "Not known");
});
