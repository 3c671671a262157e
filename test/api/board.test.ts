import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { BenchStatus } from "../../src/api/bench.ts";
import type { BoardStatus, PanelStatus } from "../../src/api/boardControl.ts";
import type { InputStatus } from "../../src/board/inputs/inputs.ts";
import type { ChartPoints } from "../../src/board/sensors/history.ts";
import { startBoard } from "./support/board.ts";
import { Box } from "./support/box.ts";

async function start(t: TestContext) {
  const { board, bus, clock } = await startBoard(t);
  const box = await Box.start(t, { board, bus });
  const get = async <T>(path: string) => (await box.call("GET", path)).body as T;
  return { box, board, bus, clock, get };
}

test("the inputs tell what comes in, one by one and all together", async (t) => {
  const { box, get } = await start(t);
  const inputs = await get<InputStatus[]>("/inputs");
  assert.deepEqual(
    inputs.map(({ connector }) => connector),
    ["hdmi1", "hdmi2", "hdmi3", "hdmi4", "sdi1", "cvbs1", "asi1"],
  );
  const first = await get<InputStatus>("/inputs/hdmi1");
  assert.deepEqual(first, inputs[0]);
  assert.deepEqual([first.label, first.signal?.state], ["HDMI 1", "locked"]);
  assert.match(first.text, /^720p50, /);
  const { detail } = await box.refused("not-found", "GET", "/inputs/hdmi9");
  assert.equal(detail, 'There is no connector "hdmi9"');
});

test("the board tells its model, its faults and its readings", async (t) => {
  const { get } = await start(t);
  const board = await get<BoardStatus>("/board");
  assert.deepEqual([board.model, board.name, board.virtual], ["virtual", "Steadycast virtual box", true]);
  assert.deepEqual(board.faults, []);
  assert.deepEqual(
    board.readings.temperatures.map(({ id, state }) => [id, state]),
    [
      ["soc", "ok"],
      ["board", "ok"],
    ],
  );
});

test("a value's history comes in points, as far back as asked for", async (t) => {
  const { box, clock, get } = await start(t);
  await clock.advance(60_000);
  const { history } = await get<BoardStatus>("/board");
  assert.ok(history.includes("temperature/soc"));
  const points = await get<ChartPoints>("/board/history?sensor=temperature/soc&seconds=60");
  assert.deepEqual([points.interval, points.mean.length], [10, 6]);
  assert.ok(points.mean.every((value) => value !== null && value > 20 && value < 60));
  assert.equal((await get<ChartPoints>("/board/history?sensor=temperature/soc")).mean.length, 360);
  await box.refused("not-found", "GET", "/board/history?sensor=temperature/moon");
  await box.refused("bad-request", "GET", "/board/history");
  for (const seconds of ["0", "86401", "soon", "-1", "1e3"]) {
    const { detail } = await box.refused("bad-request", "GET", `/board/history?sensor=cpu&seconds=${seconds}`);
    assert.equal(detail, "seconds must be between 1 and 86400");
  }
});

test("the panel is seen and operated from afar", async (t) => {
  const { box, board, clock, get } = await start(t);
  const before = await get<PanelStatus>("/panel");
  assert.deepEqual(before.keys, ["up", "down", "left", "right", "ok", "back"]);
  assert(before.picture?.kind === "graphic");
  const { width, height, pixels } = before.picture;
  assert.deepEqual([width, height], [128, 64]);
  const shown = board.virtual?.display?.picture();
  assert(shown?.kind === "graphic");
  assert.equal(pixels, Buffer.from(shown.pixels).toString("base64"));
  assert.equal((await box.call("POST", "/panel/keys", { key: "ok" })).status, 204);
  await clock.advance(1000);
  const after = await get<PanelStatus>("/panel");
  assert.notDeepEqual(after.view, before.view);
  assert(after.picture?.kind === "graphic");
  assert.notEqual(after.picture.pixels, pixels);
});

test("a key that does not exist is refused with its name, and so is anything beside it", async (t) => {
  const { box } = await start(t);
  const wrong = await box.refused("invalid", "POST", "/panel/keys", { key: "enter", times: 2 });
  assert.deepEqual(wrong.errors?.map(({ pointer }) => pointer).sort(), ["/key", "/times"]);
  assert.match(
    wrong.errors?.find(({ pointer }) => pointer === "/key")?.detail ?? "",
    /^must be one of "up", .*"enter"$/,
  );
  await box.refused("bad-request", "POST", "/panel/keys", "{");
  await box.refused("media-type", "POST", "/panel/keys", { key: "ok" }, { "Content-Type": "text/plain" });
});

