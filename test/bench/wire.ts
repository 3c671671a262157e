/** What a receiver measures on the wire: PCR and tables, and how evenly they come compared with ffmpeg's. */
import { setTimeout as sleep } from "node:timers/promises";
import { Wire, type WireReport } from "../media/support/wire.ts";
import { type Bench, interleaved, median, quantile, type Row, type Settings, scoped, spread } from "./support/bench.ts";
import { destination } from "./support/product.ts";
import { ffmpegs, rate, type Senders, transmits } from "./support/remux.ts";

const CHANNELS = [1, 4];
const PCR_ERROR_NS = 100;
const PCR_INTERVAL_MS = 35;
const TABLE_INTERVAL_MS = 100;

/** Every channel, watched by an analyser of its own. */
function measure(senders: Senders, channels: number, { seconds }: Settings): Promise<WireReport[]> {
  return scoped(async (t) => {
    await senders(t, channels);
    const wires: Wire[] = [];
    for (let n = 1; n <= channels; n++) {
      const { address, port } = destination(n);
      wires.push(await Wire.watch(t, address, port));
    }
    await sleep(seconds * 1000);
    return Promise.all(wires.map((wire) => wire.report()));
  });
}

/** ms by which 99 of 100 PCRs arrive at most late, against their mean; and the same the other way round. */
const late = ({ pcr }: WireReport) => (pcr[0]?.jitterUs?.p99 ?? Number.NaN) / 1000;
const early = ({ pcr }: WireReport) => -(pcr[0]?.jitterUs?.p1 ?? Number.NaN) / 1000;
const pcrError = ({ pcr }: WireReport) => pcr[0]?.errorNs ?? Number.NaN;
const pcrInterval = ({ pcr }: WireReport) => pcr[0]?.intervalMs.max ?? Number.NaN;
const tableInterval = ({ tables }: WireReport) => Math.max(tables.pat?.max ?? Infinity, tables.pmt?.max ?? Infinity);
const faults = ({ tr101290 }: WireReport) => Object.values(tr101290).reduce((sum, count) => sum + count, 0);

export const wire: Bench = {
  title: "The wire",

  async run(settings) {
    const rows: Row[] = [];
    for (const channels of CHANNELS) {
      const runs = await interleaved(
        { ...settings, say: (text) => settings.say(`${channels} channels, ${text}`) },
        {
          transmit: () => measure(transmits, channels, settings),
          ffmpeg: () => measure(ffmpegs, channels, settings),
        },
        (reports) =>
          `PCR ${median(reports.map(early)).toFixed(2)} ms early to ${median(reports.map(late)).toFixed(2)} ms late`,
      );
      const [own, other] = [runs.transmit.flat(), runs.ffmpeg.flat()];
      const widest = (figure: (report: WireReport) => number, reports = own) => Math.max(...reports.map(figure));
      const [ownLate, otherLate] = [median(own.map(late)), median(other.map(late))];
      const n = `N = ${channels}: `;
      rows.push(
        {
          what: `${n}PCR arrival jitter, p99`,
          bound: "≤ ffmpeg's",
          measured: `${spread(own.map(late), 2, "ms")}; ffmpeg ${spread(other.map(late), 2, "ms")}`,
          kept: ownLate <= otherLate,
        },
        {
          what: `${n}the same, p1`,
          measured: `−${spread(own.map(early), 2, "ms")}; ffmpeg −${spread(other.map(early), 2, "ms")}`,
        },
        {
          what: `${n}PCR error`,
          bound: `≤ ±${PCR_ERROR_NS} ns`,
          measured: `±${widest(pcrError).toFixed(0)} ns (ffmpeg ±${widest(pcrError, other).toFixed(0)} ns)`,
          kept: widest(pcrError) <= PCR_ERROR_NS,
        },
        {
          what: `${n}PCR interval`,
          bound: `≤ ${PCR_INTERVAL_MS} ms`,
          measured: `${widest(pcrInterval).toFixed(2)} ms (ffmpeg ${widest(pcrInterval, other).toFixed(2)} ms)`,
          kept: widest(pcrInterval) <= PCR_INTERVAL_MS,
        },
        {
          what: `${n}PAT and PMT interval`,
          bound: `≤ ${TABLE_INTERVAL_MS} ms`,
          measured: `${widest(tableInterval).toFixed(1)} ms (ffmpeg ${widest(tableInterval, other).toFixed(1)} ms)`,
          kept: widest(tableInterval) <= TABLE_INTERVAL_MS,
        },
        {
          what: `${n}TR 101 290 errors, priorities 1 and 2`,
          measured: `${own.reduce((sum, report) => sum + faults(report), 0)} in ${own.length} reports`,
        },
        {
          what: `${n}longest pause between datagrams, p90 of the reports`,
          measured:
            `${quantile(
              own.map(({ gap }) => gap.longestMs),
              0.9,
            ).toFixed(1)} ms, ` +
            `ffmpeg ${quantile(
              other.map(({ gap }) => gap.longestMs),
              0.9,
            ).toFixed(1)} ms`,
        },
      );
    }
    return {
      rows,
      notes: [
        `The senders of the bench before, at ${rate / 1000} Mbit/s. The stand-alone analyser takes the kernel's time stamp ` +
          "of each datagram; jitter is arrival less PCR, with the mean and the drift taken out, over all channels and " +
          "repetitions; the largest value of all counts for the other figures.",
      ],
    };
  },
};
