/** Reports of media processes that are well. */
import type { EncodeStats, OutputStats, TransmitStats } from "../../../src/media/protocol.ts";

export function encodeStats(change: (stats: EncodeStats) => void = () => {}): EncodeStats & { event: "stats" } {
  const stats: EncodeStats = {
    source: { state: "live", detail: "", width: 1280, height: 720, rate: 25, scan: "progressive", rebuilds: 0 },
    video: { in: 25, out: 25, repeated: 0, dropped: 0, overload: 0 },
    audio: { in: 48000, out: 48000, silence: 0, driftPpm: 0, resyncs: 0 },
    encodeMs: { median: 3, max: 6 },
    bytes: [375_000, 16_000],
    feed: { readers: 1, cut: 0 },
  };
  change(stats);
  return { ...stats, event: "stats" };
}

export function transmitStats(change: (stats: TransmitStats) => void = () => {}): TransmitStats & { event: "stats" } {
  const stats: TransmitStats = {
    bitrate: 4_000_000,
    payloadBitrate: 3_200_000,
    datagrams: 380,
    gapMs: 2.7,
    lateMs: 0.2,
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
    pcr: { intervalMs: 30, errorNs: 0 },
    programmes: [
      {
        number: 1,
        state: "live",
        leadMs: 150,
        units: 72,
        late: 0,
        dropped: 0,
        feedLosses: 0,
        pmtVersion: 0,
        streams: [{ pid: 256, codec: "h264", bitrate: 3_000_000 }],
      },
    ],
    destinations: [{ id: "main", datagrams: 380, errors: 0, lost: 0, lastError: "" }],
    tap: { readers: 0, cut: 0 },
  };
  change(stats);
  return { ...stats, event: "stats" };
}

export function outputStats(change: Partial<OutputStats>): OutputStats & { event: "stats" } {
  const figures = {
    peers: 1,
    bitrate: 4_000_000,
    bytes: 500_000,
    dropped: 0,
    retransmitted: 0,
    rttMs: 1,
    reconnects: 0,
  };
  return { state: "connected", detail: "", ...figures, ...change, event: "stats" };
}
