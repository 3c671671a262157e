/** What the page knows of the board: inputs, readings and front panel; and how news changes it. */
import type { BoardSnapshot, BoardStatus, PanelStatus } from "../src/api/boardControl.ts";
import type { InputStatus } from "../src/board/inputs/inputs.ts";

export type BoardState = BoardSnapshot;

export type BoardAction =
  | { type: "input"; status: InputStatus }
  | { type: "readings"; readings: BoardStatus["readings"] }
  | { type: "faults"; faults: BoardStatus["faults"] }
  | { type: "panel"; panel: PanelStatus };

/** News before the snapshot, or of a box without a board, change nothing. */
export function reduceBoard(state: BoardState | null, action: BoardAction): BoardState | null {
  if (state === null) return null;
  switch (action.type) {
    case "input": {
      const { status } = action;
      const index = state.inputs.findIndex(({ connector }) => connector === status.connector);
      return index < 0 ? state : { ...state, inputs: state.inputs.with(index, status) };
    }
    case "readings":
      return { ...state, board: { ...state.board, readings: action.readings } };
    case "faults":
      return { ...state, board: { ...state.board, faults: action.faults } };
    case "panel":
      return { ...state, panel: action.panel };
  }
}
