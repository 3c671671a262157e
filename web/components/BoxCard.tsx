import type { BoardStatus } from "../../src/api/boardControl.ts";
import type { MachineReadings, Watched } from "../../src/board/sensors/readings.ts";
import { findMe } from "../boardApi.ts";
import { bytes, reading, supplyWords, thermalWords } from "../boardFormat.ts";
import { duration } from "../format.ts";
import { useMay, useOrder } from "../hooks.ts";
import { Faults } from "./Faults.tsx";
import { Refusal } from "./Refusal.tsx";

/** One value with its name, marked when it is not as it should be. */
function Reading({ of: { label, state, message }, value }: { of: Omit<Watched, "id">; value: string }) {
  return (
    <div class={`reading-${state}`}>
      <dt>{label}</dt>
      <dd>
        {value}
        {message !== "" && <p class="trouble">{message}</p>}
      </dd>
    </div>
  );
}

const plain = (label: string): Omit<Watched, "id"> => ({ label, state: "ok", message: "" });

function Machine({ machine }: { machine: MachineReadings }) {
  const { cpu, memory, uptime } = machine;
  const used = memory && memory.total - memory.available;
  return (
    <>
      <Reading of={plain("CPU")} value={reading(cpu?.total ?? null, "%")} />
      <Reading
        of={plain("Memory")}
        value={memory && used !== null ? `${bytes(used)} of ${bytes(memory.total)}` : "–"}
      />
      <Reading of={plain("Running for")} value={duration(uptime * 1000)} />
    </>
  );
}

interface Props {
  board: BoardStatus;
  linked: boolean;
  clockOffset: number;
}

/** Heat, power and load of the box, and what is wrong with it. */
export function BoxCard({ board, linked, clockOffset }: Props) {
  const { run, refusal, dismiss } = useOrder();
  const may = useMay("operator");
  const { temperatures, voltages, fans, supplies, thermal, machine } = board.readings;
  const press = () => {
    if (linked) void run(findMe);
  };
  // What the list of faults says already is not said again beside the value.
  const told = new Set(board.faults.map(({ message }) => message));
  const brief = <T extends { message: string }>(one: T): T => (told.has(one.message) ? { ...one, message: "" } : one);
  return (
    <section class={`card board-card${linked ? "" : " stale"}`} aria-labelledby="box">
      <header class="card-head">
        <h2 id="box">Box</h2>
        <p class="since">{board.name}</p>
        {may && (
          <div class="controls">
            <button type="button" aria-disabled={!linked} onClick={press}>
              Find me
            </button>
            <Refusal text={refusal} dismiss={dismiss} />
          </div>
        )}
      </header>
      <Faults faults={board.faults} clockOffset={clockOffset} />
      <dl class="readings">
        {temperatures.map((one) => (
          <Reading
            key={one.id}
            of={brief({ ...one, label: `${one.label} temperature` })}
            value={reading(one.value, one.unit)}
          />
        ))}
        <Reading
          of={brief({
            ...plain("Heat"),
            state: thermal.state === "normal" ? "ok" : "warning",
            message: thermal.message,
          })}
          value={thermalWords[thermal.state]}
        />
        {fans.map((one) => (
          <Reading
            key={one.id}
            of={brief(one)}
            value={reading(one.value, one.unit) + (one.drive === null ? "" : `, driven at ${reading(one.drive, "%")}`)}
          />
        ))}
        {voltages.map((one) => (
          <Reading key={one.id} of={brief(one)} value={reading(one.value, one.unit)} />
        ))}
        {supplies.map((one) => (
          <Reading key={one.id} of={brief(one)} value={supplyWords(one)} />
        ))}
        {machine !== null && <Machine machine={machine} />}
      </dl>
    </section>
  );
}
