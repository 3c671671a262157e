/** What sending costs: transmit against ffmpeg that only copies, by the number of channels. */
import { type Bench, interleaved, median, type Row, type Settings, scoped, spread } from "./support/bench.ts";
import { processorLoad, proportionalMemory } from "./support/processes.ts";
import { ffmpegs, rate, type Senders, transmits } from "./support/remux.ts";

const CHANNELS = [1, 4, 16, 32];
const COST_BOUND = 0.6;
/** MB a channel. */
const MEMORY_BOUND = 3;
/** Cost of a channel among 32 against one among 4; sharing the machine may make it somewhat dearer. */
const LINEAR_BOUND = 1.1;

interface Cost {
  /** % of a core, and MB, a channel. */
  load: number;
  memory: number;
}

function measure(senders: Senders, channels: number, { seconds }: Settings): Promise<Cost> {
  return scoped(async (t) => {
    const pids = await senders(t, channels);
    const loads = await processorLoad(pids, seconds);
    const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
    return {
      load: sum(loads) / channels,
      memory: sum(pids.map(proportionalMemory)) / channels / 1000,
    };
  });
}

export const transmitCost: Bench = {
  title: "Cost of sending",

  async run(settings) {
    const rows: Row[] = [];
    const own = new Map<number, number>();
    for (const channels of CHANNELS) {
      const costs = await interleaved(
        { ...settings, say: (text) => settings.say(`${channels} channels, ${text}`) },
        {
          transmit: () => measure(transmits, channels, settings),
          ffmpeg: () => measure(ffmpegs, channels, settings),
        },
        ({ load, memory }) => `${load.toFixed(2)} % and ${memory.toFixed(2)} MB a channel`,
      );
      const loads = (name: keyof typeof costs) => costs[name].map(({ load }) => load);
      const memory = (name: keyof typeof costs) => median(costs[name].map((cost) => cost.memory));
      const ratio = median(loads("transmit")) / median(loads("ffmpeg"));
      own.set(channels, median(loads("transmit")));
      const n = `N = ${channels}: `;
      rows.push(
        {
          what: `${n}transmit ÷ ffmpeg`,
          bound: `≤ ${COST_BOUND}`,
          measured: ratio.toFixed(2),
          kept: ratio <= COST_BOUND,
        },
        {
          what: `${n}of a core, a channel`,
          measured: `transmit ${spread(loads("transmit"), 2, "%")}, ffmpeg ${spread(loads("ffmpeg"), 2, "%")}`,
        },
        {
          what: `${n}memory (PSS), a channel`,
          bound: `≤ ${MEMORY_BOUND} MB`,
          measured: `${memory("transmit").toFixed(2)} MB (ffmpeg ${memory("ffmpeg").toFixed(1)} MB)`,
          kept: memory("transmit") <= MEMORY_BOUND,
        },
      );
    }
    const linear = (own.get(32) ?? Number.NaN) / (own.get(4) ?? Number.NaN);
    rows.push({
      what: "Cost of a channel at N = 32 ÷ at N = 4",
      bound: `≤ ${LINEAR_BOUND}`,
      measured: linear.toFixed(2),
      kept: linear <= LINEAR_BOUND,
    });
    return {
      rows,
      notes: [
        `Each channel is one process that sends the same 10 s of 1280×720p25 H.264 4.5 Mbit/s and AAC again and again at ` +
          `${rate / 1000} Mbit/s CBR, paced, to a multicast group of its own on \`lo\`. transmit reads it as a feed from a ` +
          "player (whose cost is that of an encoder, and not counted) and holds a slate clip; ffmpeg reads it as a file: " +
          "`ffmpeg -re -stream_loop -1 -c copy -muxrate 7000000 -pcr_period 30 udp://…?bitrate=7000000&pkt_size=1316`.",
      ],
    };
  },
};
