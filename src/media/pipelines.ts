/** Launch descriptions of the source and program pipelines of `encode`, made from the validated configuration. */
import type { ChannelConfig, DirectSource, VideoConfig } from "../config/schema.ts";
import {
  audioStream,
  type CodedStream,
  frameRate,
  type LiveProperties,
  type Platform,
  rawVideoFormat,
  videoStream,
} from "./codecs.ts";
import { caps, chain, element, fileUri } from "./launch.ts";

/** What `tsdemux` may have on its pads. */
const TS_VIDEO = "video/mpeg;video/x-h264;video/x-h265";
const TS_AUDIO = "audio/mpeg;audio/x-ac3;audio/x-eac3;audio/x-dts;audio/x-opus;audio/x-lpcm";
/** Bytes of coded video or sound that wait before a decoder: ahead of its time, content stays coded. */
const CODED_QUEUE = 8 * 1024 * 1024;
/** Of the socket, in bytes: 0.2 s at 80 Mbit/s. */
const RECEIVE_BUFFER = 2 * 1024 * 1024;
/** Milliseconds that the deinterlacer holds pictures of a live source, waiting for the fields around them. */
const DEINTERLACE_LATENCY = 60;

export interface SourcePipeline {
  launch: string;
  /** Content is taken this long after its time stamp; by then it has come, been decoded and scaled. */
  latencyMs: number;
  loop: boolean;
}

/**
 * What every source ends in: pictures in the programme's format, and sound in stereo. The sound keeps its rate: the
 * frame store makes 48 kHz of it by the time stamps, which `audioresample` follows within 30 ms only.
 */
function ends(video: VideoConfig, platform: Platform): { picture: string; sound: string } {
  return {
    picture: chain(
      element("identity", { name: "mode", silent: true }),
      element("deinterlace", { mode: "auto", fields: "all", method: "greedyl" }),
      element("videoconvertscale", { method: "bilinear", "add-borders": true, "n-threads": 1 }),
      caps("video/x-raw", {
        format: rawVideoFormat(video, platform),
        width: video.width,
        height: video.height,
        "pixel-aspect-ratio": "1/1",
        colorimetry: video.height > 576 ? "bt709" : "bt601",
      }),
      element("appsink", { name: "video" }),
    ),
    sound: chain(
      "audioconvert",
      caps("audio/x-raw", { format: "S16LE", channels: 2, layout: "interleaved" }),
      element("appsink", { name: "audio" }),
    ),
  };
}

type Ends = ReturnType<typeof ends>;
type Source<Type extends DirectSource["type"]> = Extract<DirectSource, { type: Type }>;

const patterns = { bars: "smpte", ball: "ball", snow: "snow", black: "black" } as const;

/** Test picture with a frame counter and a time code of the time of day; a beep each second. */
function testLaunch(source: Source<"test">, { picture, sound }: Ends, stamp: boolean): string {
  const [numerator, denominator] = frameRate(source.frameRate);
  // Fields of an interlaced picture are taken from pictures of twice the rate, so that they differ as a camera's do.
  const rate = `${source.interlaced ? 2 * numerator : numerator}/${denominator}`;
  const offset = 1 + source.clockOffset / 1e6;
  const size = { format: "I420", width: source.width, height: source.height };
  // A clock that is off makes pictures and samples at another pace, and calls it the nominal one.
  const pace = offset === 1 ? rate : `${Math.round((Number.parseInt(rate, 10) / denominator) * offset * 1e7)}/10000000`;
  const pictures = chain(
    element("videotestsrc", { "is-live": true, pattern: patterns[source.pattern] }),
    caps("video/x-raw", { ...size, framerate: pace }),
    offset === 1 ? undefined : element("capssetter", { caps: `video/x-raw,framerate=${rate}` }),
    element("timecodestamper", { source: "rtc" }),
    element("timeoverlay", { name: "counter", "time-mode": "time-code", halignment: "center", valignment: "top" }),
    source.interlaced ? element("interlace", { "field-pattern": "1:1", "top-field-first": true }) : undefined,
    source.interlaced ? caps("video/x-raw", { "interlace-mode": "interleaved" }) : undefined,
    stamp ? element("identity", { name: "stamp", silent: true }) : undefined,
    picture,
  );
  if (!source.sound) return pictures;
  const beep = { wave: "ticks", freq: 1000, "sine-periods-per-tick": 80, "apply-tick-ramp": true, volume: 0.3 };
  const samples = chain(
    element("audiotestsrc", { "is-live": true, ...beep }),
    caps("audio/x-raw", { rate: Math.round(48000 * offset) }),
    offset === 1 ? undefined : element("capssetter", { caps: "audio/x-raw,rate=48000" }),
    sound,
  );
  return `${pictures} ${samples}`;
}