test("find me lets the lights blink", async (t) => {
  const { box, board, clock } = await start(t);
  const line = { chip: "leds", offset: 0, activeLow: false };
  let changes = 0;
  board.virtual?.gpio.watch(line, () => changes++);
  assert.equal((await box.call("POST", "/board/find-me")).status, 204);
  await clock.advance(2000);
  assert.ok(changes >= 15, `${changes} changes`);
});

test("the bench tells the surroundings and changes the players", async (t) => {
  const { box, clock, get } = await start(t);
  const bench = await get<BenchStatus>("/bench");
  assert.equal(bench.players.length, 7);
  assert.deepEqual(
    bench.keys.map(({ key, pressed }) => `${key} ${pressed}`),
    ["up false", "down false", "left false", "right false", "ok false", "back false", "reset false"],
  );
  assert.deepEqual(bench.supplies, [
    { id: "a", label: "Power supply A", state: "good" },
    { id: "b", label: "Power supply B", state: "good" },
  ]);
  assert.ok(bench.modes.includes("1080i50") && bench.patterns.includes("ball"));

  const change = { mode: "1080i50", pattern: "ball", sound: false };
  const { body } = await box.call("PATCH", "/bench/players/hdmi2", change);
  const player = (body as BenchStatus).players.find(({ connector }) => connector === "hdmi2");
  assert.deepEqual({ ...player, ...change }, player);
  await clock.advance(5000);
  assert.equal((await get<InputStatus>("/inputs/hdmi2")).text, "1080i50, no sound");
  await box.call("PATCH", "/bench/players/hdmi2", { plugged: false });
  await clock.advance(5000);
  assert.equal((await get<InputStatus>("/inputs/hdmi2")).signal?.state, "no-cable");
});

test("keys of the bench stay pressed until they are released", async (t) => {
  const { box, clock, get } = await start(t);
  const { body } = await box.call("POST", "/bench/keys", { key: "reset", pressed: true });
  assert.deepEqual(
    (body as BenchStatus).keys.filter(({ pressed }) => pressed).map(({ key }) => key),
    ["reset"],
  );
  await clock.advance(3500);
  assert.match((await get<PanelStatus>("/panel")).view.rows[0]?.text ?? "", /^Hold 7 s more/);
  await box.call("POST", "/bench/keys", { key: "reset", pressed: false });
  await clock.advance(1000);
  assert.equal((await get<PanelStatus>("/panel")).view.rows[0]?.text, "Cancelled.");
});

test("power, fan, heat and voltages of the bench reach the readings", async (t) => {
  const { box, clock, get } = await start(t);
  await box.call("PATCH", "/bench/supplies/b", { state: "absent" });
  const { body } = await box.call("PATCH", "/bench/environment", {
    ...{ fanStopped: true, room: 30, load: 0.5 },
    ...{ heat: { soc: 90 }, voltages: { v12: 11 } },
  });
  const { environment, supplies } = body as BenchStatus;
  assert.deepEqual(
    supplies.map(({ state }) => state),
    ["good", "absent"],
  );
  const { rpm, temperatures, ...set } = environment;
  assert.ok(rpm > 0);
  assert.equal(temperatures.soc, 90);
  assert.deepEqual(set, {
    ...{ fanStopped: true, room: 30, load: 0.5 },
    ...{ heat: { soc: 90, board: null }, voltages: { v12: 11, v5: null } },
  });
  await clock.advance(30_000);
  const { readings } = await get<BoardStatus>("/board");
  const states = [...readings.temperatures, ...readings.voltages, ...readings.fans, ...readings.supplies].map(
    ({ id, state }) => `${id} ${state}`,
  );
  assert.ok(states.includes("soc warning"), states.join());
  assert.ok(states.includes("fan1 critical") && states.includes("b warning"), states.join());
  assert.ok(states.includes("v12 critical") || states.includes("v12 warning"), states.join());
  const released = await box.call("PATCH", "/bench/environment", { heat: { soc: null }, voltages: { v12: null } });
  assert.deepEqual((released.body as BenchStatus).environment.heat, { soc: null, board: null });
  assert.deepEqual((released.body as BenchStatus).environment.voltages, { v12: null, v5: null });
});

test("a bus that hangs is a fault of the board, until it works again", async (t) => {
  const { box, clock, get } = await start(t);
  await box.call("PATCH", "/bench/buses/receivers-a", { hangs: true });
  await clock.advance(60_000);
  const { faults } = await get<BoardStatus>("/board");
  assert.ok(faults.some(({ id, message }) => id === "i2c:receivers-a" && message.includes("hangs")));
  assert.notEqual((await get<InputStatus>("/inputs/hdmi1")).fault, "");
  const { body } = await box.call("PATCH", "/bench/buses/receivers-a", { hangs: false });
  assert.ok((body as BenchStatus).buses.every(({ hangs }) => !hangs));
  await clock.advance(60_000);
  assert.deepEqual((await get<BoardStatus>("/board")).faults, []);
});

