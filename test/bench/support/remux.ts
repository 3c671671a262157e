/** Senders of the recorded clip: transmit, and ffmpeg as its measure. Both at the same constant rate, paced. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { transmitStats } from "../../../src/media/protocol.ts";
import { mediaDir, NativeWorker, type Scope, temporaryFolder } from "../../media/support/worker.ts";
import { clip } from "./clip.ts";
import { Peer, udpUrl } from "./peer.ts";
import { benchChannel, destination, prepare, type Specs } from "./product.ts";

/** Of the multiplex, kbit/s. */
export const rate = 7000;
/** Seconds in which all are on air and have settled. */
const WARM_UP = 2;

/** A sender's processes; channel `n` of it goes to destination `n`. */
export type Senders = (t: Scope, channels: number) => Promise<number[]>;

/** One transmit per channel, each with a slate clip as the product makes it. A player gives all of them the clip. */
export const transmits: Senders = async (t, channels) => {
  const folder = await temporaryFolder(t);
  const specs: Specs[] = [];
  for (let n = 1; n <= channels; n++) {
    const channel = benchChannel(n, { video: { bitrate: 4500 }, transport: { bitrate: rate } });
    // All show the same slate, which each of them holds in its own memory.
    specs.push(await prepare(folder, channel, { slate: specs[0]?.transmit.programmes[0]?.slate }));
  }
  new Peer(t, join(mediaDir, "test/feedplay"), ["--file", clip().feed, ...specs.map(({ paths }) => paths.feed)]);
  const workers = await Promise.all(
    specs.map(async ({ transmit, paths }) => {
      const worker = await NativeWorker.spawn(t, "transmit", { folder: paths.folder, args: ["--orphan-seconds", "5"] });
      await worker.apply(transmit);
      await worker.waitFor(transmitStats, ({ programmes }) => programmes[0]?.state === "live");
      return worker;
    }),
  );
  await sleep(WARM_UP * 1000);
  return workers.map(({ pid }) => pid);
};

/** One ffmpeg per channel. */
export const ffmpegs: Senders = async (t, channels) => {
  const peers: Peer[] = [];
  for (let n = 1; n <= channels; n++) {
    const bitrate = rate * 1000;
    peers.push(
      new Peer(t, "ffmpeg", [
        ...["-v", "error", "-nostats", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip().ts, "-c", "copy"],
        ...["-f", "mpegts", "-muxrate", `${bitrate}`, "-pcr_period", "30"],
        udpUrl(destination(n), { ttl: 0, bitrate }),
      ]),
    );
  }
  await sleep(2 * WARM_UP * 1000);
  return peers.map(({ pid }) => pid);
};
