/** The channels of the box: follows the configuration, adopts what runs, and carries out orders. */
import { mkdir, readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Bus } from "../bus.ts";
import type { ChannelConfig, Config } from "../config/schema.ts";
import { Connection } from "../media/connection.ts";
import { ChannelPaths } from "../media/paths.ts";
import { findProcesses, MediaProcess } from "../media/process.ts";
import { followsNetworkDscp } from "../media/specs.ts";
import { Channel, type MediaSetup, type Relief } from "./channel.ts";
import type { ChannelControl, ChannelStatus, OrderResult } from "./status.ts";

/** Milliseconds between two reports of every channel. */
const REPORT_INTERVAL = 1000;

/** What the channels need of the configuration service. */
export interface ConfigSource {
  readonly current: Pick<Config, "channels" | "network">;
}

export class Channels implements ChannelControl {
  readonly #config: ConfigSource;
  readonly #media: MediaSetup;
  readonly #bus: Bus;
  readonly #channels = new Map<string, Channel>();
  readonly #listening: (() => void)[] = [];
  #reports: NodeJS.Timeout | undefined;
  /** What a box that is too hot does without. */
  #preview = true;
  #shed = 0;
  /** That of the network when it was last followed. */
  #dscp: number | undefined;
  /** Changes of configuration are followed one after another. */
  #following: Promise<void> = Promise.resolve();

  constructor(config: ConfigSource, media: MediaSetup, bus: Bus) {
    this.#config = config;
    this.#media = { dscp: () => config.current.network.dscp, ...media };
    this.#bus = bus;
  }

