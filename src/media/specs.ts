/** What the media processes of a channel shall do, from its configuration. */
import { createHash } from "node:crypto";
import type { ChannelConfig, DirectSource, OutputConfig, SrtOutputConfig } from "../config/schema.ts";
import { type Platform, timing } from "./codecs.ts";
import type { ChannelPaths } from "./paths.ts";
import { programPipeline, sourcePipeline } from "./pipelines.ts";
import type { EncodeSpec, OutputSpec, TransmitDestination, TransmitSpec } from "./protocol.ts";

/** Width of the preview in pixels. */
const PREVIEW_WIDTH = 320;

export interface SpecOptions {
  platform: Platform;
  paths: ChannelPaths;
  /** Draw a machine-readable strip of counter and clock into the test picture, for measurements. */
  stamp: boolean;
  /** What a channel opens whose source is an input of the box: null while no signal is there. */
  input?: DirectSource | null;
  /** False, for a box that is too hot: no preview picture is made. */
  preview?: boolean;
}

/** @throws UnsupportedSetting */
export function encodeSpec(channel: ChannelConfig, options: SpecOptions): EncodeSpec {
  const { platform, paths } = options;
  const { video, audio, loss } = channel;
  const opened = channel.source.type === "input" ? options.input : channel.source;
  const stamp = options.stamp && opened?.type === "test";
  const source = opened && sourcePipeline(opened, video, platform, { stamp });
  const program = programPipeline(channel, platform);
  const [video0] = program.streams;
  return {
    channel: channel.id,
    source: source ? { ...source, stamp } : null,
    video: { width: video.width, height: video.height, rate: video0?.rate ?? [25, 1], format: program.format },
    audio: audio.map(({ channels, delayMs }) => ({ channels, delayMs })),
    loss: { ...loss },
    program: { launch: program.launch, live: program.live },
    streams: program.streams,
    feed: paths.feed,
    preview:
      options.preview === false
        ? null
        : {
            file: paths.preview,
            width: PREVIEW_WIDTH,
            height: Math.max(2, 2 * Math.round((PREVIEW_WIDTH * video.height) / video.width / 2)),
          },
  };
}

/** An output that `transmit` sends itself; the others have processes of their own. */
type DatagramOutput = Exclude<OutputConfig, SrtOutputConfig>;

function isDatagram(output: OutputConfig): output is DatagramOutput {
  return output.type === "udp" || output.type === "rtp";
}

function destination({ type, enabled: _, ...fields }: DatagramOutput, dscp: number): TransmitDestination {
  return { ...fields, protocol: type, dscp: fields.dscp < 0 ? dscp : fields.dscp };
}

/** Whether an output of the channel has the DSCP that is set for the network. */
export function followsNetworkDscp({ outputs }: ChannelConfig): boolean {
  return outputs.some((output) => isDatagram(output) && output.dscp < 0);
}

/**
 * @param slate path of the recorded feed that plays while there is no feed, or ""
 * @param dscp of outputs that have none of their own
 */
export function transmitSpec(channel: ChannelConfig, paths: ChannelPaths, slate: string, dscp: number): TransmitSpec {
  const { transport, audio } = channel;
  return {
    channel: channel.id,
    mode: transport.mode,
    bitrate: transport.bitrate * 1000,
    delayMs: timing(channel).delayMs,
    transportStreamId: transport.transportStreamId,
    originalNetworkId: transport.originalNetworkId,
    networkId: transport.networkId,
    networkName: transport.networkName,
    characterSet: transport.characterSet,
    // Within the limits of TR 101 290 (PAT, PMT 0.5 s; SDT 2 s; NIT 10 s; TDT 30 s); PAT and PMT faster, for zapping.
    intervals: { patMs: 80, pmtMs: 80, sdtMs: 1000, nitMs: 5000, tdtMs: 10_000, pcrMs: transport.pcrIntervalMs },
    programmes: [
      {
        number: transport.programmeNumber,
        pmtPid: transport.pmtPid,
        pcrPid: transport.videoPid,
        serviceName: transport.serviceName,
        providerName: transport.providerName,
        feed: paths.feed,
        slate,
        // Without an encoder nothing can repeat the last picture, and receivers want a time stamp each 700 ms
        // (TR 101 290, 2.5): so the hold is shorter here than where only the source is away.
        slateAfterMs: Math.min(channel.loss.holdMs, 500),
        streams: [
          { stream: 0, pid: transport.videoPid, language: "" },
          ...audio.map((track, i) => ({ stream: i + 1, pid: transport.audioPid + i, language: track.language })),
        ],
      },
    ],
    destinations: channel.outputs
      .filter(isDatagram)
      .filter((output) => output.enabled)
      .map((output) => destination(output, dscp)),
    tap: paths.tap,
    state: paths.state,
  };
}

export function outputSpec(channel: ChannelConfig, output: SrtOutputConfig, paths: ChannelPaths): OutputSpec {
  const { type, enabled: _, ...fields } = output;
  return { ...fields, channel: channel.id, kind: type, tap: paths.tap };
}

/** The spec of a channel's slate clip: its program on the loss picture and silence. Only what shapes the clip differs. */
export function slateSpec(spec: EncodeSpec): EncodeSpec {
  const { audio, loss } = spec;
  return {
    ...spec,
    channel: "slate",
    source: null,
    audio: audio.map(({ channels }) => ({ channels, delayMs: 0 })),
    loss: { ...loss, holdMs: 0 },
    // Not served: the clip goes into a file.
    feed: "/",
    preview: null,
  };
}

/** Names the content of a specification. */
export function hashOf(spec: unknown): string {
  return createHash("sha256").update(JSON.stringify(spec)).digest("hex").slice(0, 16);
}
