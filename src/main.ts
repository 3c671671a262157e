/** The supervisor: builds the services in order. The only place that knows all of them. */
import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import manifest from "../package.json" with { type: "json" };
import { announce, say } from "./announce.ts";
import { ApiServer } from "./api/server.ts";
import { Board } from "./board/board.ts";
import { loadBoardFile } from "./board/boardFile.ts";
import { systemClock } from "./board/ports.ts";
import { Bus } from "./bus.ts";
import { Channels } from "./channels/channels.ts";
import { RuntimeLock } from "./channels/lock.ts";
import { type Config, config as configSchema, defaultConfig } from "./config/schema.ts";
import { ConfigService } from "./config/store.ts";
import type { Role } from "./media/protocol.ts";
import { SlateClips } from "./media/slate.ts";
import { type Options, parseOptions, UsageError, usage } from "./options.ts";
import { lightStates, panelHost, refused } from "./panelHost.ts";

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

function firstConfig({ interface: networkInterface, input }: Options): Config {
  const first = defaultConfig(networkInterface);
  if (input === undefined) return first;
  return configSchema.parse({ ...first, channels: first.channels.map((channel) => ({ ...channel, source: input })) });
}

async function run(options: Options): Promise<void> {
  const began = performance.now();
  const bus = new Bus();
  bus.on("log", ({ level, source, message }) => {
    if (level !== "debug") say(`${level === "info" ? "" : `${level}: `}${source}: ${message}`);
  });

  await mkdir(options.data, { recursive: true });
  await mkdir(options.runtime, { recursive: true, mode: 0o700 });
  const lock = new RuntimeLock(options.runtime);
  const initial = () => firstConfig(options);
  const config = new ConfigService({ folder: options.data, bus, initial });
  const file = await loadBoardFile(join(root, "firmware/boards", `${options.board}.json`));
  const commands = { encode: program("encode"), transmit: program("transmit"), output: program("output") };
  const channels = new Channels(
    config,
    {
      platform: file.platform,
      commands,
      runtimeFolder: options.runtime,
      orphanSeconds: options.orphanSeconds,
      stamp: options.stamp,
      slates: new SlateClips({ folder: join(options.data, "slates"), encode: commands.encode }),
      input: (connector) => {
        const status = board.inputs.status(connector);
        const text = status === undefined ? `the box has no input ${connector}` : status.mismatch || status.text;
        return { source: board.inputs.source(connector), text };
      },
    },
    bus,
  );
  const serial = await machineSerial();
  let url: string | undefined;
  const board: Board = new Board({
    ...{ file, config, bus, serial },
    host: panelHost({
      ...{ config, channels, serial, version: manifest.version },
      url: () => url,
      reset: async () => {
        const result = await config.replace(initial());
        return result.ok ? "done" : refused("the settings could not be stored");
      },
    }),
    lights: () => lightStates(channels, board.isLinked, board.faults().length > 0),
    thermal: {
      preview: (preview) => channels.relieve({ preview }),
      shed: (shed) => channels.relieve({ shed }),
    },
  });
  const api = new ApiServer({
    port: options.port,
    webFolder: join(root, "dist/web"),
    version: manifest.version,
    bus,
    config,
    channels,
    board,
  });

  const start = async () => {
    await lock.start();
    await config.start();
    const [first] = config.current.channels;
    if (options.input !== undefined && !isDeepStrictEqual(first?.source, options.input)) {
      say(`--input has no effect: ${options.data} has its configuration already`);
    }
    await board.start();
    const sources = config.current.channels.filter(({ enabled }) => enabled).map(({ source }) => source);
    const connectors = sources.flatMap((source) => (source.type === "input" ? [source.connector] : []));
    await board.inputs.known(connectors, INPUTS_KNOWN_MS);
    const onAir = channels.start();
    // Who finds the API shall find the channels, too, unless one is stuck.
    await Promise.race([onAir, systemClock.sleep(CHANNELS_FIRST_MS)]);
    await api.start();
    url = api.url;
    announce({ bus, config, url, began });
    await onAir;
  };
  const started = start();

  let leaving = false;
  const leave = async (how: "stop" | "detach") => {
    if (leaving) return;
    leaving = true;
    say(how === "stop" ? "Stopping" : "Leaving, the channels stay on air");
    await started;
    await api.stop();
    await channels[how]();
    await board.stop();
    await config.stop();
    lock.stop();
    process.exit(0);
  };
  const on = (signal: NodeJS.Signals, how: "stop" | "detach") => {
    process.on(signal, () => {
      leave(how).catch(crash);
    });
  };
  on("SIGINT", "stop");
  on("SIGTERM", "stop");
  on("SIGHUP", "stop");
  // For an upgrade of the supervisor: its successor adopts the media.
  on("SIGUSR2", "detach");
  await started;
}

/** Names this machine, and hardly anything else does: sources and people see it. */
async function machineSerial(): Promise<string> {
  const id = await readFile("/etc/machine-id", "utf8").catch(() => "");
  return createHash("sha256").update(id).digest("hex").slice(0, 8).toUpperCase();
}

/** Ends the supervisor alone: the media runs on, and the next supervisor adopts it. */
function crash(error: unknown): never {
  console.error(error);
  process.exit(1);
}

/** Ends a supervisor that cannot start, with the reason. */
function refuse(error: unknown): never {
  console.error(error instanceof Error ? error.message : error);
  process.exit(error instanceof UsageError ? 2 : 1);
}

process.on("uncaughtException", crash);
process.on("unhandledRejection", crash);
// A terminal that is closed is no reason to end.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") process.stdout.write(usage);
  else await run(options);
} catch (error) {
  refuse(error);
}
