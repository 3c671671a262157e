/** What the soak runs: the whole product with two channels, the second of which takes the first for its source. */
import type { ChannelStatus } from "../../../src/channels/status.ts";
import { Station } from "../../media/support/station.ts";
import { type Scope, until } from "../../media/support/worker.ts";
import { Peer } from "./peer.ts";

export const channels = ["ch1", "ch2"] as const;
export type ChannelId = (typeof channels)[number];

export const addresses: Record<ChannelId, { address: string; port: number }> = {
  ch1: { address: "239.255.7.20", port: 17_020 },
  ch2: { address: "239.255.7.21", port: 17_021 },
};
export const pids = { video: 256, audio: 257 };
const srtPort = 17_022;

/** The test picture in 720p25 by RTP and SRT; and a smaller channel by UDP with that as its IP source. */
function configuration(): object[] {
  return [
    {
      id: "ch1",
      name: "Channel 1",
      outputs: [
        { type: "rtp", id: "main", ...addresses.ch1, interface: "lo" },
        { type: "srt", id: "link", mode: "listener", address: "127.0.0.1", port: srtPort },
      ],
    },
    {
      id: "ch2",
      name: "Channel 2",
      source: { type: "ip", protocol: "rtp", ...addresses.ch1, interface: "lo" },
      video: { width: 640, height: 360, bitrate: 1200 },
      audio: [{ codec: "mp2", bitrate: 192 }],
      transport: { bitrate: 2000 },
      outputs: [{ type: "udp", id: "main", ...addresses.ch2, interface: "lo" }],
    },
  ];
}

export class OnAir {
  /** Bytes that came over SRT. */
  srtBytes = 0;
  readonly #scope: Scope;
  #srt: Peer | undefined;

  private constructor(
    t: Scope,
    readonly station: Station,
  ) {
    this.#scope = t;
  }

  /** Returns when both channels are live. */
  static async start(t: Scope): Promise<OnAir> {
    const onAir = new OnAir(t, await Station.start(t, configuration()));
    onAir.startSrtPeer();
    let live = false;
    const look = async () => {
      live = (await onAir.status("ch2").catch(() => undefined))?.state === "live";
    };
    await until("channel 2 live", () => {
      look().catch(() => {});
      return live;
    });
    return onAir;
  }

  async status(channel: ChannelId): Promise<ChannelStatus> {
    return (await this.station.call("GET", `/channels/${channel}/status`)) as ChannelStatus;
  }

  async patch(channel: ChannelId, change: object): Promise<void> {
    await this.station.call("PATCH", `/channels/${channel}`, change);
  }

  startSrtPeer(): void {
    const from = `srt://127.0.0.1:${srtPort}?mode=caller&transtype=live`;
    this.#srt = new Peer(this.#scope, "srt-live-transmit", ["-q", "-chunk:1316", from, "file://con"]);
    this.#srt.process.stdout?.on("data", (data: Buffer) => {
      this.srtBytes += data.length;
    });
  }

  killSrtPeer(): void {
    this.#srt?.process.kill("SIGKILL");
  }

  /** Of all processes, by a name that stays when one is replaced. Those that are not there now are left out. */
  async processes(): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    const supervisor = this.station.box.pid;
    if (supervisor !== undefined) found.set("supervisor", supervisor);
    for (const channel of channels) {
      for (const { role, name, pid } of (await this.status(channel)).workers) {
        if (pid !== null) found.set(role === "output" ? `${channel} output ${name}` : `${channel} ${role}`, pid);
      }
    }
    return found;
  }
}
