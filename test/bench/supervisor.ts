/** What the supervisor costs while nothing happens: with every receiver, the panel and the sensors of the virtual box. */
import { setTimeout as sleep } from "node:timers/promises";
import { RealBox } from "../browser/support/realBox.ts";
import { type Bench, interleaved, median, type Row, type Settings, scoped, spread } from "./support/bench.ts";
import { processorLoad, resources } from "./support/processes.ts";
import { destination } from "./support/product.ts";

/** % of a core. */
const LOAD_BOUND = 1;
/** MB. */
const MEMORY_BOUND = 90;
/** Seconds after the start, in which it compiles what it runs often. */
const WARM_UP = 45;

interface Cost {
  load: number;
  memory: number;
}

function measure(onAir: boolean, { seconds }: Settings): Promise<Cost> {
  return scoped(async (t) => {
    const { address, port } = destination(1);
    const channel = {
      ...{ id: "ch1", name: "Channel 1", enabled: onAir },
      source: { type: "input", connector: "hdmi1" },
      outputs: [{ type: "udp", id: "main", address, port, interface: "lo" }],
    };
    const box = new RealBox({ version: 3, channels: [channel] });
    t.after(() => box.remove());
    t.after(() => box.stop());
    await box.start();
    await sleep(WARM_UP * 1000);
    const pid = box.pid as number;
    const [load] = await processorLoad([pid], 2 * seconds);
    return { load: load as number, memory: resources(pid).rss / 1000 };
  });
}

export const supervisor: Bench = {
  title: "The supervisor while nothing happens",

  async run(settings) {
    const costs = await interleaved(
      { ...settings, repetitions: Math.min(settings.repetitions, 2) },
      { "off air": () => measure(false, settings), "on air": () => measure(true, settings) },
      ({ load, memory }) => `${load.toFixed(2)} %, ${memory.toFixed(0)} MB`,
    );
    const rows = (["off air", "on air"] as const).flatMap((name): Row[] => {
      const loads = costs[name].map(({ load }) => load);
      const memory = Math.max(...costs[name].map((cost) => cost.memory));
      return [
        {
          what: `Channel ${name}: of a core`,
          bound: `≤ ${LOAD_BOUND} %`,
          measured: spread(loads, 2, "%"),
          kept: median(loads) <= LOAD_BOUND,
        },
        {
          what: `Channel ${name}: resident memory`,
          bound: `≤ ${MEMORY_BOUND} MB`,
          measured: `${memory.toFixed(0)} MB`,
          kept: memory <= MEMORY_BOUND,
        },
      ];
    });
    return {
      rows,
      notes: [
        "The virtual box with its receivers, front panel and sensors, the models of their chips included; one channel on " +
          "HDMI 1, and nobody who looks at the page.",
      ],
    };
  },
};
