/** Where the files of a channel are while it runs. */
import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";

/** The longest path of a UNIX socket in bytes: sun_path with its terminator (unix(7)). */
const SOCKET_PATH_MAX = 107;

/** What a channel's folder may hold, and nothing else is ever removed. */
const OURS = /^(encode|transmit|feed|tap|output-[a-z0-9-]+)\.(sock|state|log(\.1)?)$|^preview\.jpg/;

export class ChannelPaths {
  readonly folder: string;

  constructor(runtimeFolder: string, channel: string) {
    this.folder = join(runtimeFolder, channel);
  }

  get encode(): string {
    return join(this.folder, "encode.sock");
  }
  get transmit(): string {
    return join(this.folder, "transmit.sock");
  }
  output(id: string): string {
    return join(this.folder, `output-${id}.sock`);
  }
  get feed(): string {
    return join(this.folder, "feed.sock");
  }
  get tap(): string {
    return join(this.folder, "tap.sock");
  }
  get state(): string {
    return join(this.folder, "transmit.state");
  }
  get preview(): string {
    return join(this.folder, "preview.jpg");
  }
  /** Of what a process writes to stderr. */
  log(socket: string): string {
    return `${socket.slice(0, -".sock".length)}.log`;
  }

  /** Removes the folder of a channel that does not run; a folder that holds anything else than a channel's files stays. */
  async remove(): Promise<void> {
    const names = await readdir(this.folder).catch(() => undefined);
    if (!names?.every((name) => OURS.test(name))) return;
    await Promise.all(names.map((name) => rm(join(this.folder, name), { force: true })));
    await rmdir(this.folder);
  }
}

/** The longest path of a runtime folder in bytes with which every channel and its first sockets fit. */
export const RUNTIME_PATH_MAX = SOCKET_PATH_MAX - Buffer.byteLength(new ChannelPaths("/", "c".repeat(32)).transmit);

/** @throws Error when the path is too long for a socket. */
export function checkSocketPath(path: string): void {
  const length = Buffer.byteLength(path);
  if (length > SOCKET_PATH_MAX) {
    throw new Error(
      `the socket path ${path} has ${length} bytes, at most ${SOCKET_PATH_MAX} can be: use a shorter --runtime`,
    );
  }
}
