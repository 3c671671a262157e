/** Channel statuses as the box sends them. */
import type { ChannelStatus } from "../../../src/channels/status.ts";
import type { EncodeStats, OutputStats, TransmitStats } from "../../../src/media/protocol.ts";

export const transmitStats: TransmitStats = {
  bitrate: 4_000_000,
  payloadBitrate: 3_310_000,
  datagrams: 1_216_430,
  gapMs: 4.1,
  lateMs: 0.4,
  resumed: false,
  jumps: 0,
  tr101290: {
    syncLoss: 0,
    syncByte: 0,
    pat: 0,
    continuity: 0,
    pmt: 0,
    pidMissing: 0,
    transportError: 0,
    crc: 0,
    pcrRepetition: 0,
    pcrDiscontinuity: 0,
    pcrAccuracy: 0,
    pts: 0,
  },
  pcr: { intervalMs: 29.7, errorNs: 37 },
  programmes: [
    {
      number: 1,
      state: "live",
      leadMs: 61.2,
      units: 88_120,
      late: 0,
      dropped: 0,
      feedLosses: 0,
      pmtVersion: 3,
      streams: [
        { pid: 256, codec: "h264", bitrate: 3_020_000 },
        { pid: 257, codec: "aac", bitrate: 129_000 },
      ],
    },
  ],
  destinations: [{ id: "main", datagrams: 1_216_430, errors: 0, lost: 0, lastError: "" }],
  tap: { readers: 1, cut: 0 },
};

export const encodeStats: EncodeStats = {
  source: { state: "live", detail: "", width: 1280, height: 720, rate: 25, scan: "progressive", rebuilds: 0 },
  video: { in: 182_211, out: 182_250, repeated: 41, dropped: 2, overload: 0 },
  audio: { in: 349_100, out: 349_172, silence: 12, driftPpm: 3.1, resyncs: 0 },
  encodeMs: { median: 6.84, max: 14.2 },
  bytes: [68_400_000, 2_940_000],
  feed: { readers: 1, cut: 0 },
};

export const srtStats: OutputStats = {
  state: "connected",
  detail: "",
  peers: 1,
  bitrate: 4_012_000,
  bytes: 912_000_000,
  dropped: 0,
  retransmitted: 1204,
  rttMs: 18.4,
  reconnects: 0,
};

/** A channel on air; `ago` is how long it has been in its state, ms. */
export function liveChannel(id: string, name: string, ago = 7_980_000): ChannelStatus {
  return {
    id,
    name,
    enabled: true,
    state: "live",
    since: new Date(Date.now() - ago).toISOString(),
    faults: [],
    workers: [
      { role: "encode", name: "", state: "running", pid: 4711, starts: 1, adopted: false, lastExit: "" },
      { role: "transmit", name: "", state: "running", pid: 4712, starts: 1, adopted: true, lastExit: "" },
      {
        role: "output",
        name: "contribution",
        state: "running",
        pid: 4720,
        starts: 2,
        adopted: false,
        lastExit: "SIGKILL",
      },
    ],
    outputs: [
      { id: "main", type: "udp", url: "udp://@239.10.0.1:1234", state: "sending", detail: "", srt: null },
      {
        id: "contribution",
        type: "srt",
        url: "srt://headend.example:9000?mode=caller",
        state: "connected",
        detail: "",
        srt: srtStats,
      },
    ],
    encode: encodeStats,
    transmit: transmitStats,
  };
}

/** The same channel after its source was pulled. */
export function slateChannel(id: string, name: string): ChannelStatus {
  const status = liveChannel(id, name, 47_000);
  return {
    ...status,
    state: "slate",
    faults: [
      {
        id: "source-lost",
        severity: "error",
        message: "No packets arrive on udp://@239.20.0.7:5000. Check the sender, the network and the group address.",
        since: status.since,
      },
      {
        id: "output-down",
        severity: "warning",
        message: "SRT output “contribution” is refused by headend.example:9000. Check the passphrase at both ends.",
        since: new Date(Date.now() - 300_000).toISOString(),
      },
    ],
    outputs: status.outputs.map((output) =>
      output.type === "srt" ? { ...output, state: "error", detail: "Refused: wrong passphrase", srt: null } : output,
    ),
    encode: {
      ...encodeStats,
      source: { state: "lost", detail: "no packets for 47 s", width: 0, height: 0, rate: 0, scan: "", rebuilds: 9 },
    },
    transmit: { ...transmitStats, tr101290: { ...transmitStats.tr101290, pts: 2 } },
  };
}

export function stoppedChannel(id: string, name: string): ChannelStatus {
  const status = liveChannel(id, name, 3_600_000);
  return {
    ...status,
    enabled: false,
    state: "stopped",
    workers: [],
    outputs: status.outputs.map((output) => ({ ...output, state: "off", srt: null })),
    encode: null,
    transmit: null,
  };
}