  /** Ends what runs for no channel, and brings every channel to what is configured. */
  async start(): Promise<void> {
    await mkdir(this.#media.runtimeFolder, { recursive: true, mode: 0o700 });
    await this.#endStrays();
    this.#listening.push(
      this.#bus.on("config", () => this.#follow()),
      this.#bus.on("input", ({ connector }) => this.#followInput(connector)),
    );
    this.#reports = setInterval(() => {
      for (const channel of this.#channels.values()) this.#bus.emit("channel", channel.status());
    }, REPORT_INTERVAL);
    this.#follow();
    await this.#following;
  }

  /** Ends every channel's workers. */
  async stop(): Promise<void> {
    await this.#leave((channel) => channel.stop());
  }

  /** Leaves every channel on air for a later supervisor. */
  async detach(): Promise<void> {
    await this.#leave((channel) => channel.detach());
  }

  /** Fulfilled when every change of the configuration so far has been followed. */
  settled(): Promise<void> {
    return this.#following;
  }

  list(): ChannelStatus[] {
    return this.#config.current.channels
      .map(({ id }) => this.status(id))
      .filter((status): status is ChannelStatus => status !== undefined);
  }

  status(id: string): ChannelStatus | undefined {
    return this.#channels.get(id)?.status();
  }

  async restart(id: string): Promise<OrderResult> {
    return (await this.#channels.get(id)?.restart()) ?? "unknown-channel";
  }

  async keyframe(id: string): Promise<OrderResult> {
    return (await this.#channels.get(id)?.keyframe()) ?? "unknown-channel";
  }

  previewFile(id: string): string | undefined {
    return this.#channels.get(id)?.previewFile();
  }

  /** What of the supervision of the channels stands still, in words; see Channel.stuck. */
  stuck(): string[] {
    return [...this.#channels.values()].flatMap((channel) => channel.stuck());
  }

  async #leave(how: (channel: Channel) => Promise<void>): Promise<void> {
    for (const unlisten of this.#listening.splice(0)) unlisten();
    clearInterval(this.#reports);
    await this.#following;
    await Promise.all([...this.#channels.values()].map(how));
    this.#channels.clear();
  }

  /** Brings about the differences between what is configured and what is. */
  #follow(): void {
    this.#following = this.#following.then(async () => {
      const configured = new Map(this.#config.current.channels.map((channel) => [channel.id, channel]));
      const gone = [...this.#channels].filter(([id]) => !configured.has(id));
      const tasks = gone.map(([id, channel]) => this.#remove(id, channel));
      const { dscp } = this.#config.current.network;
      const dscpChanged = dscp !== this.#dscp;
      this.#dscp = dscp;
      for (const config of configured.values()) tasks.push(this.#bring(config, dscpChanged));
      await Promise.all(tasks);
    });
  }

  /** Lowers the load: previews, and so many channels from the last one upwards. For the box's protection from heat. */
  relieve({ preview, shed }: { preview?: boolean; shed?: number }): void {
    this.#preview = preview ?? this.#preview;
    this.#shed = shed ?? this.#shed;
    for (const [id, channel] of this.#channels) {
      channel.relieve(this.#reliefOf(id)).catch((error: Error) => this.#log("error", `${id}: ${error.message}`));
    }
  }

  #reliefOf(id: string): Relief {
    const { channels } = this.#config.current;
    const index = channels.findIndex((channel) => channel.id === id);
    return { preview: this.#preview, stopped: index >= channels.length - this.#shed };
  }

  #followInput(connector: string): void {
    for (const [id, channel] of this.#channels) {
      channel.follow(connector).catch((error: Error) => this.#log("error", `${id}: ${error.message}`));
    }
  }

  async #bring(config: ChannelConfig, dscpChanged: boolean): Promise<void> {
    const channel = this.#channels.get(config.id);
    try {
      if (channel === undefined) {
        const fresh = new Channel(config, this.#media, this.#bus);
        this.#channels.set(config.id, fresh);
        await fresh.relieve(this.#reliefOf(config.id));
        await fresh.start();
      } else if (channel.config !== config || (dscpChanged && followsNetworkDscp(config))) {
        await channel.apply(config);
      }
      await channel?.relieve(this.#reliefOf(config.id));
    } catch (error) {
      this.#log("error", `${config.id}: ${(error as Error).message}`);
    }
  }

  async #remove(id: string, channel: Channel): Promise<void> {
    this.#channels.delete(id);
    try {
      await channel.remove();
    } catch (error) {
      this.#log("error", `${id}: ${(error as Error).message}`);
    }
    this.#bus.emit("channelRemoved", { id });
  }

  /** Ends processes of an earlier supervisor that no channel wants, and removes the folders of channels that are gone. */
  async #endStrays(): Promise<void> {
    const { runtimeFolder } = this.#media;
    const wanted = new Set<string>();
    for (const channel of this.#config.current.channels) {
      if (!channel.enabled) continue;
      const paths = new ChannelPaths(runtimeFolder, channel.id);
      wanted.add(paths.encode).add(paths.transmit);
      for (const output of channel.outputs) {
        if (output.type === "srt" && output.enabled) wanted.add(paths.output(output.id));
      }
    }
    const strays = findProcesses((socket) => dirname(dirname(socket)) === runtimeFolder && !wanted.has(socket));
    await Promise.all(
      strays.map(async (stray) => {
        this.#log(
          "info",
          `ending ${basename(stray.socket, ".sock")} of ${basename(dirname(stray.socket))}: no longer configured`,
        );
        const process = MediaProcess.adopt(stray);
        const connection = await Connection.open(stray.socket).catch(() => undefined);
        await process.end(connection === undefined ? undefined : () => connection.request("quit"));
        connection?.close();
      }),
    );
    const ids = new Set(this.#config.current.channels.map(({ id }) => id));
    for (const entry of await readdir(runtimeFolder, { withFileTypes: true })) {
      if (entry.isDirectory() && !ids.has(entry.name)) await new ChannelPaths(runtimeFolder, entry.name).remove();
    }
  }

  #log(level: "info" | "error", message: string): void {
    this.#bus.emit("log", { level, source: "channels", message });
  }
}
