/** Programs that are not ours, which the product is compared with. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { ChannelConfig, DirectSource } from "../../../src/config/schema.ts";
import { audioStream, videoStream } from "../../../src/media/codecs.ts";
import { sourcePipeline } from "../../../src/media/pipelines.ts";
import type { Scope } from "../../media/support/worker.ts";

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A process that runs until the end of its scope. */
export class Peer {
  readonly process: ChildProcess;
  #stderr = "";
  #ended: string | undefined;

  constructor(t: Scope, program: string, args: readonly string[]) {
    this.process = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    running.add(this.process);
    this.process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4000);
    });
    const closed = once(this.process, "close").then(([code, signal]) => {
      running.delete(this.process);
      this.#ended = `${program} ended (${signal ?? code}): ${this.#stderr}`;
    });
    closed.catch(() => {});
    t.after(async () => {
      this.process.kill("SIGKILL");
      await closed;
    });
  }

  get pid(): number {
    this.check();
    return this.process.pid as number;
  }

  /** @throws Error when it has ended. */
  check(): void {
    if (this.#ended !== undefined || this.process.pid === undefined) throw new Error(this.#ended ?? "it did not start");
  }
}

/** The address as ffmpeg wants it, to send to or to receive from. */
export function udpUrl({ address, port }: { address: string; port: number }, options: Record<string, number>): string {
  const query = Object.entries({ localaddr: "127.0.0.1", pkt_size: 1316, ...options });
  return `udp://${address}:${port}?${query.map(([name, value]) => `${name}=${value}`).join("&")}`;
}

// ---- the same work in gst-launch-1.0 -----------------------------------------------------------------------------------

/** The product's own source pipeline, with other ends. */
function source(channel: ChannelConfig, ends: { video: string; audio: string }): string[] {
  const { launch } = sourcePipeline(channel.source as DirectSource, channel.video, "pc", { stamp: false });
  return launch.replace("appsink name=video", ends.video).replace("appsink name=audio", ends.audio).split(" ");
}

/** The source alone. */
export function gstSource(t: Scope, channel: ChannelConfig): Peer {
  const end = "fakesink sync=false";
  return new Peer(t, "gst-launch-1.0", ["-q", ...source(channel, { video: end, audio: end })]);
}

/** The whole channel: source, coders with the product's own properties, multiplex at constant rate, paced datagrams. */
export function gstEncoder(t: Scope, channel: ChannelConfig, to: { address: string; port: number }): Peer {
  const video = videoStream(channel, "pc");
  const properties = Object.entries(video.live.venc ?? {}).map(([name, value]) => `${name}=${value}`);
  const coder = video.launch.replace("x264enc", `x264enc ${properties.join(" ")}`);
  const sound = channel.audio.map((track, i) => audioStream(track, i).launch)[0];
  const ends = { video: `queue ! ${coder} ! queue ! mux.`, audio: `queue ! ${sound} ! queue ! mux.` };
  // A datagram has its own time stamp only when `identity` has taken the multiplexer's buffer lists apart.
  const mux =
    `mpegtsmux name=mux alignment=7 pcr-interval=1800 bitrate=${channel.transport.bitrate * 1000} ! identity ! queue ! ` +
    `udpsink host=${to.address} port=${to.port} multicast-iface=lo sync=true`;
  return new Peer(t, "gst-launch-1.0", ["-q", ...source(channel, ends), ...mux.split(" ")]);
}

// ---- the same work in ffmpeg -------------------------------------------------------------------------------------------

/** Named pipes that nobody has to wait for. */
export function namedPipes<Name extends string>(
  t: Scope,
  folder: string,
  names: readonly Name[],
): Record<Name, string> {
  const paths = names.map((name) => join(folder, `${name}.pipe`));
  execFileSync("mkfifo", paths);
  const open = paths.map((path) => openSync(path, "r+"));
  t.after(() => {
    for (const fd of open) closeSync(fd);
  });
  return Object.fromEntries(names.map((name, i) => [name, paths[i]])) as Record<Name, string>;
}

/** x264 as the product's coder table sets it. */
export function ffmpegVideo(channel: ChannelConfig): string[] {
  const { video } = channel;
  const live = videoStream(channel, "pc").live.venc ?? {};
  const buffer = (Number(live["vbv-buf-capacity"]) * video.bitrate) / 1000;
  return [
    ...["-c:v", "libx264", "-preset", "superfast", ...(video.lowLatency ? ["-tune", "zerolatency"] : [])],
    ...["-profile:v", video.profile, "-g", `${video.gop}`, "-bf", `${video.bFrames}`],
    ...["-b:v", `${video.bitrate}k`, "-maxrate", `${video.bitrate}k`, "-bufsize", `${buffer}k`, "-x264-params"],
    "sliced-threads=1:rc-lookahead=0:sync-lookahead=0:mbtree=0:b-adapt=0:b-pyramid=none:scenecut=0:open-gop=0",
  ];
}

/** What ffmpeg reads raw pictures with, in the channel's size and rate. */
export function rawPictures({ video }: ChannelConfig, path: string): string[] {
  const size = `${video.width}x${video.height}`;
  return ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", size, "-r", video.frameRate, "-i", path];
}

/** Multiplexed at constant rate and paced, as ffmpeg does it; PCR as often as the product sends it. */
export function ffmpegOutput(channel: ChannelConfig, to: { address: string; port: number }): string[] {
  const bitrate = channel.transport.bitrate * 1000;
  const rate = ["-muxrate", `${bitrate}`, "-pcr_period", `${channel.transport.pcrIntervalMs}`];
  return ["-f", "mpegts", ...rate, udpUrl(to, { ttl: 0, bitrate })];
}

/** ffmpeg, and the gst-launch-1.0 that gives it the same raw pictures and sound. */
export function ffmpegEncoder(
  t: Scope,
  channel: ChannelConfig,
  to: { address: string; port: number },
  folder: string,
): { ffmpeg: Peer; source: Peer } {
  const { video, audio } = namedPipes(t, folder, ["video", "audio"]);
  const sink = (path: string) => `filesink buffer-mode=unbuffered async=false sync=false location=${path}`;
  const give = new Peer(t, "gst-launch-1.0", ["-q", ...source(channel, { video: sink(video), audio: sink(audio) })]);
  const ffmpeg = new Peer(t, "ffmpeg", [
    ...["-v", "error", "-nostats", "-nostdin", "-thread_queue_size", "32", ...rawPictures(channel, video)],
    ...[
      "-thread_queue_size",
      "128",
      "-f",
      "s16le",
      "-ar",
      "48000",
      "-ac",
      "2",
      "-i",
      audio,
      "-map",
      "0:v",
      "-map",
      "1:a",
    ],
    ...[...ffmpegVideo(channel), "-c:a", "aac", "-b:a", `${channel.audio[0]?.bitrate}k`, ...ffmpegOutput(channel, to)],
  ]);
  return { ffmpeg, source: give };
}
