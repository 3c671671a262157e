import { useCallback, useEffect, useState } from "preact/hooks";
import type { BenchStatus } from "../../../src/api/bench.ts";
import { fetchBench } from "../../boardApi.ts";
import type { BoardState } from "../../boardState.ts";
import { useOrder } from "../../hooks.ts";
import { Refusal } from "../Refusal.tsx";
import { Keys } from "./Keys.tsx";
import { Player } from "./Player.tsx";
import { Surroundings } from "./Surroundings.tsx";

/** Carries out a change of the bench, which is answered with all of it. */
export type Change = (order: Promise<BenchStatus>) => Promise<void>;

/** What is around the virtual box: what a real one has people, cables and weather for. */
export function Bench({ state, linked }: { state: BoardState; linked: boolean }) {
  const [bench, setBench] = useState<BenchStatus | null>(null);
  const { run, refusal, dismiss } = useOrder();
  const change: Change = useCallback((order) => run(async () => setBench(await order)), [run]);
  useEffect(() => {
    if (linked) void change(fetchBench());
  }, [linked, change]);

  return (
    <div class="board bench">
      <section class="card board-card wide" aria-labelledby="players">
        <header class="card-head">
          <h2 id="players">Players</h2>
          <Refusal text={refusal} dismiss={dismiss} />
        </header>
        <div class="players">
          {bench?.players.map((player) => (
            <Player
              key={player.connector}
              player={player}
              bench={bench}
              input={state.inputs.find(({ connector }) => connector === player.connector)}
              change={change}
            />
          ))}
        </div>
      </section>
      {bench !== null && <Keys keys={bench.keys} change={change} />}
      {bench !== null && <Surroundings bench={bench} readings={state.board.readings} change={change} />}
    </div>
  );
}
