/** The box: builds the services in order, and is the only place that knows all of them. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import manifest from "../package.json" with { type: "json" };
import { Administration } from "./administration.ts";
import { announce, say } from "./announce.ts";
import { ApiServer } from "./api/server.ts";
import { Board } from "./board/board.ts";
import { type BoardFile, loadBoardFile } from "./board/boardFile.ts";
import { systemClock } from "./board/ports.ts";
import type { Bus } from "./bus.ts";
import { Channels } from "./channels/channels.ts";
import { RuntimeLock } from "./channels/lock.ts";
import { forgetKeptNetwork, keepNetwork, keptNetwork } from "./config/firstNetwork.ts";
import { mergePatch } from "./config/json.ts";
import { type Config, config as configSchema, defaultConfig, type NetworkConfig } from "./config/schema.ts";
import { ConfigService } from "./config/store.ts";
import type { Role } from "./media/protocol.ts";
import { SlateClips } from "./media/slate.ts";
import type { Options } from "./options.ts";
import { lightStates, panelHost } from "./panelHost.ts";
import { Feeder } from "./system/watchdog/feeder.ts";
import { HealthService } from "./system/watchdog/health.ts";
import type { Supervision } from "./system/watchdog/notify.ts";
import { proofs } from "./system/watchdog/proofs.ts";

/** How long channels wait at most for the first word of the inputs that they are on, ms. */
const INPUTS_KNOWN_MS = 1500;

/** How long the API waits at most for the channels, ms. */
const CHANNELS_FIRST_MS = 2000;

/** The folder that holds `build` and `dist`, or on the box the program's. */
const root = fileURLToPath(new URL("..", import.meta.url));

/** Where a native program is: below STEADYCAST_MEDIA_DIR, or build/media. */
function program(role: Role): [string] {
  return [join(resolve(root, process.env.STEADYCAST_MEDIA_DIR ?? "build/media"), role, role)];
}

export interface BoxOptions extends Options {
  bus: Bus;
  /** What systemd waits for, on the box. */
  supervision: Supervision | undefined;
  /** Ends this box, empties its data folder and starts another one. */
  reset(options: { keepNetwork: boolean }): void;
  /** Ends this box and starts another one with its data, as a reboot does. */
  restart(reason: string): void;
}

interface Parts {
  board: Board;
  channels: Channels;
  administration: Administration;
  api: ApiServer;
  feeder: Feeder;
}

export class Box {
  readonly #options: BoxOptions;
  readonly #lock: RuntimeLock;
  readonly #config: ConfigService;
  /** What a reset has kept for the first configuration. */
  #network: NetworkConfig | undefined;
  /** The board's own first channel. */
  #firstChannel: BoardFile["firstChannel"] = {};
  #parts: Parts | undefined;

  constructor(options: BoxOptions) {
    this.#options = options;
    this.#lock = new RuntimeLock(options.runtime);
    this.#config = new ConfigService({
      ...{ folder: options.data, bus: options.bus, initial: () => this.#firstConfig() },
      admit: async (next) => (await this.#parts?.administration.network.check(next)) ?? [],
    });
  }

