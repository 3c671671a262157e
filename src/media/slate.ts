/**
 * Slate clips: recorded feeds of what a channel shows while its encoder is missing, made by the encoder's own settings.
 * A clip is named by the hash of its spec, so each is made once and found again after a restart.
 */
import { mkdir, open, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CommandOptions, runCommand } from "./command.ts";
import type { EncodeSpec } from "./protocol.ts";
import { hashOf, slateSpec } from "./specs.ts";

/** Length of a clip in seconds; it is looped. */
const SECONDS = 2;
/** Milliseconds in which a clip must be done: it is made in the background, on a busy box. */
const TIMEOUT = 60_000;
/** The encoders of the channels on air go first. */
const NICENESS = 10;

export interface SlateOptions {
  folder: string;
  /** The program `encode` and its first arguments. */
  encode: readonly [string, ...string[]];
  run?: (program: string, args: readonly string[], options: CommandOptions) => Promise<string>;
}

export class SlateClips {
  readonly #options: SlateOptions;
  /** One at a time. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: SlateOptions) {
    this.#options = options;
  }

  /** The channel's clip for this spec, or else one of an earlier spec, or "". */
  async find(channel: string, spec: EncodeSpec): Promise<{ path: string; current: boolean }> {
    const wanted = await this.#name(channel, spec);
    const clips = await this.#clips(channel);
    const name = clips.includes(wanted) ? wanted : clips[0];
    return { path: name === undefined ? "" : join(this.#options.folder, name), current: name === wanted };
  }

  /**
   * Makes the clip for this spec; gives its path.
   * @throws CommandError when the encoder cannot make it, and errors of the file system
   */
  make(channel: string, spec: EncodeSpec): Promise<string> {
    const turn = this.#queue.then(() => this.#make(channel, spec));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** Removes the channel's clips but the one at `keep`. */
  async prune(channel: string, keep = ""): Promise<void> {
    const paths = (await this.#clips(channel)).map((name) => join(this.#options.folder, name));
    await Promise.all(paths.filter((path) => path !== keep).map((path) => rm(path, { force: true })));
  }

  async #make(channel: string, spec: EncodeSpec): Promise<string> {
    const { folder, encode, run = runCommand } = this.#options;
    await mkdir(folder, { recursive: true });
    const path = join(folder, await this.#name(channel, spec));
    const [temporary, specFile] = [`${path}.new`, `${path}.json`];
    try {
      await writeFile(specFile, JSON.stringify(slateSpec(spec)));
      const [program, ...first] = encode;
      const args = [...first, "--clip", specFile, temporary, String(SECONDS)];
      await run(program, args, { timeoutMs: TIMEOUT, nice: NICENESS });
      // A name that is there after a power cut has its whole content.
      const file = await open(temporary, "r");
      await file.sync().finally(() => file.close());
      await rename(temporary, path);
      return path;
    } finally {
      await Promise.all([rm(specFile, { force: true }), rm(temporary, { force: true })]);
    }
  }

  /** Clips with a picture of the user's are new when the file is. */
  async #name(channel: string, spec: EncodeSpec): Promise<string> {
    const { image } = spec.loss;
    const changed =
      image === ""
        ? 0
        : await stat(image)
            .then((file) => file.mtimeMs)
            .catch(() => 0);
    return `${channel}.${hashOf([slateSpec(spec), changed])}.feed`;
  }

  async #clips(channel: string): Promise<string[]> {
    const names = await readdir(this.#options.folder).catch(() => []);
    return names.filter((name) => name.startsWith(`${channel}.`) && name.endsWith(".feed"));
  }
}
