/** What coding a channel costs: encode and transmit against gst-launch-1.0 and ffmpeg with the same settings. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ChannelConfig } from "../../src/config/schema.ts";
import { type Scope, temporaryFolder } from "../media/support/worker.ts";
import { type Bench, interleaved, median, type Settings, scoped, spread } from "./support/bench.ts";
import { ffmpegEncoder, gstEncoder, gstSource } from "./support/peer.ts";
import { processorLoad } from "./support/processes.ts";
import { benchChannel, destination, Product, prepare } from "./support/product.ts";
import { x264Settings } from "./support/receiver.ts";

const BOUND = 1.05;
/** Seconds after the start, in which registries are read and pipelines filled. */
const WARM_UP = 3;

type Start = (t: Scope, channel: ChannelConfig) => Promise<number[]> | number[];

/** The processes that a way of coding needs; only the source has no stream to look at. */
const subjects: Record<string, Start> = {
  product: async (t, channel) => (await Product.start(t, await prepare(await temporaryFolder(t), channel))).pids,
  "gst-launch": (t, channel) => [gstEncoder(t, channel, destination(2)).pid],
  ffmpeg: async (t, channel) => {
    const { ffmpeg, source } = ffmpegEncoder(t, channel, destination(3), await temporaryFolder(t));
    return [ffmpeg.pid, source.pid];
  },
  "source alone": (t, channel) => [gstSource(t, channel).pid],
};

async function measure(start: Start, { seconds }: Settings): Promise<number[]> {
  return scoped(async (t) => {
    const pids = await start(t, benchChannel(1));
    await sleep(WARM_UP * 1000);
    return processorLoad(pids, seconds);
  });
}

/** All coders run with the same settings, or there is nothing to compare. */
async function compareSettings(): Promise<string> {
  const settings: string[] = [];
  for (const [name, number] of [
    ["product", 1],
    ["gst-launch", 2],
    ["ffmpeg", 3],
  ] as const) {
    settings.push(
      await scoped((t) => x264Settings(t, destination(number), () => (subjects[name] as Start)(t, benchChannel(1)))),
    );
  }
  const [first, ...others] = settings as [string, ...string[]];
  for (const other of others) if (other !== first) throw new Error(`x264 is set differently:\n${settings.join("\n")}`);
  return first;
}

const total = (loads: number[]) => loads.reduce((sum, load) => sum + load, 0);

export const encodeCost: Bench = {
  title: "Cost of coding a channel",

  async run(settings) {
    const x264 = await compareSettings();
    const runs = Object.fromEntries(
      Object.entries(subjects).map(([name, start]) => [name, () => measure(start, settings)]),
    );
    const loads = await interleaved(settings, runs, (each) => each.map((load) => `${load.toFixed(1)} %`).join(" + "));
    const of = (name: string) => loads[name] as number[][];
    const totals = (name: string) => of(name).map(total);
    const part = (name: string, i: number) => median(of(name).map((each) => each[i] as number)).toFixed(1);
    const ratio = median(totals("product")) / median(totals("gst-launch"));
    const source = median(totals("source alone"));
    const net = (name: string) => (median(totals(name)) - source).toFixed(1);
    return {
      rows: [
        {
          what: "encode + transmit ÷ gst-launch-1.0",
          bound: `≤ ${BOUND}`,
          measured: ratio.toFixed(3),
          kept: ratio <= BOUND,
        },
        {
          what: "encode + transmit, of one core",
          measured: `${spread(totals("product"), 1, "%")}: encode ${part("product", 0)}, transmit ${part("product", 1)}`,
        },
        { what: "gst-launch-1.0, of one core", measured: spread(totals("gst-launch"), 1, "%") },
        {
          what: "ffmpeg and its source, of one core",
          measured: `${spread(totals("ffmpeg"), 1, "%")}: ffmpeg ${part("ffmpeg", 0)}, source ${part("ffmpeg", 1)}`,
        },
        { what: "The source alone, of one core", measured: spread(totals("source alone"), 1, "%") },
        {
          what: "Without the source",
          measured: `product ${net("product")}, gst-launch-1.0 ${net("gst-launch")}, ffmpeg ${net("ffmpeg")} %`,
        },
      ],
      notes: [
        "One channel, 1280×720p25 H.264 3 Mbit/s and AAC 128 kbit/s in CBR 4 Mbit/s, paced to multicast on `lo`. " +
          "Source and coders of gst-launch-1.0 are the product's own descriptions, with a queue before each coder; " +
          "then `mpegtsmux alignment=7 pcr-interval=1800 ! identity ! queue ! udpsink sync=true`. " +
          "The product also makes its preview each second and measures levels.",
        "ffmpeg gets the same raw pictures and sound through pipes from a gst-launch-1.0 that runs the same source. " +
          "Both count; 35 MB/s through a pipe cost each side 1 to 2 % of a core that the others do not have.",
        `x264 wrote the same settings into all three streams: \`${x264}\`.`,
      ],
    };
  },
};
