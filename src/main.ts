/** The supervisor: builds the services in order. The only place that knows all of them. */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import manifest from "../package.json" with { type: "json" };
import { announce, say } from "./announce.ts";
import { ApiServer } from "./api/server.ts";
import { Bus } from "./bus.ts";
import { Channels } from "./channels/channels.ts";
import { RuntimeLock } from "./channels/lock.ts";
import { type Config, config as configSchema, defaultConfig } from "./config/schema.ts";
import { ConfigService } from "./config/store.ts";
import type { Role } from "./media/protocol.ts";
import { SlateClips } from "./media/slate.ts";
import { type Options, parseOptions, UsageError, usage } from "./options.ts";

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
  const config = new ConfigService({ folder: options.data, bus, initial: () => firstConfig(options) });
  const commands = { encode: program("encode"), transmit: program("transmit"), output: program("output") };
  const channels = new Channels(
    config,
    {
      platform: "pc",
      commands,
      runtimeFolder: options.runtime,
      orphanSeconds: options.orphanSeconds,
      stamp: options.stamp,
      slates: new SlateClips({ folder: join(options.data, "slates"), encode: commands.encode }),
    },
    bus,
  );
  const api = new ApiServer({
    port: options.port,
    webFolder: join(root, "dist/web"),
    version: manifest.version,
    bus,
    config,
    channels,
  });

  const start = async () => {
    await lock.start();
    await config.start();
    const [first] = config.current.channels;
    if (options.input !== undefined && !isDeepStrictEqual(first?.source, options.input)) {
      say(`--input has no effect: ${options.data} has its configuration already`);
    }
    await api.start();
    announce({ bus, config, url: api.url, began });
    await channels.start();
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
