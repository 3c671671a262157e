/** How long a channel takes to come on air, counted from the start of its processes. */
import { join } from "node:path";
import { Worker } from "../../src/media/worker.ts";
import { mediaDir, type Scope, temporaryFolder, until } from "../media/support/worker.ts";
import { type Bench, interleaved, median, type Settings, scoped, spread } from "./support/bench.ts";
import { benchChannel, destination, prepare } from "./support/product.ts";
import { receive } from "./support/receiver.ts";

/** ms, median. */
const BOUND = 600;
/** Each takes but a moment, and single ones vary. */
const STARTS_MIN = 10;

/** ms from the order to start. */
interface Start {
  datagram: number;
  /** The first packet of the encoder's picture. */
  video: number;
}

/** Starts both processes as the supervisor does, with its own class for them. */
function supervise(t: Scope, folder: string, specs: Awaited<ReturnType<typeof prepare>>): void {
  const roles = { encode: specs.encode, transmit: specs.transmit };
  for (const role of ["transmit", "encode"] as const) {
    const worker = new Worker<unknown>(
      {
        role,
        title: `bench: ${role}`,
        command: [join(mediaDir, role, role)],
        socket: specs.paths[role],
        logFile: join(folder, `${role}.log`),
        orphanSeconds: 5,
      },
      { event: () => {}, changed: () => {}, log: () => {} },
    );
    t.after(() => worker.stop());
    worker.start(roles[role]);
  }
}

function measure(): Promise<Start> {
  return scoped(async (t) => {
    const channel = benchChannel(1);
    const folder = await temporaryFolder(t);
    // Without a slate the first picture on the wire is the encoder's.
    const specs = await prepare(folder, channel, { slate: "" });
    let first: bigint | undefined;
    let video: bigint | undefined;
    const { videoPid } = channel.transport;
    await receive(t, destination(1), (packets, time) => {
      first ??= time;
      if (packets.some(({ pid, unitStart }) => pid === videoPid && unitStart)) video ??= time;
    });
    const began = process.hrtime.bigint();
    supervise(t, folder, specs);
    const ms = (time: bigint) => Number(time - began) / 1e6;
    const seen = await until("a picture on the wire", () => video);
    return { datagram: ms(first as bigint), video: ms(seen) };
  });
}

export const start: Bench = {
  title: "Start",

  async run(settings: Settings) {
    const repetitions = Math.max(STARTS_MIN, settings.repetitions);
    const { product } = await interleaved(
      { ...settings, repetitions },
      { product: measure },
      ({ datagram, video }) => `${datagram.toFixed(0)} ms, video ${video.toFixed(0)} ms`,
    );
    const datagrams = product.map(({ datagram }) => datagram);
    const videos = product.map(({ video }) => video);
    return {
      rows: [
        {
          what: "Start to the first packet of the encoder's picture",
          bound: `≤ ${BOUND} ms`,
          measured: spread(videos, 0, "ms"),
          kept: median(videos) <= BOUND,
        },
        {
          what: "Start to the first datagram (tables and null packets)",
          bound: `≤ ${BOUND} ms`,
          measured: spread(datagrams, 0, "ms"),
          kept: median(datagrams) <= BOUND,
        },
      ],
      notes: [
        `${repetitions} starts of one 1280×720p25 channel. encode and transmit are started at the same moment and given ` +
          "their specs by the supervisor's own code, with the programs in the machine's file cache.",
      ],
    };
  },
};
