/** The command line of the supervisor. */
import { statfsSync } from "node:fs";
import { isIP } from "node:net";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { SourceConfig } from "./config/schema.ts";
import { source } from "./config/schema.ts";
import { RUNTIME_PATH_MAX } from "./media/paths.ts";

export interface Options {
  /** Of HTTP. */
  port: number;
  /** Where HTTP and HTTPS listen. */
  address: string;
  /** undefined: there is no HTTPS. */
  httpsPort: number | undefined;
  data: string;
  runtime: string;
  /** Interface of the first channel's multicast. */
  interface: string;
  /** First channel's source at the first start. */
  input: SourceConfig | undefined;
  /** Model of the box, a file of firmware/boards. */
  board: string;
  orphanSeconds: number;
  stamp: boolean;
  /** Network, SSH, clock and power of this machine are the box's to set. */
  owns: boolean;
}

/** A command line that cannot be used; the message says why and where the options are told. */
export class UsageError extends Error {
  override readonly name = "UsageError";

  constructor(message: string) {
    super(`${message}\nnpm start -- --help tells the options`);
  }
}

export const usage = `Usage: npm start -- [options]

  --port NUMBER         port of the web page and the API, 0 for any (8080); other machines are sent to HTTPS
  --https-port NUMBER   the same by HTTPS, 0 for any; none: no HTTPS (8443)
  --address ADDRESS     where both listen: an address of this machine, 0.0.0.0 or :: for all (127.0.0.1)
  --data FOLDER         where the configuration is kept (./data)
  --runtime FOLDER      sockets of the media processes; at most ${RUNTIME_PATH_MAX} bytes long
                        and in memory (as root /run/steadycast, else $XDG_RUNTIME_DIR/steadycast, where these are
                        in memory; else in /dev/shm)
  --board NAME          the box, a file of firmware/boards (virtual)
  --orphan-seconds N    how long the media runs on without a supervisor, 0 for ever (60)
  --stamp               draw counter and clock into the test picture, for measurements
  --own-machine         set network, firewall, SSH, clock and power of this machine: in the firmware, never on a PC
  --help                this text

At the first start with a data folder, which then keeps its configuration:

  --input INPUT         the first channel's source (test):
                          test                      test picture and beeps
                          FILE                      media file, looped
                          udp://239.1.2.3:1234      MPEG-TS by UDP; rtp:// by RTP; multicast or 0.0.0.0
                          /dev/video0[,hw:1,0]      V4L2 device and ALSA device
                          input:hdmi1               input of the box, whose signal it follows
  --interface NAME      network interface of its input and its output (lo)
`;

export function parseOptions(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Options | "help" {
  const values = read(args);
  if (values.help) return "help";
  const board = values.board ?? "virtual";
  if (!/^[a-z0-9-]{1,24}$/.test(board)) throw new UsageError(`--board must be the name of a board file, is ${board}`);
  const runtime = resolve(values.runtime ?? defaultRuntime(env));
  const length = Buffer.byteLength(runtime);
  if (length > RUNTIME_PATH_MAX) {
    throw new UsageError(`--runtime must be at most ${RUNTIME_PATH_MAX} bytes long, ${runtime} has ${length}`);
  }
  const networkInterface = values.interface ?? "lo";
  return {
    port: integer("--port", values.port ?? "8080", 0, 65535),
    address: address(values.address ?? "127.0.0.1"),
    httpsPort: values["https-port"] === "none" ? undefined : httpsPort(values["https-port"] ?? "8443"),
    data: resolve(values.data ?? "data"),
    runtime,
    interface: networkInterface,
    input: values.input === undefined ? undefined : input(values.input, networkInterface),
    board,
    orphanSeconds: integer("--orphan-seconds", values["orphan-seconds"] ?? "60", 0, 86_400),
    stamp: values.stamp,
    owns: values["own-machine"],
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: "string" },
        "https-port": { type: "string" },
        address: { type: "string" },
        data: { type: "string" },
        runtime: { type: "string" },
        interface: { type: "string" },
        input: { type: "string" },
        board: { type: "string", default: "virtual" },
        "orphan-seconds": { type: "string" },
        stamp: { type: "boolean", default: false },
        "own-machine": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function integer(name: string, text: string, min: number, max: number, or = ""): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw new UsageError(`${name} must be ${min} to ${max}${or}, is ${text}`);
  return value;
}

function httpsPort(text: string): number {
  return integer("--https-port", text, 0, 65535, " or none");
}

function address(text: string): string {
  if (isIP(text) === 0) throw new UsageError(`--address must be an IP address, is ${text}`);
  return text;
}

/** Type of a file system in memory, as statfs(2) tells it. */
const TMPFS_MAGIC = 0x01021994;

function inMemory(folder: string): boolean {
  try {
    return statfsSync(folder).type === TMPFS_MAGIC;
  } catch {
    return false;
  }
}

/**
 * The first of the usual folders that is in memory: transmit's state is written all the time, and on a disk writing it
 * back can make the stream falter.
 */
function defaultRuntime(env: NodeJS.ProcessEnv): string {
  const user = process.getuid?.() ?? 0;
  const usual = user === 0 ? "/run" : env.XDG_RUNTIME_DIR;
  if (usual !== undefined && inMemory(usual)) return `${usual}/steadycast`;
  if (inMemory("/dev/shm")) return `/dev/shm/steadycast-${user}`;
  throw new UsageError("there is no folder in memory here (/run, $XDG_RUNTIME_DIR, /dev/shm): give --runtime");
}

function input(text: string, networkInterface: string): SourceConfig {
  const parsed = source.safeParse(draft(text, networkInterface));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(`--input ${text}: ${issue?.path.join(".")} ${issue?.message}`);
}

function draft(text: string, networkInterface: string): unknown {
  if (text === "test") return { type: "test" };
  const stream = /^(udp|rtp):\/\/@?([^:/]*):(\d{1,5})$/.exec(text);
  if (stream !== null) {
    const [, protocol, address, port] = stream;
    return { type: "ip", protocol, address: address || "0.0.0.0", port: Number(port), interface: networkInterface };
  }
  if (text.includes("://")) throw new UsageError(`--input ${text}: must be test, a file, a device, udp:// or rtp://`);
  if (text.startsWith("input:")) return { type: "input", connector: text.slice("input:".length) };
  if (text.startsWith("/dev/")) {
    const [videoDevice, ...audioDevice] = text.split(",");
    return { type: "capture", videoDevice, audioDevice: audioDevice.join(",") };
  }
  return { type: "file", path: resolve(text) };
}
