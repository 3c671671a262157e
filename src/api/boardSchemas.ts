/** The shapes of the board and its bench, for the OpenAPI document and the tests. */
import { z } from "zod";
import type { BoardFault } from "../board/board.ts";
import { connectorKinds, keyNames } from "../board/boardFile.ts";
import type { InputStatus } from "../board/inputs/inputs.ts";
import type { ChartPoints } from "../board/sensors/history.ts";
import type { BoardReadings } from "../board/sensors/readings.ts";
import { type Mode, modes, type Player } from "../board/virtual/players.ts";
import type { BenchKey, BenchStatus, EnvironmentChange, SupplyState } from "./bench.ts";
import type { BoardStatus, PanelStatus } from "./boardControl.ts";
import type { Same } from "./schemas.ts";

const time = z.iso.datetime();

// ---- inputs ----------------------------------------------------------------------------------------------------------

const standard = z.enum(["ntsc", "ntsc-443", "pal", "pal-m", "pal-n", "pal-60", "secam"]);

const video = z.object({
  width: z.int(),
  height: z.int(),
  interlaced: z.boolean(),
  /** Pictures per second, as a fraction. */
  rate: z.tuple([z.int(), z.int()]).readonly(),
  colourSpace: z.enum(["rgb", "ycbcr-422", "ycbcr-444", "ycbcr-420"]),
  range: z.enum(["full", "limited"]),
});

const signal = z.object({
  state: z.enum(["no-cable", "no-clock", "no-lock", "out-of-range", "protected", "locked"]),
  cablePower: z.boolean().exactOptional(),
  clock: z.boolean().exactOptional(),
  lock: z.boolean().exactOptional(),
  video: video.exactOptional(),
  hdmi: z.boolean().exactOptional(),
  hdcp: z.boolean().exactOptional(),
  audio: z.object({ rate: z.int(), channels: z.int() }).exactOptional(),
  standard: standard.exactOptional(),
});

export const inputStatus = z.object({
  connector: z.string(),
  label: z.string(),
  kind: z.enum(connectorKinds),
  name: z.string(),
  signal: signal.nullable(),
  text: z.string(),
  mismatch: z.string(),
  fault: z.string(),
  since: time,
});

export const inputList = z.array(inputStatus);

// ---- readings --------------------------------------------------------------------------------------------------------

const watched = {
  id: z.string(),
  label: z.string(),
  state: z.enum(["ok", "warning", "critical", "missing"]),
  message: z.string(),
};
const value = z.number().nullable();

const machine = z.object({
  cpu: z.object({ total: z.number(), cores: z.array(z.number()) }).nullable(),
  load: z.tuple([z.number(), z.number(), z.number()]),
  memory: z.object({ total: z.number(), available: z.number() }).nullable(),
  uptime: z.number(),
  storage: z.array(z.object({ path: z.string(), size: z.number(), used: z.number(), available: z.number() })),
  wear: z.array(
    z.object({
      device: z.string(),
      lifeUsed: z.number(),
      spare: z.enum(["normal", "warning", "urgent"]).nullable(),
    }),
  ),
  network: z.array(
    z.object({
      name: z.string(),
      state: z.string(),
      speed: value,
      receiveRate: value,
      sendRate: value,
      receiveErrors: z.number(),
      sendErrors: z.number(),
      receiveDropped: z.number(),
      sendDropped: z.number(),
    }),
  ),
});

const readings = z.object({
  temperatures: z.array(
    z.object({
      ...{ ...watched, unit: z.literal("°C"), value },
      limits: z.object({ warning: z.number(), critical: z.number() }),
    }),
  ),
  voltages: z.array(
    z.object({ ...watched, unit: z.literal("V"), value, limits: z.object({ least: z.number(), most: z.number() }) }),
  ),
  fans: z.array(
    z.object({ ...watched, unit: z.literal("rpm"), value, limits: z.object({ least: z.number() }), drive: value }),
  ),
  supplies: z.array(z.object({ ...watched, present: z.boolean().nullable(), good: z.boolean().nullable() })),
  thermal: z.object({
    state: z.enum(["normal", "warning", "cooling", "shedding"]),
    message: z.string(),
    fanFull: z.boolean(),
    previewsOff: z.boolean(),
    channelsShed: z.int(),
  }),
  machine: machine.nullable(),
});

const boardFault = z.object({
  id: z.string(),
  severity: z.enum(["warning", "error"]),
  message: z.string(),
  since: time,
});

export const boardStatus = z.object({
  model: z.string(),
  name: z.string(),
  virtual: z.boolean(),
  faults: z.array(boardFault),
  readings,
  history: z.array(z.string()),
});

export const chartPoints = z.object({
  interval: z.number(),
  mean: z.array(value),
  least: z.array(value),
  most: z.array(value),
});

// ---- panel -----------------------------------------------------------------------------------------------------------

const graphic = z.object({
  kind: z.literal("graphic"),
  width: z.int(),
  height: z.int(),
  pixels: z.string().meta({
    help: "Base64 of one bit a pixel: rows from the top, each of whole bytes, the leftmost pixel in the highest bit",
  }),
});

const text = z.object({
  kind: z.literal("text"),
  lines: z.array(z.string()).readonly(),
  cursor: z.object({ row: z.int(), column: z.int() }).exactOptional(),
});

const view = z.object({
  title: z.string(),
  rows: z.array(z.object({ text: z.string(), value: z.string().exactOptional() })).readonly(),
  selected: z.int().exactOptional(),
  cursor: z.int().exactOptional(),
  qr: z.string().exactOptional(),
});

