/** A viewer that adds as little delay as a receiver can, and reads how old each decoded picture is. */
import { setTimeout as sleep } from "node:timers/promises";
import { readStamp } from "../../media/support/viewer.ts";
import type { Scope } from "../../media/support/worker.ts";
import { Peer } from "./peer.ts";

const pictureSize = 320 * 180;

/**
 * Each PES packet is taken for a whole picture, as all senders here make it; a parser would wait for the next one to be
 * sure. Nothing is kept back for the time stamps' sake.
 */
function receiver({ address, port }: { address: string; port: number }): string[] {
  const unit = "video/x-h264,stream-format=byte-stream,alignment=au";
  const receive =
    `udpsrc address=${address} port=${port} multicast-iface=lo buffer-size=2000000 ` +
    "caps=video/mpegts,systemstream=(boolean)true,packetsize=188";
  return (
    `-q ${receive} ! tsdemux ! capssetter caps=${unit} ! avdec_h264 max-threads=1 ! videoconvertscale ! ` +
    "video/x-raw,format=GRAY8,width=320,height=180 ! fdsink fd=1 sync=false"
  ).split(" ");
}

/**
 * Ages in ms, from the raw frame to the decoded one, of the pictures of `seconds`.
 * @throws Error when pictures are missing or cannot be read
 */
export async function pictureAges(
  t: Scope,
  from: { address: string; port: number },
  { seconds, warmUp, frameRate }: { seconds: number; warmUp: number; frameRate: number },
): Promise<number[]> {
  let ages: number[] = [];
  let unreadable = 0;
  let rest: Buffer = Buffer.alloc(0);
  const viewer = new Peer(t, "gst-launch-1.0", receiver(from));
  viewer.process.stdout?.on("data", (data: Buffer) => {
    rest = Buffer.concat([rest, data]);
    for (; rest.length >= pictureSize; rest = rest.subarray(pictureSize)) {
      const stamp = readStamp(rest.subarray(0, pictureSize));
      if (stamp === undefined) unreadable++;
      else ages.push(Number(process.hrtime.bigint() - stamp.time) / 1e6);
    }
  });
  await sleep(warmUp * 1000);
  ages = [];
  unreadable = 0;
  await sleep(seconds * 1000);
  viewer.check();
  if (ages.length < 0.9 * seconds * frameRate) {
    throw new Error(`${from.address}: ${ages.length} pictures in ${seconds} s, and ${unreadable} that cannot be read`);
  }
  return ages;
}
