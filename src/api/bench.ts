/** The virtual board's surroundings as the bench sees them: players, keys, supplies, fan, heat and buses. */
import { type BoardFile, type ConnectorFile, type KeyName, keyNames } from "../board/boardFile.ts";
import type { Place } from "../board/virtual/environment.ts";
import { type Mode, modes, type Pattern, type Player } from "../board/virtual/players.ts";
import type { VirtualBoard } from "../board/virtual/virtualBoard.ts";

export type BenchKey = KeyName | "reset";
export type SupplyState = "good" | "failed" | "absent";

/** The shape behind `/api/v1/bench`. */
export interface BenchStatus {
  players: (Player & { connector: string; label: string; kind: ConnectorFile["kind"] })[];
  /** Those that the box has; `reset` is the button in the hole. */
  keys: { key: BenchKey; pressed: boolean }[];
  supplies: { id: string; label: string; state: SupplyState }[];
  environment: {
    fanStopped: boolean;
    rpm: number;
    /** °C of the room. */
    room: number;
    /** How busy the box is, 0 to 1. */
    load: number;
    /** °C now. */
    temperatures: Record<Place, number>;
    /** °C that a place is held at, whatever the fan does; null: it is let go. */
    heat: Record<Place, number | null>;
    /** V that a voltage of the board file is held at; null: it is let go. */
    voltages: Record<string, number | null>;
  };
  buses: { id: string; hangs: boolean }[];
  /** What players can send. */
  modes: Mode[];
  patterns: Pattern[];
}

/** What to change of the surroundings. */
export interface EnvironmentChange {
  fanStopped?: boolean;
  room?: number;
  load?: number;
  heat?: { [place in Place]?: number | null };
  voltages?: Record<string, number | null>;
}

export function benchStatus(virtual: VirtualBoard, file: BoardFile): BenchStatus {
  const { gpio, hwmon } = virtual;
  const { fanStopped, rpm, room, load } = hwmon;
  return {
    players: file.connectors.map(({ id, label, kind }) => ({
      ...{ connector: id, label, kind },
      ...virtual.connector(id).player,
    })),
    keys: [...keyNames, "reset" as const].flatMap((key) => {
      const line = key === "reset" ? file.panel.resetHole : file.panel.keys[key];
      return line === undefined ? [] : [{ key, pressed: gpio.get(line) }];
    }),
    supplies: file.supplies.map(({ id, label, present, good }) => {
      const absent = present !== undefined && !gpio.get(present);
      return { id, label, state: absent ? "absent" : gpio.get(good) ? "good" : "failed" };
    }),
    environment: {
      ...{ fanStopped, rpm, room, load },
      temperatures: { soc: hwmon.temperature("soc"), board: hwmon.temperature("board") },
      heat: { soc: hwmon.heldAt("soc") ?? null, board: hwmon.heldAt("board") ?? null },
      voltages: Object.fromEntries(
        file.voltages.map(({ id, sensor }) => [id, hwmon.voltageSetTo(sensor.input) ?? null]),
      ),
    },
    buses: file.i2c.map(({ id }) => ({ id, hangs: virtual.bus(id).hangs })),
    modes: Object.keys(modes) as Mode[],
    patterns: ["bars", "ball", "snow", "black"],
  };
}

/** What is named of the voltages must be on the board. */
export function changeEnvironment(virtual: VirtualBoard, file: BoardFile, change: EnvironmentChange): void {
  const { hwmon } = virtual;
  const { fanStopped, room, load, heat = {}, voltages = {} } = change;
  if (fanStopped !== undefined) hwmon.stopFan(fanStopped);
  if (room !== undefined) hwmon.room = room;
  if (load !== undefined) hwmon.load = load;
  for (const place of ["soc", "board"] as const) {
    const celsius = heat[place];
    if (celsius !== undefined) hwmon.heat(place, celsius ?? undefined);
  }
  for (const { id, sensor } of file.voltages) {
    const volts = voltages[id];
    if (volts !== undefined) hwmon.setVoltage(sensor.input, volts ?? undefined);
  }
}
