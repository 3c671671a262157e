import type { BenchStatus, EnvironmentChange, SupplyState } from "../../../src/api/bench.ts";
import type { BoardReadings } from "../../../src/board/sensors/readings.ts";
import { changeBus, changeEnvironment, changeSupply } from "../../boardApi.ts";
import { reading, supplyStateWords } from "../../boardFormat.ts";
import type { Change } from "./Bench.tsx";
import { Choice, NumberField, Switch } from "./Fields.tsx";

const supplyStates = Object.entries(supplyStateWords) as [SupplyState, string][];
const places = [
  ["soc", "SoC"],
  ["board", "Board"],
] as const;

interface Props {
  bench: BenchStatus;
  /** What the box tells of it. */
  readings: BoardReadings;
  change: Change;
}

/** Power, heat and the buses inside. */
export function Surroundings({ bench, readings, change }: Props) {
  const { supplies, buses, environment } = bench;
  const { room, load, fanStopped, heat, voltages, temperatures, rpm } = environment;
  const set = (news: EnvironmentChange) => void change(changeEnvironment(news));
  return (
    <>
      <section class="card board-card" aria-labelledby="bench-power">
        <header class="card-head">
          <h2 id="bench-power">Power</h2>
        </header>
        <div class="fields">
          {supplies.map(({ id, label, state }) => (
            <Choice
              key={id}
              label={label}
              value={state}
              choices={supplyStates}
              choose={(to) => void change(changeSupply(id, to))}
            />
          ))}
          {Object.entries(voltages).map(([id, volts]) => (
            <NumberField
              key={id}
              label={`Hold ${readings.voltages.find((one) => one.id === id)?.label ?? id} at`}
              unit="V"
              value={volts}
              {...{ least: 0, most: 30, step: 0.1 }}
              set={(to) => set({ voltages: { [id]: to } })}
            />
          ))}
        </div>
        <p class="note">A value that is left empty is not held.</p>
      </section>
      <section class="card board-card" aria-labelledby="bench-heat">
        <header class="card-head">
          <h2 id="bench-heat">Heat</h2>
        </header>
        <div class="fields">
          <NumberField
            label="Room"
            unit="°C"
            value={room}
            {...{ least: -20, most: 60, step: 1 }}
            set={(to) => to !== null && set({ room: to })}
          />
          <NumberField
            label="Load"
            unit="%"
            value={Math.round(load * 100)}
            {...{ least: 0, most: 100, step: 5 }}
            set={(to) => to !== null && set({ load: to / 100 })}
          />
          {places.map(([place, name]) => (
            <NumberField
              key={place}
              label={`Hold ${name} at`}
              unit="°C"
              value={heat[place]}
              {...{ least: -40, most: 150, step: 1 }}
              set={(to) => set({ heat: { [place]: to } })}
            />
          ))}
          <Switch on={fanStopped} set={(on) => set({ fanStopped: on })}>
            Stop the fan
          </Switch>
        </div>
        <p class="note">
          At the last change: SoC {reading(temperatures.soc, "°C")}, board {reading(temperatures.board, "°C")}, fan{" "}
          {reading(rpm, "rpm")}
        </p>
      </section>
      <section class="card board-card" aria-labelledby="bench-buses">
        <header class="card-head">
          <h2 id="bench-buses">I2C buses</h2>
        </header>
        <div class="fields">
          {buses.map(({ id, hangs }) => (
            <Switch key={id} on={hangs} set={(on) => void change(changeBus(id, on))}>
              {id} hangs
            </Switch>
          ))}
        </div>
      </section>
    </>
  );
}
