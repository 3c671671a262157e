import type { BoardState } from "../boardState.ts";
import { BoxCard } from "./BoxCard.tsx";
import { Inputs } from "./Inputs.tsx";
import { PanelMirror } from "./PanelMirror.tsx";

/** The box below its channels. */
export function Board({ state, linked, clockOffset }: { state: BoardState; linked: boolean; clockOffset: number }) {
  return (
    <div class="board">
      <Inputs inputs={state.inputs} linked={linked} />
      <BoxCard board={state.board} linked={linked} clockOffset={clockOffset} />
      <PanelMirror panel={state.panel} linked={linked} />
    </div>
  );
}
