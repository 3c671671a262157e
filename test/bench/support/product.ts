/** The product's own processes with the specs that the supervisor would give them. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type ChannelConfig, channel as channelSchema } from "../../../src/config/schema.ts";
import { ChannelPaths } from "../../../src/media/paths.ts";
import { type EncodeSpec, encodeStats, type TransmitSpec, transmitStats } from "../../../src/media/protocol.ts";
import { SlateClips } from "../../../src/media/slate.ts";
import { encodeSpec, transmitSpec } from "../../../src/media/specs.ts";
import { mediaDir, NativeWorker, type Scope } from "../../media/support/worker.ts";

export const encodeProgram = join(mediaDir, "encode/encode");

/** Where bench number `n` sends. Each sender has a group of its own, so that no two ever meet. */
export function destination(n: number): { address: string; port: number } {
  return { address: `239.255.7.${n}`, port: 17_000 + n };
}

/** 1280×720p25 H.264 3 Mbit/s with AAC, CBR 4 Mbit/s, from the test picture, to destination `n`; with `more` changed. */
export function benchChannel(n: number, more: Record<string, unknown> = {}): ChannelConfig {
  return channelSchema.parse({
    id: `ch${n}`,
    name: `Bench ${n}`,
    outputs: [{ type: "udp", id: "main", ...destination(n), interface: "lo" }],
    ...more,
  });
}

export interface Specs {
  encode: EncodeSpec;
  transmit: TransmitSpec;
  paths: ChannelPaths;
}

/**
 * The specs of a channel, and the folders that they name.
 * @param slate a slate clip that is there already; without it the channel's own is made
 */
export async function prepare(
  folder: string,
  channel: ChannelConfig,
  options: { stamp?: boolean; slate?: string | undefined } = {},
): Promise<Specs> {
  const paths = new ChannelPaths(folder, channel.id);
  await mkdir(paths.folder, { recursive: true });
  const encode = encodeSpec(channel, { platform: "pc", paths, stamp: options.stamp ?? false });
  const clips = new SlateClips({ folder: join(folder, "slates"), encode: [encodeProgram] });
  const slate = options.slate ?? (await clips.make(channel.id, encode));
  return { encode, transmit: transmitSpec(channel, paths, slate, 34), paths };
}

/** A channel on air, as the supervisor runs it. */
export class Product {
  private constructor(
    readonly encode: NativeWorker,
    readonly transmit: NativeWorker,
  ) {}

  /** Returns when it is live. */
  static async start(t: Scope, { encode: encodeSpec, transmit: transmitSpec, paths }: Specs): Promise<Product> {
    const options = { folder: paths.folder, args: ["--orphan-seconds", "5"] };
    const transmit = await NativeWorker.spawn(t, "transmit", options);
    const encode = await NativeWorker.spawn(t, "encode", options);
    await transmit.apply(transmitSpec);
    await encode.apply(encodeSpec);
    await encode.waitFor(encodeStats, ({ source }) => source.state === "live");
    await transmit.waitFor(transmitStats, ({ programmes }) => programmes[0]?.state === "live");
    return new Product(encode, transmit);
  }

  get pids(): [encode: number, transmit: number] {
    return [this.encode.pid, this.transmit.pid];
  }
}