  /** @param began when the start was asked for, as performance.now() tells */
  async start(began: number): Promise<void> {
    const { data, runtime, board: model, bus } = this.#options;
    const config = this.#config;
    await mkdir(data, { recursive: true });
    await mkdir(runtime, { recursive: true, mode: 0o700 });
    const file = await loadBoardFile(join(root, "firmware/boards", `${model}.json`));
    this.#firstChannel = file.firstChannel;
    const parts = this.#build(file, await machineSerial());
    const { board, channels, administration, api, feeder } = parts;
    await this.#lock.start();
    this.#parts = parts;
    await administration.startLogs();
    this.#network = await keptNetwork(data, (message) =>
      bus.emit("log", { level: "warning", source: "config", message }),
    );
    await config.start();
    if (config.problems().length === 0) await forgetKeptNetwork(data);
    this.#warnOfInput();
    await administration.start();
    await board.start();
    const sources = config.current.channels.filter(({ enabled }) => enabled).map(({ source }) => source);
    const connectors = sources.flatMap((source) => (source.type === "input" ? [source.connector] : []));
    await board.inputs.known(connectors, INPUTS_KNOWN_MS);
    const onAir = channels.start();
    // Who finds the API shall find the channels, too, unless one is stuck.
    await Promise.race([onAir, systemClock.sleep(CHANNELS_FIRST_MS)]);
    await api.start();
    await administration.startNetwork();
    feeder.start();
    announce({ bus, config, url: api.url, began, isNew: administration.access.needsSetup });
    await onAir;
  }

  /** `stop` ends the channels; `detach` leaves them on air for the next supervisor. */
  async stop(how: "stop" | "detach"): Promise<void> {
    if (this.#parts === undefined) return;
    const { board, channels, administration, api, feeder } = this.#parts;
    await feeder.stop();
    await api.stop();
    await channels[how]();
    await board.stop();
    await administration.stop();
    await this.#config.stop();
    await administration.stopLast();
    this.#lock.stop();
  }

  /** Removes all that the box has kept but the network where it is given, sessions of its users included; it must be stopped. */
  async wipe(network: NetworkConfig | undefined): Promise<void> {
    await rm(this.#options.data, { recursive: true, force: true });
    await rm(join(this.#options.runtime, "sessions.json"), { force: true });
    if (network !== undefined) await keepNetwork(this.#options.data, network);
  }

  /** What is kept by a reset that keeps the network. */
  get network(): NetworkConfig {
    return this.#config.current.network;
  }

  #build(file: BoardFile, serial: string): Parts {
    const { bus, data, runtime, orphanSeconds, stamp, owns, reset, restart } = this.#options;
    const config = this.#config;
    const commands = { encode: program("encode"), transmit: program("transmit"), output: program("output") };
    const channels: Channels = new Channels(
      config,
      {
        ...{ platform: file.platform, commands, runtimeFolder: runtime, orphanSeconds, stamp },
        slates: new SlateClips({ folder: join(data, "slates"), encode: commands.encode }),
        input: (connector) => {
          const status = board.inputs.status(connector);
          const text = status === undefined ? `the box has no input ${connector}` : status.mismatch || status.text;
          return { source: board.inputs.source(connector), text };
        },
      },
      bus,
    );
    const administration: Administration = new Administration({
      ...{ config, bus, data, runtime, owns },
      web: () => api.web,
      version: manifest.version,
      prepare: () => channels.stop(),
      resume: () => channels.start(),
      reset: async (how) => {
        reset(how);
        return "done";
      },
      restart,
      keyring: process.env.STEADYCAST_KEYRING ?? join(root, "build/keys/ca.pem"),
    });
    const board: Board = new Board({
      ...{ file, config, bus, serial },
      host: panelHost({
        ...{ config, channels, serial, version: manifest.version },
        url: () => api.url,
        power: administration.power,
        access: administration.access,
        slot: () => administration.update.slot ?? "none",
      }),
      lights: () => lightStates(channels, board.isLinked, board.faults().length + administration.faults().length > 0),
      thermal: {
        preview: (preview) => channels.relieve({ preview }),
        shed: (shed) => channels.relieve({ shed }),
      },
    });
    const { port, address, httpsPort, supervision } = this.#options;
    const socket = join(runtime, "api.sock");
    const health = new HealthService({
      enabled: () => config.current.channels.filter(({ enabled }) => enabled).map(({ id }) => id),
      channel: (id) => channels.status(id),
      urls: () => [api.url, ...(api.secureUrl === undefined ? [] : [api.secureUrl])],
      folder: data,
    });
    const api: ApiServer = new ApiServer({
      ...{ port, address, bus, config, channels, board },
      ...(httpsPort === undefined ? {} : { https: { port: httpsPort, tls: administration.tls } }),
      ...{ socket, health },
      webFolder: join(root, "dist/web"),
      version: manifest.version,
      access: administration.access,
      audit: administration.audit,
      faults: () => administration.faults(),
      routes: administration.routes({ version: manifest.version, config, channels, board }),
    });
    const timeoutMs = (supervision?.watchdogMs ?? 0) / 3;
    const feeder = new Feeder({ supervision, bus, proofs: proofs({ socket, channels, config, timeoutMs }) });
    return { board, channels, administration, api, feeder };
  }

  #firstConfig(): Config {
    const { interface: networkInterface, input } = this.#options;
    const first = defaultConfig(networkInterface);
    const channels = first.channels.map((channel) => mergePatch(channel, this.#firstChannel));
    const config = configSchema.parse({ ...first, channels, network: this.#network ?? first.network });
    if (input === undefined) return config;
    return { ...config, channels: config.channels.map((channel) => ({ ...channel, source: input })) };
  }

  #warnOfInput(): void {
    const { input, data } = this.#options;
    const [first] = this.#config.current.channels;
    if (input !== undefined && !isDeepStrictEqual(first?.source, input)) {
      say(`--input has no effect: ${data} has its configuration already`);
    }
  }
}

/** Names this machine, and hardly anything else does: sources and people see it. */
async function machineSerial(): Promise<string> {
  const id = await readFile("/etc/machine-id", "utf8").catch(() => "");
  return createHash("sha256").update(id).digest("hex").slice(0, 8).toUpperCase();
}