test("what the bench does not have or take is refused by name, and nothing changes", async (t) => {
  const { box, get } = await start(t);
  const before = await get<BenchStatus>("/bench");
  const cases: [method: string, path: string, body: unknown, pointer: string, detail: RegExp][] = [
    ["PATCH", "/bench/players/hdmi1", { mode: "1080p49" }, "/mode", /^must be one of .*is "1080p49"$/],
    ["PATCH", "/bench/players/hdmi1", { sound: "yes", plugged: false }, "/sound", /^must be true or false, is "yes"$/],
    ["PATCH", "/bench/players/hdmi1", { audioRate: 8000 }, "/audioRate", /^must be one of 32000, .*is 8000$/],
    ["PATCH", "/bench/players/hdmi1", { colour: "red" }, "/colour", /^is not a known setting$/],
    ["PATCH", "/bench/players/hdmi1", [], "", /^must be an object/],
    ["POST", "/bench/keys", { key: "ok" }, "/pressed", /^is required$/],
    ["PATCH", "/bench/supplies/a", { state: "away" }, "/state", /^must be one of "good", "failed", "absent"/],
    ["PATCH", "/bench/environment", { room: 100 }, "/room", /^must be between -20 and 60.*, is 100$/],
    ["PATCH", "/bench/environment", { heat: { soc: 900 } }, "/heat/soc", /^must be between -40 and 150.*, is 900$/],
    ["PATCH", "/bench/environment", { voltages: { v12: -1 } }, "/voltages/v12", /^must be between 0 and 30.*, is -1$/],
    [
      ...(["PATCH", "/bench/environment", { fanStopped: true, voltages: { v3: 3 } }] as const),
      ...(["/voltages/v3", /^is not a voltage of this board, which has v12, v5$/] as const),
    ],
    ["PATCH", "/bench/buses/front", { hangs: 1 }, "/hangs", /^must be true or false, is 1$/],
  ];
  for (const [method, path, body, pointer, detail] of cases) {
    const { errors } = await box.refused("invalid", method, path, body);
    assert.deepEqual(
      errors?.map((error) => error.pointer),
      [pointer],
    );
    assert.match(errors?.[0]?.detail ?? "", detail);
  }
  await box.refused("not-found", "PATCH", "/bench/players/hdmi9", { plugged: true });
  await box.refused("not-found", "PATCH", "/bench/supplies/c", { state: "good" });
  await box.refused("not-found", "PATCH", "/bench/buses/back", { hangs: true });
  const after = await get<BenchStatus>("/bench");
  assert.deepEqual(after, before);
});

test("a real box has no bench, and one without a board has none of it, in the routes or in the description", async (t) => {
  const { board, bus } = await startBoard(t);
  const { file, inputs, panel, sensors } = board;
  const readings = () => board.readings();
  const faults = () => board.faults();
  const real = await Box.start(t, {
    bus,
    board: { file, inputs, panel, sensors, readings, faults, virtual: undefined },
  });
  assert.equal(((await real.call("GET", "/board")).body as BoardStatus).virtual, false);
  await real.refused("not-found", "GET", "/bench");
  assert.doesNotMatch(JSON.stringify(real.document), /bench|PlayerPatch/i);
  const bare = await Box.start(t);
  for (const path of ["/inputs", "/board", "/panel", "/bench"]) await bare.refused("not-found", "GET", path);
  assert.doesNotMatch(JSON.stringify(bare.document.paths), /\/(inputs|board|panel|bench)/);
  assert.doesNotMatch(JSON.stringify(Object.keys(bare.document.components as object)), /Input|Board|Panel/);
});

test("a panel of characters is told in lines, with the code for phones and the cell that blinks", async (t) => {
  const { board, bus } = await startBoard(t);
  const { file, inputs, sensors } = board;
  const picture = {
    kind: "text",
    lines: ["Address         ", "192.168.1.20    "],
    cursor: { row: 1, column: 3 },
  } as const;
  const view = {
    title: "Address",
    rows: [{ text: "IPv4", value: "192.168.1.20" }],
    selected: 0,
    cursor: 3,
    qr: "http://a",
  };
  const panel = { press: () => {}, findMe: () => {}, mirror: { view, picture }, brightness: "dim" } as const;
  const readings = () => board.readings();
  const bare = { ...file, panel: { ...file.panel, keys: {} } };
  const box = await Box.start(t, {
    bus,
    board: { ...{ file: bare, inputs, panel, sensors, readings }, faults: () => [], virtual: undefined },
  });
  const { body } = await box.call("GET", "/panel");
  assert.deepEqual(body, { picture, view, brightness: "dim", keys: [] });
});
