/** The board as the API uses it, and what the API tells of it as a whole. */
import type { Board, BoardFault } from "../board/board.ts";
import { type KeyName, keyNames } from "../board/boardFile.ts";
import type { InputStatus, Inputs } from "../board/inputs/inputs.ts";
import type { Panel } from "../board/panel/panel.ts";
import type { Brightness, Picture, View } from "../board/panel/view.ts";
import type { History } from "../board/sensors/history.ts";
import type { BoardReadings } from "../board/sensors/readings.ts";

/** What a Board offers. */
export interface BoardControl extends Pick<Board, "file" | "virtual" | "readings" | "faults"> {
  readonly inputs: Pick<Inputs, "list" | "status">;
  readonly panel: Pick<Panel, "press" | "mirror" | "brightness" | "findMe">;
  readonly sensors: { readonly history: Pick<History, "names" | "points"> };
}

/** The box as a whole: the shape behind `/api/v1/board`. */
export interface BoardStatus {
  model: string;
  name: string;
  /** Chips and sources are models, which `/api/v1/bench` changes. */
  virtual: boolean;
  faults: BoardFault[];
  readings: BoardReadings;
  /** Values of which there is a history, such as `temperature/soc`. */
  history: string[];
}

/** A graphic picture's pixels are in Base64; otherwise as the display has them. */
export type PanelPicture =
  | (Omit<Extract<Picture, { kind: "graphic" }>, "pixels"> & { pixels: string })
  | Extract<Picture, { kind: "text" }>;

/** The front panel: the shape behind `/api/v1/panel`. */
export interface PanelStatus {
  /** What the display shows; null on a box without one. */
  picture: PanelPicture | null;
  /** What the menu shows, before any display. */
  view: View;
  brightness: Brightness;
  /** Keys that the box has. All of them can be pressed from afar. */
  keys: KeyName[];
}

/** All that a client of the events starts from. */
export interface BoardSnapshot {
  board: BoardStatus;
  inputs: InputStatus[];
  panel: PanelStatus;
}

export function boardStatus(board: BoardControl): BoardStatus {
  const { model, name } = board.file;
  const virtual = board.virtual !== undefined;
  return {
    ...{ model, name, virtual, faults: board.faults(), readings: board.readings() },
    history: board.sensors.history.names,
  };
}

export function panelStatus({ panel, file }: BoardControl): PanelStatus {
  const { brightness } = panel;
  const { picture, view } = panel.mirror;
  const keys = keyNames.filter((key) => file.panel.keys[key] !== undefined);
  return { picture: picture === undefined ? null : forTheWire(picture), view, brightness, keys };
}

export function boardSnapshot(board: BoardControl): BoardSnapshot {
  return { board: boardStatus(board), inputs: board.inputs.list(), panel: panelStatus(board) };
}

function forTheWire(picture: Picture): PanelPicture {
  return picture.kind === "text" ? picture : { ...picture, pixels: Buffer.from(picture.pixels).toString("base64") };
}
