/** The supervisor as a process: its command line, its signals and its end. */
import { say } from "./announce.ts";
import { systemClock } from "./board/ports.ts";
import { Box } from "./box.ts";
import { Bus } from "./bus.ts";
import { type Options, parseOptions, UsageError, usage } from "./options.ts";
import { takeSupervision } from "./system/watchdog/notify.ts";

/** How long a restart waits, so that its answer goes out first, ms. */
const RESTART_MS = 500;

async function run(options: Options): Promise<void> {
  const bus = new Bus();
  const supervision = takeSupervision();
  bus.on("log", ({ level, source, message }) => {
    if (level !== "debug") say(`${level === "info" ? "" : `${level}: `}${source}: ${message}`);
  });

  const make = (): Box =>
    new Box({
      ...{ ...options, bus, supervision },
      reset: (how) => void reset(how).catch(crash),
      restart: (reason) => void restart(reason).catch(crash),
    });
  let box = make();
  let began = box.start(performance.now());

  /** Another box in the place of this one, which has forgotten everything. */
  const reset = async ({ keepNetwork }: { keepNetwork: boolean }): Promise<void> => {
    await began;
    if (leaving) return;
    say("Reset to factory settings");
    const network = keepNetwork ? box.network : undefined;
    await box.stop("stop");
    await box.wipe(network);
    box = make();
    began = box.start(performance.now());
    await began;
  };

  /** Another box in the place of this one, with all that it has kept. */
  const restart = async (reason: string): Promise<void> => {
    await began;
    if (leaving) return;
    say(`Starting again: ${reason}`);
    await systemClock.sleep(RESTART_MS);
    await box.stop("stop");
    box = make();
    began = box.start(performance.now());
    await began;
  };

  let leaving = false;
  const leave = async (how: "stop" | "detach"): Promise<void> => {
    if (leaving) return;
    leaving = true;
    say(how === "stop" ? "Stopping" : "Leaving, the channels stay on air");
    await began;
    await box.stop(how);
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
  await began;
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