const keyName = z.enum(keyNames);

export const panelStatus = z.object({
  picture: z.union([graphic, text, z.null()]),
  view,
  brightness: z.enum(["normal", "dim", "off"]),
  keys: z.array(keyName),
});

export const panelPress = z.strictObject({ key: keyName });

// ---- bench -----------------------------------------------------------------------------------------------------------

const modeName = z.enum(Object.keys(modes) as [Mode, ...Mode[]]);
const pattern = z.enum(["bars", "ball", "snow", "black"]);
const health = z.enum(["good", "no-clock", "no-lock"]);
const supplyState = z.enum(["good", "failed", "absent"]);
const benchKey = z.enum([...keyNames, "reset"]);

const player = z.object({
  plugged: z.boolean(),
  mode: modeName,
  standard,
  pattern,
  sound: z.boolean(),
  audioRate: z.int(),
  hdmi: z.boolean(),
  hdcp: z.boolean(),
  health,
  clockOffset: z.int(),
  hotPlugDelay: z.int(),
  ignoresHotPlug: z.boolean(),
});

export const playerPatch = z.strictObject({
  plugged: z.boolean().exactOptional(),
  mode: modeName.exactOptional(),
  standard: standard.exactOptional(),
  pattern: pattern.exactOptional(),
  sound: z.boolean().exactOptional(),
  audioRate: z.literal([32000, 44100, 48000, 88200, 96000, 176400, 192000]).exactOptional(),
  hdmi: z.boolean().exactOptional(),
  hdcp: z.boolean().exactOptional(),
  health: health.exactOptional(),
  clockOffset: z.int().min(-500).max(500).exactOptional(),
  hotPlugDelay: z.int().min(0).max(10_000).exactOptional(),
  ignoresHotPlug: z.boolean().exactOptional(),
});

const places = z.object({ soc: value, board: value });

export const benchStatus = z.object({
  players: z.array(
    z.object({ connector: z.string(), label: z.string(), kind: z.enum(connectorKinds), ...player.shape }),
  ),
  keys: z.array(z.object({ key: benchKey, pressed: z.boolean() })),
  supplies: z.array(z.object({ id: z.string(), label: z.string(), state: supplyState })),
  environment: z.object({
    fanStopped: z.boolean(),
    rpm: z.number(),
    room: z.number(),
    load: z.number(),
    temperatures: z.object({ soc: z.number(), board: z.number() }),
    heat: places,
    voltages: z.record(z.string(), value),
  }),
  buses: z.array(z.object({ id: z.string(), hangs: z.boolean() })),
  modes: z.array(modeName),
  patterns: z.array(pattern),
});

const celsius = z.number().min(-40).max(150).nullable().meta({ unit: "°C", help: "Null lets it go" });
const volts = z.number().min(0).max(30).nullable().meta({ unit: "V", help: "Null lets it go" });

export const environmentPatch = z.strictObject({
  fanStopped: z.boolean().exactOptional(),
  room: z.number().min(-20).max(60).meta({ unit: "°C" }).exactOptional(),
  load: z.number().min(0).max(1).meta({ help: "How busy the box is" }).exactOptional(),
  heat: z.strictObject({ soc: celsius.exactOptional(), board: celsius.exactOptional() }).exactOptional(),
  voltages: z.record(z.string(), volts).exactOptional(),
});

export const benchPress = z.strictObject({ key: benchKey, pressed: z.boolean() });
export const supplyPatch = z.strictObject({ state: supplyState });
export const i2cPatch = z.strictObject({ hangs: z.boolean() });

// ---- names -----------------------------------------------------------------------------------------------------------

export const BOARD_ANSWERS: readonly [z.ZodType, string][] = [
  [inputStatus, "InputStatus"],
  [inputList, "InputList"],
  [boardStatus, "BoardStatus"],
  [readings, "BoardReadings"],
  [chartPoints, "ChartPoints"],
  [panelStatus, "PanelStatus"],
  [benchStatus, "BenchStatus"],
];

export const BOARD_REQUESTS: readonly [z.ZodType, string][] = [
  [panelPress, "PanelPress"],
  [playerPatch, "PlayerPatch"],
  [benchPress, "BenchPress"],
  [supplyPatch, "SupplyPatch"],
  [environmentPatch, "EnvironmentPatch"],
  [i2cPatch, "I2cPatch"],
];

true satisfies Same<z.infer<typeof inputStatus>, InputStatus>;
true satisfies Same<z.infer<typeof readings>, BoardReadings>;
true satisfies Same<z.infer<typeof boardFault>, BoardFault>;
true satisfies Same<z.infer<typeof boardStatus>, BoardStatus>;
true satisfies Same<z.infer<typeof chartPoints>, ChartPoints>;
true satisfies Same<z.infer<typeof panelStatus>, PanelStatus>;
true satisfies Same<z.infer<typeof player>, Player>;
true satisfies Same<keyof z.infer<typeof playerPatch>, keyof Player>;
true satisfies z.infer<typeof playerPatch> extends Partial<Player> ? true : never;
true satisfies Same<z.infer<typeof benchStatus>, BenchStatus>;
true satisfies Same<z.infer<typeof benchKey>, BenchKey>;
true satisfies Same<z.infer<typeof supplyState>, SupplyState>;
true satisfies Same<z.infer<typeof environmentPatch>, EnvironmentChange>;