function fileLaunch(source: Source<"file">, { picture, sound }: Ends): string {
  const file = element("uridecodebin", { name: "file", uri: fileUri(source.path) });
  return `${file} ${chain("file.", "video/x-raw", "queue", picture)} ${chain("file.", "audio/x-raw", "queue", sound)}`;
}

/** Transport stream by UDP or RTP (RFC 2250). */
function ipLaunch(source: Source<"ip">, { picture, sound }: Ends): string {
  const receive = (format: string) =>
    element("udpsrc", {
      address: source.address,
      port: source.port,
      "multicast-iface": source.interface,
      "buffer-size": RECEIVE_BUFFER,
      "retrieve-sender-address": false,
      caps: format,
    });
  const stream =
    source.protocol === "rtp"
      ? chain(
          receive(
            caps("application/x-rtp", { media: "video", "clock-rate": 90000, "encoding-name": "MP2T", payload: 33 }),
          ),
          // It puts packets in order; the input buffer evens out the rest.
          element("rtpjitterbuffer", { latency: Math.min(source.latencyMs, 50) }),
          "rtpmp2tdepay",
        )
      : receive(caps("video/mpegts", { systemstream: "(boolean)true", packetsize: 188 }));
  const demultiplex = chain(
    stream,
    element("tsparse", { "set-timestamps": true }),
    element("tsdemux", {
      name: "demux",
      "program-number": source.programme === 0 ? -1 : source.programme,
      latency: source.latencyMs,
    }),
  );
  const queue = element("queue", { "max-size-buffers": 0, "max-size-time": 0, "max-size-bytes": CODED_QUEUE });
  const pictures = chain("demux.", TS_VIDEO, queue, "decodebin", "video/x-raw", picture);
  const sounds = chain("demux.", TS_AUDIO, queue, "decodebin", "audio/x-raw", sound);
  return `${demultiplex} ${pictures} ${sounds}`;
}

/** V4L2 (raw or coded pictures) and ALSA, 48 kHz where the card has it. Sound keeps its pace: the store corrects it. */
function captureLaunch(source: Source<"capture">, { picture, sound }: Ends): string {
  const pictures = chain(element("v4l2src", { device: source.videoDevice }), "decodebin", "video/x-raw", picture);
  if (source.audioDevice === "") return pictures;
  const card = element("alsasrc", {
    device: source.audioDevice,
    "provide-clock": false,
    "slave-method": "re-timestamp",
    "buffer-time": 200_000,
    "latency-time": 10_000,
  });
  return `${pictures} ${chain(card, "audio/x-raw,rate=48000;audio/x-raw", "queue", sound)}`;
}

/** The source pipeline: appsinks `video` and `audio`, `mode` before deinterlacing and scaling. */
export function sourcePipeline(
  source: DirectSource,
  video: VideoConfig,
  platform: Platform,
  options: { stamp: boolean },
): SourcePipeline {
  const live = video.lowLatency ? 15 : 30;
  const tails = ends(video, platform);
  switch (source.type) {
    case "test":
      return {
        launch: testLaunch(source, tails, options.stamp),
        latencyMs: live + (source.interlaced ? DEINTERLACE_LATENCY : 0),
        loop: false,
      };
    case "file":
      return { launch: fileLaunch(source, tails), latencyMs: 100, loop: true };
    case "ip":
      return { launch: ipLaunch(source, tails), latencyMs: source.latencyMs, loop: false };
    case "capture":
      return { launch: captureLaunch(source, tails), latencyMs: live + DEINTERLACE_LATENCY, loop: false };
  }
}

export interface ProgramPipeline {
  launch: string;
  live: LiveProperties;
  streams: { codec: CodedStream["codec"]; rate: [number, number]; bitrate: number }[];
  format: ReturnType<typeof rawVideoFormat>;
}

/**
 * The program pipeline: appsrcs `video`, `audio0` …, appsinks `out0` …
 * @throws UnsupportedSetting
 */
export function programPipeline(channel: ChannelConfig, platform: Platform): ProgramPipeline {
  const video: VideoConfig = channel.video;
  const coded = [videoStream(channel, platform), ...channel.audio.map(audioStream)];
  const launch = coded.map((stream, index) =>
    chain(
      element("appsrc", { name: index === 0 ? "video" : `audio${index - 1}` }),
      stream.launch,
      element("appsink", { name: `out${index}` }),
    ),
  );
  return {
    launch: launch.join(" "),
    live: Object.assign({}, ...coded.map((stream) => stream.live)) as LiveProperties,
    streams: coded.map(({ codec, rate, bitrate }) => ({ codec, rate, bitrate })),
    format: rawVideoFormat(video, platform),
  };
}
