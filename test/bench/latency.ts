/** How long a picture takes from the raw frame to the decoded one, told by the stamp in it. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { ChannelConfig, DirectSource } from "../../src/config/schema.ts";
import { frameRate } from "../../src/media/codecs.ts";
import { sourcePipeline } from "../../src/media/pipelines.ts";
import { type Scope, temporaryFolder } from "../media/support/worker.ts";
import { type Bench, interleaved, median, quantile, type Settings, scoped, spread } from "./support/bench.ts";
import { ffmpegOutput, ffmpegVideo, namedPipes, Peer, rawPictures, udpUrl } from "./support/peer.ts";
import { benchChannel, destination, Product, prepare } from "./support/product.ts";
import { pictureAges } from "./support/viewer.ts";

/** ms, p50. */
const NORMAL_BOUND = 150;
/** Seconds of the test picture that ffmpeg's source repeats. */
const LOOP = 1;
/** Times as many runs as told: where the source's frames fall between the programme's is a matter of luck, once a run. */
const MORE_RUNS = 2;
const WARM_UP = 3;

const normal = benchChannel(1);
const lowLatency = benchChannel(1, { video: { lowLatency: true } });
const frameMs = (1000 * frameRate(normal.video.frameRate)[1]) / frameRate(normal.video.frameRate)[0];

type Start = (t: Scope) => Promise<void>;

const product =
  (channel: ChannelConfig): Start =>
  async (t) => {
    await Product.start(t, await prepare(await temporaryFolder(t), channel, { stamp: true }));
  };

/** The pictures of the product's own test source, without a stamp, as a file of raw frames. */
function testPictures(folder: string): string {
  const file = join(folder, "pictures.i420");
  const source = { ...lowLatency.source, sound: false } as DirectSource;
  const { launch } = sourcePipeline(source, lowLatency.video, "pc", { stamp: false });
  const count = LOOP * Number(lowLatency.video.frameRate);
  const recorded = launch
    .replace("is-live=true", `num-buffers=${count}`)
    .replace("appsink name=video", `filesink location=${file}`);
  execFileSync("gst-launch-1.0", ["-q", ...recorded.split(" ")], { timeout: 30_000 });
  return file;
}

/** ffmpeg with the low-latency mode's coder settings, and a live source of stamped raw frames. */
const ffmpeg =
  (output: string[]): Start =>
  async (t) => {
    const folder = await temporaryFolder(t);
    const { width, height, frameRate: rate } = lowLatency.video;
    const { pictures } = namedPipes(t, folder, ["pictures"]);
    const program = fileURLToPath(new URL("support/pictures.ts", import.meta.url));
    const source = [testPictures(folder), `${width}`, `${height}`, rate, pictures];
    const sources = [
      new Peer(t, process.execPath, ["--import", "tsx", program, ...source]),
      new Peer(t, "ffmpeg", [
        ...["-v", "error", "-nostats", "-nostdin", "-fflags", "nobuffer", "-probesize", "32", "-analyzeduration", "0"],
        ...[...rawPictures(lowLatency, pictures), "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"],
        ...["-map", "0:v", "-map", "1:a", ...ffmpegVideo(lowLatency), "-c:a", "aac", "-b:a", "128k", "-ac", "2"],
        ...["-flush_packets", "1", "-muxdelay", "0", "-muxpreload", "0", ...output],
      ]),
    ];
    await sleep(1500);
    for (const peer of sources) peer.check();
  };

function measure(start: Start, { seconds }: Settings): Promise<number[]> {
  return scoped(async (t) => {
    await start(t);
    const rate = Number(normal.video.frameRate);
    return pictureAges(t, destination(1), { seconds, warmUp: WARM_UP, frameRate: rate });
  });
}

export const latency: Bench = {
  title: "Latency",

  async run(told) {
    const repetitions = told.repetitions * MORE_RUNS;
    const settings = { ...told, repetitions, seconds: told.seconds / MORE_RUNS };
    const subjects = {
      "low-latency mode": product(lowLatency),
      "ffmpeg, unpaced": ffmpeg(["-f", "mpegts", udpUrl(destination(1), { ttl: 0 })]),
      "ffmpeg, unpaced, with lengths": ffmpeg([
        "-f",
        "mpegts",
        "-omit_video_pes_length",
        "0",
        udpUrl(destination(1), { ttl: 0 }),
      ]),
      "ffmpeg, CBR": ffmpeg(ffmpegOutput(lowLatency, destination(1))),
      "normal mode": product(normal),
    };
    type Subject = keyof typeof subjects;
    const runs = Object.fromEntries(
      Object.entries(subjects).map(([name, start]) => [name, () => measure(start, settings)]),
    ) as Record<Subject, () => Promise<number[]>>;
    const middle = (values: number[]) => median(values);
    const ages = await interleaved(settings, runs, (run) => `${middle(run).toFixed(1)} ms`);
    const p50 = (name: Subject) => median(ages[name].map(middle));
    const shown = (name: Subject) => {
      const all = ages[name].flat();
      const tail = `p5 ${quantile(all, 0.05).toFixed(0)}, p95 ${quantile(all, 0.95).toFixed(0)} ms`;
      return `p50 ${spread(ages[name].map(middle), 1, "ms")}, ${tail}`;
    };
    const bound = p50("ffmpeg, unpaced") + frameMs;
    return {
      rows: [
        {
          what: "Low-latency mode (CBR)",
          bound: `≤ ffmpeg + 1 frame = ${bound.toFixed(1)} ms`,
          measured: shown("low-latency mode"),
          kept: p50("low-latency mode") <= bound,
        },
        { what: "ffmpeg with the same coder, VBR unpaced (sets the bound)", measured: shown("ffmpeg, unpaced") },
        {
          what: "the same with `-omit_video_pes_length 0`",
          measured: shown("ffmpeg, unpaced, with lengths"),
        },
        { what: "ffmpeg with the same coder, CBR paced", measured: shown("ffmpeg, CBR") },
        {
          what: "Normal mode (CBR)",
          bound: `≤ ${NORMAL_BOUND} ms p50`,
          measured: shown("normal mode"),
          kept: p50("normal mode") <= NORMAL_BOUND,
        },
      ],
      notes: [
        `1280×720p25 and sound, ${repetitions} runs. From the moment when the stamp is drawn into the raw frame until the same frame is decoded. ` +
          "The product draws it in its source pipeline; ffmpeg gets the same pictures, stamped just before they are " +
          "written, through a pipe (1 to 2 ms). Both run the same x264 with tune zerolatency and a buffer of two frames.",
        "The receiver is the fastest one found, the same for all: `udpsrc ! tsdemux ! capssetter alignment=au ! avdec_h264`, " +
          "which shows pictures as soon as they are decoded. Without the length in a PES packet, as ffmpeg sends its video " +
          "unless told otherwise, a receiver knows only with the next picture that one is complete; the product sends the " +
          "length of all up to 64 KiB.",
        "At constant rate a picture of 15 kB is 30 ms on the wire, at 4 Mbit/s; an unpaced sender has no such rate to keep.",
        "The frames of a live source fall anywhere between the ticks of the programme's, as its clock has it when it starts: " +
          "that makes up to a frame of difference from run to run.",
      ],
    };
  },
};
